import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import READING, ScriptedDaemon, World
from tests.domain.worlds import FIVE_HOURS, credit, snapshot, window
from tests.support.clocks import START, ManualClock
from tests.support.waiting import until
from tui.companion.reading import read_once
from tui.companion.schedule import RELAXED, back_off, jittered, poll_interval
from tui.domain.ledger import EventKind
from tui.domain.snapshot import Account
from tui.errors import NotViable, RateLimited, SourceDown


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path)
    task = asyncio.create_task(world.companion.run())
    yield world
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await world.companion.aclose()


async def turn(world: World) -> float:
    """Wait until everybody waits; how long the poller means to."""
    await until(lambda: world.clock.sleepers >= 3 and not world.companion.questions._wake.is_set())
    interval = world.companion.state.link.interval
    assert interval is not None
    return interval.total_seconds()


@pytest.mark.parametrize(("used", "seconds"), [(10, 60), (75, 30), (90, 15), (99, 5), (140, 5)])
def test_the_fuller_the_sooner(used: float, seconds: int) -> None:
    assert poll_interval(snapshot(window(FIVE_HOURS, used)), timedelta(0), START) == timedelta(seconds=seconds)


def test_a_meter_at_rest_is_asked_seldom_but_a_stopped_one_is_not() -> None:
    rested = timedelta(hours=1)
    assert poll_interval(snapshot(window(FIVE_HOURS, 95)), rested, START) == RELAXED
    assert poll_interval(snapshot(window(FIVE_HOURS, 100)), rested, START) == timedelta(seconds=5)


def test_a_window_that_starts_afresh_is_looked_at_right_then() -> None:
    soon = snapshot(window(FIVE_HOURS, 10, resets_in=timedelta(seconds=20)))
    assert poll_interval(soon, timedelta(0), START) == timedelta(seconds=22)


async def test_accounts_of_which_nothing_is_known_are_filed_under_their_names(
    clock: ManualClock, tmp_path: Path
) -> None:
    worlds = [World(clock, tmp_path, names=(name,)) for name in ("work", "home")]
    for used in (20.0, 90.0):
        for number, world in enumerate(worlds):
            clock.advance(60)
            reading = snapshot(window(FIVE_HOURS, used), rows=(credit(f"c{number}"),))
            world.source.reading = replace(reading, account=Account())
            await world.companion.poller.poll()
    assert [world.companion.state.account_key for world in worlds] == ["unknown work", "unknown home"]
    assert worlds[0].ledger.events() == (), "the bank of one is not taken for the other's"
    recalled = await read_once(worlds[0].chain, worlds[0].tables.database, 90, ("work",))
    assert recalled.snapshot.account.key == "unknown work"
    for world in worlds:
        await world.companion.aclose()


def test_back_off_grows_is_bounded_and_obeys_the_service() -> None:
    assert [back_off(failures, None).total_seconds() for failures in (1, 2, 3, 9, 99)] == [2, 4, 8, 120, 120]
    assert back_off(1, 300) == timedelta(seconds=300)
    assert back_off(9, 1) == timedelta(seconds=120)


def test_jitter_is_ten_per_cent_at_most() -> None:
    assert [jittered(timedelta(seconds=60), share).total_seconds() for share in (0, 0.5, 1)] == [54, 60, 66]


async def test_rows_are_read_first_and_then_only_when_due(world: World) -> None:
    assert await turn(world) == 15
    for _ in range(3):
        world.clock.advance(15)
        await turn(world)
    assert world.source.reads == [True, False, False, False]
    assert world.companion.state.snapshot is not None
    assert world.companion.state.snapshot.bank.credits == READING.bank.credits
    world.clock.advance(600)
    await turn(world)
    assert world.source.reads[-1] is True


async def test_a_count_that_moved_brings_the_rows_at_once(world: World) -> None:
    await turn(world)
    bank = replace(READING.bank, available=3, credits=(*(READING.bank.credits or ()), credit("c3", 30)))
    world.source.reading = replace(READING, bank=bank)
    world.clock.advance(15)
    await turn(world)
    assert world.source.reads == [True, False, True]
    assert [event.kind for event in world.companion.state.recent] == [EventKind.CREDIT_GRANTED]


async def test_a_failing_source_keeps_the_numbers_and_says_since_when(world: World) -> None:
    await turn(world)
    good = world.companion.state.snapshot
    world.source.reading = SourceDown("the service answered 503")
    world.clock.advance(15)
    assert await turn(world) == 2
    state = world.companion.state
    assert state.snapshot == good
    assert state.link.failure == "the service answered 503"
    assert state.link.failing_since == START + timedelta(seconds=15)
    assert state.is_stale(world.clock.now())
    world.clock.advance(2)
    assert await turn(world) == 4
    world.source.reading = READING
    world.clock.advance(4)
    await turn(world)
    assert world.companion.state.link.failure is None
    assert not world.companion.state.is_stale(world.clock.now())


async def test_a_source_that_went_is_replaced_at_once_by_the_chains_choice(world: World) -> None:
    await turn(world)
    world.source.reading = SourceDown("the daemon has gone")
    world.clock.advance(15)
    await turn(world)
    assert (world.source.closed, world.chain.opened) == (2, 2)


@pytest.mark.parametrize(("hours", "reads"), [(8, 2), (-8, 2), (0.001, 1)])
async def test_a_machine_that_slept_is_read_again_before_the_turn(world: World, hours: float, reads: int) -> None:
    world.source.reading = snapshot(window(FIVE_HOURS, 10))
    assert await turn(world) == 60
    world.clock.set_wall(world.clock.now() + timedelta(hours=hours))
    world.clock.advance(15)
    await turn(world)
    await until(lambda: len(world.source.reads) == reads)
    assert len(world.source.reads) == reads


async def test_no_source_is_said_and_tried_again(world: World) -> None:
    world.chain.failure = NotViable("no login")
    assert await turn(world) == 2
    assert world.companion.state.snapshot is None
    assert world.companion.state.link.failure == "no login"
    world.chain.failure = None
    world.clock.advance(2)
    await turn(world)
    assert world.companion.state.snapshot is not None


async def test_the_services_wish_to_be_left_alone_is_obeyed(world: World) -> None:
    world.source.reading = RateLimited("429", 300.0)
    assert await turn(world) == 300


async def test_a_hint_brings_a_reading_and_a_storm_of_hints_one_a_second(world: World) -> None:
    await turn(world)
    for _ in range(1000):
        world.source.hint.set()
        await until(lambda: not world.source.hint.is_set() or world.clock.next_wake == 1)
    assert world.source.reads == [True]
    world.clock.advance(1)
    await until(lambda: len(world.source.reads) == 2 and world.clock.next_wake == 1)
    world.clock.advance(1)
    await until(lambda: len(world.source.reads) == 3 and world.clock.sleepers >= 3)


async def test_refresh_reads_now_with_rows(world: World) -> None:
    await turn(world)
    published = asyncio.Event()
    world.companion.listen(lambda _: published.set())
    world.clock.advance(1)
    world.companion.refresh()
    await asyncio.wait_for(published.wait(), 5)
    assert world.source.reads == [True, True]


async def test_states_are_told_only_when_they_differ(world: World) -> None:
    await turn(world)
    told: list[object] = []
    forget = world.companion.listen(told.append)
    world.clock.advance(15)
    await turn(world)
    assert len(told) == len({id(state) for state in told}) > 0
    forget()
    told.clear()
    world.clock.advance(15)
    await turn(world)
    assert told == []


async def test_a_preferred_source_that_comes_later_is_gone_over_to(world: World) -> None:
    await turn(world)
    later = ScriptedDaemon(world.clock)
    later.reading = READING
    world.chain.better = later
    world.clock.advance(15)
    await until(lambda: world.companion.state.link.source == "daemon")
    assert world.source.closed == 1
    assert later.reads


async def test_the_last_known_numbers_are_shown_until_there_are_fresh_ones(clock: ManualClock, tmp_path: Path) -> None:
    before = World(clock, tmp_path)
    await before.companion.poller.poll()
    known = before.companion.state.snapshot
    assert known is not None
    await before.companion.aclose()
    clock.advance(3600)
    world = World(clock, tmp_path)
    world.source.reading = SourceDown("no network")
    shown: list[object] = []
    world.companion.listen(lambda state: shown.append(state.snapshot))
    task = asyncio.create_task(world.companion.run())
    await until(lambda: world.companion.state.link.failure is not None)
    assert world.companion.state.snapshot == known
    assert world.companion.state.is_stale(clock.now())
    world.source.reading = READING
    await clock.until_sleeping(3)
    clock.advance(2)
    await until(lambda: world.companion.state.link.failure is None and world.companion.state.snapshot != known)
    assert not world.companion.state.is_stale(clock.now())
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await world.companion.aclose()
