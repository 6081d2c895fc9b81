"""What is known here of each invite: sending one, finding it again in the service's list, and the reset it earned.

    written down → sending → sent | refused | unknown → found in the list | lost

Sending is like spending: it is written down first, sent once, and never repeated blindly. An answer that never came
is looked for in the service's own list of invites; only a list that was read to its end and does not
show it says that it was lost.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import force_setattr, replace

from tui.domain.referral import InviteAnswer, InviteStatus, Offer, OfferAnswer, OfferStatus, TrackedInvite
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind

LONGEST_ADDRESS: Final = 254
"""Characters of an e-mail address (RFC 5321)."""

RESEND_FORGIVEN: Final = timedelta(days=1)
"""An e-mail that may have gone out once more can be consented to anew after a day, the pause of the service's app."""

LISTED_FOR: Final = timedelta(days=90)
"""How far back the service's list goes that is asked for."""

FRESH_DOUBT: Final = timedelta(minutes=30)
"""For so long after a send without an answer it is worth looking often whether the list shows it."""


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


class Resend(msgspec.Struct, frozen=True):
    """The newest wish to send an invite's e-mail again."""

    stage: ResendStage
    at: datetime
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not known if the e-mail went out."""
        return self.stage in (ResendStage.SENDING, ResendStage.UNKNOWN)


class InviteRecord(msgspec.Struct, frozen=True):
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
    """What the service last said of it."""
    changed_at: datetime | None = None
    """When its state was seen to change last."""
    resend: Resend | None = None
    credit_id: str | None = None
    """The reset that came for it."""
    credit_is_certain: bool = False
    """Whether the service itself named that reset; otherwise it is the only one that fits."""

    @property
    def state(self) -> InviteStatus | None:
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

    def is_followed(self, now: datetime) -> bool:
        """Whether the service's list can still tell something new of it."""
        if self.stage is SendStage.NOTED and self.tracked is None:
            return False
        return self.is_pending and now - max(self.sent_at, self.written_at) < LISTED_FOR

    def is_in_fresh_doubt(self, now: datetime) -> bool:
        """Whether something was sent a short while ago, and it is not known if it went out."""
        since = self.written_at if self.is_open else None
        if self.resend is not None and self.resend.is_open:
            since = self.resend.at
        return since is not None and now - since < FRESH_DOUBT

    def can_be_forgotten(self, now: datetime) -> bool:
        """Whether only this machine knows of it, or nobody will ever tell more."""
        if self.tracked is not None:
            return False
        is_beyond_telling = self.is_open and now - self.written_at >= LISTED_FOR
        return is_beyond_telling or self.stage in (SendStage.NOTED, SendStage.LOST, SendStage.REFUSED)

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
        if self.resend is not None and self.resend.stage is ResendStage.SENT:
            # A second one would go out before the service's list shows the first.
            is_shown = tracked.resend_at is not None and tracked.resend_at > self.resend.at
            if not is_shown and now - self.resend.at < RESEND_FORGIVEN:
                return "it went out again a short while ago"
        return "the service does not allow it" if tracked.can_resend is False else None


class InviteProposal(msgspec.Struct, frozen=True):
    """One invite that could be sent: the thing that consent is given to."""

    account: Account
    """Whose it would be."""
    address: str
    offer: Offer


class InviteState(msgspec.Struct, frozen=True):
    """Everything that is known of the referral programme and of this account's invites."""

    status: OfferStatus = OfferStatus.UNREAD
    offer: Offer | None = None
    reason: str | None = None
    """Why it is not offered, not asked for, or could not be read; text that may come from outside."""
    read_at: datetime | None = None
    """When the offer was last read."""
    listed_at: datetime | None = None
    """When the list of invites was last read."""
    records: tuple[InviteRecord, ...] = ()
    """Newest first."""
    account: str | None = None
    """Whose it is: the account's key; None while that is not known."""
    is_loaded: bool = False
    """Whether what is written down here was read; until then no invite is not the same as none."""
    reading: bool = False
    unknowns: tuple[str, ...] = ()
    """What the offer or the list should have said and did not."""

    shown: tuple[InviteRecord, ...] = ()
    """The invites worth showing: what was refused is in the ledger, what was lost and then sent again is past."""

    def __post_init__(self) -> None:
        force_setattr(self, "shown", self._worth_showing())

    def _worth_showing(self) -> tuple[InviteRecord, ...]:
        sent = [record for record in self.records if record.stage is not SendStage.REFUSED]
        newest: dict[str, datetime] = {}
        for record in sent:
            if record.stage is not SendStage.LOST and (place := comparable(record.address)) is not None:
                newest[place] = max(record.written_at, newest.get(place, record.written_at))
        return tuple(
            record
            for record in sent
            if record.stage is not SendStage.LOST
            or newest.get(comparable(record.address) or "", record.written_at) <= record.written_at
        )


def changed_terms(offer: Offer, consented: Offer) -> str | None:
    """Why consent to one offer is none to another, or to the same one by now; None where it is."""
    if offer.rewards_left == 0 and consented.rewards_left != 0:
        return "no reward is left for another invite; look at the offer again"
    return None if offer.terms == consented.terms else "the offer has changed; look at it again"


def offer_refusal(answer: OfferAnswer, consented: Offer) -> str | None:
    """Why nothing may be sent on consent to an offer, by what the service says of it now; None if it may."""
    if answer.status is not OfferStatus.OFFERED or answer.offer is None:
        return answer.reason or "invites are not offered now"
    if answer.offer.sends_left == 0:
        return "no invites are left"
    return changed_terms(answer.offer, consented)


# An outcome comes to a record as it is by then: another process may have seen the invite in the service's list
# already, and what is listed outranks an answer that says less.


def accepted(record: InviteRecord, answer: InviteAnswer) -> InviteRecord:
    """The service took it."""
    known = answer.referral_id or record.referral_id
    return replace(record, stage=SendStage.SENT, referral_id=known, link=answer.link or record.link, reason=None)


def refused(record: InviteRecord, reason: str) -> InviteRecord:
    """The service refused it: no e-mail went out."""
    return record if record.tracked else replace(record, stage=SendStage.REFUSED, reason=reason)


def unanswered(record: InviteRecord, reason: str) -> InviteRecord:
    """No usable answer came: whether an e-mail went out is not known."""
    return record if record.tracked else replace(record, stage=SendStage.UNKNOWN, reason=reason)


def resend_ended(record: InviteRecord, resend: Resend) -> InviteRecord:
    """What became of the wish to send its e-mail again; what the list has settled meanwhile is not in doubt anew."""
    known = record.resend
    settled = known is not None and known.at == resend.at and not known.is_open
    return record if settled and resend.is_open else replace(record, resend=resend)


def comparable(address: str | None) -> str | None:
    """An address in a form in which all spellings of one are equal; None for no address.

    No two mailboxes differ by case alone in practice, and a name beyond ASCII may come in either of its spellings.
    """
    if address is None:
        return None
    name, at, host = address.strip().rpartition("@")
    host = ".".join(_unpacked(label) for label in host.rstrip(".").split("."))
    return unicodedata.normalize("NFC", f"{name}{at}{host}").casefold()


def _unpacked(label: str) -> str:
    if not label.casefold().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def same_address(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one."""
    return one is not None and comparable(one) == comparable(other)


def address_refusal(address: str, own: str | None, records: Iterable[InviteRecord]) -> str | None:
    """Why no invite can go to an address whose form is right; None if one can."""
    if same_address(address, own):
        return "that is your own address"
    for record in records:
        if not same_address(record.address, address):
            continue
        if record.is_open:
            return "whether an invite went to that address is not known yet; it is never sent twice"
        only_noted = record.stage is SendStage.NOTED and record.tracked is None
        if (record.is_pending and not only_noted) or record.state is InviteStatus.REWARDED:
            return f"that address is invited already ({record.word})"
    return None


def newest_first(records: Iterable[InviteRecord]) -> tuple[InviteRecord, ...]:
    """In the order in which they are shown."""
    return tuple(sorted(records, key=lambda record: (record.sent_at, record.key), reverse=True))
