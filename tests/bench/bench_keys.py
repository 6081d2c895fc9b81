"""How long a key takes to be answered on the real screen, with 100,000 lines of ledger and 1,000 invites behind it.

`python -m tests.bench.bench_keys [--quick]` prints the figures: from the key written to a pseudo-terminal of 120×40
to the first byte of the answer, and to the last one before the screen is still.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.support.pty import RawTerminal, raw_terminal
from tests.support.stub_process import start_stub
from tui.clock import SystemClock
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.ledger import Event, EventKind
from tui.store.database import Database
from tui.store.events import EventLog
from tui.store.invites import Invites
from tui.stub.scenarios import MAIN_ACCOUNT

EVENTS = 100_000
INVITES = 1_000
PRESSES = 30
_STILL = 0.12
"""Seconds without a byte after which the screen counts as still."""
_PLACES = (("l", "the ledger"), ("i", "the invites"), ("h", "the history"), ("?", "the help"), (",", "the settings"))
_NAMES = {"j": "one line down", "k": "one line up", "\x04": "a page down", "\x15": "a page up", "g": "top", "G": "end"}


def measure(*, quick: bool = False) -> list[str]:
    """The figures, one a line."""
    presses, events = (6, EVENTS // 10) if quick else (PRESSES, EVENTS)
    with TemporaryDirectory() as folder:
        path = Path(folder)
        _fill(path / "resetbank" / "resetbank.db", events)
        with start_stub(sandbox=path / "sandbox", scenario="pilot") as stub:
            command = [sys.executable, "-m", "tui", "--source", "http", "--codex-home", str(stub.codex_home)]
            with raw_terminal(*command, environment=_environment(path), columns=120, rows=40) as terminal:
                terminal.time_of(b"banked")
                terminal.drain(2.0)
                lines = list(_places(terminal, presses))
                terminal.type("q")
                terminal.wait_for_end()
    return [f"{events:,} ledger lines, {INVITES:,} invites, {presses} presses each; ms to first and last byte:", *lines]


def _places(terminal: RawTerminal, presses: int) -> Iterator[str]:
    for key, name in _PLACES:
        opened = []
        for _ in range(max(3, presses // 5)):
            opened.append(_answer(terminal, key))
            terminal.drain(0.3)
            _answer(terminal, "\x1b")
        yield _figures(f"{name}: open", opened)
        _answer(terminal, key)
        terminal.drain(0.5)
        for move, what in _NAMES.items():
            yield _figures(f"{name}: {what}", [_answer(terminal, move) for _ in range(presses)])
        _answer(terminal, "\x1b")


def _answer(terminal: RawTerminal, key: str) -> tuple[float, float] | None:
    """Milliseconds to the first and to the last byte of what a key brings; None where nothing differs."""
    while terminal.read(0.02):
        pass
    pressed = perf_counter()
    terminal.type(key)
    first = last = None
    while terminal.read(_STILL):
        last = (perf_counter() - pressed) * 1000
        first = first or last
    return None if first is None or last is None else (first, last)


def _figures(name: str, answers: list[tuple[float, float] | None]) -> str:
    seen = [answer for answer in answers if answer is not None]
    if not seen:
        return f"{name}: nothing to move"
    firsts, lasts = zip(*seen, strict=True)
    return (
        f"{name}: first median {median(firsts):.0f}, most {max(firsts):.0f};"
        f" last median {median(lasts):.0f}, most {max(lasts):.0f}"
    )


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "NO_COLOR")}
    own = {"TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none", "HOME": str(folder)}
    return env | own | {"RESETBANK_HOME": str(folder / "resetbank")}


def _fill(path: Path, events: int) -> None:
    path.parent.mkdir(parents=True)
    now = SystemClock().now()
    database = Database(path)
    kinds = (EventKind.CREDIT_GRANTED, EventKind.CREDIT_EXPIRED, EventKind.SPEND_CLOSED)
    EventLog(database).record(
        Event(
            now - timedelta(minutes=events - number), kinds[number % 3], MAIN_ACCOUNT, f"grant number {number}", "stub"
        )
        for number in range(events)
    )
    records = [
        InviteRecord(
            f"key{number:04d}",
            MAIN_ACCOUNT,
            f"friend{number}@example.org",
            SendStage.NOTED,
            now - timedelta(hours=number),
            link="https://chatgpt.com/invite/Zm9vYmFyYmF6cXV4",
        )
        for number in range(INVITES)
    ]
    Invites(database).change(MAIN_ACCOUNT, lambda _: (records, ()))
    database.close()


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv[1:]):
        print(line)
