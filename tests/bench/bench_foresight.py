"""What looking ahead costs: a million readings, the four-week chart, a forecast, the database, the import of rollouts.

Times are CPU time of one thread; the goals stand beside the figures.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from tui.companion.history import LOADED, fill, recall
from tui.domain.pictures import draw
from tui.domain.reading import Reading, WindowReading
from tui.domain.snapshot import Account
from tui.sources.rollout_history import past_rollouts
from tui.store.database import Database
from tui.store.readings import DAY, Readings

NOW: Final = 1_796_000_000.0
ROWS: Final = 1_000_000
ACCOUNT: Final = Account("acc1", "plus")


def cpu(work: Callable[[], object], tries: int = 5) -> float:
    """The least CPU milliseconds of some tries."""
    best = float("inf")
    for _ in range(tries):
        began = time.thread_time()
        work()
        best = min(best, (time.thread_time() - began) * 1000)
    return best


def million() -> Iterator[Reading]:
    """Both windows every minute for 347 days, never twice the same, so that every reading is kept."""
    random = Random(3)
    count = ROWS // 2
    five = week = 0.0
    for number in range(count):
        at = NOW - (count - number) * 60.0
        hour = at % DAY / 3600
        if number % 300 == 0:
            five = 0.0
        if number % 10_080 == 0:
            week = 0.0
        if 9 <= hour < 18:
            step = random.random() * 0.6
            five, week = min(100.0, five + step), min(100.0, week + step / 9)
        windows = (
            WindowReading(300, five + number % 2 / 100, NOW - (count - number - 300 + number % 300) * 60.0),
            WindowReading(10_080, week + number % 2 / 100, NOW - (count - number - 10_080 + number % 10_080) * 60.0),
        )
        yield Reading(at, windows, five < 100, 2)


def rollouts(folder: Path, megabytes: int) -> int:
    """Write rollouts as they are in the field: mostly text and tool calls, a meter reading now and then."""
    filler = {"type": "response_item", "payload": {"type": "function_call_output", "output": "x" * 1800}}
    size = 0
    for number in range(max(1, megabytes // 10)):
        path = folder / f"rollout-2026-11-{number % 28 + 1:02}T10-00-00-{number:08}-0000-4000-8000-000000000000.jsonl"
        lines = [json.dumps({"type": "session_meta", "payload": {"creator_account_id": "acc1"}}, separators=(",", ":"))]
        for turn in range(10_000_000 // 41_000):
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NOW - 30 * DAY + number * 9000 + turn * 30))
            window = {"used_percent": float(turn % 100), "window_minutes": 300, "resets_at": int(NOW)}
            limits = {"primary": window, "secondary": None, "plan_type": "plus"}
            meter = {"type": "token_count", "info": None, "rate_limits": limits}
            lines.append(json.dumps({"timestamp": at, "type": "event_msg", "payload": meter}, separators=(",", ":")))
            lines += [json.dumps({"timestamp": at, **filler}, separators=(",", ":"))] * 21
        path.write_text("\n".join(lines) + "\n")
        size += path.stat().st_size
    return size


def measure() -> Iterator[str]:
    """The figures, one a line."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        empty = folder / "empty.db"
        full = folder / "full.db"
        Database(empty).close()
        database = Database(full)
        began = time.thread_time()
        Readings(database).add_past("acc1", "http", million())
        yield f"written            {time.thread_time() - began:6.1f} s CPU for {ROWS:,} readings"
        database.close()
        size = sum(path.stat().st_size for path in folder.glob("full.db*")) / 1e6
        yield f"database           {size:6.1f} MB, nothing thinned yet               (goal: 60)"
        costs = {path: cpu(lambda path=path: _open(path)) for path in (empty, full)}  # type: ignore[misc]
        yield f"opening            {costs[full] - costs[empty]:6.1f} ms more than with none                (goal: 10)"
        database = Database(full)
        readings = Readings(database)
        began = time.thread_time()
        foresight = recall(readings, "acc1", 0, NOW - LOADED)
        yield f"recall             {(time.thread_time() - began) * 1000:6.1f} ms, beside the first screen"
        chart = cpu(lambda: draw(foresight.record, NOW))
        yield f"four-week chart    {chart:6.1f} ms                                    (goal: 100)"

        def forecast() -> None:
            foresight.forecaster._moments._found.clear()  # as after a new reading
            foresight.forecasts(NOW)

        yield f"forecasts          {cpu(forecast):6.1f} ms for both windows                   (goal: 5 each)"
        sessions = folder / "sessions"
        sessions.mkdir()
        size = rollouts(sessions, int(os.environ.get("MEGABYTES", "200"))) / 1e6
        began = time.thread_time()
        new = fill(readings, ACCOUNT, lambda account, known: past_rollouts(sessions, account, known))
        took = time.thread_time() - began
        yield f"import             {size / took:6.0f} MB/s, {new:,} readings of {size:.0f} MB      (goal: 200)"
        began = time.thread_time()
        fill(readings, ACCOUNT, lambda account, known: past_rollouts(sessions, account, known))
        yield f"import again       {(time.thread_time() - began) * 1000:6.1f} ms: nothing is read twice"
        readings.thin(NOW)
        with database.reading() as connection:
            left = connection.execute("SELECT count(*) FROM readings").fetchone()[0]
        yield f"thinned            {left:,} readings are left: whole days for 100 days, then hours, then days"
        database.close()


def _open(path: Path) -> None:
    """What opening the program does with it before its first picture."""
    from tui.store.observations import Observations

    database = Database(path)
    Observations(database).last()
    database.close()


if __name__ == "__main__":
    for line in measure():
        print(line, flush=True)
