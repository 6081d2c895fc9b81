"""Banked resets: what one is, and what redeeming it does."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import CODEX_RATE_LIMITS
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.stub.rules.windows import DAY, MeteredWindow, fresh_window

CREDIT_LIFETIME: Final = 30 * DAY
"""Seconds from a grant to its last moment, where the grant does not say otherwise."""


class HeldStatus(StrEnum):
    """Where a credit is in its life, as the service keeps it."""

    AVAILABLE = "available"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    """Never sent: an expired credit is simply gone from the list."""
    REVOKED = "revoked"
    """Taken back before it was used; never sent either."""


class HeldCredit(msgspec.Struct, frozen=True):
    """One banked reset, as the service keeps it."""

    id: str
    status: str
    """A `HeldStatus`, or a word that only a newer client knows."""
    granted_at: float
    expires_at: float | None
    """The second at which it is gone; None: never."""
    reset_type: str = CODEX_RATE_LIMITS
    redeemed_at: float | None = None
    title: str | None = None
    description: str | None = None
    granted_by: str | None = None
    supported: bool = True

    def status_at(self, now: float) -> str:
        """Its status, an available credit past its last second being expired."""
        over = self.expires_at is not None and now >= self.expires_at
        return HeldStatus.EXPIRED if over and self.status == HeldStatus.AVAILABLE else self.status

    def is_spendable(self, now: float) -> bool:
        """Whether it can be redeemed now."""
        return self.status_at(now) == HeldStatus.AVAILABLE and self.reset_type == CODEX_RATE_LIMITS and self.supported


def soonest_first(credit: HeldCredit) -> tuple[bool, float]:
    """Sort key: the soonest to expire first, those that never do last."""
    return credit.expires_at is None, credit.expires_at or 0.0


class ScenarioFlags(msgspec.Struct, frozen=True):
    """What redeeming does beyond the rule; users report both ways."""

    weekly_moves: bool = True
    """Whether the anchored windows start a new period at the redemption, or keep their old date."""
    clears_five_hour: bool = True
    """Whether the 5-hour window is cleared too."""


class Redemption(msgspec.Struct, frozen=True):
    """What redeeming came to."""

    code: ConsumeCode
    credit: HeldCredit | None
    """The credit concerned; redeemed only where the code is `reset`."""
    windows: tuple[MeteredWindow, ...]
    windows_reset: int


def redeem(
    windows: tuple[MeteredWindow, ...],
    held: Iterable[HeldCredit],
    now: float,
    *,
    credit_id: str | None,
    flags: ScenarioFlags,
) -> Redemption:
    """Redeem the credit asked for, or the soonest to expire; the windows are rolled over already."""
    spendable = [credit for credit in held if credit.is_spendable(now) and credit_id in (None, credit.id)]
    if not spendable:
        return Redemption(ConsumeCode.NO_CREDIT, None, windows, 0)
    credit = min(spendable, key=soonest_first)
    # Single models' windows are not stated to be reset.
    cleared = [
        window
        for window in windows
        if window.limit_id == MAIN_LIMIT and (flags.clears_five_hour or window.kind is not WindowKind.FIVE_HOUR)
    ]
    refreshed = sum(window.used_percent > 0 for window in cleared)
    if not refreshed:
        return Redemption(ConsumeCode.NOTHING_TO_RESET, credit, windows, 0)
    after = tuple(_clear(window, now, flags) if window in cleared else window for window in windows)
    spent = replace(credit, status=HeldStatus.REDEEMED, redeemed_at=now)
    return Redemption(ConsumeCode.RESET, spent, after, refreshed)


def _clear(window: MeteredWindow, now: float, flags: ScenarioFlags) -> MeteredWindow:
    fresh = fresh_window(window.kind, now)
    return fresh if window.slides or flags.weekly_moves else replace(window, used_percent=0.0)
