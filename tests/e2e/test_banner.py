"""A reset spent in Codex's own banner: the program recognises it, asks no more, and offers to go on."""

import asyncio
import os

import pytest

from tests.e2e.attending import attended, stopped
from tests.support.codex_cli import codex_environment, npm_codex, private_folder
from tests.support.codex_screen import choose
from tests.support.pty import terminal
from tests.support.stub_process import StubProcess, start_stub
from tui.clock import LocalZone
from tui.domain.ledger import EventKind
from tui.ui.view.resuming import limit_stands, to_carry
from tui.ui.view.view_state import ViewState

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex hold")]


async def test_a_spend_in_codexs_own_banner_closes_the_question_and_leaves_the_stopped_to_be_told() -> None:
    with private_folder() as folder, start_stub(scenario="banner", sandbox=folder / "box") as stub:
        soonest = stub.account()["credits"][0]["id"]
        async with attended(stub, "http") as running:
            await run_into_the_limit(stub)
            state = await running.until(lambda state: state.question is not None and bool(state.sessions))
            (thread,) = state.sessions
            await asyncio.to_thread(spend_in_the_banner, stub)
            state = await running.until(
                lambda state: (
                    state.question is None and any(line.kind is EventKind.SPENT_ELSEWHERE for line in state.recent)
                )
            )
            (line,) = [line for line in state.recent if line.kind is EventKind.SPENT_ELSEWHERE]
            assert line.text.startswith("a reset was spent in Codex, which offered it, at 20")
            assert stopped(state, thread)
            view = ViewState(running.companion.clock.now(), LocalZone(), state)
            assert not limit_stands(view)
            assert [stop.thread_id for stop in to_carry(view)] == [thread]
        redeemed = [credit["id"] for credit in stub.account()["credits"] if credit["status"] == "redeemed"]
        assert redeemed == [soonest]


async def run_into_the_limit(stub: StubProcess) -> None:
    process = await asyncio.create_subprocess_exec(
        *(npm_codex(), "exec", "say hello", "--skip-git-repo-check"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=stub.workspace,
        env=codex_environment(stub.codex_home),
    )
    assert await process.wait() != 0


def spend_in_the_banner(stub: StubProcess) -> None:
    environment = codex_environment(stub.codex_home)
    changed = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    command = [str(npm_codex()), "--no-daemon", "--cd", str(stub.workspace), "--model", "gpt-6-sol"]
    with terminal(*command, columns=100, rows=40, **changed) as codex:
        codex.wait_for("1. Use a reset")
        for answer in ("4. Cancel", "1. Yes, use reset", "You have 2 usage limit resets left"):
            choose(codex, "1", answer)
