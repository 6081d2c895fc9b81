"""What the bank hands out: one account at one moment, and the record of a key."""

from collections.abc import Mapping
from dataclasses import dataclass

from tui.domain.windows import MAIN_LIMIT
from tui.stub.programme import HeldCredit, MeteredWindow
from tui.stub.scenarios import Scenario


class UnknownAccount(LookupError):
    """The service has no such account."""


class UnknownWindow(LookupError):
    """The account has no window of that kind."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One account as it stands at one moment."""

    now: float
    """The service's own time, unix seconds."""
    scenario: Scenario
    account: str
    plan: str
    email: str
    windows: tuple[MeteredWindow, ...]
    """Rolled over, in the order of their slots."""
    credits: tuple[HeldCredit, ...]
    """Soonest to expire first: all of them, or those with the status `available` alone."""
    ever_granted: bool
    """Whether it has or had any credit in this scenario."""

    extras: Mapping[str, object]
    """What its usage payload says otherwise in this scenario."""

    @property
    def main_windows(self) -> tuple[MeteredWindow, ...]:
        """The windows of ordinary use."""
        return tuple(window for window in self.windows if window.limit_id == MAIN_LIMIT)

    @property
    def spendable(self) -> int:
        """How many credits can be redeemed now."""
        return sum(credit.is_spendable(self.now) for credit in self.credits)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What became of one `redeem_request_id`."""

    account: str
    redeem_request_id: str
    requests: int
    """How often it came."""
    last_code: str
    credit_id: str | None
    """The credit that it redeemed; None if none."""
    redeemed_at: float | None
