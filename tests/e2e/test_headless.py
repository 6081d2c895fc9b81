"""`watch`, `sessions` and `continue` beside the real Codex CLI."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.codex import codex_daemon, codex_exec
from tests.sources.second_client import second_client
from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.forked import Forked
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.sources.codex_home import CodexHome

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex turns")]


def start_watch(*words: str) -> subprocess.Popen[str]:
    return Forked(
        [sys.executable, "-m", "tui", "watch", "--json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


def events_of(watch: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    out, errors = watch.communicate(timeout=DEADLINE)
    assert errors == ""
    return watch.returncode, [json.loads(line) for line in out.splitlines()]


def test_watch_once_tells_what_holds_already(stub: StubProcess) -> None:
    code, events = events_of(start_watch("--once", *over_http(stub)))
    assert code == 10
    assert events == [
        {
            "event": "near",
            "at": events[0]["at"],
            "thread_id": None,
            "workspace": None,
            "kind": "five_hour",
            "resets_at": events[0]["resets_at"],
            "resets_available": 3,
        }
    ]


def test_watch_once_ends_when_a_session_is_stopped(stub: StubProcess) -> None:
    stub.set_scenario("calm")
    watch = start_watch("--once", *over_http(stub))
    wait_until(lambda: stub.requests("/usage") > 1)  # it looks once before it begins to watch
    stub.set_usage("five_hour", 100)
    assert codex_exec(stub).returncode == 1
    code, events = events_of(watch)
    assert (code, events[-1]["event"]) == (11, "interrupted"), events
    assert events[-1]["workspace"] == str(stub.workspace)
    listed = resetbank("sessions", "--json", *over_http(stub)).json["sessions"]
    assert [(session["id"], session["state"]) for session in listed] == [(events[-1]["thread_id"], "stopped_at_limit")]


def test_continue_waits_for_the_limit_and_leaves_the_command(stub: StubProcess) -> None:
    stub.set_usage("five_hour", 100)
    assert codex_exec(stub).returncode == 1
    early = resetbank("continue", *over_http(stub))
    assert early.code == 2
    assert "the limit still holds" in early.err
    allow_unattended()
    assert resetbank("spend", "--unattended", *over_http(stub)).code == 0
    result = resetbank("continue", *over_http(stub))
    assert result.code == 1
    assert result.out.startswith(f"CODEX_HOME={stub.codex_home} codex resume ")
    unknown = resetbank("continue", "0a7d5b1e-0000-4000-8000-000000000001", *over_http(stub))
    assert (unknown.code, stub.spent()) == (2, 1)


async def test_continue_tells_each_thread_once_through_the_daemon(stub: StubProcess) -> None:
    words = ("--source", "daemon", "--codex-home", str(stub.codex_home))
    allow_unattended()
    with codex_daemon(stub):
        async with second_client(CodexHome(stub.codex_home).daemon_socket) as codex:
            thread = await codex.start_thread(stub.workspace)
            await codex.start_turn(thread)
            await codex.until(lambda message: message["method"] == "turn/completed")
            stub.set_usage("five_hour", 100)
            await codex.start_turn(thread)
            await codex.until(lambda message: message["method"] == "error")
            assert resetbank("spend", "--unattended", *words).code == 0
            turns = stub.requests("/responses")
            told = resetbank("continue", "--message", "Go on.", *words)
            assert (told.code, told.out) == (0, f"{thread}  told to go on\n"), told
            wait_until(lambda: stub.requests("/responses") == turns + 1)
            again = resetbank("continue", *words)
            assert (again.code, again.out) == (0, "No thread stands still at a limit.\n"), again
            assert stub.requests("/responses") == turns + 1


def test_a_missing_sessions_folder_is_no_failure(stub: StubProcess) -> None:
    result = resetbank("sessions", *over_http(stub))
    assert (result.code, result.out) == (0, "No live session of Codex is known here.\n")
    (Path(stub.codex_home) / "sessions").mkdir()
    assert resetbank("sessions", "--json", *over_http(stub)).json == {"schema": 1, "sessions": []}
