"""One reading of the truth: account, limits and bank, with where and when it was learnt."""

from datetime import datetime, timedelta

import msgspec

from tui.domain.credits import Bank
from tui.domain.windows import MAIN_LIMIT, NEAR_PERCENT, Limit, Window, WindowState


class Provenance(msgspec.Struct, frozen=True):
    """Where a reading came from."""

    source: str
    """`daemon`, `codex`, `http` or `stub`."""
    observed_at: datetime
    """When the answer arrived here."""

    def age(self, now: datetime) -> timedelta:
        """How old the reading is; never below zero, even if the clock was set back."""
        return max(timedelta(0), now - self.observed_at)


class Account(msgspec.Struct, frozen=True):
    """Whose limits these are; None where the source did not say."""

    id: str | None = None
    plan: str | None = None
    """The plan's raw name; names of plans come and go (wire.md 1.5)."""
    email: str | None = None

    @property
    def key(self) -> str:
        """What its spends and its history are filed under."""
        return self.id or self.email or "unknown"

    def differs_from(self, other: "Account") -> bool:
        """Whether it is certainly another account; where too little is known to tell, it is not."""
        if self.id is not None and other.id is not None:
            return self.id != other.id
        return self.email is not None and other.email is not None and self.email != other.email


class PaidCredits(msgspec.Struct, frozen=True):
    """Bought credits that go on where the windows end."""

    has_credits: bool | None
    unlimited: bool | None
    balance: str | None
    """As the service wrote it; a decimal in no stated unit."""


class SpendControl(msgspec.Struct, frozen=True):
    """A workspace's own cap on one member."""

    reached: bool | None
    used_percent: float | None
    resets_at: datetime | None


class Snapshot(msgspec.Struct, frozen=True):
    """Everything one reading told."""

    provenance: Provenance
    account: Account
    ordinary_usage_allowed: bool | None
    """The service's own word; outranks the percentages. None where it did not say."""
    limits: tuple[Limit, ...]
    """The main limit first, if it is there."""
    bank: Bank
    paid: PaidCredits | None = None
    spend_control: SpendControl | None = None
    unknowns: tuple[str, ...] = ()
    """What the reading should have told and did not, one plain reason each."""

    @property
    def main_limit(self) -> Limit | None:
        """The limit of ordinary use."""
        return next((limit for limit in self.limits if limit.limit_id == MAIN_LIMIT), None)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every window of every limit, the main limit's first."""
        return tuple(window for limit in self.limits for window in limit.windows)

    def state(self, now: datetime, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Whether ordinary use goes on, is nearly over, or has stopped."""
        if self.ordinary_usage_allowed is False:
            return WindowState.REACHED
        return self.main_limit.state(now, near_percent) if self.main_limit else WindowState.UNKNOWN
