import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.companion.inviting import LINK, Crash, ScriptedReferrals
from tests.companion.scripted import READING, World
from tests.domain.inviting import DAY, FRIEND, OFFER
from tests.domain.worlds import credit
from tests.support.clocks import START, ManualClock
from tui.companion.inviter import LOOK_EVERY, Inviter
from tui.domain.credits import Credit
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import InviteBook, InviteRecord, ResendStage, SendStage
from tui.domain.ledger import EventKind
from tui.domain.referral import REFERRER, RESET_CREDIT, InviteState, OfferAnswer, Reward, Standing, Tracking
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind
from tui.errors import (
    InviteRejected,
    RateLimited,
    SourceDown,
    SourceError,
    StoreCorrupt,
    StoreError,
    UsageError,
)

OTHER = "other@example.com"
FRIENDS_RESET = credit("c9", granted_at=START + timedelta(minutes=5), granted_by="@friend")


class Inviting(World):
    """A companion that has read its account, and a referral programme."""

    def __init__(self, clock: ManualClock, folder: Path | None, service: ScriptedReferrals, **more: object) -> None:
        super().__init__(clock, folder, referrals=service, **more)  # type: ignore[arg-type]
        self.service = service

    @property
    def inviter(self) -> Inviter:
        return self.companion.inviter

    @property
    def book(self) -> InviteBook:
        return self.companion.state.invites

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.ledger.events()]

    async def invite(self, address: str = FRIEND) -> InviteRecord:
        return await self.inviter.invite(address, ConsentKind.LETTER, OFFER)

    def switch_to(self, account: Account) -> None:
        self.source.reading = replace(READING, account=account)

    def bank(self, *rows: Credit) -> None:
        self.source.reading = replace(READING, bank=replace(READING.bank, credits=rows))


@pytest.fixture
def service(clock: ManualClock) -> ScriptedReferrals:
    return ScriptedReferrals(clock)


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path, service: ScriptedReferrals) -> AsyncIterator[Inviting]:
    world = Inviting(clock, tmp_path, service)
    await world.companion.poll()
    yield world
    await world.companion.aclose()


@asynccontextmanager
async def another(world: Inviting, tmp_path: Path) -> AsyncIterator[Inviting]:
    """Another process on the same database."""
    other = Inviting(world.clock, tmp_path, world.service)
    other.keys = iter(f"other-{number}" for number in range(1, 100))
    await other.companion.poll()
    yield other
    await other.companion.aclose()


# Sending


async def test_one_consent_sends_one_e_mail_and_the_list_confirms_it(world: Inviting) -> None:
    sent = await world.invite()
    assert (sent.stage, sent.referral_id, sent.state) == (SendStage.SENT, "ref-1", InviteState.SENT)
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
    await world.inviter.look()
    assert world.book.records == (open_,)
    world.service.complete = True
    await world.inviter.look()
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
        await heir.inviter.look()
        (row,) = heir.book.records
    assert row.stage is (SendStage.SENT if effect else SendStage.LOST)
    assert len(world.service.requests) == 1
    assert world.service.mails == [FRIEND] * effect


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (OfferAnswer(Standing.OFFERED, replace(OFFER, rules=("At most one.",))), "the offer has changed"),
        (OfferAnswer(Standing.OFFERED, replace(OFFER, rewards=())), "the offer has changed"),
        (OfferAnswer(Standing.OFFERED, replace(OFFER, sends_left=0)), "no invites are left"),
        (OfferAnswer(Standing.NOT_OFFERED, OFFER, "the campaign has ended"), "the campaign has ended"),
        (OfferAnswer(Standing.FORBIDDEN, None, "refusal (403)"), "refusal"),
        (SourceDown("no connection"), "no connection"),
    ],
)
async def test_consent_to_an_offer_that_is_no_more_sends_nothing(
    world: Inviting, told: OfferAnswer | Exception, why: str
) -> None:
    await world.inviter.look()
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
        await other.inviter.look()
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
    await world.inviter.look()
    assert (world.book.standing, service.offers, service.requests) == (Standing.UNREACHABLE, 0, [])
    await world.companion.aclose()


async def test_what_cannot_be_written_down_is_not_sent(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service, books=StoreCorrupt("resetbank.db is damaged"))
    await world.companion.poll()
    with pytest.raises(StoreError, match=r"nothing can be written down, so nothing is sent: resetbank\.db is damaged"):
        await world.invite()
    with pytest.raises(StoreError):
        await world.inviter.note(FRIEND, None)
    assert service.requests == []
    service.add(OTHER)
    await world.inviter.look()
    assert [row.address for row in world.book.records] == [OTHER], "it can be seen all the same"
    await world.companion.aclose()
    world.ledger.close()


def lock(tmp_path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(tmp_path / "resetbank.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_a_locked_database_sends_nothing(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.schema.BUSY_SECONDS", 0.01)
    world = Inviting(clock, tmp_path, service)
    await world.companion.poll()
    await world.inviter.look()
    other = lock(tmp_path)
    with pytest.raises(StoreError, match="locked by another program"):
        await world.invite()
    other.close()
    assert (service.requests, world.book.records) == ([], ())
    await world.companion.aclose()


async def test_an_outcome_that_cannot_be_written_is_never_called_unsent(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.schema.BUSY_SECONDS", 0.01)
    world = Inviting(clock, tmp_path, service)
    await world.companion.poll()
    locks: list[sqlite3.Connection] = []
    service.weather.append(lambda: locks.append(lock(tmp_path)))
    sent = await world.invite()
    assert (sent.stage, sent.referral_id) == (SendStage.SENT, "ref-1")
    assert world.book.records[0].stage is SendStage.SENT
    assert "locked" in (world.companion.state.store_failure or "")
    locks[0].close()
    async with another(world, tmp_path) as heir:
        await heir.inviter.look()
        assert [(row.stage, row.referral_id) for row in heir.book.records] == [(SendStage.SENT, "ref-1")]
    assert service.mails == [FRIEND]
    await world.companion.aclose()


async def test_what_another_process_saw_in_the_list_outranks_an_answer_that_never_came(
    world: Inviting, tmp_path: Path
) -> None:
    async with another(world, tmp_path) as other:

        async def see() -> None:
            await other.inviter.look()
            world.service.unlisted = SourceDown("503")

        world.service.meanwhile = see
        world.service.weather.append("drop_after")
        sent = await world.invite()
        assert other.book.records == (sent,)
    assert (sent.stage, sent.state, sent.referral_id) == (SendStage.SENT, InviteState.SENT, "ref-1")
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
    await world.inviter.look()
    assert [row.stage for row in world.book.records] == [SendStage.SENT]
    assert len(world.service.requests) == 1


# Sending an e-mail again


async def invited(world: Inviting) -> InviteRecord:
    """An invite whose e-mail may go out again."""
    await world.invite()
    world.clock.advance(DAY.total_seconds())
    await world.inviter.look()
    return world.book.records[0]


async def test_a_resend_on_one_consent(world: Inviting) -> None:
    record = await invited(world)
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert (again.resend.stage, again.resend.at) == (ResendStage.SENT, world.clock.now())
    assert world.service.mails == [FRIEND, FRIEND]
    assert world.kinds[-2:] == [EventKind.INVITE_CONSENTED, EventKind.INVITE_RESENT]
    with pytest.raises(UsageError, match="cannot be sent again: it is too early"):
        await world.inviter.resend(record.key)
    assert len(world.service.requests) == 2


async def test_a_refused_resend_says_so(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append(InviteRejected("refused (429)"))
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert (again.resend.stage, again.resend.reason) == (ResendStage.REFUSED, "refused (429)")
    assert world.service.mails == [FRIEND]


async def test_a_resend_with_a_lost_answer_is_settled_by_the_new_pause(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append("drop_after")
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert again.resend.stage is ResendStage.SENT
    assert world.service.mails == [FRIEND, FRIEND]
    assert world.kinds[-3:] == [EventKind.INVITE_CONSENTED, EventKind.INVITE_UNKNOWN, EventKind.INVITE_RESENT]


async def test_a_resend_that_did_not_arrive_is_settled_by_the_old_pause(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append("drop_before")
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert again.resend.stage is ResendStage.UNKNOWN
    with pytest.raises(UsageError, match="whether the last one went out is not known yet"):
        await world.inviter.resend(record.key)
    world.clock.advance(SETTLING.total_seconds())
    await world.inviter.look()
    settled = world.book.records[0].resend
    assert settled is not None
    assert settled.stage is ResendStage.REFUSED
    assert len(world.service.requests) == 2
    assert (await world.inviter.resend(record.key)).resend is not None
    assert world.service.mails == [FRIEND, FRIEND]


async def test_a_process_that_died_over_a_resend_is_never_repeated(world: Inviting, tmp_path: Path) -> None:
    record = await invited(world)
    world.service.weather.append(Crash())
    with pytest.raises(Crash):
        await world.inviter.resend(record.key)
    async with another(world, tmp_path) as heir:
        await heir.inviter.load()
        with pytest.raises(UsageError, match="not known yet"):
            await heir.inviter.resend(record.key)
    assert len(world.service.requests) == 2


async def test_two_processes_resend_once(world: Inviting, tmp_path: Path) -> None:
    record = await invited(world)
    async with another(world, tmp_path) as other:
        both = await asyncio.gather(
            world.inviter.resend(record.key), other.inviter.resend(record.key), return_exceptions=True
        )
    assert sorted(type(one).__name__ for one in both) == ["InviteRecord", "UsageError"]
    assert world.service.mails == [FRIEND, FRIEND]


async def test_only_what_the_service_lists_can_be_sent_again(world: Inviting) -> None:
    note = await world.inviter.note(FRIEND, None)
    for key in (note.key, "no such key"):
        with pytest.raises(UsageError, match="does not list that invite"):
            await world.inviter.resend(key)
    assert world.service.requests == []


# Notes


async def test_an_invite_made_elsewhere_is_noted_and_forgotten(world: Inviting) -> None:
    note = await world.inviter.note(f" {FRIEND} ", LINK)
    assert (note.stage, note.address, note.shareable_link) == (SendStage.NOTED, FRIEND, LINK)
    assert list(world.book.records) == [note]
    with pytest.raises(UsageError, match="noted already"):
        await world.inviter.note(FRIEND.upper(), None)
    await world.inviter.forget(note.key)
    assert not world.book.records
    assert world.kinds == [EventKind.INVITE_NOTED, EventKind.INVITE_FORGOTTEN]
    assert world.service.requests == []
    await world.inviter.forget(note.key)
    assert len(world.kinds) == 2, "what is gone is not forgotten twice"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://evil.example", "https://a:b@x.example", "x", ""])
async def test_a_link_that_must_not_be_handed_on_is_not_noted(world: Inviting, link: str) -> None:
    with pytest.raises(UsageError, match="no link to hand on"):
        await world.inviter.note(FRIEND, link)
    assert not world.book.records


async def test_a_noted_address_can_be_invited_and_an_invited_one_not_noted(world: Inviting) -> None:
    await world.inviter.note(FRIEND, None)
    assert (await world.invite()).stage is SendStage.SENT
    with pytest.raises(UsageError, match="invited already"):
        await world.inviter.note(FRIEND, None)


async def test_what_the_service_may_have_cannot_be_forgotten(world: Inviting) -> None:
    world.service.weather.append("drop_before")
    open_, sent = await world.invite(OTHER), await world.invite()
    for record in (open_, sent):
        with pytest.raises(UsageError, match="cannot be forgotten here"):
            await world.inviter.forget(record.key)
    assert len(world.book.records) == 2


async def test_a_noted_invite_is_told_by_the_service_later(world: Inviting) -> None:
    note = await world.inviter.note(FRIEND, LINK)
    world.service.add(FRIEND, InviteState.JOINED)
    await world.inviter.look()
    (row,) = world.book.records
    assert (row.key, row.stage, row.state) == (note.key, SendStage.NOTED, InviteState.JOINED)
    assert world.kinds == [EventKind.INVITE_NOTED, EventKind.INVITE_CHANGED]


# Looking


async def test_what_is_found_and_what_differs_is_in_the_ledger_masked(world: Inviting) -> None:
    world.service.add("made.elsewhere@example.com")
    await world.invite()
    world.service.tell(FRIEND, InviteState.INELIGIBLE, reason="f…@example.com was active")
    await world.inviter.look()
    await world.inviter.look()
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
    ("offered", "standing"),
    [
        (OfferAnswer(Standing.NOT_OFFERED, OFFER, "not for your plan"), Standing.NOT_OFFERED),
        (OfferAnswer(Standing.FORBIDDEN, None, "403"), Standing.FORBIDDEN),
        (SourceDown("no connection"), Standing.UNREACHABLE),
    ],
)
async def test_how_things_stand_is_said_and_what_was_known_stays(
    world: Inviting, offered: OfferAnswer | Exception, standing: Standing
) -> None:
    await world.invite()
    before = world.book
    world.service.offered = offered
    await world.inviter.look()
    assert (world.book.standing, world.book.reading) == (standing, False)
    assert world.book.records == before.records
    assert world.book.reason
    if standing is Standing.UNREACHABLE:
        assert (world.book.offer, world.book.read_at) == (before.offer, before.read_at)


async def test_a_list_that_cannot_be_read_is_said(world: Inviting) -> None:
    await world.invite()
    listed_at = world.book.listed_at
    world.clock.advance(60)
    world.service.unlisted = SourceDown("the service answers 500")
    await world.inviter.look()
    assert world.book.unknowns == ("the list of invites could not be read: the service answers 500",)
    assert (world.book.listed_at, world.book.standing) == (listed_at, Standing.OFFERED)
    world.service.unlisted = None
    await world.inviter.look()
    assert not world.book.unknowns
    assert world.book.listed_at == world.clock.now()


async def test_what_was_sent_while_a_long_list_was_read_is_not_lost(world: Inviting, tmp_path: Path) -> None:
    async with another(world, tmp_path) as other:
        tracking = other.service.tracking

        async def slow(account: str | None) -> Tracking:
            told = await tracking(account)
            world.service.tracking = tracking  # type: ignore[method-assign]
            world.service.weather.append("drop_before")
            await world.invite()
            world.clock.advance(2 * SETTLING.total_seconds())
            return told

        world.service.tracking = slow  # type: ignore[assignment,method-assign]
        await other.inviter.look()
        assert [row.stage for row in other.book.records] == [SendStage.UNKNOWN]


# Another account


async def test_another_account_s_offer_and_invites_are_out_of_sight_at_once(world: Inviting) -> None:
    await world.invite()
    assert world.book.offer is not None
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poll()
    assert world.book == InviteBook()
    await world.inviter.load()
    assert world.book == InviteBook()
    note = await world.inviter.note(OTHER, None)
    assert (list(world.book.records), note.account) == ([note], "acc2")
    assert world.book.offer is None
    world.switch_to(READING.account)
    await world.companion.poll()
    await world.inviter.load()
    assert [row.address for row in world.book.records] == [FRIEND]
    assert world.book.offer is None


async def test_an_answer_for_the_former_account_is_not_shown_for_the_new_one(world: Inviting) -> None:
    async def switch() -> None:
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poll()

    world.service.meanwhile = switch
    sent = await world.invite()
    assert (sent.stage, sent.account) == (SendStage.SENT, "acc1")
    assert not world.book.records
    world.switch_to(READING.account)
    await world.companion.poll()
    await world.inviter.load()
    assert [row.stage for row in world.book.records] == [SendStage.SENT], "it is written down all the same"


async def test_a_look_that_ends_after_the_switch_shows_nothing_of_it(world: Inviting) -> None:
    offer = world.service.offer

    async def slow(account: str | None) -> OfferAnswer:
        told = await offer(account)
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poll()
        return told

    world.service.offer = slow  # type: ignore[assignment,method-assign]
    world.service.add(FRIEND)
    await world.inviter.look()
    assert world.book == InviteBook()


async def test_consent_given_before_a_switch_sends_nothing_after_it(world: Inviting) -> None:
    offer = world.service.offer

    async def slow(account: str | None) -> OfferAnswer:
        world.switch_to(Account("acc2", "pro", "second@example.com"))
        await world.companion.poll()
        return await offer(account)

    world.service.offer = slow  # type: ignore[assignment,method-assign]
    with pytest.raises(InviteRejected, match="nothing was sent: another account is in use now"):
        await world.invite()
    assert (world.service.requests, world.ledger.events()) == ([], ())


async def test_without_a_database_the_former_account_s_invites_go_too(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service, books=StoreCorrupt("damaged"))
    await world.companion.poll()
    service.add(FRIEND)
    await world.inviter.look()
    assert len(world.book.records) == 1
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poll()
    assert world.book == InviteBook()
    await world.companion.aclose()
    world.ledger.close()


async def test_a_locked_database_keeps_no_other_account_s_invites_in_sight(
    clock: ManualClock, tmp_path: Path, service: ScriptedReferrals
) -> None:
    world = Inviting(clock, tmp_path, service)
    await world.companion.poll()
    await world.invite()
    world.ledger.close()
    world.switch_to(Account("acc2", "pro", "second@example.com"))
    await world.companion.poll()
    with pytest.raises(StoreError):
        await world.inviter.load()
    assert world.book == InviteBook()
    await world.companion.aclose()


# Rewards


def rewarded(world: Inviting, reward_id: str | None) -> None:
    world.service.tell(FRIEND, InviteState.REWARDED, rewards=(Reward(REFERRER, RESET_CREDIT, 1, reward_id),))


@pytest.mark.parametrize("reward_id", ["c9", None])
async def test_the_reset_that_came_is_matched_with_its_invite(world: Inviting, reward_id: str | None) -> None:
    await world.invite()
    rewarded(world, reward_id)
    world.bank(FRIENDS_RESET)
    await world.companion.poll()
    world.companion.refresh()
    await world.companion.poll()
    await world.inviter.look()
    (row,) = world.book.records
    assert (row.credit_id, row.credit_is_certain) == ("c9", reward_id is not None)
    line = world.ledger.events()[-1]
    sure = "" if reward_id else "probably "
    assert (line.kind, line.credit_id) == (EventKind.INVITE_REWARDED, "c9")
    assert line.text == f"a reset {sure}came for the invite to f…@example.com"
    await world.inviter.look()
    assert world.ledger.events()[-1] == line, "told once"


async def test_a_reset_is_matched_with_a_note_without_asking_anybody(world: Inviting) -> None:
    await world.inviter.note(FRIEND, None)
    world.bank(FRIENDS_RESET)
    world.companion.refresh()
    await world.companion.poll()
    await world.inviter.load()
    assert [row.credit_id for row in world.book.records] == ["c9"]
    assert (world.service.offers, world.service.lists) == (0, 0)


# In the background


@asynccontextmanager
async def following(world: Inviting) -> AsyncIterator[None]:
    task = asyncio.create_task(world.inviter.follow())
    yield
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(world: Inviting, condition: Callable[[], bool]) -> None:
    """Let the loop and its threads work until it holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.to_thread(lambda: None)


async def rest(world: Inviting) -> None:
    """Wait until whoever follows sleeps again."""
    await until(world, lambda: world.clock.sleepers > 0)


async def test_nobody_is_asked_while_nothing_is_pending(clock: ManualClock, service: ScriptedReferrals) -> None:
    world = Inviting(clock, None, service)
    async with following(world):
        await world.companion.poll()
        await until(world, lambda: world.inviter._book.has_loaded(READING.account))
        await world.inviter.note(FRIEND, None)
        for _ in range(5):
            clock.advance(DAY.total_seconds())
            await world.companion.poll()
            await asyncio.to_thread(lambda: None)
    assert (service.offers, service.lists, clock.sleepers) == (0, 0, 0), "nor does a timer run for it"
    await world.companion.aclose()


async def test_a_pending_invite_is_looked_for_every_half_hour(world: Inviting) -> None:
    await world.invite()
    async with following(world):
        await rest(world)
        looks = world.service.lists
        for number in range(1, 4):
            world.clock.advance(LOOK_EVERY.total_seconds() - 1)
            await asyncio.to_thread(lambda: None)
            assert world.service.lists == looks + number - 1
            world.clock.advance(1)
            await until(world, lambda: world.service.lists == looks + number)  # noqa: B023
            await rest(world)
        world.service.tell(FRIEND, InviteState.EXPIRED)
        world.clock.advance(LOOK_EVERY.total_seconds())
        await until(world, lambda: world.book.records[0].state is InviteState.EXPIRED)
        await until(world, lambda: world.clock.sleepers == 0)
        world.clock.advance(DAY.total_seconds())
        await world.companion.poll()
        await asyncio.to_thread(lambda: None)
    assert world.service.lists == looks + 4, "what is over is not followed"


async def test_what_is_in_doubt_is_looked_for_soon(world: Inviting) -> None:
    async with following(world):
        world.service.weather.append("drop_before")
        assert (await world.invite()).stage is SendStage.UNKNOWN
        await rest(world)
        world.clock.advance(SETTLING.total_seconds())
        await until(world, lambda: world.book.records[0].stage is SendStage.LOST)
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
        await until(world, lambda: world.service.offers == before + 1)


async def test_an_open_invite_of_a_former_process_is_looked_for_at_once(world: Inviting, tmp_path: Path) -> None:
    world.service.weather.append(Crash())
    with pytest.raises(Crash):
        await world.invite()
    world.clock.advance(SETTLING.total_seconds())
    async with another(world, tmp_path) as heir, following(heir):
        await until(world, lambda: heir.service.lists == 1)
        await until(world, lambda: [row.stage for row in heir.book.records] == [SendStage.LOST])


async def test_a_reset_that_arrives_is_a_reason_to_look(world: Inviting) -> None:
    await world.invite(OTHER)
    await world.invite()
    async with following(world):
        await rest(world)
        looks = world.service.lists
        rewarded(world, "c9")
        world.bank(FRIENDS_RESET)
        world.companion.refresh()
        await world.companion.poll()
        await until(world, lambda: world.service.lists == looks + 1)
        await until(world, lambda: "c9" in [row.credit_id for row in world.book.records])
        await world.companion.poll()
        await rest(world)
        assert world.service.lists == looks + 1


async def test_what_the_panel_finds_is_followed(world: Inviting) -> None:
    async with following(world):
        world.service.add(FRIEND)
        await world.inviter.look()
        await rest(world)
        world.clock.advance(LOOK_EVERY.total_seconds())
        await until(world, lambda: world.service.lists == 2)


async def test_a_failing_service_and_a_locked_database_do_not_end_the_following(
    world: Inviting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await world.invite()
    async with following(world):
        await rest(world)
        world.service.offered = SourceDown("gone")
        world.clock.advance(LOOK_EVERY.total_seconds())
        await until(world, lambda: world.book.standing is Standing.UNREACHABLE)
        await rest(world)
        world.service.offered = OfferAnswer(Standing.OFFERED, OFFER)
        world.service.tell(FRIEND, InviteState.OPENED)
        world.ledger._connection.execute("PRAGMA query_only = 1")
        before = world.service.lists
        world.clock.advance(LOOK_EVERY.total_seconds())
        await until(world, lambda: world.service.lists == before + 1)
        await rest(world)
        world.ledger._connection.execute("PRAGMA query_only = 0")
        world.clock.advance(LOOK_EVERY.total_seconds())
        await until(world, lambda: world.book.records[0].state is InviteState.OPENED)


async def test_closing_lets_the_connections_go(clock: ManualClock, service: ScriptedReferrals) -> None:
    world = Inviting(clock, None, service)
    await world.companion.aclose()
    assert service.closed == 1
