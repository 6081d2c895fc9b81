import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import allow_unattended, leave_open, over_http, resetbank
from tests.support.forked import Forked
from tests.support.pty import Terminal, resetbank_terminal, terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until

QUESTION = re.compile(r"Type ([A-Z]{3}) to spend this reset:")


def code_of(running: Terminal) -> str:
    match = QUESTION.search(running.wait_for(lambda text: QUESTION.search(text) is not None))
    assert match
    return match[1]


def test_the_typed_code_spends_one(stub: StubProcess) -> None:
    stub.set_scenario("at-limit")
    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        code = code_of(running)
        assert stub.spent() == 0
        running.type(f"{code}\n")
        running.wait_for("One reset was spent")
        assert running.wait_for_end() == 0
    assert stub.spent() == 1
    assert {window["kind"]: window["used_percent"] for window in stub.account()["windows"]}["five_hour"] == 0


@pytest.mark.parametrize("typed", ["\n", "yes\n", "ABC ABC\n", "\x1b[A\n", "\x04"])
def test_anything_else_refuses(stub: StubProcess, typed: str) -> None:
    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        code_of(running)
        running.type(typed)
        assert running.wait_for_end() == 23
        assert "nothing was spent" in running.text
    assert stub.spent() == 0
    assert stub.requests("/consume") == 0


def test_the_code_in_small_letters_is_not_the_code(stub: StubProcess) -> None:
    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        running.type(code_of(running).lower() + "\n")
        assert running.wait_for_end() == 23
    assert stub.spent() == 0


def test_silence_refuses(stub: StubProcess) -> None:
    script = (
        "import sys; import tui.cli.terminal as terminal; terminal.CONSENT_SECONDS = 0.05;"
        "from tui.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with terminal(sys.executable, "-c", script, "spend", *over_http(stub), rows=40) as running:
        assert running.wait_for_end() == 23
        assert "no answer came; nothing was spent" in running.text
    assert stub.spent() == 0


def test_without_a_terminal_nothing_is_spent(stub: StubProcess) -> None:
    result = resetbank("spend", "--json", *over_http(stub), stdin="ABC\n")
    assert (result.code, result.json["outcome"]) == (23, "refused")
    assert "no terminal" in result.err
    assert stub.requests("/consume") == 0


def test_unattended_needs_the_settings_and_the_word(stub: StubProcess) -> None:
    refused = resetbank("spend", "--unattended", *over_http(stub))
    assert refused.code == 23
    assert "unattended = true" in refused.err
    allow_unattended()
    assert resetbank("spend", *over_http(stub)).code == 23
    done = resetbank("spend", "--unattended", "--json", *over_http(stub))
    assert done.code == 0
    report = done.json
    assert list(report) == [
        "schema",
        "outcome",
        "request_id",
        "credit_id",
        "before",
        "after",
        "resets_left",
        "note",
    ]
    assert (report["outcome"], report["resets_left"]) == ("reset", 2)
    assert [window["used_percent"] for window in report["after"]] == [0, 0]
    consented = resetbank("ledger", "--json").json["events"][0]
    assert "unattended" in consented["text"]


def test_the_outcomes_have_their_codes(stub: StubProcess) -> None:
    allow_unattended()
    words = ("spend", "--unattended", "--json", *over_http(stub))
    stub.set_usage("five_hour", 0)
    stub.set_usage("weekly", 0)
    nothing = resetbank(*words)
    assert (nothing.code, nothing.json["outcome"]) == (20, "nothing_to_reset")
    stub.set_scenario("empty-bank")
    empty = resetbank(*words)
    assert (empty.code, empty.json["outcome"]) == (21, "no_credit")
    stub.set_scenario("at-limit")
    stub.fault("/consume", "status:503", 50)
    unknown = resetbank(*words)
    assert (unknown.code, unknown.json["outcome"]) == (22, "unknown")
    again = resetbank(*words)
    assert again.code == 22
    assert again.json["request_id"] == unknown.json["request_id"]
    stub.fault("/consume", "none")
    finished = resetbank("spend", "--json", *over_http(stub))
    assert (finished.code, finished.json["request_id"]) == (0, unknown.json["request_id"])
    assert stub.spent() == 1


def test_a_spend_that_is_open_is_not_called_refused_while_the_service_is_down(stub: StubProcess) -> None:
    allow_unattended()
    stub.set_scenario("at-limit")
    stub.fault("/usage", "status:503", 50)
    words = ("spend", "--unattended", "--json", *over_http(stub))
    before = resetbank(*words)
    assert (before.code, before.json["outcome"]) == (1, "refused")  # nothing is open yet
    stub.fault("/usage", "none")
    stub.fault("/consume", "status:503", 50)
    unknown = resetbank(*words)
    stub.fault("/usage", "status:503", 50)
    down = resetbank(*words)
    assert (down.code, down.json["outcome"]) == (22, "unknown")
    assert down.json["request_id"] == unknown.json["request_id"]
    assert "it could not be looked at" in down.json["note"]
    assert stub.requests("/consume") == 2


def test_an_old_consent_is_sent_again_by_a_new_yes_alone(stub: StubProcess) -> None:
    leave_open(stub, hours=2)
    asked = stub.requests("/consume")
    quiet = resetbank("spend", "--json", *over_http(stub))
    assert (quiet.code, quiet.json["outcome"]) == (22, "unknown")
    again = re.compile(r"Type ([A-Z]{3}) to finish it now:")
    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        running.wait_for(lambda text: again.search(text) is not None)
        running.type("no\n")
        assert running.wait_for_end() == 22
        assert "that was not the code; nothing was sent again" in running.text
    assert (stub.requests("/consume"), stub.spent()) == (asked, 0)
    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        match = again.search(running.wait_for(lambda text: again.search(text) is not None))
        assert match
        running.type(f"{match[1]}\n")
        assert running.wait_for_end() == 0
    assert (stub.requests("/consume"), stub.spent()) == (asked + 1, 1)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_one_that_is_broken_off_is_said_to_be_open(stub: StubProcess, words: tuple[str, ...]) -> None:
    allow_unattended()
    stub.set_scenario("at-limit")
    stub.fault("/consume", "delay:60")
    run = Forked(
        [sys.executable, "-m", "tui", "spend", "--unattended", *words, *over_http(stub)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    wait_until(lambda: stub.spent() == 1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=DEADLINE)
    assert (run.returncode, err) == (22, "")
    assert "broken off before its end was known" in out
    stub.fault("/consume", "none")
    done = resetbank("spend", "--json", *over_http(stub))
    assert (done.code, done.json["outcome"]) == (0, "reset")
    assert stub.spent() == 1


def test_a_chosen_credit_is_the_one_and_a_wrong_id_is_told(stub: StubProcess) -> None:
    allow_unattended()
    last = resetbank("status", "--json", *over_http(stub)).json["resets"]["credits"][-1]["id"]
    wrong = resetbank("spend", "--unattended", "--credit", "nope", *over_http(stub))
    assert (wrong.code, stub.spent()) == (21, 0)
    chosen = resetbank("spend", "--unattended", "--json", "--credit", last, *over_http(stub))
    assert (chosen.code, chosen.json["credit_id"]) == (0, last)


@pytest.mark.parametrize(("scenario", "note"), [("weekly-stays", ""), ("five-hour-stays", "5 hours still")])
def test_what_users_reported_is_seen_and_said(stub: StubProcess, scenario: str, note: str) -> None:
    allow_unattended()
    stub.set_scenario(scenario)
    report = resetbank("spend", "--unattended", "--json", *over_http(stub)).json
    assert report["outcome"] == "reset"
    assert note in (report["note"] or "")


def test_a_locked_database_spends_nothing(stub: StubProcess) -> None:
    import sqlite3

    allow_unattended()
    resetbank("status", *over_http(stub))
    database = Path(os.environ["RESETBANK_HOME"]) / "resetbank.db"
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    result = resetbank("spend", "--unattended", *over_http(stub))
    other.close()
    assert result.code == 23
    assert "nothing was sent" in result.err
    assert "locked by another program" in result.err
    assert stub.requests("/consume") == 0
    assert resetbank("spend", "--unattended", *over_http(stub)).code == 0
