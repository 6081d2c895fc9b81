"""`resetbank --plain` as a real process: each line is said once, and only the typed code spends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.cli.test_accounts import name_accounts
from tests.support.commands import leave_open, over_http, resetbank
from tests.support.pty import Terminal, resetbank_terminal, terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE

CODE = re.compile(r"Type ([A-Z]{3}) to spend this reset")
READY = "Type help and Enter"
DRAWN = re.compile("[\x1b\u2500-\u259f▸●○◍◼◷✓✗→≈]")


def plain(*words: str, **environment: str) -> AbstractContextManager[Terminal]:
    return resetbank_terminal("--plain", *words, columns=160, rows=150, **environment)


def codes(running: Terminal) -> list[str]:
    return CODE.findall(running.text)


def ask(running: Terminal, number: int) -> str:
    """Type that one is to be spent; the code that is asked for then."""
    running.type("spend\n")
    running.wait_for(lambda _: len(codes(running)) == number)
    return codes(running)[-1]


def refused(running: Terminal, times: int) -> None:
    """Wait until so many answers were none."""
    running.wait_for(lambda text: text.count("nothing was done") == times)


def test_an_open_spend_of_an_old_consent_takes_a_code_of_its_own(stub: StubProcess) -> None:
    leave_open(stub, hours=2)
    asked, again = stub.requests("/consume"), re.compile(r"Type ([A-Z]{3}) to finish it now")
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        running.type("spend\n")
        running.wait_for(lambda text: again.search(text) is not None)
        running.type("no\n")
        refused(running, 1)
        assert (stub.requests("/consume"), stub.spent()) == (asked, 0)
        running.type("spend\n")
        running.wait_for(lambda text: len(again.findall(text)) == 2)
        running.type(f"{again.findall(running.text)[-1]}\n")
        running.wait_for("One reset was spent.")
    assert (stub.requests("/consume"), stub.spent()) == (asked + 1, 1)


def lines_of(running: Terminal) -> list[str]:
    return [line for line in running.text.splitlines() if line]


def test_the_typed_code_spends_one_and_nothing_else_does(stub: StubProcess) -> None:
    stub.set_scenario("at-limit")
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        for number, wrong in enumerate(("", "yes", "spend", "ABC ABC", ask(running, 1).lower()), start=1):
            running.type(f"{wrong}\n")
            refused(running, number)
            code = ask(running, number + 1)
        assert (stub.spent(), stub.requests("/consume")) == (0, 0)
        running.type(f"{code}\n")
        running.wait_for("One reset was spent.")
        running.wait_for("5 hours: 0 % used")
        running.type("quit\n")
        assert running.wait_for_end() == 0
        assert running.text.count("One reset was spent.") == 1
        assert DRAWN.search(running.text) is None
        assert b"\x1b" not in running.raw
    assert stub.spent() == 1


def test_what_was_typed_ahead_consents_to_nothing(stub: StubProcess) -> None:
    stub.set_scenario("at-limit")
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        running.type("spend\nABC\nspend\nyes\n")
        running.wait_for(lambda _: len(codes(running)) >= 1)
        running.type("\n")
        running.wait_for("nothing was done")
        running.type("quit\nquit\nquit\n")
        assert running.wait_for_end() == 0
    assert stub.requests("/consume") == 0


def test_silence_is_no_consent(stub: StubProcess) -> None:
    script = (
        "import sys; import tui.cli.terminal as terminal; terminal.CONSENT_SECONDS = 0.05;"
        "from tui.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with terminal(sys.executable, "-c", script, "--plain", *over_http(stub), columns=160, rows=150) as running:
        running.wait_for(READY)
        running.type("spend\n")
        running.wait_for("No answer came; nothing was done")
        running.type("quit\n")
        assert running.wait_for_end() == 0
    assert stub.spent() == 0


def test_each_change_is_said_once(stub: StubProcess) -> None:
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        stood = lines_of(running)
        assert len(stood) == len(set(stood))
        running.type("read\nread\n")
        stub.set_usage("five_hour", 100)
        running.type("read\n")
        running.wait_for("5 hours: 100 % used, reached")
        stub.grant()
        running.type("read\n")
        running.wait_for("4 resets banked")
        running.wait_for("A reset was granted")
        running.type("read\nread\nnonsense\n")
        running.wait_for("'nonsense' means nothing here")
        running.type("quit\n")
        running.wait_for_end()
        said = [line for line in lines_of(running) if line not in ("read", "quit", "nonsense")]
    assert len(said) == len(set(said))
    for once in ("5 hours: 100 % used, reached", "4 resets banked", "reset was granted", READY):
        assert sum(once in line for line in said) == 1, once


def test_the_question_is_said_and_waiting_is_its_answer() -> None:
    with plain("--demo") as running:
        running.wait_for("Question: 2 sessions are held: 5-hour limit reached.")
        running.wait_for("Type one of these and Enter: spend (spend and let go on), only (spend only), wait (")
        running.type("wait\n")
        running.wait_for("Waiting: work goes on by itself when the 5-hour limit is reset.")
        running.type("fail\n")  # the question is closed
        running.wait_for("'fail' means nothing here")
        running.type("\x04")
        assert running.wait_for_end() == 0
        assert running.text.count("Question:") == 1
        assert DRAWN.search(running.text) is None


def test_one_code_spends_and_lets_the_held_sessions_go_on() -> None:
    with plain("--demo") as running:
        running.wait_for("Type one of these and Enter")
        code = ask(running, 1)
        assert re.search(r"to spend this reset and let (importer, website|website, importer) go on", running.text)
        running.type(f"{code}\n")
        running.wait_for("One reset was spent.")
        running.wait_for(lambda text: text.count("website: running") == 2)
        running.type("quit\n")
        assert running.wait_for_end() == 0


def test_one_is_queued_by_a_code_and_taken_out_by_a_word(stub: StubProcess) -> None:
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        running.type("queue\n")
        code = re.search(r"Type ([A-Z]{3}) to queue", running.wait_for(" to queue this reset:"))
        assert code
        assert "queued for the limit" not in running.text
        running.type(f"{code[1]}\n")
        running.wait_for("1 queued for the limit")
        running.type("queue\n")
        running.wait_for("taken out by hand")
        running.type("quit\n")
        assert running.wait_for_end() == 0
    assert stub.spent() == 0


def test_several_accounts_are_told_apart_and_the_code_names_whose_reset_it_spends(stub: StubProcess) -> None:
    other = stub.add_account("acc-home", "plus", "other@example.com")
    assert other is not None
    stub.set_usage("five_hour", 100, "acc-home")
    name_accounts(work=stub.codex_home, home=other / "codex-home")
    with plain("--source", "http") as running:
        running.wait_for("resetbank, work, plus, me@example.com.")
        running.wait_for("resetbank, home, plus, other@example.com.")
        running.type("account nobody\naccount home\n")
        running.wait_for("There is no account nobody.")
        running.wait_for("What is typed is for home now.")
        running.type("spend\n")
        code = re.search(r"Type ([A-Z]{3}) to spend this reset \(account home\)", running.wait_for("(account home)"))
        assert code
        running.type(f"{code[1]}\n")
        running.wait_for("One reset was spent.")
        running.wait_for("home: 5 hours: 0 % used")
        running.type("quit\n")
        assert running.wait_for_end() == 0
    assert (stub.spent(), stub.spent("acc-home")) == (0, 1)


def test_ctrl_c_leaves(stub: StubProcess) -> None:
    with plain(*over_http(stub)) as running:
        running.wait_for(READY)
        ask(running, 1)
        running.process.send_signal(signal.SIGINT)
        assert running.wait_for_end() == 130
    assert stub.spent() == 0


def test_under_codex_it_only_tells(stub: StubProcess) -> None:
    stub.set_scenario("at-limit")
    with plain(*over_http(stub), CODEX_THREAD_ID="x") as running:
        running.wait_for("nothing can be spent or sent from here")
        running.type("spend\n")
        stub.grant()
        running.process.send_signal(signal.SIGTERM)
        assert running.wait_for_end() == 143
        assert not codes(running)
    assert stub.requests("/consume") == 0


def without_terminal(*words: str, until: Callable[[str], bool], options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Run it with no terminal until something was said, then end it; exit code, output and errors."""
    process = subprocess.Popen(
        [sys.executable, *options, "-m", "tui", "--plain", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("spend\nABC\n")
        process.stdin.close()
        process.stdin = None
        said = ""
        while not until(said):
            line = process.stdout.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    return process.returncode, said + rest, errors


def test_without_a_terminal_it_only_tells(stub: StubProcess) -> None:
    stub.set_scenario("at-limit")
    code, said, errors = without_terminal(*over_http(stub), until=lambda text: "banked" in text and "lapses" in text)
    assert (code, errors) == (143, "")
    assert "reached" in said
    assert "Type" not in said
    assert stub.requests("/consume") == 0


def test_no_screen_library_is_loaded(stub: StubProcess) -> None:
    code, _, loaded = without_terminal(
        "--demo", "held", until=lambda text: "held" in text, options=("-X", "importtime")
    )
    assert code == 143
    modules = {line.rpartition("|")[2].strip() for line in loaded.splitlines()}
    assert "tui.cli.plain" in modules
    assert not {name for name in modules if name.partition(".")[0] in ("textual", "rich")}


@pytest.mark.parametrize("words", [("--plain", "--demo", "nonsense"), ("--plain", "--account", "nobody")])
def test_what_cannot_be_is_one_line(words: tuple[str, ...]) -> None:
    done = resetbank(*words)
    assert (done.out, done.err.count("\n")) == ("", 1)
    assert done.code == 2
