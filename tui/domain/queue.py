"""Resets that wait for the limit: queued by a person, each spent once the limit is reached.

One goes with its window; up to a number goes at a time that the person named. One may also be spent shortly before it
lapses, where enough is used by then: it goes when it lapses.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import Credit, CreditStatus
from tui.domain.held_sessions import held
from tui.domain.limit_stops import allowed, binding_window, is_open, stops
from tui.domain.question import LEAST_WAITING
from tui.domain.resets import WindowMark, mark
from tui.domain.resumes import Whom
from tui.domain.sessions import Session
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import Consent, ConsentKind, IllegalStep, choose_credit
from tui.domain.windows import Window

_HOOK_SECOND: Final = timedelta(seconds=1)
"""A hook tells the second in which it began to hold."""


BEFORE_LAPSE: Final = timedelta(minutes=15)
"""How long before it lapses a reset is spent by itself, where a person armed it for that."""


class QueueEndReason(StrEnum):
    """Why a queued reset will not be spent."""

    WINDOW_RESET = "window_reset"
    TIME_IS_UP = "time_is_up"
    BANK_EMPTY = "bank_empty"
    CREDIT_GONE = "credit_gone"
    CREDIT_LAPSED = "credit_lapsed"
    ACCOUNT_CHANGED = "account_changed"


class Queued(msgspec.Struct, frozen=True):
    """What is armed: one reset for one window, or up to a number of them until some time."""

    account: Account
    credit_id: str | None
    """None where only a count is known and the service has to choose; and until a time, where each is the soonest."""
    credit_expires_at: datetime | None
    window: WindowMark
    """The window it was armed for."""
    armed_at: datetime
    """When the person said yes, or when the last one of several was spent: only what is hit after that counts."""
    consent: Consent
    whom: Whom = False
    needs_fresh_yes: bool = False
    """Set after a restart: nobody may remember it, so it fires only after they said yes again."""

    elsewhere: bool = False
    """Set where another process that runs armed it: that one spends it, this one can only take it out."""
    left: int = 1
    """How many may still be spent; the consent named them all."""
    until: datetime | None = None
    """When it ends whatever the windows do; None while it ends with its window."""
    before_lapse: float | None = None
    """Per cent of the fullest window from which on it is also spent shortly before it lapses; None: never so."""
    awaits_room: bool = False
    """Set once one of several was spent, until use is seen to be allowed: no two are spent for one limit."""

    @property
    def is_armed(self) -> bool:
        """Whether it would be spent if the limit were reached now."""
        return not self.needs_fresh_yes and not self.elsewhere

    def is_same(self, other: "Queued | None") -> bool:
        """Whether it is still what that was: armed by the same yes, and none of it spent since."""
        return other is not None and (self.armed_at, self.left) == (other.armed_at, other.left)


def arm(
    snapshot: Snapshot,
    window: Window,
    credit: Credit | None,
    whom: Whom,
    now: datetime,
    *,
    number: int = 1,
    until: datetime | None = None,
    before_lapse: float | None = None,
) -> Queued:
    """Put one reset into the queue, or several until some time, on a person's word.

    It is for the window that the person expects to be full by the reading that they saw. More than one needs a time
    to end; each is then the soonest to lapse, and no natural reset ends it before. From `before_lapse` per cent on the
    one is also spent shortly before it lapses, which ends it.

    Raises:
        IllegalStep: A number that nobody can consent to, or a time that has passed.
    """
    if before_lapse is not None:
        if credit is None or credit.expires_at is None:
            raise IllegalStep("only a reset whose last moment is known can be spent before it lapses")
        if number != 1 or not 0 < before_lapse <= 100:
            raise IllegalStep("one reset is spent before it lapses, from a share of 1 to 100 per cent on")
        until = credit.expires_at
    if number < 1 or (number > 1 and until is None) or (until is not None and until <= now):
        raise IllegalStep("a queue has a number of at least one, and a time to come where it is more than one")
    if until is not None and before_lapse is None:
        credit = None
    return Queued(
        account=snapshot.account,
        credit_id=credit.id if credit else None,
        credit_expires_at=credit.expires_at if credit else None,
        window=mark(window, snapshot.provenance.observed_at),
        armed_at=now,
        consent=Consent(ConsentKind.QUEUED, now, armed_at=now),
        whom=whom,
        left=number,
        until=until,
        before_lapse=before_lapse,
    )


def followed(queued: Queued, snapshot: Snapshot) -> Queued:
    """Take in a reading in which it did not die; its window's date may have moved, and there may be room again."""
    has_room = snapshot.provenance.observed_at >= queued.armed_at and is_open(snapshot)
    awaits_room = queued.awaits_room and not has_room
    return replace(queued, window=queued.window.follow(snapshot), awaits_room=awaits_room)


def should_fire(
    queued: Queued,
    snapshot: Snapshot,
    sessions: Mapping[str, Session],
    now: datetime,
    least_waiting: timedelta = LEAST_WAITING,
) -> bool:
    """Whether the limit is really reached, so that the reset is to be spent now.

    A percentage alone never fires it: the service has to refuse use, or a session has to be held or stopped, after the
    arming. Where several are queued nobody watches, so a session has to be held or stopped in any case; and a limit
    that stands after one was spent, whatever the service answered, takes no second one.
    A natural reset that is no further away than `least_waiting` is waited for: the reset in the bank is worth more.
    """
    if not queued.is_armed or queued.awaits_room or dies(queued, snapshot, now) is not None:
        return False
    if not snapshot.reset_helps(now):
        return False
    if lapse_is_due(queued, now):
        fullest = binding_window(snapshot)
        used = fullest.used_percent if fullest is not None else None
        return used is not None and queued.before_lapse is not None and used >= queued.before_lapse
    window = binding_window(snapshot)
    if (
        window is not None
        and window.resets_at is not None
        and window.resets_at - now <= max(least_waiting, LEAST_WAITING)
    ):
        return False
    if queued.until is not None and not (held(sessions) or stops(sessions, snapshot, now)):
        return False
    if allowed(snapshot) is False and snapshot.provenance.observed_at >= queued.armed_at:
        return True
    if window is None or window.used_percent is None:
        return False
    if any(session.since + _HOOK_SECOND >= queued.armed_at for session in held(sessions)):
        return window.is_full
    return any(stop.stopped_at >= queued.armed_at for stop in stops(sessions, snapshot, now))


def lapse_is_due(queued: Queued, now: datetime) -> bool:
    """Whether it is one that is spent before it lapses, and that time has come."""
    expires = queued.credit_expires_at
    return queued.before_lapse is not None and expires is not None and expires - BEFORE_LAPSE <= now < expires


def fire(queued: Queued, now: datetime) -> Consent:
    """The consent for its one spend, which takes effect now; it leaves the queue in the journal's own transaction.

    Raises:
        IllegalStep: It waits for a new yes.
    """
    if not queued.is_armed:
        raise IllegalStep("a queued reset that waits for a new yes is not spent")
    return replace(queued.consent, given_at=now)


def after_spend(queued: Queued, now: datetime) -> Queued | None:
    """What is left once one of it is being spent; None where that was the last."""
    return replace(queued, left=queued.left - 1, armed_at=now, awaits_room=True) if queued.left > 1 else None


def dies(queued: Queued, snapshot: Snapshot, now: datetime) -> QueueEndReason | None:
    """Why it is to be taken out of the queue; None while it may stay."""
    if queued.account.differs_from(snapshot.account):
        return QueueEndReason.ACCOUNT_CHANGED
    if queued.until is not None and now >= queued.until:
        return QueueEndReason.TIME_IS_UP if queued.before_lapse is None else QueueEndReason.CREDIT_LAPSED
    if queued.until is None and queued.window.has_reset(snapshot):
        return QueueEndReason.WINDOW_RESET
    if queued.credit_expires_at is not None and now >= queued.credit_expires_at:
        return QueueEndReason.CREDIT_LAPSED
    bank = snapshot.bank
    if bank.available == 0 or (bank.credits is not None and isinstance(choose_credit(bank, now), str)):
        return QueueEndReason.BANK_EMPTY
    return QueueEndReason.CREDIT_GONE if _is_gone(queued, snapshot) else None


def _is_gone(queued: Queued, snapshot: Snapshot) -> bool:
    """Whether the bank shows that its credit cannot be spent; a list that the service capped proves no absence."""
    bank = snapshot.bank
    if queued.credit_id is None or bank.credits is None:
        return False
    credit = bank.find(queued.credit_id)
    if credit is None:
        return not bank.unlisted
    return credit.status not in (CreditStatus.AVAILABLE, CreditStatus.UNKNOWN)


def after_restart(queued: Queued) -> Queued:
    """As it is found by a new process: it waits for a new yes."""
    return replace(queued, needs_fresh_yes=True)


def confirmed(queued: Queued, now: datetime) -> Queued:
    """The person said yes again: from this moment on it is armed."""
    consent = Consent(ConsentKind.QUEUED, now, armed_at=now)
    return replace(queued, needs_fresh_yes=False, armed_at=now, consent=consent)
