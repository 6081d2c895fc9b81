"""What is known here of each invite: sending one, finding it again in the service's list, and the reset it earned.

    written down → sending → sent | refused | unknown → found in the list | lost

Sending is like spending: it is written down first, sent once, and never repeated blindly. An answer that never came
is looked for in the service's own list of invites (wire.md 4.3); only a list that was read to its end and does not
show it says that it was lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from tui.domain.referral import InviteAnswer, InviteState, Offer, Standing, TrackedInvite
from tui.domain.spend import ConsentKind

LONGEST_ADDRESS: Final = 254
"""Characters of an e-mail address (RFC 5321)."""

RESEND_FORGIVEN: Final = timedelta(days=1)
"""An e-mail whose going out once more was never learnt may be consented to anew after the service's own pause."""


class SendStage(StrEnum):
    """How an invite came about, and how far its sending is."""

    SENDING = "sending"
    """Written down; the request may be on its way, or may have died with its process."""
    SENT = "sent"
    """The service took it."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Sent, and no usable answer came."""
    LOST = "lost"
    """No answer came, and a whole list does not show it: it did not arrive."""
    NOTED = "noted"
    """Made elsewhere; a person wrote it down here."""
    FOUND = "found"
    """Made elsewhere; the service lists it."""


class ResendStage(StrEnum):
    """What became of the wish to send an invite's e-mail again."""

    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Resend:
    """The newest wish to send an invite's e-mail again."""

    stage: ResendStage
    at: datetime
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not known if the e-mail went out."""
        return self.stage in (ResendStage.SENDING, ResendStage.UNKNOWN)


@dataclass(frozen=True, slots=True)
class InviteRecord:
    """One invite as it is kept in the local database; its address is other people's data and stays there."""

    key: str
    """Ours; a UUIDv4."""
    account: str
    """Whose invite it is: the account's key."""
    address: str | None
    """None where the service lists it without one."""
    stage: SendStage
    written_at: datetime
    consent: ConsentKind | None = None
    """How its sending was consented to; None where it was made elsewhere."""
    referral_id: str | None = None
    link: str | None = None
    reason: str | None = None
    """Why it was refused, or what is not known of its sending."""
    tracked: TrackedInvite | None = None
    """What the service last told of it."""
    changed_at: datetime | None = None
    """When its state was seen to change last."""
    resend: Resend | None = None
    credit_id: str | None = None
    """The reset that came for it."""
    credit_is_certain: bool = False
    """Whether the service itself named that reset; otherwise it is the only one that fits."""

    @property
    def state(self) -> InviteState | None:
        """What the service says of it; None where it has said nothing yet."""
        return self.tracked.state if self.tracked else None

    @property
    def word(self) -> str:
        """Its state in one word, for scripts: the service's where there is one, else how far its sending is."""
        if self.tracked is not None:
            return self.tracked.word or self.tracked.state
        return {SendStage.SENDING: "unconfirmed", SendStage.UNKNOWN: "unconfirmed"}.get(self.stage, self.stage.value)

    @property
    def is_open(self) -> bool:
        """Whether its sending has no known end yet."""
        return self.tracked is None and self.stage in (SendStage.SENDING, SendStage.UNKNOWN)

    @property
    def is_pending(self) -> bool:
        """Whether something may still come of it, or is not known."""
        if self.tracked is not None:
            return self.tracked.state.is_pending
        return self.stage in (SendStage.SENDING, SendStage.UNKNOWN, SendStage.SENT, SendStage.NOTED)

    @property
    def can_be_forgotten(self) -> bool:
        """Whether only this machine knows of it."""
        return self.tracked is None and self.stage in (SendStage.NOTED, SendStage.LOST, SendStage.REFUSED)

    @property
    def shareable_link(self) -> str | None:
        """The link to hand on, while something may still come of it."""
        return ((self.tracked.link if self.tracked else None) or self.link) if self.is_pending else None

    @property
    def sent_at(self) -> datetime:
        """When it was sent, by the service's word or else by ours."""
        return (self.tracked.created_at if self.tracked else None) or self.written_at

    @property
    def expires_at(self) -> datetime | None:
        """When its time is over; None where the service did not say."""
        return self.tracked.expires_at if self.tracked else None

    def resend_refusal(self, now: datetime) -> str | None:
        """Why its e-mail cannot be sent again now; None if it can."""
        tracked = self.tracked
        if tracked is None:
            return "the service does not list it"
        if not tracked.state.is_pending:
            return f"it is {tracked.word or tracked.state}"
        if self.resend is not None and self.resend.is_open and now - self.resend.at < RESEND_FORGIVEN:
            return "whether the last one went out is not known yet"
        if tracked.resend_at is not None and now < tracked.resend_at:
            return "it is too early"
        return "the service does not allow it" if tracked.can_resend is False and tracked.resend_at is None else None


@dataclass(frozen=True, slots=True)
class InviteBook:
    """Everything that is known of the referral programme and of this account's invites."""

    standing: Standing = Standing.UNREAD
    offer: Offer | None = None
    reason: str | None = None
    """Why it is not offered, not asked for, or could not be read; text that may come from outside."""
    read_at: datetime | None = None
    """When the offer was last read."""
    listed_at: datetime | None = None
    """When the list of invites was last read."""
    records: tuple[InviteRecord, ...] = ()
    """Newest first."""
    reading: bool = False
    unknowns: tuple[str, ...] = ()
    """What the offer or the list should have told and did not."""

    @property
    def shown(self) -> tuple[InviteRecord, ...]:
        """The invites worth showing: what was refused is in the ledger, what was lost and then sent again is past."""
        later = {record.address for record in self.records if record.stage is not SendStage.LOST}
        return tuple(
            record
            for record in self.records
            if record.stage is not SendStage.REFUSED
            and not (record.stage is SendStage.LOST and record.address in later)
        )


def begun(address: str, account: str, consent: ConsentKind, key: str, now: datetime) -> InviteRecord:
    """An invite that is about to be sent; to be written down first."""
    return InviteRecord(key, account, address, SendStage.SENDING, now, consent=consent)


def noted(address: str, account: str, link: str | None, key: str, now: datetime) -> InviteRecord:
    """An invite that was made elsewhere, written down by hand."""
    return InviteRecord(key, account, address, SendStage.NOTED, now, link=link)


def accepted(record: InviteRecord, answer: InviteAnswer) -> InviteRecord:
    """The service took it."""
    known = answer.referral_id or record.referral_id
    return replace(record, stage=SendStage.SENT, referral_id=known, link=answer.link or record.link, reason=None)


def refused(record: InviteRecord, reason: str) -> InviteRecord:
    """The service refused it: no e-mail went out."""
    return replace(record, stage=SendStage.REFUSED, reason=reason)


def unanswered(record: InviteRecord, reason: str) -> InviteRecord:
    """No usable answer came: whether an e-mail went out is not known."""
    return replace(record, stage=SendStage.UNKNOWN, reason=reason)


def same_address(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one; case has never told two mailboxes apart in practice."""
    return one is not None and other is not None and one.casefold() == other.casefold()


def address_refusal(address: str, own: str | None, records: Iterable[InviteRecord]) -> str | None:
    """Why no invite can go to an address; None if one can.

    Args:
        address: The address, checked for its form already.
        own: The account's own.
        records: What is known of the account's invites.
    """
    if same_address(address, own):
        return "that is your own address"
    for record in records:
        if not same_address(record.address, address):
            continue
        if record.is_open:
            return "whether an invite went to that address is not known yet; it is never sent twice"
        only_noted = record.stage is SendStage.NOTED and record.tracked is None
        if (record.is_pending and not only_noted) or record.state is InviteState.REWARDED:
            return f"that address is invited already ({record.word})"
    return None


def newest_first(records: Iterable[InviteRecord]) -> tuple[InviteRecord, ...]:
    """In the order in which they are shown."""
    return tuple(sorted(records, key=lambda record: (record.sent_at, record.key), reverse=True))
