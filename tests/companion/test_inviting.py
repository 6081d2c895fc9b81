import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.invite_world import (
    OTHER,
    Inviting,
    another,
    lock,
)
from tests.companion.inviting import LINK, Crash, ScriptedReferrals
from tests.domain.inviting import DAY, FRIEND, OFFER
from tests.support.clocks import ManualClock
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.ledger import EventKind
from tui.domain.referral import InviteStatus, OfferAnswer, OfferStatus
from tui.domain.spend import ConsentKind
from tui.errors import (
    InviteRejected,
    SourceDown,
    SourceError,
    StoreCorrupt,
    StoreError,
    UsageError,
)


async def test_one_consent_sends_one_e_mail_and_the_list_confirms_it(world: Inviting) -> None:
    sent = await world.invite()
    assert (sent.stage, sent.referral_id, sent.state) == (SendStage.SENT, "ref-1", InviteStatus.SENT)
    assert (sent.shareable_link, sent.consent) == (LINK + "ref-1", ConsentKind.LETTER)
    assert world.service.mails == [FRIEND]
    assert world.book.records == (sent,)
    assert world.kinds == [EventKind.INVITE_CONSENTED, EventKind.INVITE_SENT]
    (request,) = world.service.requests
    assert not isinstance(request, str)
    assert (request.address, request.program, request.account_id) == (FRIEND, OFFER.program, "acc1")


async def test_it_is_on_the_disk_before_it_is_sent(world: Inviting, tmp_path: Path) -> None:
    seen: list[object] = []

    def look() -> None:
        disk = sqlite3.connect(tmp_path / "resetbank.db")
        seen.extend(disk.execute("SELECT json_extract(body, '$.stage') FROM invites").fetchall())
        seen.extend(disk.execute("SELECT kind FROM events").fetchall())
        disk.close()

    world.service.weather.append(look)
    await world.invite()
    assert seen == [("sending",), ("invite_consented",)]


async def test_a_refusal_says_that_nothing_went_out(world: Inviting) -> None:
    world.service.weather.append(InviteRejected("refused (409): it exists already"))
    no = await world.invite()
    assert (no.stage, no.reason, no.is_open) == (SendStage.REFUSED, "refused (409): it exists already", False)
    assert world.kinds == [EventKind.INVITE_CONSENTED, EventKind.INVITE_REFUSED]
    assert world.service.mails == []
    assert world.book.shown == ()
    assert (await world.invite()).stage is SendStage.SENT, "a refused address is free"


async def test_a_lost_answer_is_found_in_the_list(world: Inviting) -> None:
    world.service.weather.append("drop_after")
    sent = await world.invite()
    assert (sent.stage, sent.referral_id, sent.reason) == (SendStage.SENT, "ref-1", None)
    assert world.service.mails == [FRIEND]
    assert world.kinds == [EventKind.INVITE_CONSENTED, EventKind.INVITE_UNKNOWN, EventKind.INVITE_SENT]


async def test_a_lost_answer_that_no_whole_list_shows_is_lost_after_settling(world: Inviting) -> None:
    world.service.weather.append("drop_before")
    open_ = await world.invite()
    assert (open_.stage, open_.is_open) == (SendStage.UNKNOWN, True)
    with pytest.raises(UsageError, match="not known yet; it is never sent twice"):
        await world.invite("Friend@EXAMPLE.com")
    world.service.complete = False
    world.clock.advance(DAY.total_seconds())
    await world.inviter.refresh()
    assert world.book.records == (open_,)
    world.service.complete = True
    await world.inviter.refresh()
    (lost,) = world.book.records
    assert (lost.stage, lost.is_open) == (SendStage.LOST, False)
    assert len(world.service.requests) == 1
    assert world.kinds == [EventKind.INVITE_CONSENTED, EventKind.INVITE_UNKNOWN, EventKind.INVITE_LOST]
    assert (await world.invite()).stage is SendStage.SENT, "a new consent may send anew"


@pytest.mark.parametrize("effect", [False, True])
async def test_a_process_that_died_is_never_repeated(world: Inviting, tmp_path: Path, effect: bool) -> None:
    def die() -> None:
        if effect:
            world.service.add(FRIEND)
            world.service.mails.append(FRIEND)
        raise Crash

    world.service.weather.append(die)
    with pytest.raises(Crash):
        await world.invite()
    world.clock.advance(SETTLING.total_seconds())
    async with another(world, tmp_path) as heir:
        await heir.inviter.load()
        assert [row.stage for row in heir.book.records] == [SendStage.SENDING]
        with pytest.raises(UsageError, match="never sent twice"):
            heir.inviter.check(FRIEND)
        await heir.inviter.refresh()
        (row,) = heir.book.records
    assert row.stage is (SendStage.SENT if effect else SendStage.LOST)
    assert len(world.service.requests) == 1
    assert world.service.mails == [FRIEND] * effect


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, rules=("At most one.",))), "the offer has changed"),
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, rewards=())), "the offer has changed"),
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, sends_left=0)), "no invites are left"),
        (OfferAnswer(OfferStatus.NOT_OFFERED, OFFER, "the campaign has ended"), "the campaign has ended"),
        (OfferAnswer(OfferStatus.FORBIDDEN, None, "refusal (403)"), "refusal"),
        (SourceDown("no connection"), "no connection"),
    ],
)
async def test_consent_to_an_offer_that_is_no_more_sends_nothing(
    world: Inviting, told: OfferAnswer | Exception, why: str
) -> None:
    await world.inviter.refresh()
    world.service.offered = told
    with pytest.raises(InviteRejected, match=f"nothing was sent: .*{why}"):
        await world.invite()
    assert (world.service.requests, world.book.records, world.ledger.events()) == ([], (), ())


async def test_how_many_are_left_may_move_between(world: Inviting) -> None:
    world.service.sell(sends_left=1, rewards_left=1)
    assert (await world.invite()).stage is SendStage.SENT


async def test_a_second_invite_to_an_address_is_refused(world: Inviting) -> None:
    await world.invite()
    for address in (FRIEND, FRIEND.upper()):
        with pytest.raises(UsageError, match=r"invited already \(sent\)"):
            await world.invite(address)
        with pytest.raises(UsageError, match="invited already"):
            world.inviter.check(address)
    assert len(world.service.requests) == 1


async def test_an_impatient_hand_sends_one(world: Inviting) -> None:
    both = await asyncio.gather(world.invite(), world.invite(), return_exceptions=True)
    assert [type(one) for one in both] == [InviteRecord, UsageError]
    assert world.service.mails == [FRIEND]


async def test_two_processes_send_one(world: Inviting, tmp_path: Path) -> None:
    async with another(world, tmp_path) as other:
        await other.inviter.refresh()
        both = await asyncio.gather(world.invite(), other.invite(), return_exceptions=True)
        assert sorted(type(one).__name__ for one in both) == ["InviteRecord", "UsageError"]
    assert world.service.mails == [FRIEND]


@pytest.mark.parametrize("address", ["ME@example.com", "me@EXAMPLE.com"])
async def test_nobody_invites_oneself(world: Inviting, address: str) -> None:
    with pytest.raises(UsageError, match="your own address"):
        await world.invite(address)
    assert world.service.requests == []


@pytest.mark.parametrize("address", ["", "nobody", "a@x.example,b@x.example", "a@x.example\nBcc: b@x.example"])
async def test_what_is_no_address_is_never_sent_to(world: Inviting, address: str) -> None:
    for attempt in (world.invite(address), world.inviter.note(address, None)):
        with pytest.raises(UsageError):
            await attempt
    assert (world.service.requests, world.book.records) == ([], ())


async def test_whose_invite_it_is_must_be_known(clock: ManualClock, service: ScriptedReferrals) -> None:
    world = Inviting(clock, None, service)
    for attempt in (world.invite(), world.inviter.note(FRIEND, None), world.inviter.forget("x")):
        with pytest.raises(SourceError, match="not known yet"):
            await attempt
    await world.inviter.refresh()
    assert (world.book.status, service.offers, service.requests) == (OfferStatus.UNREACHABLE, 0, [])
    await world.companion.aclose()


async def test_what_cannot_be_written_down_is_not_sent(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service, tables=StoreCorrupt("resetbank.db is damaged"))
    await world.companion.poller.poll()
    with pytest.raises(StoreError, match=r"nothing can be written down, so nothing is sent: resetbank\.db is damaged"):
        await world.invite()
    with pytest.raises(StoreError):
        await world.inviter.note(FRIEND, None)
    assert service.requests == []
    service.add(OTHER)
    await world.inviter.refresh()
    assert [row.address for row in world.book.records] == [OTHER], "it can be seen all the same"
    await world.companion.aclose()
    world.tables.database.close()


async def test_a_locked_database_sends_nothing(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    world = Inviting(clock, tmp_path, service)
    await world.companion.poller.poll()
    await world.inviter.refresh()
    other = lock(tmp_path)
    with pytest.raises(StoreError, match="locked by another program"):
        await world.invite()
    other.close()
    assert (service.requests, world.book.records) == ([], ())
    await world.companion.aclose()


async def test_an_outcome_that_cannot_be_written_is_never_called_unsent(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    world = Inviting(clock, tmp_path, service)
    await world.companion.poller.poll()
    locks: list[sqlite3.Connection] = []
    service.weather.append(lambda: locks.append(lock(tmp_path)))
    sent = await world.invite()
    assert (sent.stage, sent.referral_id) == (SendStage.SENT, "ref-1")
    assert world.book.records[0].stage is SendStage.SENT
    assert "locked" in (world.companion.state.store_failure or "")
    locks[0].close()
    async with another(world, tmp_path) as heir:
        await heir.inviter.refresh()
        assert [(row.stage, row.referral_id) for row in heir.book.records] == [(SendStage.SENT, "ref-1")]
    assert service.mails == [FRIEND]
    await world.companion.aclose()


async def test_what_another_process_saw_in_the_list_outranks_an_answer_that_never_came(
    world: Inviting, tmp_path: Path
) -> None:
    async with another(world, tmp_path) as other:

        async def see() -> None:
            await other.inviter.refresh()
            world.service.unlisted = SourceDown("503")

        world.service.meanwhile = see
        world.service.weather.append("drop_after")
        sent = await world.invite()
        assert other.book.records == (sent,)
    assert (sent.stage, sent.state, sent.referral_id) == (SendStage.SENT, InviteStatus.SENT, "ref-1")
    assert world.kinds == [EventKind.INVITE_CONSENTED, EventKind.INVITE_SENT]


async def test_a_hand_that_lets_go_in_the_middle_leaves_it_open(world: Inviting) -> None:
    sending: asyncio.Task[InviteRecord] | None = None

    async def let_go() -> None:
        assert sending is not None
        sending.cancel()
        await asyncio.get_running_loop().create_future()

    world.service.meanwhile = let_go
    sending = asyncio.create_task(world.invite())
    with pytest.raises(asyncio.CancelledError):
        await sending
    world.service.meanwhile = None
    assert [row.stage for row in world.book.records] == [SendStage.SENDING]
    await world.inviter.refresh()
    assert [row.stage for row in world.book.records] == [SendStage.SENT]
    assert len(world.service.requests) == 1
