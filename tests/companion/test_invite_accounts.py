import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.invite_world import OTHER, Inviting
from tests.companion.inviting import ScriptedReferrals
from tests.companion.scripted import READING
from tests.domain.inviting import FRIEND, OFFER
from tests.support.clocks import ManualClock
from tui.domain.invites import InviteState, SendStage
from tui.domain.referral import OfferAnswer, OfferStatus
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind
from tui.errors import (
    InviteRejected,
    StoreCorrupt,
    StoreError,
)


async def test_another_account_s_offer_and_invites_are_out_of_sight_at_once(world: Inviting) -> None:
    await world.invite()
    assert world.book.offer is not None
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poller.poll()
    assert world.book == InviteState(account="acc2")
    await world.inviter.load()
    assert world.book == InviteState(account="acc2", is_loaded=True)
    note = await world.inviter.note(OTHER, None)
    assert (list(world.book.records), note.account) == ([note], "acc2")
    assert world.book.offer is None
    world.switch_to(READING.account)
    await world.companion.poller.poll()
    await world.inviter.load()
    assert [row.address for row in world.book.records] == [FRIEND]
    assert world.book.offer is None


async def test_consent_for_another_account_sends_nothing(world: Inviting) -> None:
    await world.inviter.refresh()
    proposal = world.inviter.propose(FRIEND)
    world.switch_to(replace(READING.account, id="acc2"))
    await world.companion.poller.poll()
    with pytest.raises(InviteRejected, match="nothing was sent: another account is in use now"):
        await world.inviter.invite(proposal, ConsentKind.LETTER)
    assert (world.service.requests, world.book.records) == ([], ())


async def test_what_is_not_offered_is_not_proposed(world: Inviting) -> None:
    with pytest.raises(InviteRejected, match="nothing was sent: nothing is offered"):
        world.inviter.propose(FRIEND)
    await world.inviter.refresh()
    assert world.inviter.propose(" Friend@example.com ").address == "Friend@example.com"
    used_up = replace(OFFER, sends_left=0)
    world.companion.store.update(invites=replace(world.book, offer=used_up))
    with pytest.raises(InviteRejected, match="no invites are left"):
        world.inviter.propose(FRIEND)


async def test_an_answer_for_the_former_account_is_not_shown_for_the_new_one(world: Inviting) -> None:
    async def switch() -> None:
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poller.poll()

    world.service.meanwhile = switch
    sent = await world.invite()
    assert (sent.stage, sent.account) == (SendStage.SENT, "acc1")
    assert not world.book.records
    world.switch_to(READING.account)
    await world.companion.poller.poll()
    await world.inviter.load()
    assert [row.stage for row in world.book.records] == [SendStage.SENT], "it is written down all the same"


async def test_a_look_that_ends_after_the_switch_shows_nothing_of_it(world: Inviting) -> None:
    offer = world.service.offer

    async def slow(account: Account) -> OfferAnswer:
        told = await offer(account)
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poller.poll()
        return told

    world.service.offer = slow  # type: ignore[method-assign]
    world.service.add(FRIEND)
    await world.inviter.refresh()
    assert world.book == InviteState(account="acc2")


async def test_consent_given_before_a_switch_sends_nothing_after_it(world: Inviting) -> None:
    offer = world.service.offer

    async def slow(account: Account) -> OfferAnswer:
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poller.poll()
        return await offer(account)

    world.service.offer = slow  # type: ignore[method-assign]
    with pytest.raises(InviteRejected, match="nothing was sent: another account is in use now"):
        await world.invite()
    assert (world.service.requests, world.ledger.events()) == ([], ())


async def test_without_a_database_the_former_account_s_invites_go_too(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service, tables=StoreCorrupt("damaged"))
    await world.companion.poller.poll()
    service.add(FRIEND)
    await world.inviter.refresh()
    assert len(world.book.records) == 1
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poller.poll()
    assert world.book == InviteState(account="acc2")
    await world.companion.aclose()
    world.tables.database.close()


async def test_a_locked_database_keeps_no_other_account_s_invites_in_sight(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service)
    await world.companion.poller.poll()
    await world.invite()
    world.tables.database.close()
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poller.poll()
    with pytest.raises(StoreError):
        await world.inviter.load()
    assert world.book == InviteState(account="acc2")
    await world.companion.aclose()


async def test_a_look_asked_for_after_a_switch_is_not_answered_by_one_from_before(world: Inviting) -> None:
    offer = world.service.offer
    later: list[asyncio.Task[None]] = []

    async def slow(account: Account) -> OfferAnswer:
        told = await offer(account)
        if not later:
            world.switch_to(Account("acc2", "pro", "second@example.com"))
            await world.companion.poller.poll()
            later.append(asyncio.create_task(world.inviter.refresh()))
            await asyncio.to_thread(lambda: None)
            world.service.account = "acc2"
        return told

    world.service.offer = slow  # type: ignore[method-assign]
    await world.inviter.refresh()
    await later[0]
    assert (world.service.offers, world.book.account, world.book.status) == (2, "acc2", OfferStatus.OFFERED)


@pytest.mark.parametrize("doing", ["look", "note"])
async def test_a_reading_that_comes_while_the_last_account_is_looked_up_decides(
    world: Inviting, tmp_path: Path, doing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.inviter.note(FRIEND, None)
    heir = Inviting(world.clock, tmp_path, world.service)
    heir.keys = (f"heir-{number}" for number in range(1, 100))
    heir.switch_to(Account("acc2", "pro", "second@example.com"))
    world.service.account = "acc2"
    loop, last_account = asyncio.get_running_loop(), heir.inviter._last_account

    def slow() -> Account | None:
        account = last_account()
        asyncio.run_coroutine_threadsafe(heir.companion.poller.poll(), loop).result(10)
        return account

    monkeypatch.setattr(heir.inviter, "_last_account", slow)
    if doing == "look":
        await heir.inviter.refresh()
        assert (heir.book.status, heir.book.records) == (OfferStatus.OFFERED, ())
    else:
        note = await heir.inviter.note(OTHER, None)
        assert (note.account, heir.book.records) == ("acc2", (note,))
    assert heir.book.account == "acc2"
    await heir.companion.aclose()
