"""How fast the screen starts, and what it costs to keep open, beside a Textual app with one Label.

It starts on the embedded service, on the stub over HTTP, and on that with the numbers of the last time.
`python -m tests.bench.bench_start [--quick]` prints the figures; all run on a real pseudo-terminal of 80×24.
"""

import asyncio
import gc
import os
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from msgspec import structs

from tests.support.pty import raw_terminal
from tests.support.stub_process import start_stub

ROUNDS = 15
IDLE_SECONDS = 30.0
UPDATES = 10_000

EVERYTHING = """
import sys
import httpx, websockets.asyncio.client
import tui.sources.appserver, tui.sources.backend, tui.sources.daemon, tui.sources.logins, tui.sources.rollouts
import tui.sources.secret_service, tui.sources.secrets
from tui.cli import main
sys.exit(main(["--demo"]))
"""
"""The screen with every source and its libraries loaded, whichever is in use."""

LABEL_APP = """
from textual.app import App
from textual.widgets import Label
class OneLabel(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield Label("floor-marker")
OneLabel().run()
"""


def measure(*, quick: bool = False) -> list[str]:
    """The figures, one a line."""
    rounds, idle = (5, 10.0) if quick else (ROUNDS, IDLE_SECONDS)
    with TemporaryDirectory() as folder, start_stub(sandbox=Path(folder) / "sandbox") as stub:
        floor = Start("one Label", [sys.executable, "-c", LABEL_APP], b"floor-marker", b"floor-marker")
        screen = [sys.executable, "-m", "tui"]
        http = [*screen, "--source", "http", "--base-url", stub.url, "--codex-home", str(stub.codex_home)]
        demo = Start("--demo", [*screen, "--demo"], "connecting…".encode(), b"banked")
        first = Start("the stub over HTTP", http, "connecting…".encode(), b"read every", forgets=True)
        again = Start("the same with remembered numbers", http, b"Last known", b"read every")
        starts = (floor, demo, first, again)
        env = _environment(Path(folder))
        for start in starts:  # writes the bytecode
            _run(start, env)
        runs = [{start: _run(start, env) for start in starts} for _ in range(rounds)]
        everything = Start("every source loaded", [sys.executable, "-c", EVERYTHING], b"banked", b"banked")
        loaded = median(_run(everything, env).resident for _ in range(3))
        # The story that the demo plays by itself goes on.
        idles = [
            (start, _idle(start, env, idle))
            for start in (floor, demo._replace(name="--demo busy", words=[*demo.words, "busy"]))
        ]
    lines = []
    label = _medians([run[floor] for run in runs])
    for start in starts[1:]:
        mine = _medians([run[start] for run in runs])
        for name, unit, here, there in zip(_NAMES, _UNITS, mine, label, strict=True):
            ratio = f"{here:.0f} {unit}, one Label {there:.0f} {unit}, ratio {here / there:.2f}"
            lines.append(f"{start.name}: {name} {ratio}")
    lines.append(f"resident, every source loaded: {loaded:.0f} MiB, ratio {loaded / label.resident:.2f}")
    lines += [f"idle: {share * 100:.2f} % of one core over {idle:.0f} s, {start.name}" for start, share in idles]
    return [*lines, asyncio.run(memory_growth(UPDATES // 10 if quick else UPDATES))]


class Start(NamedTuple):
    """A way to start, and what is on its screen with the first content and with the data."""

    name: str
    words: list[str]
    first: bytes
    settled: bytes
    forgets: bool = False
    """Whether it begins without a database."""

    def __hash__(self) -> int:
        return hash(self.name)


class Run(NamedTuple):
    """What one start took."""

    first_content: float
    data_shown: float
    resident: float
    quit_to_end: float


_NAMES: Final = ("first content", "data shown", "resident", "from the quit key to the end")
_UNITS: Final = ("ms", "ms", "MiB", "ms")


def _medians(runs: list[Run]) -> Run:
    return Run(*map(median, zip(*runs, strict=True)))


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "NO_COLOR")}
    return env | {
        "TERM": "xterm-256color",
        "HOME": str(folder),
        "RESETBANK_HOME": str(folder / "resetbank"),
        "CODEX_HOME": str(folder / "codex"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def _run(start: Start, env: dict[str, str]) -> Run:
    if start.forgets:
        rmtree(env["RESETBANK_HOME"], ignore_errors=True)
    with raw_terminal(*start.words, environment=env) as terminal:
        first_at = terminal.time_of(start.first)
        settled_at = terminal.time_of(start.settled)
        terminal.drain(1.0)
        resident = terminal.resident_kib() / 1024
        before = terminal.elapsed()
        terminal.type("q")
        terminal.wait_for_end()
        return Run(first_at * 1000, settled_at * 1000, resident, (terminal.elapsed() - before) * 1000)


def _idle(start: Start, env: dict[str, str], seconds: float) -> float:
    """The share of one core that it takes while nothing happens."""
    with raw_terminal(*start.words, environment=env) as terminal:
        terminal.time_of(start.settled)
        terminal.drain(2.0)
        before = terminal.cpu_seconds()
        terminal.drain(seconds)
        used = terminal.cpu_seconds() - before
        terminal.type("q")
        terminal.wait_for_end()
    return used / seconds


async def memory_growth(updates: int) -> str:
    """What so many State updates leave behind in the running screen."""
    from tests.support.clocks import ManualClock
    from tests.ui import states
    from tests.ui.scene import Scene
    from tests.ui.showing import running

    clock = ManualClock()
    companion = Scene(states.busy(), clock)
    shown = (states.busy(), states.at_limit(), states.many(), states.failing())
    async with running(companion, clock) as (pilot, _, _):

        async def publish(count: int) -> int:
            for number in range(count):
                clock.advance(1)
                state = shown[number % len(shown)]
                interval = timedelta(seconds=number % 50)
                companion.publish(structs.replace(state, link=structs.replace(state.link, interval=interval)))
                if number % 50 == 49:
                    await pilot.pause()
            await pilot.pause()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        await publish(500)
        before = await publish(500)
        after = await publish(updates)
        tracemalloc.stop()
    return f"memory after {updates:,} State updates: {(after - before) / 1024:+.1f} KiB"


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv[1:]):
        print(line)
