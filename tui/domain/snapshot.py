"""One reading of the truth: account, limits and bank, with where and when it was learnt."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tui.domain.credits import Bank
from tui.domain.windows import MAIN_LIMIT, NEAR_PERCENT, Limit, Window, WindowState

STALE_AFTER: Final = timedelta(seconds=90)
"""A reading that is older tells nothing certain any more."""


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
    """The plan's raw name; names of plans come and go."""
    email: str | None = None
    name: str = ""
    """What the settings call it, where the source says neither id nor address."""

    @property
    def key(self) -> str:
        """What its spends and its history are filed under."""
        return self.id or self.email or f"unknown {self.name}".rstrip()

    def named(self, name: str) -> "Account":
        """The account as it is filed where the settings call it this: several of which nothing is known stay apart."""
        return self if self.id or self.email or not name else msgspec.structs.replace(self, name=name)

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
    """A workspace's own cap on what one member may spend."""

    reached: bool | None
    used_percent: float | None
    resets_at: datetime | None
    used: str | None = None
    """As the service wrote it; a decimal in no stated unit, as the limit is."""
    limit: str | None = None

    @property
    def is_meter(self) -> bool:
        """Whether it says how much is left, or that nothing is; where there is no cap it says only "not reached"."""
        return bool(self.reached) or self.used_percent is not None

    def state(self, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Judge it."""
        if self.reached or (self.used_percent or 0.0) >= 100:
            return WindowState.REACHED
        if self.used_percent is None:
            return WindowState.UNKNOWN
        return WindowState.NEAR if self.used_percent >= near_percent else WindowState.OK


class Wall(StrEnum):
    """What stops ordinary use."""

    PLAN = "plan"
    """The plan's limit: the only one that a reset helps with."""
    CAP = "cap"
    """The workspace's cap on a member."""
    CREDITS = "credits"
    """The workspace is out of credits."""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that one reading says."""

    provenance: Provenance
    account: Account
    ordinary_usage_allowed: bool | None
    """The service's own word. None where it did not say."""
    limits: tuple[Limit, ...]
    """The main limit first, if it is there."""
    bank: Bank
    paid: PaidCredits | None = None
    spend_control: SpendControl | None = None
    unknowns: tuple[str, ...] = ()
    """What the reading should say and does not, one plain reason each."""
    unclear: bool = False
    """Whether a word that could stop ordinary use made no sense: then nobody is free to work."""
    codex_offers: bool = False
    """Whether the service has Codex itself offer a reset at the limit."""
    clock_ahead: timedelta | None = None
    """How far this machine's clock is ahead of the service's; None where they agree, or nothing is known."""

    @property
    def main_limit(self) -> Limit | None:
        """The limit of ordinary use."""
        return next((limit for limit in self.limits if limit.limit_id == MAIN_LIMIT), None)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every window of every limit, the main limit's first."""
        return tuple(window for limit in self.limits for window in limit.windows)

    @property
    def main_windows(self) -> tuple[Window, ...]:
        """The main limit's windows."""
        return self.main_limit.windows if self.main_limit else ()

    @property
    def has_paid_credits(self) -> bool:
        """Whether there are bought credits."""
        return self.paid is not None and bool(self.paid.has_credits or self.paid.unlimited)

    @property
    def reached_reason(self) -> str | None:
        """The service's word for what was reached, raw; text from outside."""
        return self.main_limit.reached_type if self.main_limit else None

    @property
    def is_refused(self) -> bool:
        """Whether any word of the service, percentages aside, says that ordinary use has stopped."""
        main, control = self.main_limit, self.spend_control
        if self.ordinary_usage_allowed is False or (control is not None and control.reached):
            return True
        return main is not None and (main.allowed is False or bool(main.reached or main.reached_type))

    def walls(self, now: datetime) -> frozenset[Wall]:
        """What stops ordinary use, by any word of the reading: one that says so outranks all that disagree."""
        found = set()
        if any(window.state(now) is WindowState.REACHED for window in self.main_windows):
            found.add(Wall.PLAN)
        if self.spend_control is not None and self.spend_control.state() is WindowState.REACHED:
            found.add(Wall.CAP)
        if reason := self.reached_reason:
            found.add(_wall_of(reason))
        return frozenset(found or ({Wall.PLAN} if self.is_refused else ()))

    def paid_credits_carry_on(self, now: datetime) -> bool:
        """Whether the plan's limit is reached and the service lets paid credits go on from there."""
        if self.main_limit is not None and self.main_limit.allowed is False:
            return False
        return self.has_paid_credits and self.ordinary_usage_allowed is True and self.walls(now) == {Wall.PLAN}

    def reset_helps(self, now: datetime) -> bool:
        """Whether spending a reset could let work go on; it cannot where the workspace is what stops it."""
        return not self.walls(now) - {Wall.PLAN}

    def state(self, now: datetime, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Whether ordinary use goes on, is nearly over, or has stopped."""
        if self.walls(now):
            return WindowState.NEAR if self.paid_credits_carry_on(now) else WindowState.REACHED
        meters = {window.state(now, near_percent) for window in self.main_windows}
        if self.spend_control is not None and self.spend_control.is_meter:
            meters.add(self.spend_control.state(near_percent))
        if not meters and self.is_unlimited:
            meters.add(WindowState.OK)
        if WindowState.NEAR in meters:
            return WindowState.NEAR
        return WindowState.OK if meters == {WindowState.OK} and not self.unclear else WindowState.UNKNOWN

    def is_reached(self, now: datetime) -> bool:
        """Whether this reading alone says that ordinary use has stopped."""
        return self.state(now) is WindowState.REACHED

    @property
    def is_unlimited(self) -> bool:
        """Whether the account has no windows because nothing is metered."""
        return not self.main_windows and self.paid is not None and self.paid.unlimited is True


def _wall_of(reason: str) -> Wall:
    """What a service's word means; an unknown one is the plan's limit, which is asked for again before a spend."""
    if "credits_depleted" in reason:
        return Wall.CREDITS
    return Wall.CAP if "usage_limit_reached" in reason else Wall.PLAN
