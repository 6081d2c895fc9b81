"""What seeing live sessions through rollouts costs. `python -m tests.bench.bench_sessions` prints the figures."""

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from tests.sources.following import Following, following
from tests.sources.rollout_folder import Rollout, done, limit_hit, metered, started, talk
from tests.support.clocks import START
from tui.clock import SystemClock
from tui.sources.codex_home import CodexHome
from tui.sources.rollouts import RolloutFeed
from tui.wire.rollout import relevant_lines
from tui.wire.rollout_reader import RolloutReader

CLOCK = SystemClock()
OLD_FILE = 512 << 10
LIVE = 10
ROUNDS = 9
FOLLOWED = 20
FOLLOW_SECONDS = 20.0
REQUEST_SECONDS = 2.5
"""Between two model requests of a session in the middle of a turn; each writes its lines at once."""
SCANNED = 200 << 20
LATENCIES = 100

FIRST_SESSIONS = """
import asyncio, sys
from pathlib import Path
from tui.clock import SystemClock
from tui.sources.codex_home import CodexHome
from tui.sources.rollouts import RolloutFeed
async def main(wanted):
    clock, seen = SystemClock(), set()
    start = clock.monotonic()
    async for sighting in RolloutFeed(CodexHome(Path(sys.argv[1])), clock).updates():
        seen.add(sighting.thread_id)
        if len(seen) == wanted:
            print(clock.monotonic() - start, flush=True)
            return
asyncio.run(main(int(sys.argv[2])))
"""


def measure() -> list[str]:
    """The figures, one a line."""
    return [*_start_up(), asyncio.run(_share()), *_scan(), asyncio.run(_latency())]


def _live(home: Path, number: int, now: datetime) -> Rollout:
    rollout = Rollout(home, number, now)
    return rollout.write(rollout.meta(now), started(now), talk(2000), metered(now))


def _start_up() -> list[str]:
    with TemporaryDirectory() as few, TemporaryDirectory() as many:
        now = CLOCK.now()
        for home in (few, many):
            for number in range(LIVE):
                _live(Path(home), number, now)
        for number in range(10_000 - LIVE):
            day = now - timedelta(days=10 + number // 25)
            rollout = Rollout(Path(many), 1_000_000 + number, day).write(b"{}\n")
            os.truncate(rollout.path, OLD_FILE)
            rollout.date(day)
        runs = [(_first_sessions(few), _first_sessions(many)) for _ in range(ROUNDS)]
    feed_few, feed_many = (median(run[which][0] for run in runs) for which in (0, 1))
    whole_few, whole_many = (median(run[which][1] for run in runs) for which in (0, 1))
    return [
        f"first {LIVE} sessions among 10,000 rollouts (5 GB): {feed_many * 1000:.1f} ms,"
        f" among {LIVE}: {feed_few * 1000:.1f} ms, ratio {feed_many / feed_few:.2f}",
        f"the same with the process's start: {whole_many * 1000:.0f} ms and {whole_few * 1000:.0f} ms,"
        f" ratio {whole_many / whole_few:.2f}",
    ]


def _first_sessions(home: str) -> tuple[float, float]:
    """Seconds from following to the last live session, and from the process's start to its end."""
    before = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", FIRST_SESSIONS, home, str(LIVE)], capture_output=True, text=True, check=True
    )
    return float(run.stdout), time.perf_counter() - before


@asynccontextmanager
async def _followed() -> AsyncIterator[tuple[Following, list[Rollout]]]:
    with TemporaryDirectory() as folder:
        rollouts = [_live(Path(folder), number, CLOCK.now()) for number in range(FOLLOWED)]
        async with following(RolloutFeed(CodexHome(Path(folder)), CLOCK)) as seen:
            await seen.until(lambda: len(seen.sessions) == FOLLOWED)
            await CLOCK.sleep(0.5)
            yield seen, rollouts


async def _writing(rollouts: list[Rollout], seconds: float) -> float:
    """Write to all files from another process; the share of a core that this process spent meanwhile."""
    script = (
        "import sys, time\n"
        "line = sys.stdin.buffer.read()\n"
        f"for beat in range(int({seconds / REQUEST_SECONDS * len(rollouts)})):\n"
        "    with open(sys.argv[1 + beat % (len(sys.argv) - 1)], 'ab') as file:\n"
        "        file.write(line)\n"
        f"    time.sleep({REQUEST_SECONDS / len(rollouts)})\n"
    )
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *(str(rollout.path) for rollout in rollouts), stdin=subprocess.PIPE
    )
    assert writer.stdin is not None
    writer.stdin.write(talk(4000) + talk(300) + talk(3000) + metered(CLOCK.now()))
    writer.stdin.close()
    used, began = _cpu(), CLOCK.monotonic()
    await writer.wait()
    return (_cpu() - used) / (CLOCK.monotonic() - began)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _share() -> str:
    async with _followed() as (seen, rollouts):
        used, began = _cpu(), CLOCK.monotonic()
        await CLOCK.sleep(5)
        idle = (_cpu() - used) / (CLOCK.monotonic() - began)
        before = len(seen.updates)
        busy = await _writing(rollouts, FOLLOW_SECONDS)
        told = len(seen.updates) - before
    return (
        f"following {FOLLOWED} live files: {busy * 100:.2f} % of a core while each makes a model request"
        f" every {REQUEST_SECONDS} s ({told} sightings in {FOLLOW_SECONDS:.0f} s), {idle * 100:.2f} % while none does"
    )


def _scan() -> list[str]:
    turn = [started(), *[talk(2000), talk(300)] * 12, metered(), done()]
    block = b"".join(turn)
    data = block * (SCANNED // len(block))
    pieces = [data[at : at + (4 << 20)] for at in range(0, len(data), 4 << 20)]  # as they come from the disk
    finding, speeds = [], []
    for _ in range(5):
        began = time.perf_counter()
        found = sum(1 for piece in pieces for _ in relevant_lines(piece, 0, piece.rfind(b"\n") + 1))
        finding.append(len(data) / (time.perf_counter() - began) / 1e6)
        reader = RolloutReader("t", "/r")
        began = time.perf_counter()
        found = sum(len(reader.feed(piece, START)) for piece in pieces)
        speeds.append(len(data) / (time.perf_counter() - began) / 1e6)
        assert found == 3 * (SCANNED // len(block))
    return [
        f"a rollout of {SCANNED >> 20} MiB with {found:,} lines that matter: {median(finding):.0f} MB/s to find them,"
        f" {median(speeds):.0f} MB/s with decoding them all"
    ]


async def _latency() -> str:
    async with _followed() as (seen, rollouts):
        delays = []
        for number in range(LATENCIES):
            rollout = rollouts[number % len(rollouts)]
            at = CLOCK.now()
            before = len(seen.updates)
            began = CLOCK.monotonic()
            rollout.write(limit_hit(at))
            await seen.until(lambda before=before: len(seen.updates) > before)  # type: ignore[misc]
            delays.append((CLOCK.monotonic() - began) * 1000)
            await CLOCK.sleep(0.03 + number % 7 * 0.01)
    cuts = quantiles(delays, n=20)
    return f"a rollout line on disk to its sighting: median {median(delays):.0f} ms, p95 {cuts[18]:.0f} ms"


if __name__ == "__main__":
    for line in measure():
        print(line)
