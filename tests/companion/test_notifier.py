"""Notices: each fact once by each channel, whatever runs beside and dies; quiet hours; a channel that fails."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.domain.worlds import credit, snapshot, window
from tests.support.clocks import START, ManualClock
from tests.support.waiting import until, wait_until
from tui.channels.base import Channel, Notice
from tui.companion.locks import AccountLocks
from tui.companion.notifier import Notifier, quiet_hours
from tui.companion.records import Records, Tables
from tui.companion.state import State, StateStore
from tui.domain.snapshot import Snapshot
from tui.errors import NoticeFailed
from tui.store.database import Database
from tui.store.deliveries import LEASE, Deliveries

ALL = frozenset({"near", "interrupted", "held", "resumed", "reset_observed", "spent", "credit_changed", "lapsing"})


def reading(used: float, at: datetime = START, ends: timedelta = timedelta(hours=2)) -> Snapshot:
    return snapshot(window(300, used, resets_in=ends, at=START), rows=(credit(),), at=at)


class Process:
    """One resetbank with a channel that keeps what it is given."""

    def __init__(self, path: Path, clock: ManualClock, *, quiet: str = "", fails: bool = False, also: str = "") -> None:
        self.store = StateStore(State())
        self.database = Database(path)
        self.records = Records(self.store, Tables(self.database, AccountLocks(None)), "p")
        self.told: list[Notice] = []
        self.fails = fails

        async def channel(notice: Notice) -> None:
            if self.fails:
                raise NoticeFailed("example.com answered 500")
            self.told.append(notice)

        self.channels: dict[str, Channel] = {name: channel for name in ("webhook", also) if name}
        is_quiet = quiet_hours(quiet, UTC)
        self.notifier = Notifier(self.store, self.records, clock, self.channels, events=ALL, is_quiet=is_quiet)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.notifier.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.database.close()

    def read(self, taken: Snapshot) -> None:
        self.store.update(snapshot=taken)


async def settled(*processes: Process) -> None:
    await asyncio.to_thread(wait_until, lambda: all(process.notifier.is_idle for process in processes))


async def until_told(process: Process, count: int) -> None:
    await asyncio.to_thread(wait_until, lambda: len(process.told) >= count)


async def test_each_fact_is_told_once_by_whoever_is_first(tmp_path: Path, clock: ManualClock) -> None:
    one, other = (Process(tmp_path / "r.db", clock) for _ in range(2))
    async with one.running(), other.running():
        one.read(reading(93))
        other.read(reading(93, ends=timedelta(hours=2, seconds=40)))  # another source, a little apart
        await asyncio.to_thread(wait_until, lambda: bool(one.told or other.told))
        await settled(one, other)
        assert len(one.told) + len(other.told) == 1
        (notice,) = one.told + other.told
        assert notice.event == "near"
        assert notice.text == "The 5-hour limit is near; 1 reset banked"
        before = len(one.told)
        one.read(reading(100))
        await until_told(one, before + 1)
        assert one.told[-1].event == "interrupted"


async def test_a_start_tells_nothing_again(tmp_path: Path, clock: ManualClock) -> None:
    for told in (1, 0):
        process = Process(tmp_path / "r.db", clock)
        async with process.running():
            process.read(reading(93))
            await settled(process)
            assert len(process.told) == told


async def test_who_dies_between_claim_and_telling_is_stood_in_for(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock)
    at = (START + timedelta(hours=2)).timestamp()
    killed = Deliveries(process.database)
    assert killed.claim("near acc1 300", at, "webhook", clock.now().timestamp(), 120) == 0
    async with process.running():
        process.read(reading(93))
        await clock.until_sleeping()
        await settled(process)
        assert process.told == []
        clock.advance(LEASE + 1)
        await until_told(process, 1)


async def test_who_stood_still_after_its_claim_claims_anew(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock)
    leases: list[float] = []
    other = Database(tmp_path / "r.db")

    async def channel(_notice: Notice) -> None:
        with other.writing() as connection:
            (ends,) = connection.execute("SELECT claimed_until FROM deliveries").fetchone()
            leases.append(ends - clock.now().timestamp())

    process.channels["webhook"] = channel
    async with process.running():
        with other.writing():  # so long the claim waits
            process.read(reading(93))
            await until(lambda: any(thread.name == "resetbank" for thread in threading.enumerate()))
            clock.advance(LEASE + 1)
        await asyncio.to_thread(wait_until, lambda: bool(leases))
        assert leases == [LEASE]
    other.close()


async def test_a_slow_channel_holds_up_no_other(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock, also="bell")
    never = asyncio.Event()

    async def channel(_notice: Notice) -> None:
        await never.wait()

    process.channels["webhook"] = channel
    async with process.running():
        for number, used in enumerate((93, 100), 1):
            process.read(reading(used))
            await until_told(process, number)
        assert [notice.event for notice in process.told] == ["near", "interrupted"]


async def test_a_database_that_another_program_holds_delays_a_notice(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.05)
    process, other = Process(tmp_path / "r.db", clock), Database(tmp_path / "r.db")
    async with process.running():
        with other.writing():
            process.read(reading(93))
            await clock.until_sleeping()
        assert process.told == []
        clock.advance(11)
        await until_told(process, 1)
    other.close()


async def test_quiet_hours_are_quiet(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock, quiet="13:00-15:00")
    async with process.running():
        process.read(reading(93))
        await settled(process)
        assert process.told == []


@pytest.mark.parametrize(
    ("hours", "quiet"), [("22:00-07:00", False), ("14:00-15:00", True), ("15:00-14:10", True), ("14:10-22:00", False)]
)
def test_hours_may_span_midnight(hours: str, quiet: bool) -> None:
    assert quiet_hours(hours, UTC)(START) is quiet
    assert quiet_hours("", UTC)(START) is False


async def test_a_channel_that_fails_is_said_and_the_next_success_takes_it_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    process = Process(tmp_path / "r.db", clock, fails=True)
    async with process.running():
        process.read(reading(93))
        await asyncio.to_thread(wait_until, lambda: bool(process.store.state.problems))
        (problem,) = process.store.state.problems
        assert problem.text == "notices by webhook: example.com answered 500"
        process.fails = False
        process.read(reading(100))
        await until_told(process, 1)
        await settled(process)
        assert process.store.state.problems == ()


async def test_no_address_is_in_a_notice(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock)
    async with process.running():
        taken = reading(93)
        process.read(replace(taken, account=replace(taken.account, id=None, email="me@example.com")))
        await until_told(process, 1)
        assert "example.com" not in repr(process.told)


def lapsing(at: datetime = START, days: float = 2.5) -> Snapshot:
    rows = (replace(credit("c1"), expires_at=START + timedelta(days=days)), credit("c2", 20))
    return snapshot(window(300, 12, resets_in=timedelta(hours=2), at=START), rows=rows, at=at)


async def test_a_reset_that_lapses_is_told_once_for_each_step_by_whoever_runs(
    tmp_path: Path, clock: ManualClock
) -> None:
    texts = []
    for left in (60, 30, 23, 10, 0.9, 0.2):  # hours; a new process each time, and two at once
        clock.advance((START + timedelta(days=2.5) - clock.now()).total_seconds() - left * 3600)
        processes = tuple(Process(tmp_path / "r.db", clock) for _ in range(2))
        async with processes[0].running(), processes[1].running():
            for process in processes:
                process.read(lapsing(clock.now()))
                process.read(lapsing(clock.now() + timedelta(microseconds=1)))
            await settled(*processes)
            texts.append([notice.text for process in processes for notice in process.told])
    assert texts == [
        ["One reset lapses in about 2 days; 2 resets banked"],
        [],
        ["One reset lapses in 23 hours; 2 resets banked"],
        [],
        ["One reset lapses in 54 minutes; 2 resets banked"],
        [],
    ]


async def test_a_last_moment_that_moves_is_told_anew(tmp_path: Path, clock: ManualClock) -> None:
    process = Process(tmp_path / "r.db", clock)
    async with process.running():
        process.read(lapsing())
        await until_told(process, 1)
        process.read(lapsing(days=6))
        await until_told(process, 2)
        assert process.told[-1].text == "One reset lapses in 6 days; 2 resets banked"
