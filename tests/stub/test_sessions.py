"""The scene of a held session: a demo's sessions run into the limit, are held, and go on after the answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stub.demos import running_demo, until
from tests.support.clocks import ManualClock
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Cause, Choice, Question
from tui.domain.sessions import SessionState
from tui.domain.spend import Consent, ConsentKind


@pytest.fixture
async def demo(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Companion]:
    async with running_demo("held", clock, tmp_path) as demo:
        yield demo


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


async def test_whoever_starts_at_the_limit_is_asked(clock: ManualClock, tmp_path: Path) -> None:
    async with running_demo("at-limit", clock, tmp_path) as demo:
        causes = (Cause.HELD, Cause.STOPPED)  # whether the hook was there before the request
        await until(demo, lambda state: state.question is not None and state.question.cause in causes)


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
