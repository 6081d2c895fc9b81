import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import READING, ScriptedFeed, World
from tests.domain.worlds import FIVE_HOURS, snapshot, window
from tests.support.clocks import START, ManualClock
from tui.companion.sessions import with_limits
from tui.domain.sessions import SessionUpdate
from tui.domain.windows import Limit, Window

SPARK = Limit("codex_bengalfox", "Spark", True, (Window("codex_bengalfox", "Spark", FIVE_HOURS, 100.0, None),))
ALLOWED = replace(READING, ordinary_usage_allowed=True, limits=(*READING.limits, SPARK))


def told(used: float) -> SessionUpdate:
    limits = snapshot(window(FIVE_HOURS, used)).limits
    return SessionUpdate("thread", START + timedelta(seconds=1), "rollout", limits=limits)


def test_a_single_models_full_window_says_nothing_about_ordinary_use() -> None:
    moved = with_limits(ALLOWED, told(97.0))
    assert moved is not None
    assert moved.ordinary_usage_allowed is True
    assert moved.limits[1] is SPARK


def test_a_full_window_outdates_the_services_word() -> None:
    moved = with_limits(ALLOWED, told(100.0))
    assert moved is not None
    assert moved.ordinary_usage_allowed is None
    assert moved.limits[0].allowed is None


def test_what_tells_nothing_newer_moves_nothing() -> None:
    assert with_limits(ALLOWED, replace(told(95.0), seen_at=START)) is None
    assert with_limits(ALLOWED, told(95.0)) is None
    assert with_limits(None, told(95.0)) is None


def test_the_limits_of_another_account_move_no_meter() -> None:
    account = ALLOWED.account
    for other in ({"account_id": "another"}, {"plan": "team"}):
        assert with_limits(ALLOWED, replace(told(97.0), **other)) is None
    assert with_limits(ALLOWED, replace(told(97.0), account_id=account.id, plan=account.plan)) is not None
    moved = told(97.0).limits[0]
    elsewhen = replace(moved.windows[0], resets_at=START + timedelta(hours=4))
    assert with_limits(ALLOWED, replace(told(97.0), limits=(replace(moved, windows=(elsewhen,)),))) is None


class SilentFeed(ScriptedFeed):
    """A dead disk: it never comes to an end."""

    async def caught_up(self) -> None:
        await asyncio.get_running_loop().create_future()


async def test_a_scan_that_was_cut_off_says_so(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.companion.sessions.SCAN_SECONDS", 0.01)
    world = World(clock, tmp_path)
    assert await world.companion.scan_once()
    world.feed = SilentFeed()
    assert not await world.companion.scan_once()
    await world.companion.aclose()
