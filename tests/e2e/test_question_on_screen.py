"""The whole thing on a real terminal: the real Codex stops, the screen asks, one letter, and the session goes on."""

import asyncio
import re

import pytest

from tests.e2e.codex import codex_daemon
from tests.e2e.test_real_codex import screen
from tests.sources.second_client import second_client
from tests.support.commands import resetbank
from tests.support.pty import Terminal, resetbank_terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import wait_until
from tui.sources.codex_home import CodexHome

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex hold")]

LETTERS = re.compile(r"press  ([A-Z])  spend and continue +press  ([A-Z])  spend only")


def answer(running: Terminal) -> None:
    """Press what spends and continues, and nothing else; blind keys first, which must do nothing."""
    shown = running.wait_for(lambda text: LETTERS.search(text) is not None)
    for blind in ("\x1b[A", "\r", " ", "y"):
        running.type(blind)
    match = LETTERS.search(shown)
    assert match
    running.press_until(match[1], lambda text: LETTERS.search(text) is None)
    running.wait_for("running again")


async def test_one_letter_and_the_session_goes_on(stub: StubProcess) -> None:
    words, offline = screen(stub, "daemon")
    with codex_daemon(stub), resetbank_terminal(*words, columns=120, rows=40, **offline) as running:
        async with second_client(CodexHome(stub.codex_home).daemon_socket) as codex:
            await asyncio.to_thread(running.wait_for, "● daemon")
            thread = await codex.start_thread(stub.workspace)
            await codex.start_turn(thread)
            await codex.until(lambda message: message["method"] == "turn/completed")
            await asyncio.to_thread(running.wait_for, "workspace")
            stub.set_usage("five_hour", 100)
            await codex.start_turn(thread)
            await codex.until(lambda message: message["method"] == "error")
            turns = stub.requests("/responses")
            await asyncio.to_thread(answer, running)
            assert stub.spent() == 1
            await asyncio.to_thread(wait_until, lambda: stub.requests("/responses") == turns + 1)
    closed = [event for event in resetbank("ledger", "--json").json["events"] if event["event"] == "spend_closed"]
    assert len(closed) == 1
