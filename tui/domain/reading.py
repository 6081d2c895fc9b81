"""One look at an account, as history, forecast and replay take it: seconds and per cent, nothing else."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from tui.domain.snapshot import Account, Snapshot
    from tui.domain.windows import Limit


class WindowReading(msgspec.Struct, frozen=True):
    """One window in one reading."""

    minutes: int
    used_percent: float | None
    """None where it is unknown."""
    resets_at: float | None
    """Unix seconds."""


class CreditReading(msgspec.Struct, frozen=True):
    """One banked reset that can be spent."""

    id: str
    expires_at: float | None
    """Unix seconds; None: it never lapses."""


class Reading(msgspec.Struct, frozen=True):
    """One look at an account."""

    at: float
    """Unix seconds."""
    windows: tuple[WindowReading, ...]
    allowed: bool | None = None
    """The service's own word on ordinary use; None where it did not say."""
    available: int | None = None
    """How many resets can be spent; None where unknown."""
    credits: tuple[CreditReading, ...] | None = None
    """None where only the number is known."""
    running: int | None = None
    """Sessions at work; None where unknown."""


class SessionCost(msgspec.Struct, frozen=True):
    """What one thread took of the windows, by the service's own account; of which time it does not say."""

    thread_id: str
    five_hour_percent: float | None
    weekly_percent: float | None


class Costs(msgspec.Struct, frozen=True):
    """What the service said of some threads of one account."""

    at: float
    """When it said so, in Unix seconds."""
    account: str
    of: tuple[SessionCost, ...]


class PastPeriod(msgspec.Struct, frozen=True):
    """One window that is over, as the service remembers it."""

    minutes: int
    starts_at: float
    """Unix seconds."""
    ends_at: float
    used_percent: float


class PastFile(msgspec.Struct, frozen=True):
    """The readings of one file on the disk, with what tells whether the file has changed."""

    path: str
    size: int
    modified: float
    readings: tuple[Reading, ...]
    done: float = 1.0
    """The share of all that is to be read that is read by now."""


PastReadings: TypeAlias = "Callable[[Account, Callable[[str, int, float], bool]], Iterable[PastFile]]"
"""The readings of an account that lie on the disk; passes over the files that the function knows."""


def reading_of(snapshot: "Snapshot", limit: "Limit", running: int | None = None) -> Reading:
    """What a reading of the service says of one of its limits."""
    windows = tuple(
        WindowReading(window.minutes, window.used_percent, window.resets_at.timestamp() if window.resets_at else None)
        for window in limit.windows
        if window.minutes
    )
    held = None
    if snapshot.bank.credits is not None:
        now = snapshot.provenance.observed_at
        held = tuple(
            CreditReading(credit.id, credit.expires_at.timestamp() if credit.expires_at else None)
            for credit in snapshot.bank.spendable(now)
        )
    allowed = limit.allowed
    if limit is snapshot.main_limit and snapshot.ordinary_usage_allowed is not None:
        allowed = snapshot.ordinary_usage_allowed
    at = snapshot.provenance.observed_at.timestamp()
    return Reading(at, windows, allowed, snapshot.bank.available, held, running)
