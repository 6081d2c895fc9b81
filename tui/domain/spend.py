"""Spending one reset: the state machine, without any input or output.

    idle → proposed → consented → journaled → sent → answered | unknown → verified → closed

A `Proposal` is what a person is shown, a `Consent` what they gave to it; from the journal on there is one `Spend`
with one key. Each step is a function from a spend to the next one; a step out of order is a programming error and
raises `IllegalStep`. What is unknown may only be asked again with the same key and the same credit.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import Bank, Credit, CreditStatus
from tui.domain.resumes import ResumePlan
from tui.domain.snapshot import Account, Snapshot
from tui.domain.windows import Window, WindowKind
from tui.errors import ConsumeRejected

PROPOSAL_LIFETIME: Final = timedelta(minutes=5)
"""A question older than this no longer describes the world and takes no consent."""

CONSENT_LIFETIME: Final = timedelta(hours=1)
"""An open spend whose consent is older is finished only when a person asks for it: the moment they meant has passed."""

KEY_LIFETIME: Final = timedelta(days=30)
"""A credit lives this long by default; an open spend of unknown expiry is let go after it."""


class IllegalStep(Exception):
    """A step was taken out of order; always a programming error."""


class Stage(StrEnum):
    """How far a journaled spend has come."""

    UNREADABLE = "unreadable"
    """In a form that this version does not know; it locks its account, and this version cannot go on with it."""
    JOURNALED = "journaled"
    SENT = "sent"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    VERIFIED = "verified"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a spend ended, in the words of `spend --json`."""

    RESET = "reset"
    NOTHING_TO_RESET = "nothing_to_reset"
    NO_CREDIT = "no_credit"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class ConsumeCode(StrEnum):
    """What the service answers to a consume."""

    RESET = "reset"
    NOTHING_TO_RESET = "nothing_to_reset"
    NO_CREDIT = "no_credit"
    ALREADY_REDEEMED = "already_redeemed"
    UNRECOGNISED = "unrecognised"


class ConsumeRequest(msgspec.Struct, frozen=True):
    """One request to spend; every retry of it is equal to it."""

    key: str
    """UUIDv4, minted once at the consent."""
    credit_id: str | None
    """None leaves the choice to the service; only where it listed no rows."""
    account_id: str | None
    """Whose bank the consent was given for; a source signed in to another account must refuse."""
    email: str | None = None
    """The same where the service gave no id; None where that says it."""


class ConsumeAnswer(msgspec.Struct, frozen=True):
    """The service's answer to a consume."""

    code: ConsumeCode
    raw_code: str | None = None
    """The code as it was written, for one that is not recognised."""


class ConsentKind(StrEnum):
    """How consent was given; the ledger says which it was."""

    LETTER = "letter"
    """The random letter of the dialog."""
    CODE = "code"
    """The three letters typed on a real terminal."""
    UNATTENDED = "unattended"
    """The settings and the command line both allowed it beforehand."""
    UNKNOWN = "unknown"
    """Not readable by this version."""
    QUEUED = "queued"
    """The yes to one reset that waited for the limit; it takes effect when the limit is reached."""


class Consent(msgspec.Struct, frozen=True):
    """A person's yes to one proposal."""

    kind: ConsentKind
    given_at: datetime
    """When it took effect."""
    armed_at: datetime | None = None
    """When the person said yes, where that was beforehand."""


class Effect(msgspec.Struct, frozen=True):
    """What a spend is expected to do to one window, which is expected to be empty then; expected, not observed."""

    before: Window
    expected_reset: datetime | None
    """Where the reset date may move to; both have been seen. None where the window has no date."""


class Proposal(msgspec.Struct, frozen=True):
    """What spending one reset now would mean; the thing that consent is given to."""

    proposed_at: datetime
    account: Account
    credit: Credit | None
    """The credit to spend; None where the service listed no rows and chooses itself."""
    before: tuple[Window, ...]
    effects: tuple[Effect, ...]
    """The main limit's windows; single models' are not stated to be reset."""
    waiting_saved: timedelta | None
    """How long work would otherwise stand still; None while it does not."""
    unused_week_percent: float | None
    """The share of the running week that is given away if its date moves."""
    resets_left: int | None
    credits: tuple[Credit, ...] | None
    """Every available credit; None where the service did not list them all."""
    nothing_used: bool
    """Every window is known to be unused: the service will most likely keep the reset."""
    ended: frozenset[str] = frozenset()
    """The keys of the spends that were over before the limits were read; another one since makes it worthless."""

    def is_outdated(self, now: datetime) -> bool:
        """Whether it is too old to take consent, or of a future that a clock set back has made."""
        return not timedelta(0) <= now - self.proposed_at <= PROPOSAL_LIFETIME


def choose_credit(bank: Bank, now: datetime, credit_id: str | None = None) -> Credit | str | None:
    """Pick the credit to spend: the one named, or the soonest to expire.

    Returns:
        The credit; or None where only a count is known and the service has to choose; or, as text, why there is none.
    """
    if credit_id is not None:
        credit = bank.find(credit_id)
        if credit is None:
            return f"no reset with the id {credit_id} is listed"
        reason = credit.refusal(now)
        if reason is None and bank.available == 0:
            return "the service counts no reset that could be spent"
        return credit if reason is None else f"that reset is {reason}"
    if bank.available == 0:  # whatever rows there still are
        return "no reset that could be spent is in the bank"
    if spendable := bank.spendable(now):
        return spendable[0]
    if bank.available and not bank.credits:
        return None
    if bank.available is None and bank.credits is None:
        return "the service did not say how many resets are banked"
    return "no reset that could be spent is in the bank"


def propose(snapshot: Snapshot, now: datetime, credit: Credit | None) -> Proposal:
    """State what spending this credit now would mean, by a fresh reading with rows."""
    main, windows = snapshot.main_limit, snapshot.main_windows
    week = next((window for window in windows if window.kind is WindowKind.WEEKLY), None)
    binding = main.binding_window(now) if main else None
    waiting = None
    if binding and binding.resets_at and snapshot.is_reached(now):
        waiting = max(timedelta(0), binding.resets_at - now)
    bank = snapshot.bank
    available = tuple(credit for credit in bank.credits or () if credit.status is CreditStatus.AVAILABLE)
    return Proposal(
        proposed_at=now,
        account=snapshot.account,
        credit=credit,
        before=snapshot.windows,
        effects=tuple(Effect(w, now + w.length if w.resets_at and w.length else None) for w in windows),
        waiting_saved=waiting,
        unused_week_percent=max(0.0, 100.0 - week.used_percent) if week and week.used_percent is not None else None,
        resets_left=None if bank.available is None else max(0, bank.available - 1),
        credits=available if bank.is_complete else None,
        nothing_used=bool(windows) and all(window.used_percent == 0 for window in windows),
    )


class Spend(msgspec.Struct, frozen=True):
    """One consented spend with its one key, as the journal keeps it."""

    key: str
    account: Account
    credit_id: str | None
    credit_expires_at: datetime | None
    consent: Consent
    before: tuple[Window, ...]
    resets_before: int | None
    journaled_at: datetime
    stage: Stage = Stage.JOURNALED
    sends: int = 0
    """How often the request went out, always the same."""
    doubtful: bool = False
    """Whether any of these went unanswered: it may have had its effect."""
    outcome: Outcome | None = None
    reason: str | None = None
    """Why the outcome is unknown or refused, in plain words."""
    after: tuple[Window, ...] | None = None
    resets_left: int | None = None
    closed_at: datetime | None = None
    credits_before: tuple[Credit, ...] | None = None
    """Every available credit before; None where not all were listed."""
    used_before: tuple[str, ...] | None = None
    """The resets that the service's own history called used before; None where it does not tell."""
    gone: tuple[str, ...] | None = None
    """The credits that left the bank since; None while that is not known."""
    resume: ResumePlan | None = None
    """Who is told to go on afterwards; None tells nobody."""
    resumed_at: datetime | None = None

    @property
    def request(self) -> ConsumeRequest:
        """The one request of this spend."""
        email = self.account.email if self.account.id is None else None
        return ConsumeRequest(self.key, self.credit_id, self.account.id, email)

    @property
    def is_open(self) -> bool:
        """Whether it still locks its account."""
        return self.stage is not Stage.CLOSED

    def is_fresh(self, now: datetime) -> bool:
        """Whether it may be finished without asking again; a consent of the future is not fresh."""
        return timedelta(0) <= now - self.consent.given_at <= CONSENT_LIFETIME

    def asks_again(self, now: datetime) -> bool:
        """Whether only a new yes may send it again: the moment that the consent meant has passed."""
        return self.stage in (Stage.SENT, Stage.UNKNOWN) and not self.is_fresh(now) and not self.is_moot(now)

    @property
    def may_have_spent(self) -> bool:
        """Whether it took a reset, or nobody knows."""
        if self.stage is Stage.UNREADABLE:
            return True
        return self.sends > 0 and self.outcome in (None, Outcome.RESET, Outcome.UNKNOWN)

    def is_moot(self, now: datetime) -> bool:
        """Whether its request can have no effect any more, because its credit has expired by now."""
        end = self.credit_expires_at or self.journaled_at + KEY_LIFETIME
        return now >= end


def journal(proposal: Proposal, consent: Consent, key: str, now: datetime, resume: ResumePlan | None = None) -> Spend:
    """Turn a consented proposal into a spend to be written down before anything is sent.

    Raises:
        ConsumeRejected: The consent came too late; nothing was sent.
    """
    if proposal.is_outdated(now) or not timedelta(0) <= now - consent.given_at <= PROPOSAL_LIFETIME:
        raise ConsumeRejected("the consent came too late; nothing was sent", "look at the limits again")
    resets_before = None if proposal.resets_left is None else proposal.resets_left + 1
    credit = proposal.credit
    return Spend(
        key=key,
        account=proposal.account,
        credit_id=credit.id if credit else None,
        credit_expires_at=credit.expires_at if credit else None,
        consent=consent,
        before=proposal.before,
        resets_before=resets_before,
        journaled_at=now,
        credits_before=proposal.credits,
        resume=resume,
    )


def send(spend: Spend) -> Spend:
    """The request is about to go out; written down first, so that a crash after it counts as sent."""
    require(spend, Stage.JOURNALED, Stage.UNKNOWN)
    return replace(spend, stage=Stage.SENT, sends=spend.sends + 1, reason=None)


def lose_answer(spend: Spend, reason: str) -> Spend:
    """No answer came, or none that can be understood: the outcome is unknown."""
    require(spend, Stage.SENT)
    return replace(spend, stage=Stage.UNKNOWN, doubtful=True, reason=reason)


def answer(spend: Spend, reply: ConsumeAnswer) -> Spend:
    """The service answered."""
    require(spend, Stage.SENT)
    if reply.code is ConsumeCode.UNRECOGNISED:
        return lose_answer(spend, f"the service answered {reply.raw_code!r}, which this version does not know")
    outcome = Outcome.RESET if reply.code is ConsumeCode.ALREADY_REDEEMED else Outcome(reply.code.value)
    doubt = "an earlier request went unanswered and may have spent this reset"
    reason = doubt if spend.doubtful and outcome is Outcome.NO_CREDIT else None
    return replace(spend, stage=Stage.ANSWERED, outcome=outcome, reason=reason)


def reject(spend: Spend, reason: str) -> Spend:
    """The service refused this request before any effect; that says nothing about an earlier, unanswered one."""
    require(spend, Stage.SENT)
    if spend.doubtful:
        return replace(spend, stage=Stage.UNKNOWN, reason=reason)
    return replace(spend, stage=Stage.ANSWERED, outcome=Outcome.REFUSED, reason=reason)


def let_go(spend: Spend, now: datetime, reason: str) -> Spend:
    """End a spend whose request certainly has no effect any more, so that nothing stays locked for ever."""
    require(spend, Stage.JOURNALED, Stage.UNKNOWN, Stage.UNREADABLE)
    outcome = Outcome.UNKNOWN if spend.doubtful else Outcome.REFUSED
    return replace(spend, stage=Stage.CLOSED, outcome=outcome, reason=reason, closed_at=now)


def close(spend: Spend, now: datetime) -> Spend:
    """The spend is over; without verification only if the service said that it spent: else the bank is looked at."""
    require(spend, Stage.ANSWERED, Stage.VERIFIED)
    if spend.stage is Stage.ANSWERED and spend.outcome is not Outcome.RESET:
        raise IllegalStep("nothing is called unspent before the bank was read again")
    return replace(spend, stage=Stage.CLOSED, closed_at=now)


def require(spend: Spend, *stages: Stage) -> None:
    """Refuse a step out of order.

    Raises:
        IllegalStep: The spend is in none of these stages.
    """
    if spend.stage not in stages:
        raise IllegalStep(f"a spend that is {spend.stage} cannot take this step")
