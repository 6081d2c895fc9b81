"""Banked resets: single credits, and the bank that holds them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import force_setattr

CODEX_RATE_LIMITS: Final = "codex_rate_limits"
"""The only reset type known to clear the Codex windows; others are shown, never offered."""

LAPSE_WARNING: Final = timedelta(days=3)
"""A credit that lapses within this time is marked."""


class CreditStatus(StrEnum):
    """Where a credit is in its life; only an available one can be spent."""

    AVAILABLE = "available"
    REDEEMING = "redeeming"
    REDEEMED = "redeemed"
    UNKNOWN = "unknown"


class Credit(msgspec.Struct, frozen=True):
    """One banked reset as the service listed it."""

    id: str
    type: str
    """What it resets, in the spelling of the quota endpoint; text from outside."""
    status: CreditStatus
    granted_at: datetime | None
    expires_at: datetime | None
    """To the second; None means that it never expires, or, with `never_expires` unset, that the date is unknown."""
    never_expires: bool = False
    title: str | None = None
    """The service's title, localised; shown, never read for meaning."""
    supported: bool = True
    """False only where the service said that the plan cannot use it."""
    granted_by: str | None = None
    """Who gave it, in the service's words ("Codex Team", "@friend")."""

    @property
    def is_earned(self) -> bool:
        """Whether a friend is named for it: it was earned by an invite."""
        return (self.granted_by or "").startswith("@")

    def is_expired(self, now: datetime) -> bool:
        """Whether its last second is over."""
        return self.expires_at is not None and now >= self.expires_at

    def lapses_soon(self, now: datetime) -> bool:
        """Whether it will be lost within `LAPSE_WARNING`."""
        return self.expires_at is not None and self.expires_at - now <= LAPSE_WARNING

    def refusal(self, now: datetime) -> str | None:
        """Why it cannot be spent now, in a few words; None if it can."""
        if self.status is not CreditStatus.AVAILABLE:
            return {CreditStatus.UNKNOWN: "in a state this version does not know"}.get(self.status, str(self.status))
        if self.type != CODEX_RATE_LIMITS:
            return "of a type this version does not know"
        if self.is_expired(now):
            return "lapsed"
        return None if self.supported else "not supported by your plan"


def _by_expiry(credit: Credit) -> tuple[int, float, str]:
    if credit.expires_at is not None:
        return 0, credit.expires_at.timestamp(), credit.id
    return (2 if credit.never_expires else 1), 0.0, credit.id


def same_moment(one: datetime | None, other: datetime | None) -> bool:
    """Whether two dates of one reset are one: the interfaces tell them in whole seconds and in microseconds."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < timedelta(seconds=1)


class Price(msgspec.Struct, frozen=True):
    """What one reset costs where one can be bought; as the service wrote it."""

    amount: str
    """A decimal."""
    currency: str


class Bank(msgspec.Struct, frozen=True):
    """The banked resets of one account."""

    available: int | None
    """How many can be spent, by the service's count, which is authoritative and may exceed the rows. None: unknown."""
    credits: tuple[Credit, ...] | None
    """The rows, soonest to lapse first. None: not loaded, only the count is known; empty: none are listed."""
    credits_observed_at: datetime | None = None
    """When the rows were read; they are read less often than the count."""
    price: Price | None = None
    """What one more would cost, given with the rows; None where none is sold, or the price is unknown."""

    def __post_init__(self) -> None:
        if self.credits is not None:
            force_setattr(self, "credits", tuple(sorted(self.credits, key=_by_expiry)))

    def spendable(self, now: datetime) -> tuple[Credit, ...]:
        """The listed credits that can be spent now, soonest to lapse first."""
        return tuple(credit for credit in self.credits or () if credit.refusal(now) is None)

    def usable(self, now: datetime) -> int | None:
        """How many can be spent now, as far as that can be promised; None where that is unknown.

        The rows that are known may show that what the service counts cannot be spent: lapsed, or not for this plan.
        """
        if not self.credits or not self.available:
            return self.available
        listed = len(self.spendable(now))
        return min(self.available, listed + self.unlisted) if listed else 0

    def find(self, credit_id: str) -> Credit | None:
        """The listed credit with this id."""
        return next((credit for credit in self.credits or () if credit.id == credit_id), None)

    @property
    def is_complete(self) -> bool:
        """Whether the rows show the whole bank, so that a row's absence means something."""
        return self.credits is not None and not self.unlisted

    @property
    def unlisted(self) -> int:
        """How many available credits the rows do not show, because the service caps its list."""
        if self.available is None or self.credits is None:
            return 0
        # A row whose status this version does not know may be among those that the service counts.
        counted = (CreditStatus.AVAILABLE, CreditStatus.UNKNOWN)
        return max(0, self.available - sum(credit.status in counted for credit in self.credits))
