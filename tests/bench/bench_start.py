"""How fast the screen starts, and what it costs to keep open, beside a Textual app with one Label.

`python -m tests.bench.bench_start [--quick]` prints the figures; both run on a real pseudo-terminal of 80×24.
"""

import asyncio
import gc
import os
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from tests.support.pty import raw_terminal

ROUNDS = 15
IDLE_SECONDS = 30.0
UPDATES = 10_000

EVERYTHING = """
import sys
import httpx, websockets.asyncio.client, filelock
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
    rounds, idle = (5, 5.0) if quick else (ROUNDS, IDLE_SECONDS)
    with TemporaryDirectory() as folder:
        floor = ([sys.executable, "-c", LABEL_APP], b"floor-marker", b"floor-marker")
        ours = ([sys.executable, "-m", "tui", "--demo"], "connecting…".encode(), b"banked")
        env = _environment(Path(folder))
        for command, first, settled in (floor, ours):  # writes the bytecode
            _run(command, first, settled, env)
        runs = [(_run(*floor, env), _run(*ours, env)) for _ in range(rounds)]
        everything = ([sys.executable, "-c", EVERYTHING], b"banked", b"banked")
        loaded = [_run(*everything, env)[2] for _ in range(3)]
        calm = [*ours[0], "busy"]  # the story that it plays by itself goes on
        share = _idle(calm, ours[2], env, idle)
        floor_share = _idle(floor[0], floor[2], env, idle)
    lines = []
    for name, unit, index in (("first content", "ms", 0), ("data shown", "ms", 1), ("resident", "MiB", 2)):
        theirs, mine = (median(run[which][index] for run in runs) for which in (0, 1))
        lines.append(f"{name}: {mine:.0f} {unit}, one Label {theirs:.0f} {unit}, ratio {mine / theirs:.2f}")
    label = median(run[0][2] for run in runs)
    lines.append(f"resident, every source loaded: {median(loaded):.0f} MiB, ratio {median(loaded) / label:.2f}")
    lines.append(
        f"from the quit key to the end: {median(run[1][3] for run in runs):.0f} ms,"
        f" one Label {median(run[0][3] for run in runs):.0f} ms"
    )
    lines.append(f"idle: {share * 100:.2f} % of one core over {idle:.0f} s, one Label {floor_share * 100:.2f} %")
    return [*lines, asyncio.run(memory_growth(UPDATES // 10 if quick else UPDATES))]


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "NO_COLOR")}
    return env | {
        "TERM": "xterm-256color",
        "HOME": str(folder),
        "RESETBANK_HOME": str(folder / "resetbank"),
        "CODEX_HOME": str(folder / "codex"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def _run(command: list[str], first: bytes, settled: bytes, env: dict[str, str]) -> tuple[float, float, float, float]:
    """Milliseconds to the first content and to the data, MiB then, and milliseconds from the quit key to the end."""
    with raw_terminal(*command, environment=env) as terminal:
        first_at = terminal.time_of(first)
        settled_at = terminal.time_of(settled)
        terminal.drain(1.0)
        resident = terminal.resident_kib() / 1024
        before = terminal.elapsed()
        terminal.type("q")
        terminal.wait_for_end()
        return first_at * 1000, settled_at * 1000, resident, (terminal.elapsed() - before) * 1000


def _idle(command: list[str], settled: bytes, env: dict[str, str], seconds: float) -> float:
    """The share of one core that it takes while nothing happens."""
    with raw_terminal(*command, environment=env) as terminal:
        terminal.time_of(settled)
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
                companion.publish(replace(state, link=replace(state.link, interval=interval)))
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
