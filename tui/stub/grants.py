"""Grants, the one way to get anything: who gets what, why, and for how long; the roll-out; what became of it. Pure.

A grant has a key that is never used twice, so that whatever is repeated, nothing is granted twice.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from tui.domain.referral import RESET_CREDIT
from tui.stub.plans import Plan
from tui.stub.programme import CREDIT_LIFETIME, HeldCredit, HeldStatus

TEAM: Final = "Codex Team"
"""Whom a grant is from that no friend is behind."""

THANKS: Final = "Thanks for using Codex! You've been granted one free rate limit reset."


class GrantSource(StrEnum):
    """Where a grant comes from."""

    PROGRAMME = "programme"
    """The complimentary reset."""
    REFERRAL = "referral"
    PURCHASE = "purchase"
    GOODWILL = "goodwill"


class Grant(msgspec.Struct, frozen=True):
    """Something given to one account."""

    key: str
    """Never used twice."""
    source: GrantSource
    reason: str
    amount: int = 1
    """None at all only records that it was had before; a negative one takes back what is no reset."""
    life: float | None = CREDIT_LIFETIME
    """Seconds from the grant to its last moment; None: no end."""
    kind: str = RESET_CREDIT
    """`rate_limit_reset_credit`, or another reward's word; only those become banked resets."""
    granted_by: str = TEAM
    """As the list of resets shows it: `@friend`, or the team."""
    description: str = THANKS


def complimentary_key(account: str) -> str:
    """The key of the one complimentary reset that an account ever gets, whatever plans it has."""
    return f"complimentary:{account}"


def complimentary(account: str) -> Grant:
    """The reset that an account gets when the programme reaches it."""
    return Grant(complimentary_key(account), GrantSource.PROGRAMME, "Complimentary reset")


def had_before(account: str) -> Grant:
    """The record that an account had its complimentary reset before the stub's world began."""
    return Grant(complimentary_key(account), GrantSource.PROGRAMME, "Had its complimentary reset before", amount=0)


def goodwill(key: str, count: int, life: float | None) -> Grant:
    """Resets out of kindness."""
    return Grant(f"goodwill:{key}", GrantSource.GOODWILL, TEAM, count, life)


def purchase(account: str, purchase_id: str) -> Grant:
    """A reset that was bought."""
    words = "You bought this rate limit reset."
    return Grant(f"purchase:{account}:{purchase_id}", GrantSource.PURCHASE, "Bought", description=words)


class Price(msgspec.Struct, frozen=True):
    """What a single reset costs."""

    amount: str
    """Decimal text."""
    currency: str


class CarryOver(StrEnum):
    """What becomes of the banked resets when the plan changes."""

    WHERE_BANKED = "where_banked"
    """Kept where the new plan banks, dropped where it does not."""
    ALWAYS = "always"
    NEVER = "never"


class Programme(msgspec.Struct, frozen=True):
    """How a scenario runs the programme."""

    reaches: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """When it reaches a plan, in seconds after the scenario began; a plan that is not named is reached already."""
    begins_with_it: bool = True
    """Whether the accounts that the scenario starts with count as having had their complimentary reset."""
    carry_over: CarryOver = CarryOver.WHERE_BANKED
    purchase: Price | None = None
    """The price of a single reset; None: none is sold."""

    def reached_at(self, plan: Plan, began: float, plan_since: float) -> float | None:
        """The moment from which an account of a plan has its complimentary reset; None: never.

        Args:
            plan: The account's.
            began: When the scenario began.
            plan_since: Since when the account has had this plan.
        """
        return max(began + self.reaches.get(plan.name, 0.0), plan_since) if plan.banks else None

    def keeps_credits(self, plan: Plan) -> bool:
        """Whether an account that changes to this plan keeps its resets."""
        return plan.banks if self.carry_over is CarryOver.WHERE_BANKED else self.carry_over is CarryOver.ALWAYS

    def price_for(self, plan: Plan) -> Price | None:
        """What an account of this plan can buy a single reset for; None: not at all."""
        return self.purchase if plan.banks else None


class Balance(msgspec.Struct, frozen=True):
    """What became of all the resets that an account was ever granted."""

    granted: int
    available: int
    """Still held, with whatever status, whether it can be redeemed or not."""
    redeemed: int
    expired: int
    revoked: int

    @property
    def is_whole(self) -> bool:
        """Whether none was lost and none appeared from nowhere."""
        return self.granted == self.available + self.redeemed + self.expired + self.revoked


def balance(granted: int, held: Iterable[HeldCredit], now: float) -> Balance:
    """Count an account's resets.

    Args:
        granted: How many its grants add up to.
        held: Every credit that it has or had.
        now: The present moment.
    """
    gone = (HeldStatus.REDEEMED, HeldStatus.EXPIRED, HeldStatus.REVOKED)
    statuses = [credit.status_at(now) for credit in held]
    redeemed, expired, revoked = (statuses.count(status) for status in gone)
    return Balance(granted, len(statuses) - redeemed - expired - revoked, redeemed, expired, revoked)
