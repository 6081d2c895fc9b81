"""The rollout feed on real files: followed as Codex writes, moves, compresses and deletes them."""

import asyncio
import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from backports import zstd

from tests.sources.following import following, state
from tests.sources.rollout_folder import Rollout, done, limit_hit, metered, started, talk
from tests.support.clocks import START, ManualClock
from tests.support.waiting import deadline
from tui.domain.sessions import SessionState
from tui.sources.codex_home import CodexHome
from tui.sources.rollout_files import RolloutFiles
from tui.sources.rollouts import RolloutFeed

RUNNING, IDLE, LIMIT = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_AT_LIMIT
GONE = SessionState.GONE


async def test_a_session_from_its_first_line_to_the_limit_and_on(
    feed: RolloutFeed, sessions_home: Path, clock: ManualClock
) -> None:
    rollout = Rollout(sessions_home).write(b"")
    thread = rollout.thread

    async def becomes(what: SessionState) -> None:
        await seen.until(lambda: state(seen, thread) is what)

    async with following(feed) as seen:
        rollout.write(rollout.meta())
        await becomes(IDLE)
        rollout.write(started(START + timedelta(seconds=1)))
        await becomes(RUNNING)
        rollout.write(metered(START + timedelta(seconds=2)), limit_hit(START + timedelta(seconds=3)))
        await becomes(LIMIT)
        rollout.write(started(START + timedelta(seconds=4)))
        await becomes(RUNNING)
        rollout.write(done(START + timedelta(seconds=5)))
        await becomes(IDLE)
    session = seen.sessions[thread]
    assert (session.workspace, session.rollout_path) == ("/w/api", str(rollout.path))
    assert [limit.windows[0].used_percent for s in seen.updates for limit in s.limits] == [70.0]


async def test_a_half_written_line(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started(), metered(used=71), limit_hit()[:40])
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        rollout.write(limit_hit()[40:])
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)


async def test_a_new_day(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    Rollout(sessions_home, 1).write(b"{}\n")
    async with following(feed) as seen:
        tomorrow = Rollout(sessions_home, 2, START + timedelta(days=40))
        tomorrow.write(tomorrow.meta(), started())
        await seen.until(lambda: state(seen, tomorrow.thread) is RUNNING)


async def test_deleted(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        rollout.path.unlink()
        await seen.until(lambda: state(seen, rollout.thread) is GONE)


async def test_archived_and_back(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started(), done())
    archive = sessions_home / "archived_sessions" / rollout.path.name
    archive.parent.mkdir()
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is IDLE)
        rollout.path.rename(archive)
        await seen.until(lambda: state(seen, rollout.thread) is GONE)
        archive.rename(rollout.path)
        await seen.until(lambda: state(seen, rollout.thread) is IDLE)


async def test_the_whole_folder_goes_and_comes_back(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    first = Rollout(sessions_home, 1)
    first.write(first.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, first.thread) is RUNNING)
        shutil.rmtree(sessions_home / "sessions")
        await seen.until(lambda: state(seen, first.thread) is GONE)
        second = Rollout(sessions_home, 2)
        second.write(second.meta(), started())
        await seen.until(lambda: state(seen, second.thread) is RUNNING)


async def test_another_folder_in_its_place(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    first = Rollout(sessions_home, 1)
    first.write(first.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, first.thread) is RUNNING)
        (sessions_home / "sessions").rename(sessions_home / "away")
        second = Rollout(sessions_home, 2)
        second.write(second.meta(), started())
        await seen.until(lambda: state(seen, second.thread) is RUNNING)
        assert state(seen, first.thread) is GONE


async def test_no_folder_at_first(feed: RolloutFeed, tmp_path: Path, clock: ManualClock) -> None:
    sessions_home = tmp_path / "codex-home"
    sessions_home.rmdir()
    async with following(feed) as seen:
        rollout = Rollout(sessions_home)
        rollout.write(rollout.meta(), started())
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_a_thread_that_was_taken_back_goes_on_in_another_file(feed: RolloutFeed, sessions_home: Path) -> None:
    first = Rollout(sessions_home)
    first.write(first.meta(), started(), limit_hit(START + timedelta(minutes=1)))
    second = Rollout(sessions_home)
    second.path = first.path.with_name(f"{first.path.stem}_{UUID(int=77)}.jsonl")
    second.write(first.meta(START + timedelta(minutes=2)), started(START + timedelta(minutes=3)))
    async with following(feed) as seen:
        await seen.until_state(RUNNING, first.thread)
        second.write(done(START + timedelta(minutes=4)))
        await seen.until_state(IDLE, first.thread)
        first.path.unlink()
        second.write(started(START + timedelta(minutes=5)))
        await seen.until_state(RUNNING, first.thread)
        assert set(seen.sessions) == {first.thread}
        second.path.unlink()
        await seen.until_state(GONE, first.thread)


async def test_folders_dated_ahead_hide_nothing(feed: RolloutFeed, sessions_home: Path) -> None:
    for days in range(5, 12):
        ahead = Rollout(sessions_home, days, START + timedelta(days=days))
        ahead.write(ahead.meta()).date(START)
    async with following(feed) as seen:
        await feed.caught_up()
        now = Rollout(sessions_home, 1)
        now.write(now.meta(), started())
        await seen.until_state(RUNNING, now.thread)
        await seen.until(lambda: len(seen.sessions) == 8)


async def test_a_provider_that_the_plan_does_not_pay(feed: RolloutFeed, sessions_home: Path) -> None:
    (sessions_home / "config.toml").write_text("[model_providers.mine]\nrequires_openai_auth = true\n")
    for number, provider in enumerate(("openai", "mine", "ollama"), 1):
        rollout = Rollout(sessions_home, number)
        rollout.write(rollout.meta(model_provider=provider), started(), limit_hit())
    async with following(feed) as seen:
        await seen.until(lambda: len(seen.sessions) == 3)
        states = {session.uses_plan: session.state for session in seen.sessions.values()}
        assert states == {True: LIMIT, False: SessionState.STOPPED_BY_ERROR}
        assert [session.uses_plan for session in seen.sessions.values()].count(True) == 2


async def test_truncated_and_written_anew(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), talk(9000), started(), limit_hit())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)
        os.truncate(rollout.path, 0)
        rollout.write(rollout.meta(), started(START + timedelta(hours=-1)))
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_another_file_in_its_place(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started(), limit_hit())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)
        other = rollout.path.with_suffix(".new")
        other.write_bytes(rollout.meta() + talk(9000) + started(START + timedelta(hours=-1)))
        other.replace(rollout.path)
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_the_codex_clock_jumps_back(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started(), limit_hit(START + timedelta(hours=5)))
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)
        rollout.write(started(START - timedelta(hours=5)))
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


async def test_our_clock_jumps(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        clock.set_wall(START + timedelta(days=900))
        rollout.write(limit_hit())
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)
        clock.set_wall(START - timedelta(days=900))
        rollout.write(started(START + timedelta(seconds=9)))
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)


def compress(rollout: Rollout, *, whole: bool = True) -> Path:
    packed = zstd.compress(rollout.path.read_bytes(), 3)
    cold = rollout.path.with_name(rollout.path.name + ".zst")
    cold.write_bytes(packed if whole else packed[:-5])
    os.utime(cold, (START.timestamp(), START.timestamp()))
    rollout.path.unlink()
    return cold


async def test_a_cold_one_is_read_at_the_start(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), *[talk()] * 9000, started(), limit_hit())
    compress(rollout)
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)


async def test_going_cold_is_not_going_away(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    cold, other = Rollout(sessions_home, 1), Rollout(sessions_home, 2)
    cold.write(cold.meta(), started(), limit_hit())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, cold.thread) is LIMIT)
        packed = compress(cold)
        other.write(other.meta(), started())
        await seen.until(lambda: state(seen, other.thread) is RUNNING)
        assert state(seen, cold.thread) is LIMIT
        cold.path.write_bytes(zstd.decompress(packed.read_bytes()))
        packed.unlink()
        cold.write(started(START + timedelta(minutes=1)))
        await seen.until(lambda: state(seen, cold.thread) is RUNNING)


async def test_damaged_and_strange_files_change_nothing(
    feed: RolloutFeed, sessions_home: Path, clock: ManualClock
) -> None:
    broken = Rollout(sessions_home, 1)
    broken.write(broken.meta(), started())
    compress(broken, whole=False)
    folder = broken.path.parent
    os.mkfifo(Rollout(sessions_home, 2).path)
    Rollout(sessions_home, 3).path.mkdir()
    Rollout(sessions_home, 4).path.symlink_to("/nonexistent")
    Rollout(sessions_home, 5).path.write_bytes(os.urandom(300_000))
    (folder / "rollout-notes.jsonl").write_bytes(started())
    (folder / "rollout-2026-x.txt").write_text("x")
    locked = Rollout(sessions_home, 6)
    locked.write(locked.meta(), started())
    locked.path.chmod(0)
    good = Rollout(sessions_home, 7)
    good.write(good.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, good.thread) is RUNNING)
        good.write(os.urandom(100_000), b"\n", limit_hit())
        await seen.until(lambda: state(seen, good.thread) is LIMIT)
        assert set(seen.sessions) <= {good.thread, locked.thread, broken.thread}, "root may read everything"


async def test_nothing_is_read_twice(
    feed: RolloutFeed, sessions_home: Path, clock: ManualClock, reads: list[tuple[int, int]]
) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        for number in range(20):
            at = START + timedelta(seconds=number)
            rollout.write(metered(at, used=float(number)))
            await seen.until(lambda at=at: seen.updates[-1].seen_at == at)  # type: ignore[misc]
    assert sum(size for _, size in reads) == rollout.path.stat().st_size


async def test_a_burst_larger_than_a_piece(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started())
    async with following(feed) as seen:
        await seen.until(lambda: state(seen, rollout.thread) is RUNNING)
        rollout.write(*[talk(2000)] * 6000, limit_hit())
        await seen.until(lambda: state(seen, rollout.thread) is LIMIT)


async def test_two_thousand_lines_at_once(feed: RolloutFeed, sessions_home: Path, clock: ManualClock) -> None:
    rollouts = [Rollout(sessions_home, number) for number in range(1, 21)]
    for rollout in rollouts:
        rollout.write(rollout.meta())
    async with following(feed) as seen:
        await seen.until(lambda: len(seen.sessions) == 20)
        for _ in range(50):
            for rollout in rollouts:
                rollout.write(started(), limit_hit())
        await seen.until(lambda: sum(s.state is LIMIT for s in seen.updates) >= 1000)
        assert {session.state for session in seen.sessions.values()} == {LIMIT}


async def test_a_stuck_disk_does_not_hold_up_the_exit(
    sessions_home: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = Rollout(sessions_home)
    rollout.write(rollout.meta(), started())
    stuck, over = threading.Event(), threading.Event()

    def hang(self: RolloutFiles, path: str) -> None:
        stuck.set()
        over.wait()

    monkeypatch.setattr(RolloutFiles, "read", hang)
    async with deadline(), following(RolloutFeed(CodexHome(sessions_home), clock)):
        await asyncio.to_thread(stuck.wait)
    over.set()


async def test_closing_twice_and_before_the_start(sessions_home: Path, clock: ManualClock) -> None:
    feed = RolloutFeed(CodexHome(sessions_home), clock)
    await feed.aclose()
    await feed.aclose()
