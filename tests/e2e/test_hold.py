"""Held by the real Codex, kept by the real companion: one question, one reset, and the same turn goes on."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.companion import companion, finished, seen, spend
from tests.hooks.codex import HookedCodex, holding
from tests.support.codex_cli import codex_environment
from tests.support.codex_screen import say
from tests.support.pty import terminal
from tests.support.waiting import DEADLINE
from tui.companion.state import State
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Cause, Choice
from tui.domain.sessions import SessionState

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex hold")]

TOOLS = "Please work.\nrun: true\nrun: true\nrun: true\nThanks."


@pytest.fixture
def codex() -> Iterator[HookedCodex]:
    with holding() as codex:
        yield codex


def asks_about_held(state: State) -> bool:
    """Whether the question is about what is held; before a waiter is seen it may be about what is about to stop."""
    return bool(held(state.sessions)) and state.question is not None and state.question.cause is Cause.HELD


async def test_the_same_turn_goes_on_after_the_limit_in_its_middle(codex: HookedCodex) -> None:
    async with companion(codex) as running:
        turn = codex.start(TOOLS)
        state = await seen(running, asks_about_held)
        assert state.question is not None
        assert (state.question.cause, state.gate) == (Cause.HELD, GateMode.CLOSED)
        assert (codex.stub.spent(), codex.stub.requests("/responses")) == (0, 3)
        await spend(running)
        assert "usage limit" not in await finished(turn)
        assert (codex.stub.spent(), codex.stub.requests("/responses")) == (1, 4)
        idle = [SessionState.IDLE]
        await seen(running, lambda state: [session.state for session in state.sessions.values()] == idle)
        assert running.state.question is None


async def test_three_sessions_are_one_question_and_one_reset(codex: HookedCodex) -> None:
    codex.stub.set_usage("five_hour", 100)
    async with companion(codex) as running:
        await seen(running, lambda state: state.gate is GateMode.CLOSED)
        turns = [codex.start(TOOLS) for _ in range(3)]
        await seen(running, lambda state: len(held(state.sessions)) == 3)
        await seen(running, asks_about_held)
        assert codex.stub.requests("/responses") == 0
        place = ("--source", "http", "--base-url", codex.stub.url)
        lines = (await asyncio.to_thread(codex.resetbank, "sessions", *place)).out.splitlines()
        assert [line.split()[1] for line in lines] == ["held"] * 3
        await spend(running)
        for turn in turns:
            await finished(turn)
        assert (codex.stub.spent(), codex.stub.requests("/responses")) == (1, 12)
        await seen(running, lambda state: not held(state.sessions) and state.question is None)


async def test_wait_and_let_fail(codex: HookedCodex) -> None:
    codex.stub.set_usage("five_hour", 100)
    async with companion(codex) as running:
        await seen(running, lambda state: state.gate is GateMode.CLOSED)
        turn = codex.start(TOOLS)
        state = await seen(running, asks_about_held)
        assert state.question is not None
        assert Choice.LET_FAIL in state.question.choices
        await running.questions.answer(state.question, Choice.WAIT)
        await seen(running, lambda state: state.gate is GateMode.WAIT)
        codex.stub.set_usage("five_hour", 0)
        await finished(turn)
        codex.stub.set_usage("five_hour", 100)
        running.refresh()
        await seen(running, lambda state: state.gate is GateMode.CLOSED)
        turn = codex.start(TOOLS)
        state = await seen(running, asks_about_held)
        assert state.question is not None
        await running.questions.answer(state.question, Choice.LET_FAIL)
        await seen(running, lambda state: state.gate is GateMode.PASS)
        output, _ = await asyncio.to_thread(turn.communicate, timeout=DEADLINE)
        assert turn.returncode != 0
        assert "usage limit" in output
    assert codex.stub.spent() == 0


async def test_a_turn_in_the_tui_over_its_daemon_waits_and_goes_on(codex: HookedCodex) -> None:
    codex.stub.set_usage("five_hour", 97)
    environment = codex_environment(codex.stub.codex_home)
    changed = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    command = [str(codex.executable), "--cd", str(codex.stub.workspace), "--model", "gpt-6-sol"]
    try:
        async with companion(codex) as running:
            with terminal(*command, columns=100, rows=40, **changed) as tui:
                await asyncio.to_thread(say, tui, "run: true", "resetbank: waits here while a limit is reached")
                state = await seen(running, asks_about_held)
                assert state.question is not None
                assert state.question.cause is Cause.HELD
                await spend(running)
                for line in ("resetbank: one reset was spent", "one turn was metered"):
                    await asyncio.to_thread(tui.wait_to_have_shown, line)
                assert not tui.has_shown("hit your usage limit")
            assert codex.stub.spent() == 1
            await seen(running, lambda state: not held(state.sessions) and state.question is None)
    finally:
        end_daemon(codex.stub.codex_home)


def end_daemon(codex_home: Path) -> None:
    """The interactive Codex leaves a daemon running, and one that keeps it up to date."""
    for path in (*codex_home.glob("*.pid"), *codex_home.glob("app-server-daemon/*.pid")):
        with suppress(ProcessLookupError):
            os.kill(json.loads(path.read_text())["pid"], signal.SIGKILL)
