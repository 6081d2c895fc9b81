"""Grants, the one way to get anything: who gets what, why, and for how long.

A grant has a key that is never used twice, so that whatever is repeated, nothing is granted twice.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from tui.domain.credits import Price
from tui.domain.referral import RESET_CREDIT
from tui.stub.rules.plans import Plan
from tui.stub.rules.resets import CREDIT_LIFETIME

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
    """0 only records that it was had before; a negative one takes back what is no reset."""
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
    """The reset that an account gets when its plan's turn has come."""
    return Grant(complimentary_key(account), GrantSource.PROGRAMME, "Complimentary reset")


def had_before(account: str) -> Grant:
    """The record that an account had its complimentary reset before the scenario began."""
    return Grant(complimentary_key(account), GrantSource.PROGRAMME, "Had its complimentary reset before", amount=0)


def goodwill(key: str, count: int, life: float | None) -> Grant:
    """Resets out of kindness."""
    return Grant(f"goodwill:{key}", GrantSource.GOODWILL, TEAM, count, life)


def purchase(account: str, purchase_id: str) -> Grant:
    """A reset that was bought."""
    words = "You bought this rate limit reset."
    return Grant(f"purchase:{account}:{purchase_id}", GrantSource.PURCHASE, "Bought", description=words)


class ResetRules(msgspec.Struct, frozen=True):
    """How a scenario gives away and sells resets."""

    reaches: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """When a plan gets its complimentary reset, in seconds after the start; a plan that is not named has it already."""
    had_before: bool = True
    """Whether the accounts that the scenario starts with count as having had their complimentary reset."""
    purchase: Price | None = None
    """The price of a single reset; None: none is sold."""

    def reached_at(self, plan: Plan, began: float, plan_since: float) -> float | None:
        """The moment from which an account of a plan has its complimentary reset; None: never."""
        return max(began + self.reaches.get(plan.name, 0.0), plan_since) if plan.banks else None

    def price_for(self, plan: Plan) -> Price | None:
        """What an account of this plan can buy a single reset for; None: not at all."""
        return self.purchase if plan.banks else None
