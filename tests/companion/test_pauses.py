"""From when until when sessions stood still at the limit, written down while the real companion follows them."""

from datetime import timedelta
from pathlib import Path

from tests.companion.scripted import CLEARED, World
from tests.companion.test_attending import OTHER, THREAD, attended, stop, until, update
from tests.support.clocks import START, ManualClock
from tests.support.waiting import Patience, rest
from tui.companion.pauses import PauseKeeper
from tui.domain.held_sessions import HeldThread, with_held
from tui.domain.pauses import Pause, PauseKind
from tui.domain.sessions import SessionState


async def kept(world: World, count: int, open_left: int) -> tuple[Pause, ...]:
    """Wait until so many pauses are written down, and so many of them have no end."""
    patience = Patience()
    while True:
        found = world.tables.pauses.since("acc1", START - timedelta(days=1))
        if (len(found), sum(pause.until is None for pause in found)) == (count, open_left):
            return found
        assert not patience.is_over, found
        await rest()


async def test_a_session_that_stops_and_goes_on_is_written_down_with_both_moments(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, looks_ahead=True)) as world:
        await stop(world)
        (pause,) = await kept(world, 1, 1)
        assert (pause.thread_id, pause.kind, pause.since) == (THREAD, PauseKind.STOPPED, clock.now())
        assert pause.resets_at is not None
        clock.advance(600)
        world.source.reading = CLEARED
        world.companion.refresh()
        await until(world, lambda state: state.snapshot is not None and state.snapshot.windows[0].used_percent == 0)
        (ended,) = await kept(world, 1, 0)
        assert ended.until is not None
        assert ended.until - ended.since >= timedelta(seconds=600)


async def test_a_held_session_is_written_down_until_it_is_let_go(clock: ManualClock, tmp_path: Path) -> None:
    world = World(clock, tmp_path)
    await world.companion.poller.poll()
    store, keeper = world.companion.store, PauseKeeper(world.companion.store, world.companion.records, clock)
    store.update(sessions=with_held({}, {OTHER: HeldThread(clock.now())}, clock.now()))
    await keeper.note()
    (pause,) = world.tables.pauses.open("acc1")
    assert (pause.thread_id, pause.kind, pause.since) == (OTHER, PauseKind.HELD, START)
    clock.advance(90)
    store.update(sessions=with_held(store.state.sessions, {}, clock.now()))
    await keeper.note()
    assert world.tables.pauses.open("acc1") == ()
    (ended,) = world.tables.pauses.since("acc1", START)
    assert ended.until == START + timedelta(seconds=90)
    await world.companion.aclose()


async def test_the_next_start_ends_what_stood_still_at_the_last(clock: ManualClock, tmp_path: Path) -> None:
    world = World(clock, tmp_path)
    await world.companion.poller.poll()
    since = clock.now() - timedelta(hours=1)
    world.tables.pauses.save("acc1", [Pause(THREAD, PauseKind.STOPPED, since)])
    keeper = PauseKeeper(world.companion.store, world.companion.records, clock)
    await keeper.note()
    assert len(world.tables.pauses.open("acc1")) == 1  # nothing is known of its session yet
    tracked = update(clock, SessionState.RUNNING)
    world.feed.told.put_nowait(tracked)
    async with attended(world):
        await until(world, lambda state: THREAD in state.sessions)
        await keeper.note()
        (ended,) = world.tables.pauses.since("acc1", START - timedelta(days=1))
        assert ended.until == tracked.seen_at
