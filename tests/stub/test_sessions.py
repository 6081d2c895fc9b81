"""The scene of a held session: a demo's sessions run into the limit, are held, and go on after the answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.clocks import ManualClock
from tests.support.waiting import DEADLINE
from tui.assembly import SourceOptions, open_companion
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Cause, Choice, Question
from tui.domain.sessions import SessionState
from tui.domain.spend import Consent, ConsentKind
from tui.paths import resetbank_paths
from tui.settings import Settings


@pytest.fixture
async def demo(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Companion]:
    options = SourceOptions("stub", tmp_path, None, "held")
    paths = resetbank_paths(tmp_path)
    demo = open_companion(options, Settings(), paths, front_end="a test", clock=clock, watches=True, asks=True)
    running = asyncio.create_task(demo.run())
    yield demo
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await demo.aclose()


async def until(demo: Companion, holds: Callable[[State], bool]) -> State:
    """Let time pass until it holds."""
    clock = demo.clock
    assert isinstance(clock, ManualClock)
    async with asyncio.timeout(DEADLINE):
        while not holds(demo.state):
            clock.advance(0.25)
            await asyncio.to_thread(lambda: None)
    return demo.state


async def question_about_both(demo: Companion) -> Question:
    state = await until(demo, lambda state: len(held(state.sessions)) == 2 and state.question is not None)
    assert state.question is not None
    state = await until(demo, lambda state: state.question is not None and state.question.cause is Cause.HELD)
    assert state.question is not None
    assert state.gate is GateMode.CLOSED
    return state.question


def states(state: State) -> set[SessionState]:
    return {session.state for session in state.sessions.values()}


async def test_both_are_held_and_end_their_turns_after_one_spend(demo: Companion) -> None:
    state = await until(demo, lambda state: len(state.sessions) == 2)
    assert states(state) == {SessionState.RUNNING}
    await question_about_both(demo)

    async def spend() -> None:
        proposal = await demo.spender.propose()
        await demo.spender.spend(proposal, Consent(ConsentKind.LETTER, demo.clock.now()), True)

    spending = asyncio.create_task(spend())
    await until(demo, lambda _: spending.done())
    spending.result()
    state = await until(demo, lambda state: states(state) == {SessionState.IDLE})
    assert state.snapshot is not None
    assert (state.snapshot.bank.available, state.question) == (2, None)


@pytest.mark.parametrize(
    ("choice", "mode", "after"),
    [
        (Choice.WAIT, GateMode.WAIT, SessionState.HELD),
        (Choice.LET_FAIL, GateMode.PASS, SessionState.STOPPED_AT_LIMIT),
    ],
)
async def test_every_answer_does_what_it_says(
    demo: Companion, choice: Choice, mode: GateMode, after: SessionState
) -> None:
    question = await question_about_both(demo)
    assert choice in question.choices
    await demo.questions.answer(question, choice)
    await until(demo, lambda state: state.gate is mode)
    state = await until(demo, lambda state: states(state) == {after})
    assert state.snapshot is not None
    assert state.snapshot.bank.available == 3
