"""What the ledger records: everything that happened to a reset or to the windows, by our doing or not."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec


class EventKind(StrEnum):
    """What happened."""

    SPEND_CONSENTED = "spend_consented"
    SPEND_SENT = "spend_sent"
    SPEND_UNKNOWN = "spend_unknown"
    SPEND_ANSWERED = "spend_answered"
    SPEND_CLOSED = "spend_closed"
    SPEND_CONFIRMED = "spend_confirmed"
    """The service's own history has a spend of ours, with its time."""
    SPEND_REFUSED = "spend_refused"
    """An agent tried to spend, and the guard refused."""
    UNREADABLE = "unreadable"
    """A kind that this version does not know; its text begins with the kind."""
    CREDIT_GRANTED = "credit_granted"
    CREDIT_EXPIRED = "credit_expired"
    CREDIT_REDEEMED = "credit_redeemed"
    """Redeemed, but not through this program."""
    SPENT_ELSEWHERE = "spent_elsewhere"
    """The service's history has a spend, with its time, that nobody consented to here."""
    GRANT_MISSING = "grant_missing"
    """The service's history has a grant, with its time, of which the bank never showed a reset."""
    CREDIT_VANISHED = "credit_vanished"
    EXPIRY_CHANGED = "expiry_changed"
    COUNT_CHANGED = "count_changed"
    """The count moved and no rows say which credit."""
    RESET_MOVED = "reset_moved"
    WINDOW_RESET_EARLY = "window_reset_early"
    WINDOW_RESET = "window_reset"
    """A window that was used up, or a long one, began anew at its own time."""
    LIMIT_REACHED = "limit_reached"
    QUEUED = "queued"
    """A reset was armed for the limit."""
    UNQUEUED = "unqueued"
    WAITING = "waiting"
    """The person chose to wait for the natural reset, and to go on by itself."""
    WAIT_OVER = "wait_over"
    """Room was really seen, and what waited goes on."""
    RESUMED = "carried_on"
    """An interrupted thread was told to go on."""
    PLAN_CHANGED = "plan_changed"
    INVITE_CONSENTED = "invite_consented"
    INVITE_SENT = "invite_sent"
    INVITE_REFUSED = "invite_refused"
    INVITE_UNKNOWN = "invite_unknown"
    INVITE_LOST = "invite_lost"
    """Its answer never came, and the service does not list it."""
    INVITE_RESENT = "invite_resent"
    INVITE_NOTED = "invite_noted"
    INVITE_FORGOTTEN = "invite_forgotten"
    INVITE_FOUND = "invite_found"
    """Made elsewhere, listed by the service."""
    INVITE_CHANGED = "invite_changed"
    INVITE_REWARDED = "invite_rewarded"
    SETTING_CHANGED = "setting_changed"
    """A setting that could spend or run something, changed by a person; it belongs to no account."""


SHOWS_LESS: Final = frozenset({EventKind.CREDIT_REDEEMED, EventKind.CREDIT_VANISHED, EventKind.COUNT_CHANGED})
"""What the bank shows where a reset may have been spent elsewhere."""


class Event(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    at: datetime
    """When it was done or noticed here."""
    kind: EventKind
    account: str
    """The account's key."""
    text: str
    """What happened, for a person; may quote text from outside."""
    source: str | None = None
    credit_id: str | None = None
    request_id: str | None = None
    window: str | None = None
    """The kind of window concerned."""
    before: str | None = None
    after: str | None = None

    @property
    def belongs_to_history(self) -> bool:
        """Whether it is a limit that was hit, a reset of a window, or a credit that came, was spent or lapsed."""
        return self.kind in OF_HISTORY and not (self.kind is EventKind.SPEND_CLOSED and NOTHING_SPENT in self.text)


NOTHING_SPENT: Final = "nothing was spent"
"""Stands in the line that closes a spend which spent nothing."""

OF_HISTORY: Final = frozenset(
    {
        EventKind.LIMIT_REACHED,
        EventKind.WINDOW_RESET,
        EventKind.WINDOW_RESET_EARLY,
        EventKind.CREDIT_GRANTED,
        EventKind.CREDIT_EXPIRED,
        EventKind.CREDIT_REDEEMED,
        EventKind.SPENT_ELSEWHERE,
        EventKind.SPEND_CLOSED,
    }
)
