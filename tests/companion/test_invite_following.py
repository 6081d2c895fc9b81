import asyncio
from pathlib import Path

import pytest

from tests.companion.invite_world import (
    FRIENDS_RESET,
    OTHER,
    Inviting,
    another,
    breathe,
    following,
    rest,
    rewarded,
)
from tests.companion.inviting import Crash, ScriptedReferrals
from tests.companion.scripted import READING
from tests.domain.inviting import DAY, FRIEND, OFFER
from tests.support.clocks import ManualClock
from tests.support.waiting import until
from tui.companion.inviter import REFRESH_EVERY
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import SendStage
from tui.domain.referral import InviteStatus, OfferAnswer, OfferStatus
from tui.errors import (
    RateLimited,
    SourceDown,
    StoreError,
)


async def test_nobody_is_asked_while_nothing_is_pending(clock: ManualClock, service: ScriptedReferrals) -> None:
    world = Inviting(clock, None, service)
    async with following(world):
        await world.companion.poller.poll()
        await until(lambda: world.inviter._invites.has_loaded(READING.account))
        await world.inviter.note(FRIEND, None)
        for _ in range(5):
            clock.advance(DAY.total_seconds())
            await world.companion.poller.poll()
            await asyncio.to_thread(lambda: None)
    assert (service.offers, service.lists, clock.sleepers) == (0, 0, 0), "nor does a timer run for it"
    await world.companion.aclose()


async def test_a_pending_invite_is_looked_for_every_half_hour(world: Inviting) -> None:
    await world.invite()
    async with following(world):
        await rest(world)
        looks = world.service.lists
        for number in range(1, 4):
            world.clock.advance(REFRESH_EVERY.total_seconds() - 1)
            await asyncio.to_thread(lambda: None)
            assert world.service.lists == looks + number - 1
            world.clock.advance(1)
            await until(lambda: world.service.lists == looks + number)  # noqa: B023
            await rest(world)
        world.service.tell(FRIEND, InviteStatus.EXPIRED)
        world.clock.advance(REFRESH_EVERY.total_seconds())
        await until(lambda: world.book.records[0].state is InviteStatus.EXPIRED)
        await until(lambda: world.clock.sleepers == 0)
        world.clock.advance(DAY.total_seconds())
        await world.companion.poller.poll()
        await asyncio.to_thread(lambda: None)
    assert world.service.lists == looks + 4, "what is over is not followed"


async def test_what_is_in_doubt_is_looked_for_soon(world: Inviting) -> None:
    async with following(world):
        world.service.weather.append("drop_before")
        assert (await world.invite()).stage is SendStage.UNKNOWN
        await rest(world)
        world.clock.advance(SETTLING.total_seconds())
        await until(lambda: world.book.records[0].stage is SendStage.LOST)
    assert len(world.service.requests) == 1


async def test_a_doubt_that_no_list_settles_is_asked_about_less_and_less(world: Inviting) -> None:
    world.service.complete = False
    world.service.weather.append("drop_before")
    async with following(world):
        await world.invite()
        await rest(world)
        before = world.service.lists
        for _ in range(120):
            world.clock.advance(SETTLING.total_seconds())
            await asyncio.to_thread(lambda: None)
            await rest(world)
    assert world.service.lists - before < 40


async def test_a_service_that_asks_to_be_left_alone_is(world: Inviting) -> None:
    world.service.weather.append("drop_before")
    async with following(world):
        world.service.unlisted = RateLimited("429", 7200.0)
        await world.invite()
        await rest(world)
        before = world.service.offers
        world.clock.advance(7199)
        await asyncio.to_thread(lambda: None)
        assert world.service.offers == before
        world.clock.advance(1)
        await until(lambda: world.service.offers == before + 1)


async def test_an_open_invite_of_a_former_process_is_looked_for_at_once(world: Inviting, tmp_path: Path) -> None:
    world.service.weather.append(Crash())
    with pytest.raises(Crash):
        await world.invite()
    world.clock.advance(SETTLING.total_seconds())
    async with another(world, tmp_path) as heir, following(heir):
        await until(lambda: heir.service.lists == 1)
        await until(lambda: [row.stage for row in heir.book.records] == [SendStage.LOST])


async def test_a_reset_that_arrives_is_a_reason_to_look(world: Inviting) -> None:
    await world.invite(OTHER)
    await world.invite()
    async with following(world):
        await rest(world)
        looks = world.service.lists
        rewarded(world, "c9")
        world.bank(FRIENDS_RESET)
        world.companion.refresh()
        await world.companion.poller.poll()
        await until(lambda: world.service.lists == looks + 1)
        await until(lambda: "c9" in [row.credit_id for row in world.book.records])
        await world.companion.poller.poll()
        await rest(world)
        assert world.service.lists == looks + 1


async def test_what_the_panel_finds_is_followed(world: Inviting) -> None:
    async with following(world):
        world.service.add(FRIEND)
        await world.inviter.refresh()
        await rest(world)
        world.clock.advance(REFRESH_EVERY.total_seconds())
        await until(lambda: world.service.lists == 2)


async def test_a_failing_service_and_a_locked_database_do_not_end_the_following(
    world: Inviting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await world.invite()
    async with following(world):
        await rest(world)
        world.service.offered = SourceDown("gone")
        world.clock.advance(REFRESH_EVERY.total_seconds())
        await until(lambda: world.book.status is OfferStatus.UNREACHABLE)
        await rest(world)
        world.service.offered = OfferAnswer(OfferStatus.OFFERED, OFFER)
        world.service.tell(FRIEND, InviteStatus.OPENED)
        world.tables.database._connection.execute("PRAGMA query_only = 1")
        before = world.service.lists
        world.clock.advance(REFRESH_EVERY.total_seconds())
        await until(lambda: world.service.lists == before + 1)
        await rest(world)
        world.tables.database._connection.execute("PRAGMA query_only = 0")
        world.clock.advance(REFRESH_EVERY.total_seconds())
        await until(lambda: world.book.records[0].state is InviteStatus.OPENED)


async def test_nobody_looks_again_and_again_where_no_account_was_read(
    world: Inviting, tmp_path: Path, service: ScriptedReferrals
) -> None:
    await world.invite()
    heir = Inviting(world.clock, tmp_path, service)
    heir.chain.failure = SourceDown("nobody is there")
    await heir.companion.poller.poll()
    await heir.inviter.refresh()
    assert len(heir.book.records) == 1
    async with following(heir):
        await breathe()
        assert heir.inviter._readings == 1
        world.clock.advance(DAY.total_seconds())
        await breathe()
        assert heir.inviter._readings == 1
    await heir.companion.aclose()


async def test_a_database_that_fails_is_not_tried_again_and_again(
    world: Inviting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.invite()
    world.clock.advance(REFRESH_EVERY.total_seconds())

    def fail(account: str) -> None:
        raise StoreError("the database cannot be used")

    monkeypatch.setattr(world.inviter._invites._invites, "records", fail)
    before = world.inviter._readings
    async with following(world):
        await rest(world)
        await breathe()
        assert world.inviter._readings == before + 1
    assert world.companion.state.store_failure == "the database cannot be used"


async def test_closing_lets_the_connections_go(clock: ManualClock, service: ScriptedReferrals) -> None:
    world = Inviting(clock, None, service)
    await world.inviter.refresh()
    await world.companion.aclose()
    assert service.closed == 1
