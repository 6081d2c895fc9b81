"""What a person sees and presses while the real Codex is held."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.hooks.codex import HookedCodex, holding
from tests.support.pty import Terminal, resetbank_terminal
from tests.support.waiting import DEADLINE, wait_until
from tui.domain.hooks import GateMode

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex hold")]

LETTER = re.compile(r"press  ([A-Z])  spend and let go on")


@pytest.fixture
def codex() -> Iterator[HookedCodex]:
    with holding() as codex:
        yield codex


def screen(codex: HookedCodex) -> AbstractContextManager[Terminal]:
    words, environment = codex.command("--source", "http", "--base-url", codex.stub.url)
    return resetbank_terminal(*words, columns=120, rows=40, **environment)


def test_one_letter_lets_the_held_turn_go_on(codex: HookedCodex) -> None:
    codex.stub.set_usage("five_hour", 100)
    with screen(codex) as running:
        running.wait_for("5-hour limit reached")
        wait_until(lambda: codex.says(GateMode.CLOSED))
        turn = codex.start("run: true")
        shown = running.wait_for(lambda text: LETTER.search(text) is not None)
        assert "workspace is held: 5-hour limit reached" in shown
        assert "let them fail" in shown
        match = LETTER.search(shown)
        assert match
        running.press_until(match[1], lambda text: LETTER.search(text) is None)
        shown = running.wait_for("One reset was spent")
        assert "workspace is held: 5-hour limit reached" in shown  # what was asked, though it is let go by now
        assert "not stopped" not in shown
        output, _ = turn.communicate(timeout=DEADLINE)
        assert turn.returncode == 0, output
    assert codex.stub.spent() == 1


def test_without_a_reset_the_held_turn_can_wait_or_be_let_go(codex: HookedCodex) -> None:
    codex.stub.set_scenario("empty-bank")
    codex.stub.set_usage("five_hour", 100)
    with screen(codex) as running:
        running.wait_for("5-hour limit reached")
        wait_until(lambda: codex.says(GateMode.CLOSED))
        turn = codex.start("run: true")
        running.wait_for("w wait and go on at")
        running.press_until("w", "Waiting: work goes on by itself at")
        codex.stub.set_usage("five_hour", 0)
        running.type("\x1b[15~")  # F5
        output, _ = turn.communicate(timeout=DEADLINE)
        assert turn.returncode == 0, output
        running.wait_for("the 5-hour limit was reset")
    assert codex.stub.spent() == 0


def test_watch_keeps_the_gate_without_a_screen_and_says_what_happens(codex: HookedCodex) -> None:
    codex.stub.set_usage("five_hour", 100)
    watch = codex.start_resetbank("watch", "--json", "--source", "http", "--base-url", codex.stub.url)
    try:
        wait_until(lambda: codex.says(GateMode.CLOSED))
        turn = codex.start("run: true")
        wait_until(lambda: len(codex.gate.waiters()) == 1)
        codex.stub.set_usage("five_hour", 0)
        output, _ = turn.communicate(timeout=DEADLINE)
        assert turn.returncode == 0, output
        assert watch.stdout
        kinds = []
        while "resumed" not in kinds:
            kinds.append(json.loads(watch.stdout.readline())["event"])
        assert "held" in kinds[: kinds.index("resumed")]
    finally:
        watch.send_signal(signal.SIGINT)
        watch.communicate(timeout=DEADLINE)
    assert not codex.gate.has_heartbeat()
