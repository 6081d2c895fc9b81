"""A failing task is shown with its place, the others live on, and it starts again; clocks may jump."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, READING, ScriptedDaemon, ScriptedFeed, World
from tests.companion.test_attending import THREAD, attended, until, update, used
from tests.support import waiting
from tests.support.clocks import START, ManualClock
from tui.companion.state import State, StateStore
from tui.companion.supervisor import FIRST_PAUSE, WELL_AFTER, Supervisor, first_error, place_of
from tui.domain.sessions import SessionState, SessionUpdate


class BrokenFeed(ScriptedFeed):
    """Fails in a way that nobody foresaw."""

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        raise KeyError("a secret of somebody's")
        yield


class BrokenDaemon(ScriptedDaemon):
    """Its feed fails in a way that nobody foresaw."""

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        raise ZeroDivisionError
        yield


async def test_an_error_in_the_rollouts_is_shown_once_and_they_are_followed_again(
    clock: ManualClock, tmp_path: Path
) -> None:
    world = World(clock, tmp_path)
    working, world.feed = world.feed, BrokenFeed()
    async with attended(world):
        state = await until(world, lambda state: bool(state.problems))
        (problem,) = state.problems
        assert (problem.task, problem.error) == ("rollouts", "KeyError")
        assert problem.place.startswith("test_supervisor.py:")
        assert "secret" not in repr(state)
        assert problem.text.startswith("unexpected KeyError in rollouts at test_supervisor.py:")
        world.feed = working
        working.told.put_nowait(update(clock, SessionState.RUNNING))
        await until(world, lambda state: THREAD in state.sessions, step=FIRST_PAUSE)
        world.source.reading = AT_LIMIT
        await until(world, lambda state: used(state) == 100, step=1)  # the others live on
        await until(world, lambda state: not state.problems, step=WELL_AFTER)


async def test_an_error_in_the_daemons_feed_is_shown_and_another_source_is_opened(
    clock: ManualClock, tmp_path: Path
) -> None:
    world = World(clock, tmp_path)
    world.chain.source = BrokenDaemon(clock)
    async with attended(world):
        state = await until(world, lambda state: bool(state.problems))
        assert (state.problems[0].task, state.problems[0].error) == ("sessions", "ZeroDivisionError")
        assert world.chain.source.closed == 1
        mended = ScriptedDaemon(clock)
        world.chain.source = mended
        mended.told.put_nowait(update(clock, SessionState.RUNNING))
        await until(world, lambda state: THREAD in state.sessions, step=1)


async def test_a_task_that_fails_again_and_again_waits_longer_and_says_it_once(clock: ManualClock) -> None:
    store, starts = StateStore(State()), 0
    told: list[State] = []
    store.listen(told.append)

    async def work() -> None:
        nonlocal starts
        starts += 1
        raise ExceptionGroup("several", [ValueError("x")])

    supervisor = Supervisor(store, clock)
    supervisor.start("work", work)
    supervisor.start("work", work)  # it runs already
    for pause in (1, 2, 4, 8, 16, 32):
        await waiting.until(lambda pause=pause: clock.next_wake == pause)  # type: ignore[misc]
        before = starts
        clock.advance(pause - 0.5)
        await asyncio.to_thread(lambda: None)
        assert starts == before
        clock.advance(0.5)
        await waiting.until(lambda before=before: starts > before)  # type: ignore[misc]
    await supervisor.aclose()
    assert [problem.error for problem in told[-1].problems] == ["ValueError"]
    assert len(told) == 1


async def test_a_task_that_ends_is_not_started_again(clock: ManualClock) -> None:
    store, ends = StateStore(State()), asyncio.Event()
    supervisor = Supervisor(store, clock)

    async def work() -> None:
        ends.set()

    supervisor.start("work", work)
    await ends.wait()
    await supervisor.aclose()
    assert store.state.problems == ()


async def test_a_task_that_waited_for_something_cancelled_starts_again(clock: ManualClock) -> None:
    store, starts = StateStore(State()), 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    supervisor = Supervisor(store, clock)
    supervisor.start("work", work)
    await waiting.until(lambda: clock.next_wake == FIRST_PAUSE)
    clock.advance(FIRST_PAUSE)
    await waiting.until(lambda: starts >= 2)
    assert [problem.error for problem in store.state.problems] == ["CancelledError"]
    await supervisor.aclose()


def test_the_place_of_a_group_is_its_first_errors() -> None:
    with pytest.raises(ValueError, match="inner") as inner:
        raise ValueError("inner")
    group = ExceptionGroup("outer", [inner.value])
    assert first_error(group) is inner.value
    assert place_of(group).startswith("test_supervisor.py:")
    assert place_of(ValueError()) == "unknown place"


async def test_a_clock_that_is_set_back_stops_no_polling(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        clock.set_wall(START - timedelta(hours=1))
        reads = len(world.source.reads)
        world.companion.refresh()
        await until(world, lambda _: len(world.source.reads) == reads + 1)
        await clock.until_sleeping(3)
        clock.advance(16)
        await until(world, lambda _: len(world.source.reads) == reads + 2)
        world.source.hint.set()
        await until(world, lambda _: len(world.source.reads) == reads + 3, step=0.5)
        clock.set_wall(clock.now() - timedelta(hours=1))
        clock.advance(600)
        await until(world, lambda _: world.source.reads[-1], step=1)  # the single credits, too


async def test_listeners_hear_the_newest_state_only() -> None:
    store, heard = StateStore(State()), []

    def correct(state: State) -> None:
        if state.demo is None and state.store_failure == "first":
            store.update(store_failure="second")

    store.listen(correct)
    store.listen(lambda state: heard.append(state.store_failure))
    store.update(store_failure="first")
    store.update(store_failure="second")
    assert heard == ["second"]
    assert replace(READING) == READING
