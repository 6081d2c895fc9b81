import asyncio

import pytest

from tests.support.clocks import START, ManualClock


async def test_sleepers_wake_in_their_order(clock: ManualClock) -> None:
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as tasks:
        for seconds in (20, 10, 30):
            tasks.create_task(sleep(seconds))
        await clock.until_sleeping(3)
        assert clock.next_wake == 10
        clock.advance(20)
        await asyncio.wait_for(clock.until_sleeping(1), 1)
        clock.advance(10)
    assert woken == [10, 20, 30]
    assert (clock.monotonic(), clock.sleepers, (clock.now() - START).total_seconds()) == (30, 0, 30)


async def test_waiting_for_a_sleeper_ends(clock: ManualClock) -> None:
    with pytest.raises(TimeoutError):
        await clock.until_sleeping(deadline=0.01)


async def test_no_time_needs_no_waking(clock: ManualClock) -> None:
    await clock.sleep(0)


async def test_a_cancelled_sleeper_counts_no_more(clock: ManualClock) -> None:
    task = asyncio.create_task(clock.sleep(5))
    await clock.until_sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (clock.sleepers, clock.next_wake) == (0, None)
