"""What the bank hands out: one account at one moment, the record of a key, and the record of a grant."""

from collections.abc import Mapping

import msgspec

from tui.domain.windows import MAIN_LIMIT
from tui.stub.plans import Plan, plan_named
from tui.stub.programme import HeldCredit, MeteredWindow
from tui.stub.scenario import Scenario


class UnknownAccount(LookupError):
    """The service has no such account."""


class UnknownWindow(LookupError):
    """The account has no window of that kind."""


class AccountExists(Exception):
    """There is an account of this id already."""


class NotForSale(Exception):
    """No single reset is sold to this account."""


class Reading(msgspec.Struct, frozen=True):
    """One account as it stands at one moment."""

    now: float
    """The service's own time, unix seconds."""
    scenario: Scenario
    began: float
    """When the scenario began."""
    account: str
    plan: str
    email: str
    windows: tuple[MeteredWindow, ...]
    """Rolled over, in the order of their slots."""
    credits: tuple[HeldCredit, ...]
    """Soonest to expire first: all of them, or those with the status `available` alone."""
    granted: int
    """How many resets it was ever granted in this scenario."""
    earned: int
    """How many of them for invites."""
    personal_credits: int
    """The balance of what it earned that is no reset."""
    owed_since: float | None
    """Since when its complimentary reset is due, and not granted yet; None: nothing is due."""

    extras: Mapping[str, object]
    """What its usage payload says otherwise in this scenario."""

    @property
    def terms(self) -> Plan:
        """What its plan includes."""
        return plan_named(self.plan)

    @property
    def main_windows(self) -> tuple[MeteredWindow, ...]:
        """The windows of ordinary use."""
        return tuple(window for window in self.windows if window.limit_id == MAIN_LIMIT)

    @property
    def spendable(self) -> int:
        """How many credits can be redeemed now."""
        return sum(credit.is_spendable(self.now) for credit in self.credits)


class RequestRecord(msgspec.Struct, frozen=True):
    """What became of one `redeem_request_id`."""

    account: str
    redeem_request_id: str
    requests: int
    """How often it came."""
    last_code: str
    credit_id: str | None
    """The credit that it redeemed; None if none."""
    redeemed_at: float | None


class GrantRecord(msgspec.Struct, frozen=True):
    """One grant that landed."""

    account: str
    source: str
    reason: str
    kind: str
    amount: int
    key: str
    at: float
