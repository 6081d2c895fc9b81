"""From the letter on the screen to the held request of the real Codex on the wire."""

import re
import statistics
from collections.abc import Iterator
from time import perf_counter

from tests.hooks.codex import HookedCodex, hooked_codex
from tests.support.codex_cli import private_folder
from tests.support.pty import Terminal, resetbank_terminal
from tests.support.stub_process import start_stub
from tests.support.waiting import DEADLINE, wait_until

_ANSWERS = 30
_READ = 1.0
"""Seconds that a person takes to read the question: a letter right after it appears is not taken for an answer."""
_LETTER = re.compile(r"press  ([A-Z])  spend and let go on")


def measure() -> Iterator[str]:
    with private_folder() as folder, start_stub(sandbox=folder / "box") as stub:
        codex = hooked_codex(stub, folder)
        codex.resetbank("hold", "on")
        codex.trust()
        words, environment = codex.command("--source", "http", "--base-url", stub.url)
        with (codex.home / "settings.toml").open("a") as settings:
            settings.write(f"[ask]\ndaily_cap = {_ANSWERS}\n")
        with resetbank_terminal(*words, columns=120, rows=40, **environment) as screen:
            wait_until(lambda: (said := codex.gate.read()) is not None and said.account is not None)
            times = sorted(_answer(codex, screen) for _ in range(_ANSWERS))
    p95 = times[int(len(times) * 0.95)]
    yield (
        f"{_ANSWERS} answers, from the letter to the held request on the wire: median {statistics.median(times):.2f} s,"
        f" 95 % within {p95:.2f} s, worst {times[-1]:.2f} s; all: {' '.join(f'{time:.2f}' for time in times)}"
    )


def _show(screen: Terminal, seconds: float) -> None:
    """Let the screen draw for a while."""
    ends = perf_counter() + seconds
    while perf_counter() < ends:
        screen.read(0.05)


def _answer(codex: HookedCodex, screen: Terminal) -> float:
    """Run a turn into the limit and spend at once; the seconds until its held request was sent."""
    codex.stub.grant()
    codex.stub.set_usage("five_hour", 97)
    turn = codex.start("run: true\nrun: true")
    shown = screen.wait_for(lambda text: _LETTER.search(text) is not None)
    _show(screen, _READ)
    match = _LETTER.search(screen.text)
    assert match, shown
    sent = codex.stub.requests("/responses")
    screen.type(match[1])
    started = perf_counter()
    while codex.stub.requests("/responses") == sent:
        assert perf_counter() - started < DEADLINE, screen.text
        screen.read(0.01)
    seconds = perf_counter() - started
    output, _ = turn.communicate(timeout=60)
    assert turn.returncode == 0, output
    screen.wait_for("One reset was spent")
    screen.press_until("\x1b", lambda text: "One reset was spent" not in text)
    return seconds
