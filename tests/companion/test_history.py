import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, World
from tests.domain.worlds import FIVE_HOURS, WEEK, snapshot, window
from tests.sources.test_rollout_history import rollout
from tests.support.clocks import START, ManualClock
from tests.support.waiting import deadline
from tui.companion.history import HistoryService, fill, learn, outlook_once, recall
from tui.domain.advice import Verdict
from tui.domain.foresight import Foresight
from tui.domain.question import AskRules
from tui.domain.reading import PastFile, PastPeriod, PastReadings, Reading, WindowReading
from tui.domain.snapshot import Account
from tui.domain.windows import Limit
from tui.errors import StoreError
from tui.sources.rollout_history import past_rollouts

NOW = START.timestamp()
ACCOUNT = Account("acc1", "plus")


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path)
    yield world
    await world.companion.aclose()


def past(*names: str, days: int = 10) -> Callable[[Account, Callable[[str, int, float], bool]], Iterator[PastFile]]:
    """Files with a reading every ten minutes of the last days."""

    def files(_account: Account, is_known: Callable[[str, int, float], bool]) -> Iterator[PastFile]:
        for name in names:
            if not is_known(name, 7, 1.0):
                reading = (WindowReading(300, 10, NOW + 3600),)
                looks = tuple(Reading(NOW - 600.0 * n, reading) for n in range(days * 144, 0, -1))
                yield PastFile(name, 7, 1.0, looks, (names.index(name) + 1) / len(names))

    return files


def noting(given: PastReadings, names: list[str]) -> PastReadings:
    """The same files, whose names are noted as they are given."""

    def files(account: Account, is_known: Callable[[str, int, float], bool]) -> Iterator[PastFile]:
        for file in given(account, is_known):
            names.append(file.path)
            yield file

    return files


async def following(world: World, service: HistoryService, holds: Callable[[], bool] = lambda: True) -> None:
    """Follow until there is an outlook, and something holds."""
    looked = asyncio.Event()
    world.companion.listen(lambda state: looked.set() if state.outlook is not None and holds() else None)
    await world.companion.poller.poll()
    task = asyncio.create_task(service.follow())
    await world.clock.until_sleeping()
    world.clock.advance(2)
    async with deadline():
        await looked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_every_window_of_a_reading_is_kept_and_looked_ahead_from(world: World) -> None:
    await following(world, world.companion.history)
    rows = world.tables.readings.rows("acc1", 0)
    assert [(row.minutes, row.used_percent, row.source) for row in rows] == [(300, 95.0, "http"), (10080, 40.0, "http")]
    outlook = world.companion.state.outlook
    assert outlook is not None
    assert [forecast.minutes for forecast in outlook.forecasts] == [300, 10080]
    assert outlook.forecast_of(300) is outlook.forecasts[0]
    assert outlook.forecast_of(60) is None
    assert outlook.advice.verdict is not Verdict.CANNOT_TELL


async def test_the_past_on_the_disk_is_taken_in_once(world: World) -> None:
    service = HistoryService(world.companion.store, world.companion.records, world.clock, past("a", "b"))
    parts: list[float | None] = []
    world.companion.listen(lambda state: parts.append(state.past_read))
    readings = world.tables.readings
    await following(world, service, lambda: 0.5 in parts and world.companion.state.past_read is None)
    assert {part for part in parts if part is not None} <= {0.5, 1.0}
    assert len(readings.rows("acc1", 0)) == 10 * 144 + 2
    assert fill(readings, ACCOUNT, past("a", "b")) == 0
    foresight = recall(readings, "acc1", 0, NOW - 86400)
    assert foresight.record.watched_days == pytest.approx(1, abs=0.02)


async def test_an_interrupted_import_goes_on_where_it_stopped(world: World) -> None:
    readings = world.tables.readings

    def breaking(account: Account, is_known: Callable[[str, int, float], bool]) -> Iterator[PastFile]:
        yield from past("a", days=1)(account, is_known)
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        fill(readings, ACCOUNT, breaking)
    taken: list[str] = []
    fill(readings, ACCOUNT, noting(past("a", "b"), taken))
    assert taken == ["b"]


async def test_what_was_left_out_for_one_account_is_taken_in_for_the_other(world: World, tmp_path: Path) -> None:
    readings, other = world.tables.readings, Account("acc2", "plus")
    rollout(tmp_path, "a", "acc1")
    rollout(tmp_path, "b", "acc2")
    for account in (ACCOUNT, other, ACCOUNT, other):
        fill(readings, account, partial(past_rollouts, tmp_path))
    for account in (ACCOUNT, other):
        rows = [row for row in readings.rows(account.key, 0) if row.minutes == 300]
        assert [(row.used_percent, row.source) for row in rows] == [(25.0 * n, "rollout") for n in range(5)]


async def test_nobody_waits_for_the_past_and_leaving_stops_it_after_the_file(world: World) -> None:
    asked: list[str] = []
    go_on = threading.Event()

    def slow(account: Account, is_known: Callable[[str, int, float], bool]) -> Iterator[PastFile]:
        for file in past("a", "b", "c", days=1)(account, is_known):
            asked.append(file.path)
            assert go_on.wait(30)
            yield file

    service = HistoryService(world.companion.store, world.companion.records, world.clock, slow)
    world.companion.listen(lambda state: go_on.set() if state.outlook is not None else None)
    await following(world, service)  # the outlook stands before the first file is read; that one is read to its end
    assert asked
    assert world.companion.state.past_read is None
    readings = world.tables.readings
    left: list[str] = []
    fill(readings, ACCOUNT, noting(past("a", "b", "c"), left))
    assert left == [name for name in ("a", "b", "c") if name not in asked]


async def test_the_services_past_windows_are_asked_for_once(world: World) -> None:
    asked: list[int] = []

    async def periods() -> tuple[PastPeriod, ...] | None:
        asked.append(1)
        return None if len(asked) == 1 else (PastPeriod(300, NOW - 90_000, NOW - 72_000, 62.5),)

    readings = world.tables.readings
    for expected in (1, 2, 2):  # the first answer says nothing, the second one is kept
        service = HistoryService(world.companion.store, world.companion.records, world.clock, None, periods)
        task = asyncio.create_task(service.follow())
        await world.clock.until_sleeping()
        await world.companion.poller.poll()
        async with asyncio.timeout(30):
            while not service.has_looked_back:
                world.clock.advance(1)
                await asyncio.to_thread(lambda: None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(asked) == expected
    kept = [row for row in readings.rows("acc1", 0) if row.source == "history"]
    assert [(row.minutes, row.used_percent) for row in kept] == [(300, 62.5)]


def test_a_command_that_ends_looks_ahead_too() -> None:
    blocked = outlook_once(None, AT_LIMIT, 0, NOW)
    assert blocked.advice.verdict in (Verdict.SPEND_NOW, Verdict.WAIT)
    calm = outlook_once(None, snapshot(window(FIVE_HOURS, 3.0), window(WEEK, 2.0)), 0, NOW)
    assert calm.advice.credit_id is None
    unknown = outlook_once(None, snapshot(), 0, NOW)
    assert unknown.forecasts == ()


async def test_without_a_database_the_outlook_begins_with_what_is_read(clock: ManualClock) -> None:
    world = World(clock, None, tables=StoreError("the disk is full"))
    await following(world, world.companion.history)
    assert world.companion.state.outlook is not None
    await world.companion.aclose()


def test_a_reading_that_cannot_be_kept_is_learnt_from_whatever_limit_comes_first(world: World) -> None:
    main = snapshot(window(FIVE_HOURS, 40.0), window(WEEK, 20.0))
    seen = replace(main, limits=(Limit("gpt-x", "another model", None, (window(FIVE_HOURS, 1.0),)), *main.limits))
    readings, foresight = world.tables.readings, Foresight(0)
    with world.tables.database.reading() as connection:
        connection.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError):
        learn(foresight, readings, seen)
    assert foresight.record.last is not None
    assert [window.used_percent for window in foresight.record.last.windows] == [40.0, 20.0]


@pytest.mark.parametrize(("lead", "warned"), [(20, ()), (60, (300,))])
async def test_a_warning_looks_as_far_ahead_as_the_setting_says(
    lead: int, warned: tuple[int, ...], world: World
) -> None:
    """Every day for three hours 25 per cent an hour: now it is 75, and full in an hour."""
    looks = []
    for day in range(14, -1, -1):
        begin = NOW - day * 86400 - 3 * 3600
        for minute in range(0, 4 * 60 if day else 3 * 60, 5):
            used = float(int(minute / 60 * 25))
            looks.append(Reading(begin + minute * 60, (WindowReading(300, used, begin + 5 * 3600),), True, 1))
    world.tables.readings.add_past("acc1", "rollout", looks)
    world.source.reading = snapshot(window(FIVE_HOURS, 75.0, resets_in=timedelta(hours=2)))
    world.companion.rules = lambda: AskRules(lead=timedelta(minutes=lead))
    await following(world, world.companion.history)
    outlook = world.companion.state.outlook
    assert outlook is not None
    assert tuple(one.minutes for one in outlook.warned) == warned
