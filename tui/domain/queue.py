"""One reset that waits for the limit: queued by a person, spent once the limit is reached, gone with its window."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import Credit, CreditStatus
from tui.domain.held_sessions import held
from tui.domain.limit_stops import allowed, binding_window, stops
from tui.domain.question import LEAST_WAITING
from tui.domain.resets import WindowMark, mark
from tui.domain.resumes import Whom
from tui.domain.sessions import Session
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import Consent, ConsentKind, IllegalStep, choose_credit
from tui.domain.windows import Window

_HOOK_SECOND: Final = timedelta(seconds=1)
"""A hook tells the second in which it began to hold."""


class QueueEndReason(StrEnum):
    """Why a queued reset will not be spent."""

    WINDOW_RESET = "window_reset"
    BANK_EMPTY = "bank_empty"
    CREDIT_GONE = "credit_gone"
    CREDIT_LAPSED = "credit_lapsed"
    ACCOUNT_CHANGED = "account_changed"


class Queued(msgspec.Struct, frozen=True):
    """One armed reset."""

    account: Account
    credit_id: str | None
    """None where only a count is known and the service has to choose."""
    credit_expires_at: datetime | None
    window: WindowMark
    """The window it was armed for."""
    armed_at: datetime
    consent: Consent
    whom: Whom = False
    needs_fresh_yes: bool = False
    """Set after a restart: nobody may remember it, so it fires only after they said yes again."""

    @property
    def is_armed(self) -> bool:
        """Whether it would be spent if the limit were reached now."""
        return not self.needs_fresh_yes


def arm(snapshot: Snapshot, window: Window, credit: Credit | None, whom: Whom, now: datetime) -> Queued:
    """Put one reset into the queue, on a person's word.

    Args:
        snapshot: The reading that the person saw.
        window: The window that they expect to be full.
        credit: The reset to spend; None where only a count is known.
        whom: Who is told to go on afterwards.
        now: The present moment.
    """
    return Queued(
        account=snapshot.account,
        credit_id=credit.id if credit else None,
        credit_expires_at=credit.expires_at if credit else None,
        window=mark(window, snapshot.provenance.observed_at),
        armed_at=now,
        consent=Consent(ConsentKind.QUEUED, now, armed_at=now),
        whom=whom,
    )


def followed(queued: Queued, snapshot: Snapshot) -> Queued:
    """Take in a reading in which it did not die; its window's date may have moved."""
    return replace(queued, window=queued.window.follow(snapshot))


def should_fire(
    queued: Queued,
    snapshot: Snapshot,
    sessions: Mapping[str, Session],
    now: datetime,
    least_waiting: timedelta = LEAST_WAITING,
) -> bool:
    """Whether the limit is really reached, so that the reset is to be spent now.

    A percentage alone never fires it: the service has to refuse use, or a session has to be held or stopped, after the
    arming.

    Args:
        queued: The armed reset.
        snapshot: The newest reading.
        sessions: All sessions by thread id.
        now: The present moment.
        least_waiting: A natural reset that is no further away is waited for; the reset in the bank is worth more.
    """
    if not queued.is_armed or dies(queued, snapshot, now) is not None:
        return False
    if not snapshot.reset_helps(now):
        return False
    window = binding_window(snapshot)
    if window is not None and window.resets_at is not None and window.resets_at - now <= least_waiting:
        return False
    if allowed(snapshot) is False and snapshot.provenance.observed_at >= queued.armed_at:
        return True
    if window is None or window.used_percent is None:
        return False
    if any(session.since + _HOOK_SECOND >= queued.armed_at for session in held(sessions)):
        return window.used_percent >= 100
    return any(stop.stopped_at >= queued.armed_at for stop in stops(sessions, snapshot, now))


def fire(queued: Queued, now: datetime) -> Consent:
    """The consent for its one spend, which takes effect now; it leaves the queue in the journal's own transaction.

    Raises:
        IllegalStep: It waits for a new yes.
    """
    if not queued.is_armed:
        raise IllegalStep("a queued reset that waits for a new yes is not spent")
    return replace(queued.consent, given_at=now, armed_at=queued.armed_at)


def dies(queued: Queued, snapshot: Snapshot, now: datetime) -> QueueEndReason | None:
    """Why it is to be taken out of the queue; None while it may stay."""
    if queued.account.differs_from(snapshot.account):
        return QueueEndReason.ACCOUNT_CHANGED
    if queued.window.has_reset(snapshot):
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
