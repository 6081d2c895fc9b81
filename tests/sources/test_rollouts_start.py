"""What the rollout feed reads at its start, and what it leaves alone."""

from datetime import timedelta
from pathlib import Path

from tests.sources.following import following, state
from tests.sources.rollout_folder import Rollout, done, metered, old_rollouts, started, talk
from tests.support.clocks import START, ManualClock
from tui.domain.sessions import SessionState
from tui.sources.rollouts import RolloutFeed

RUNNING, IDLE, LIMIT = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_AT_LIMIT
GONE = SessionState.GONE


async def test_an_old_thread_that_is_taken_up_again(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    long_ago = START - timedelta(days=200)
    rollout = Rollout(sessions_home, 1, long_ago)
    rollout.write(rollout.meta(long_ago), started(long_ago), done(long_ago))
    young = Rollout(sessions_home, 2)
    young.write(young.meta(), started())
    for days in range(1, 5):
        Rollout(sessions_home, 10 + days, START - timedelta(days=days)).write(b"{}\n")
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, young.thread) is RUNNING)
        assert rollout.thread not in seen.sessions
        rollout.write(started()).date(START)
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_one_taken_up_before_the_start(feed: RolloutFeed, sessions_home: Path) -> None:
    rollout = Rollout(sessions_home, 1, START - timedelta(days=200))
    rollout.write(rollout.meta(), started()).date(START)
    for days in range(5):
        Rollout(sessions_home, 10 + days, START - timedelta(days=days)).write(b"{}\n")
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_ten_thousand_old_files_are_not_opened(
    feed: RolloutFeed, sessions_home: Path, clock: ManualClock, reads: list[tuple[int, int]]
) -> None:
    old_rollouts(sessions_home, 10_000)
    live = [Rollout(sessions_home, number) for number in range(1, 4)]
    for rollout in live:
        rollout.write(rollout.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: len(seen.sessions) == 3)
        assert sum(size for _, size in reads) == sum(rollout.path.stat().st_size for rollout in live)


async def test_of_a_large_one_only_head_and_end_are_read(
    feed: RolloutFeed, sessions_home: Path, reads: list[tuple[int, int]]
) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), *[talk(2000)] * 20_000, started(START), *[talk()] * 100, metered())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        await seen.until(lambda: bool(seen.updates[-1].limits))
        assert seen.sessions[rollout.thread].workspace == "/w/api"
        assert sum(size for _, size in reads) < 1 << 20 < 40 << 20 < rollout.path.stat().st_size


async def test_a_long_turn_is_read_back_to_its_begin(feed: RolloutFeed, sessions_home: Path) -> None:
    rollout = Rollout(sessions_home)
    begin = START - timedelta(hours=1)
    rollout.write(rollout.meta(begin), *[talk(2000)] * 1000, started(begin), *[talk(2000)] * 2000)
    async with following(feed) as seen:
        session = await seen.until_state(RUNNING)
        assert session.since == begin


async def test_a_turn_without_a_begin_in_sight_is_running(feed: RolloutFeed, sessions_home: Path) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started(), *[talk(2000)] * 10_000)
    async with following(feed) as seen:
        await seen.until_state(RUNNING)
