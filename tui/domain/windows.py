"""Usage windows: what kind they are, how full, and what that means now.

Windows are classified by their length, never by the slot they arrived in (wire.md 1.6). The service's own `allowed`
outranks every percentage, and what is unknown stays unknown.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

MAIN_LIMIT: Final = "codex"
"""The limit id that meters ordinary use; others meter single models (wire.md 1.4)."""

NEAR_PERCENT: Final = 90.0
"""From this share of a window on, it counts as near; the settings can move it."""

RESET_GRACE: Final = timedelta(minutes=1)
"""How long past its reset time a window's percentage is still believed: two clocks never agree to the second."""

_TOLERANCE: Final = 0.05
"""Codex itself classifies lengths within five per cent (wire.md 1.6)."""


class WindowKind(StrEnum):
    """What a window's length makes it."""

    FIVE_HOUR = "five_hour"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    OTHER = "other"


class WindowState(StrEnum):
    """What a window's use means."""

    OK = "ok"
    NEAR = "near"
    REACHED = "reached"
    UNKNOWN = "unknown"


def classify(minutes: float) -> WindowKind:
    """Tell what kind a window of this length is.

    Args:
        minutes: The window's length.
    """
    hours = minutes / 60
    for kind, shortest, longest in (
        (WindowKind.FIVE_HOUR, 5, 5),
        (WindowKind.DAILY, 24, 24),
        (WindowKind.WEEKLY, 168, 168),
        (WindowKind.MONTHLY, 28 * 24, 31 * 24),
    ):
        if shortest * (1 - _TOLERANCE) <= hours <= longest * (1 + _TOLERANCE):
            return kind
    return WindowKind.OTHER


class Window(msgspec.Struct, frozen=True):
    """One usage window as it was observed."""

    limit_id: str
    """The limit it belongs to: `codex` for ordinary use."""
    limit_name: str | None
    """The service's name for that limit, if it gave one; text from outside."""
    minutes: int
    """Its length; always above zero, since a window of no length is a disabled one and is dropped on reading."""
    used_percent: float | None
    """0 and up; above 100 has been seen. None where the service said nothing usable."""
    resets_at: datetime | None
    """When it starts afresh, by the service's word."""

    @property
    def kind(self) -> WindowKind:
        """What its length makes it."""
        return classify(self.minutes)

    @property
    def length(self) -> timedelta:
        """Its length."""
        return timedelta(minutes=self.minutes)

    def is_idle(self, observed_at: datetime) -> bool:
        """Whether nothing has pinned it yet: unused, and its reset slides along with the clock (wire.md 1.6)."""
        if self.used_percent != 0 or self.resets_at is None:
            return False
        return self.resets_at - observed_at >= self.length - RESET_GRACE

    def elapsed_fraction(self, now: datetime) -> float | None:
        """How much of it has gone by, 0 to 1: where an even pace would stand. None where unknown."""
        if self.resets_at is None:
            return None
        left = (self.resets_at - now) / self.length
        return min(1.0, max(0.0, 1.0 - left))


class Limit(msgspec.Struct, frozen=True):
    """One metered limit with its windows, shortest first."""

    limit_id: str
    name: str | None
    allowed: bool | None
    """The service's own word on whether use is allowed now; outranks the percentages. None where it did not say."""
    windows: tuple[Window, ...]
    reached_type: str | None = None
    """The service's word for what was reached, raw (wire.md 1.4)."""

    def state_of(self, window: Window, now: datetime, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Judge one of its windows.

        Args:
            window: One of this limit's windows.
            now: The present moment.
            near_percent: From which share on it counts as near.
        """
        if window.used_percent is None:
            return WindowState.UNKNOWN
        if window.resets_at is not None and now >= window.resets_at + RESET_GRACE:
            return WindowState.UNKNOWN  # what was observed belongs to a window that is over
        if window.used_percent >= 100:
            return WindowState.NEAR if self.allowed else WindowState.REACHED
        return WindowState.NEAR if window.used_percent >= near_percent else WindowState.OK

    def state(self, now: datetime, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Judge the limit as a whole; the worst window counts, and `allowed` outranks them all."""
        if self.allowed is False:
            return WindowState.REACHED
        states = {self.state_of(window, now, near_percent) for window in self.windows}
        for state in (WindowState.REACHED, WindowState.NEAR, WindowState.UNKNOWN):
            if state in states:
                return state
        return WindowState.OK if states else WindowState.UNKNOWN

    def blocker_of(self, window: Window, now: datetime) -> Window | None:
        """The window that makes this one's remaining share useless: another that is reached, the last to reset."""
        if self.state_of(window, now) is WindowState.REACHED:
            return None
        reached = [w for w in self.windows if w is not window and self.state_of(w, now) is WindowState.REACHED]
        return max(reached, key=lambda w: w.minutes, default=None)

    def binding_window(self, now: datetime) -> Window | None:
        """The window that stops work first: the longest reached one, or else the fullest known one."""
        reached = [w for w in self.windows if self.state_of(w, now) is WindowState.REACHED]
        if reached:
            return max(reached, key=lambda w: w.minutes)
        known = [w for w in self.windows if self.state_of(w, now) is not WindowState.UNKNOWN]
        return max(known, key=lambda w: w.used_percent or 0.0, default=None)


def label(window: Window) -> str:
    """Name a window for a person: `5 hours`, `Day`, `Week`, `Month`, or its length."""
    known = {
        WindowKind.FIVE_HOUR: "5 hours",
        WindowKind.DAILY: "Day",
        WindowKind.WEEKLY: "Week",
        WindowKind.MONTHLY: "Month",
    }.get(window.kind)
    if known:
        return known
    if window.minutes % 1440 == 0:
        return f"{window.minutes // 1440} days"
    return f"{window.minutes // 60} hours" if window.minutes % 60 == 0 else f"{window.minutes} min"


def has_moved(before: Window, after: Window) -> datetime | None:
    """The new reset date if it moved by more than two clocks may differ; None if it stayed or is unknown."""
    if before.resets_at is None or after.resets_at is None:
        return None
    return after.resets_at if abs(after.resets_at - before.resets_at) > timedelta(minutes=2) else None
