import asyncio
from pathlib import Path

import pytest

from tests.companion.invite_world import FRIENDS_RESET, OTHER, Inviting, another, lock, rewarded
from tests.companion.inviting import ScriptedReferrals
from tests.domain.inviting import FRIEND, OFFER
from tests.support.clocks import ManualClock
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import SendStage
from tui.domain.ledger import EventKind
from tui.domain.referral import InviteList, InviteStatus, OfferAnswer, OfferStatus
from tui.domain.snapshot import Account
from tui.errors import RateLimited, SourceDown, SourceError, StoreCorrupt


async def test_what_is_found_and_what_differs_is_in_the_ledger_masked(world: Inviting) -> None:
    world.service.add("made.elsewhere@example.com")
    await world.invite()
    world.service.tell(FRIEND, InviteStatus.INELIGIBLE, reason="f…@example.com was active")
    await world.inviter.refresh()
    await world.inviter.refresh()
    assert world.kinds == [
        EventKind.INVITE_CONSENTED,
        EventKind.INVITE_SENT,
        EventKind.INVITE_FOUND,
        EventKind.INVITE_CHANGED,
    ]
    changed = world.ledger.events()[-1]
    assert (changed.before, changed.after) == ("sent", "ineligible")
    assert changed.text == "the invite to f…@example.com (f…@example.com was active)"
    for event in world.ledger.events():
        assert FRIEND not in str(event)
        assert "made.elsewhere" not in str(event)


@pytest.mark.parametrize(
    ("offered", "status"),
    [
        (OfferAnswer(OfferStatus.NOT_OFFERED, OFFER, "not for your plan"), OfferStatus.NOT_OFFERED),
        (OfferAnswer(OfferStatus.FORBIDDEN, None, "403"), OfferStatus.FORBIDDEN),
        (SourceDown("no connection"), OfferStatus.UNREACHABLE),
    ],
)
async def test_how_things_stand_is_said_and_what_was_known_stays(
    world: Inviting, offered: OfferAnswer | Exception, status: OfferStatus
) -> None:
    await world.invite()
    before = world.book
    world.service.offered = offered
    await world.inviter.refresh()
    assert (world.book.status, world.book.reading) == (status, False)
    assert world.book.records == before.records
    assert world.book.reason
    if status is OfferStatus.UNREACHABLE:
        assert (world.book.offer, world.book.read_at) == (before.offer, before.read_at)


async def test_a_list_that_cannot_be_read_is_said(world: Inviting) -> None:
    await world.invite()
    listed_at = world.book.listed_at
    world.clock.advance(60)
    world.service.unlisted = SourceDown("the service answers 500")
    await world.inviter.refresh()
    assert world.book.unknowns == ("the list of invites could not be read: the service answers 500",)
    assert (world.book.listed_at, world.book.status) == (listed_at, OfferStatus.OFFERED)
    world.service.unlisted = None
    await world.inviter.refresh()
    assert not world.book.unknowns
    assert world.book.listed_at == world.clock.now()


async def test_what_was_sent_while_a_long_list_was_read_is_not_lost(world: Inviting, tmp_path: Path) -> None:
    async with another(world, tmp_path) as other:
        tracking = other.service.tracking

        async def slow(account: Account) -> InviteList:
            told = await tracking(account)
            world.service.tracking = tracking  # type: ignore[method-assign]
            world.service.weather.append("drop_before")
            await world.invite()
            world.clock.advance(2 * SETTLING.total_seconds())
            return told

        world.service.tracking = slow  # type: ignore[method-assign]
        await other.inviter.refresh()
        assert [row.stage for row in other.book.records] == [SendStage.UNKNOWN]


@pytest.mark.parametrize("reward_id", ["c9", None])
async def test_the_reset_that_came_is_matched_with_its_invite(world: Inviting, reward_id: str | None) -> None:
    await world.invite()
    rewarded(world, reward_id)
    world.bank(FRIENDS_RESET)
    await world.companion.poller.poll()
    world.companion.refresh()
    await world.companion.poller.poll()
    await world.inviter.refresh()
    (row,) = world.book.records
    assert (row.credit_id, row.credit_is_certain) == ("c9", reward_id is not None)
    line = world.ledger.events()[-1]
    sure = "" if reward_id else "probably "
    assert (line.kind, line.credit_id) == (EventKind.INVITE_REWARDED, "c9")
    assert line.text == f"a reset {sure}came for the invite to f…@example.com"
    await world.inviter.refresh()
    assert world.ledger.events()[-1] == line, "told once"


async def test_a_reset_is_matched_with_a_note_without_asking_anybody(world: Inviting) -> None:
    await world.inviter.note(FRIEND, None)
    world.bank(FRIENDS_RESET)
    world.companion.refresh()
    await world.companion.poller.poll()
    await world.inviter.load()
    assert [row.credit_id for row in world.book.records] == ["c9"]
    assert (world.service.offers, world.service.lists) == (0, 0)


async def test_without_a_reading_the_invites_of_the_last_account_are_shown(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    before = Inviting(clock, tmp_path, service)
    await before.companion.poller.poll()
    await before.invite()
    await before.companion.aclose()
    world = Inviting(clock, tmp_path, service)
    world.keys = iter(f"later-{number}" for number in range(1, 100))
    world.chain.failure = SourceDown("nobody is there")
    await world.companion.poller.poll()
    offers = service.offers
    await world.inviter.refresh()
    assert [row.address for row in world.book.records] == [FRIEND]
    assert (world.book.status, world.book.is_loaded, service.offers) == (OfferStatus.UNREACHABLE, True, offers)
    assert world.book.reason == (
        "the limits cannot be read, so nothing is asked about invites;"
        " these are the invites of me@example.com, as last known"
    )
    note = await world.inviter.note(OTHER, None)
    assert (note.account, len(world.book.records)) == ("acc1", 2)
    await world.companion.aclose()


async def test_where_no_account_was_ever_read_nothing_is_called_empty(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service)
    world.chain.failure = SourceDown("nobody is there")
    await world.companion.poller.poll()
    await world.inviter.refresh()
    assert (world.book.status, world.book.is_loaded, world.book.records) == (OfferStatus.UNREACHABLE, False, ())
    with pytest.raises(SourceError, match="not known yet"):
        await world.inviter.note(OTHER, None)
    await world.companion.aclose()


@pytest.mark.parametrize("status", [OfferStatus.NOT_ASKED, OfferStatus.FORBIDDEN])
async def test_what_another_process_wrote_is_seen_where_no_list_can_be_read(
    world: Inviting, tmp_path: Path, status: OfferStatus
) -> None:
    world.service.offered = OfferAnswer(status, None, "not from here")
    await world.inviter.refresh()
    async with another(world, tmp_path) as other:
        await other.inviter.note(OTHER, None)
    await world.inviter.refresh()
    assert [row.address for row in world.book.records] == [OTHER]


async def test_two_that_look_at_once_ask_once(world: Inviting) -> None:
    await asyncio.gather(*(world.inviter.refresh() for _ in range(10)))
    assert (world.service.offers, world.service.lists) == (1, 1)
    await world.inviter.refresh()
    assert (world.service.offers, world.service.lists) == (2, 2)


async def test_nobody_looks_while_told_to_wait(world: Inviting) -> None:
    world.service.offered = RateLimited("too many requests (429)", 120.0)
    await world.inviter.refresh()
    for _ in range(5):
        await world.inviter.refresh()
    assert world.service.offers == 1
    assert (world.book.status, world.book.reading) == (OfferStatus.UNREACHABLE, False)
    world.service.sell()
    world.clock.advance(120)
    await world.inviter.refresh()
    assert (world.service.offers, world.book.status) == (2, OfferStatus.OFFERED)


async def test_a_reset_that_arrives_is_no_reason_to_break_off_the_wait(world: Inviting) -> None:
    world.service.offered = RateLimited("too many requests (429)", 120.0)
    await world.inviter.refresh()
    world.bank(FRIENDS_RESET)
    world.companion.refresh()
    await world.companion.poller.poll()
    await world.inviter.refresh()
    assert world.service.offers == 1


async def test_before_the_first_reading_nothing_is_called_a_failure(world: Inviting, tmp_path: Path) -> None:
    heir = Inviting(world.clock, tmp_path, world.service)
    await heir.inviter.refresh()
    assert (heir.book.reason or "").startswith("the limits have not been read yet, so nothing is asked")
    await heir.companion.aclose()


async def test_a_list_that_was_read_counts_without_a_database(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service, tables=StoreCorrupt("damaged"))
    await world.companion.poller.poll()
    await world.inviter.refresh()
    assert (world.book.is_loaded, world.book.records) == (True, ())
    await world.companion.aclose()
    world.tables.database.close()


async def test_a_locked_database_is_said_and_forgotten_when_it_is_free(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    world = Inviting(clock, tmp_path, service)
    await world.companion.poller.poll()
    service.add(FRIEND)
    other = lock(tmp_path)
    await world.inviter.refresh()
    assert "locked by another program" in (world.companion.state.store_failure or "")
    other.close()
    await world.companion.poller.poll()
    await world.inviter.refresh()
    assert world.companion.state.store_failure is None
    assert [row.address for row in world.book.records] == [FRIEND]
    await world.companion.aclose()
