"""Windows: what a turn uses, how they roll over, and what becomes of them when the plan changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.windows import MAIN_LIMIT, WindowKind

DAY: Final = 86_400

LENGTHS: Final = {WindowKind.FIVE_HOUR: 18_000, WindowKind.WEEKLY: 7 * DAY, WindowKind.MONTHLY: 30 * DAY}
"""Seconds."""


class MeteredWindow(msgspec.Struct, frozen=True):
    """One window of one account, as the service keeps it."""

    kind: WindowKind
    used_percent: float
    resets_at: float | None
    """None while it is idle: its reset then slides along with the clock."""
    limit_id: str = MAIN_LIMIT

    @property
    def seconds(self) -> int:
        """Its length."""
        return LENGTHS[self.kind]

    @property
    def slides(self) -> bool:
        """Whether it waits, idle, for the first turn to start it; others are anchored and follow each other."""
        return self.kind is WindowKind.FIVE_HOUR

    @property
    def shown_percent(self) -> int:
        """Whole per cent, as Codex decodes them; 100 is shown only where it is reached."""
        return int(self.used_percent)

    def reset_at(self, now: float) -> int:
        """When it starts afresh, in whole unix seconds."""
        return int(now + self.seconds if self.resets_at is None else self.resets_at)


def roll_over(window: MeteredWindow, now: float) -> MeteredWindow:
    """Start a window afresh if its time is over."""
    if window.resets_at is None or now < window.resets_at:
        return window
    if window.slides:
        return replace(window, used_percent=0.0, resets_at=None)
    missed = int((now - window.resets_at) // window.seconds) + 1
    return replace(window, used_percent=0.0, resets_at=window.resets_at + missed * window.seconds)


def set_usage(window: MeteredWindow, used_percent: float, now: float) -> MeteredWindow:
    """Put a window to a share; any use pins an idle one, none at all frees a sliding one."""
    resets_at = window.resets_at
    if used_percent > 0 and resets_at is None:
        resets_at = now + window.seconds
    elif used_percent == 0 and window.slides:
        resets_at = None
    return replace(window, used_percent=used_percent, resets_at=resets_at)


def blocking(windows: Iterable[MeteredWindow]) -> MeteredWindow | None:
    """The window that stops ordinary use, the last to reset if there are several; None while use is allowed."""
    reached = [window for window in windows if window.limit_id == MAIN_LIMIT and window.used_percent >= 100]
    return max(reached, key=lambda window: window.resets_at or 0.0, default=None)


def charge_turn(
    windows: Sequence[MeteredWindow], costs: Mapping[WindowKind, float], now: float
) -> tuple[MeteredWindow, ...]:
    """One model turn: its share, in per cent, of every window of the main limit; an idle one starts."""
    return tuple(
        set_usage(window, max(window.used_percent, min(100.0, window.used_percent + costs.get(window.kind, 0.0))), now)
        if window.limit_id == MAIN_LIMIT
        else window
        for window in windows
    )


def fresh_window(kind: WindowKind, now: float) -> MeteredWindow:
    """An unused window that begins now, or where it slides, with the first turn."""
    window = MeteredWindow(kind, 0.0, None)
    return window if window.slides else replace(window, resets_at=float(int(now) + window.seconds))


def change_windows(
    windows: Sequence[MeteredWindow], kinds: Iterable[WindowKind], now: float
) -> tuple[MeteredWindow, ...]:
    """The windows after a change of plan, in the new slots; a kind that both have keeps its share and date."""
    kept = {window.kind: window for window in windows if window.limit_id == MAIN_LIMIT}
    others = [window for window in windows if window.limit_id != MAIN_LIMIT]
    return (*(kept.get(kind) or fresh_window(kind, now) for kind in kinds), *others)
