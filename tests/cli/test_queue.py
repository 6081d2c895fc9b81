import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.pty import Terminal, resetbank_terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import wait_until
from tui.cli.queue import moment_of
from tui.errors import UsageError

QUESTION = re.compile(r"Type ([A-Z]{3}) to queue up to 2 resets:")
NIGHT = ("queue", "--upto", "2", "--until", "07:00")


def code_of(running: Terminal) -> str:
    match = QUESTION.search(running.wait_for(lambda text: QUESTION.search(text) is not None))
    assert match
    return match[1]


def kinds() -> list[str]:
    return [event["event"] for event in resetbank("ledger", "--json").json["events"]]


def test_the_typed_code_queues_and_another_terminal_cancels(stub: StubProcess) -> None:
    with resetbank_terminal(*NIGHT, *over_http(stub), columns=100, rows=40) as running:
        code = code_of(running)
        assert "queued" not in kinds()
        running.type(f"{code}\n")
        running.wait_for("left in the queue: 2")
        assert kinds().count("queued") == 1
        cancelled = resetbank("queue", "--cancel", *over_http(stub))
        assert (cancelled.code, cancelled.out) == (0, "what was queued was taken out; nothing is spent\n")
        running.wait_for("the queue is over")
        assert running.wait_for_end() == 0
    assert stub.spent() == 0
    assert resetbank("queue", "--cancel", *over_http(stub)).out == "nothing is queued\n"


def test_a_screen_shows_what_another_process_has_armed_and_takes_it_out(stub: StubProcess) -> None:
    with (
        resetbank_terminal(*NIGHT, *over_http(stub), columns=100, rows=40) as running,
        resetbank_terminal(*over_http(stub), columns=120, rows=40) as screen,
    ):
        screen.wait_for("3 resets")
        running.type(f"{code_of(running)}\n")
        running.wait_for("left in the queue: 2")
        screen.type("\x1b[15~")  # F5
        shown = screen.wait_for("armed in another resetbank")
        assert "before the restart" not in shown
        screen.press_until("u", "the queued reset was taken out; nothing is spent")
        running.wait_for("the queue is over")
        assert running.wait_for_end() == 0
    assert stub.spent() == 0
    assert kinds().count("unqueued") == 1


def test_one_is_queued_for_its_lapse_by_a_typed_code_where_the_settings_allow_it(stub: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text("[spend]\nbefore_lapse = 50\n")
    with resetbank_terminal("queue", "--before-lapse", *over_http(stub), columns=100, rows=40) as running:
        code = re.search(r"Type ([A-Z]{3}) to queue this reset:", running.wait_for("to queue this reset:"))
        assert code
        assert "if at least 50 % of a window is used by then" in running.text
        running.type(f"{code[1]}\n")
        running.wait_for("left in the queue: 1")
        assert resetbank("queue", "--cancel", *over_http(stub)).code == 0
        assert running.wait_for_end() == 0
    assert stub.spent() == 0


def test_one_that_lapses_within_minutes_is_spent_at_once_by_the_typed_code(stub: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text("[spend]\nbefore_lapse = 50\n")
    stub.set_scenario("expiring")
    with resetbank_terminal("queue", "--before-lapse", *over_http(stub), columns=100, rows=40) as running:
        code = re.search(r"Type ([A-Z]{3}) to queue this reset:", running.wait_for("to queue this reset:"))
        assert code
        assert "It will be spent at once, without a further" in running.text
        assert stub.spent() == 0
        running.type(f"{code[1]}\n")
        running.wait_for("the queue is over")
        assert running.wait_for_end() == 0
    assert stub.spent() == 1
    assert {"queued", "spend_consented", "spend_sent", "spend_answered", "spend_closed"} <= set(kinds())


def test_ctrl_c_takes_out_what_is_left(stub: StubProcess) -> None:
    with resetbank_terminal(*NIGHT, *over_http(stub), columns=100, rows=40) as running:
        running.type(code_of(running) + "\n")
        running.wait_for("left in the queue: 2")
        running.process.send_signal(2)
        running.wait_for_end()
    assert kinds()[-1] == "unqueued"
    assert resetbank("queue", "--cancel", *over_http(stub)).out == "nothing is queued\n"


def test_ctrl_c_in_the_middle_of_a_spend_says_that_it_is_open(stub: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text("[spend]\nbefore_lapse = 50\n")
    stub.set_scenario("expiring")
    stub.fault("/consume", "delay:60")
    with resetbank_terminal("queue", "--before-lapse", *over_http(stub), columns=160, rows=40) as running:
        code = re.search(r"Type ([A-Z]{3}) to queue this reset:", running.wait_for("to queue this reset:"))
        assert code
        running.type(f"{code[1]}\n")
        wait_until(lambda: stub.spent() == 1)
        running.process.send_signal(2)
        assert running.wait_for_end() == 22
        assert "broken off while a reset was being spent" in running.text
    stub.fault("/consume", "none")
    assert resetbank("spend", *over_http(stub)).code == 0
    assert stub.spent() == 1


@pytest.mark.parametrize("typed", ["\n", "yes\n", "\x04"])
def test_anything_else_refuses(stub: StubProcess, typed: str) -> None:
    with resetbank_terminal(*NIGHT, *over_http(stub), columns=100, rows=40) as running:
        code_of(running)
        running.type(typed)
        assert running.wait_for_end() == 23
        assert "nothing was queued" in running.text
    assert "queued" not in kinds()


def test_without_a_terminal_nothing_is_queued(stub: StubProcess) -> None:
    result = resetbank(*NIGHT, *over_http(stub), stdin="ABC\n")
    assert result.code == 23
    assert "no terminal" in result.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--upto", "0"), 2, "from 1 on"),
        (("--until", "soon"), 2, "does not understand 'soon'"),
        (("--until", "2001-01-01 07:00"), 2, "within the next seven days"),
        (("--cancel", "--upto", "2"), 2, "takes out all"),
        (("--before-lapse", "--upto", "1"), 2, "for one reset"),
        (("--before-lapse",), 2, "the settings do not allow"),
    ],
)
def test_what_makes_no_sense_is_one_line(stub: StubProcess, words: tuple[str, ...], code: int, said: str) -> None:
    result = resetbank("queue", *words, *over_http(stub))
    assert (result.code, result.err.count("\n")) == (code, 1)
    assert said in result.err


def test_codex_may_not_queue(stub: StubProcess) -> None:
    result = resetbank("queue", "--cancel", *over_http(stub), CODEX_THREAD_ID="x")
    assert result.code == 23
    assert "refused under Codex" in result.err


def test_times_on_the_command_line() -> None:
    now = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
    local = now.astimezone()
    later = moment_of(f"{(local + timedelta(hours=3)):%H:%M}", now)
    assert later == now + timedelta(hours=3)
    earlier = moment_of(f"{(local - timedelta(hours=3)):%H:%M}", now)
    assert earlier == now + timedelta(hours=21)
    assert moment_of("2026-11-26T07:00+00:00", now) == datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
    with pytest.raises(UsageError):
        moment_of("25:00", now)
