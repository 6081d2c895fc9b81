"""The programme's rules: what a turn uses, how windows roll over, what a banked reset and a change of plan do.

Pure: no input, no output, no clock. Moments are unix seconds of the service's own time, percentages are 0 and up. The
facts are those of wire.md 1.6 (windows), 2.2 (credits) and 3.2 to 3.5 (redeeming).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import CODEX_RATE_LIMITS
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT, WindowKind

DAY: Final = 86_400
CREDIT_LIFETIME: Final = 30 * DAY
"""Seconds from a grant to its last moment, where the grant does not say otherwise."""


class WindowRule(msgspec.Struct, frozen=True):
    """How one kind of window behaves."""

    seconds: int
    """Its length."""
    slides: bool
    """Whether it waits, idle, for the first completed turn to start it; others are anchored and follow each other."""


RULES: Final = {
    WindowKind.FIVE_HOUR: WindowRule(18_000, slides=True),
    WindowKind.WEEKLY: WindowRule(7 * DAY, slides=False),
    WindowKind.MONTHLY: WindowRule(30 * DAY, slides=False),
}


class MeteredWindow(msgspec.Struct, frozen=True):
    """One window of one account, as the service keeps it."""

    kind: WindowKind
    used_percent: float
    resets_at: float | None
    """None while it is idle: its reset then slides along with the clock."""
    limit_id: str = MAIN_LIMIT

    @property
    def rule(self) -> WindowRule:
        """How it behaves."""
        return RULES[self.kind]

    @property
    def shown_percent(self) -> int:
        """Whole per cent, as Codex decodes them; 100 is shown only where it is reached."""
        return int(self.used_percent)

    def reset_at(self, now: float) -> int:
        """When it starts afresh, in whole unix seconds."""
        return int(now + self.rule.seconds if self.resets_at is None else self.resets_at)


def roll_over(window: MeteredWindow, now: float) -> MeteredWindow:
    """Start a window afresh if its time is over."""
    if window.resets_at is None or now < window.resets_at:
        return window
    if window.rule.slides:
        return replace(window, used_percent=0.0, resets_at=None)
    length = window.rule.seconds
    missed = int((now - window.resets_at) // length) + 1
    return replace(window, used_percent=0.0, resets_at=window.resets_at + missed * length)


def set_usage(window: MeteredWindow, used_percent: float, now: float) -> MeteredWindow:
    """Put a window to a share; any use pins an idle one, none at all frees a sliding one."""
    resets_at = window.resets_at
    if used_percent > 0 and resets_at is None:
        resets_at = now + window.rule.seconds
    elif used_percent == 0 and window.rule.slides:
        resets_at = None
    return replace(window, used_percent=used_percent, resets_at=resets_at)


def blocking(windows: Iterable[MeteredWindow]) -> MeteredWindow | None:
    """The window that stops ordinary use, the last to reset if there are several; None while use is allowed."""
    reached = [window for window in windows if window.limit_id == MAIN_LIMIT and window.used_percent >= 100]
    return max(reached, key=lambda window: window.resets_at or 0.0, default=None)


def charge_turn(
    windows: Sequence[MeteredWindow], costs: Mapping[WindowKind, float], now: float
) -> tuple[MeteredWindow, ...]:
    """One completed model turn: a share of every window of the main limit, and the start of an idle one.

    Args:
        windows: The account's windows, rolled over.
        costs: The shares, as its plan has them; a window that is not in its plan costs nothing.
        now: The present moment.
    """
    return tuple(
        set_usage(window, max(window.used_percent, min(100.0, window.used_percent + costs.get(window.kind, 0.0))), now)
        if window.limit_id == MAIN_LIMIT
        else window
        for window in windows
    )


def fresh_window(kind: WindowKind, now: float) -> MeteredWindow:
    """An unused window that begins now, or where it slides, with the first turn."""
    rule = RULES[kind]
    return MeteredWindow(kind, 0.0, None if rule.slides else float(int(now) + rule.seconds))


def change_windows(
    windows: Sequence[MeteredWindow], kinds: Iterable[WindowKind], now: float
) -> tuple[MeteredWindow, ...]:
    """The windows after a change of plan: a kind that both plans have keeps its share and its date.

    Args:
        windows: The account's windows, rolled over.
        kinds: The new plan's, in the order of their slots.
        now: The present moment.
    """
    kept = {window.kind: window for window in windows if window.limit_id == MAIN_LIMIT}
    others = [window for window in windows if window.limit_id != MAIN_LIMIT]
    return (*(kept.get(kind) or fresh_window(kind, now) for kind in kinds), *others)


class HeldStatus(StrEnum):
    """Where a credit is in its life, as the service keeps it."""

    AVAILABLE = "available"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    """Never sent: an expired credit is simply gone from the list (wire.md 2.2)."""
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
    """What redeeming does beyond the rule; users report both ways (wire.md 3.5 to 3.7)."""

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
    windows: Sequence[MeteredWindow],
    held: Iterable[HeldCredit],
    now: float,
    *,
    credit_id: str | None,
    switches: ScenarioFlags,
) -> Redemption:
    """Redeem one credit.

    Args:
        windows: The account's windows, rolled over.
        held: The account's credits, or those of them that come into question.
        now: The present moment.
        credit_id: The credit asked for; None takes the soonest to expire.
        switches: What the scenario does beyond the rule.
    """
    kept = tuple(windows)
    spendable = [credit for credit in held if credit.is_spendable(now) and credit_id in (None, credit.id)]
    if not spendable:
        return Redemption(ConsumeCode.NO_CREDIT, None, kept, 0)
    credit = min(spendable, key=soonest_first)
    clearable = [window for window in kept if _is_cleared(window, switches)]
    refreshed = sum(window.used_percent > 0 for window in clearable)
    if not refreshed:
        return Redemption(ConsumeCode.NOTHING_TO_RESET, credit, kept, 0)
    cleared = tuple(_clear(window, now, switches) if window in clearable else window for window in kept)
    return Redemption(
        ConsumeCode.RESET, replace(credit, status=HeldStatus.REDEEMED, redeemed_at=now), cleared, refreshed
    )


def _is_cleared(window: MeteredWindow, switches: ScenarioFlags) -> bool:
    if window.limit_id != MAIN_LIMIT:
        return False  # single models' windows are not stated to be reset
    return switches.clears_five_hour or window.kind is not WindowKind.FIVE_HOUR


def _clear(window: MeteredWindow, now: float, switches: ScenarioFlags) -> MeteredWindow:
    if window.rule.slides:
        return replace(window, used_percent=0.0, resets_at=None)
    moved = int(now) + window.rule.seconds if switches.weekly_moves else window.resets_at
    return replace(window, used_percent=0.0, resets_at=moved)
