"""Usage windows: what kind they are, how full, and what that means now.

Windows are classified by their length, never by the slot they arrived in. What is unknown stays unknown.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

MAIN_LIMIT: Final = "codex"
"""The limit id that meters ordinary use; others meter single models."""

NEAR_PERCENT: Final = 90.0
"""From this share of a window on, it counts as near; the settings can move it."""

RESET_GRACE: Final = timedelta(minutes=1)
"""How long past its reset time a window's percentage is still believed: two clocks never agree to the second."""

_TOLERANCE: Final = 0.05
"""Codex itself classifies lengths within five per cent."""


WindowKey: TypeAlias = tuple[str, int | None]
"""Limit id and length in minutes: which window it is, whatever its date: slots mean nothing."""


class WindowKind(StrEnum):
    """What a window's length makes it."""

    FIVE_HOUR = "five_hour"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    OTHER = "other"


class KindFacts(msgspec.Struct, frozen=True):
    """What there is to know of a kind of window: a new kind is one more member and one more entry in `KINDS`."""

    hours: tuple[int, int]
    """Its shortest and longest length."""
    label: str
    """Its name in a table."""
    limit: str
    """The limit's name in a sentence: the `limit` is reached."""


KINDS: Final = {
    WindowKind.FIVE_HOUR: KindFacts((5, 5), "5 hours", "5-hour limit"),
    WindowKind.DAILY: KindFacts((24, 24), "Day", "daily limit"),
    WindowKind.WEEKLY: KindFacts((168, 168), "Week", "weekly limit"),
    WindowKind.MONTHLY: KindFacts((28 * 24, 31 * 24), "Month", "monthly limit"),
}


class WindowState(StrEnum):
    """What a window's use means."""

    OK = "ok"
    NEAR = "near"
    REACHED = "reached"
    UNKNOWN = "unknown"


def classify(minutes: float | None) -> WindowKind:
    """Tell what kind a window of this length is; one whose length is not known is of no kind of its own."""
    hours = (minutes or 0) / 60
    for kind, facts in KINDS.items():
        shortest, longest = facts.hours
        if shortest * (1 - _TOLERANCE) <= hours <= longest * (1 + _TOLERANCE):
            return kind
    return WindowKind.OTHER


class Window(msgspec.Struct, frozen=True):
    """One usage window as it was observed."""

    limit_id: str
    """The limit it belongs to: `codex` for ordinary use."""
    limit_name: str | None
    """The service's name for that limit, if it gave one; text from outside."""
    minutes: int | None
    """Its length, above zero; None where the service said nothing usable: it still counts when it is full."""
    used_percent: float | None
    """0 and up; above 100 has been seen. None where the service said nothing usable."""
    resets_at: datetime | None
    """When it starts afresh, by the service's word."""

    @property
    def key(self) -> WindowKey:
        """Which window it is, whatever its date."""
        return self.limit_id, self.minutes

    @property
    def is_full(self) -> bool:
        """Whether its last known share is all of it, whatever the clock says."""
        return self.used_percent is not None and self.used_percent >= 100

    @property
    def kind(self) -> WindowKind:
        """What its length makes it."""
        return classify(self.minutes)

    @property
    def length(self) -> timedelta | None:
        """Its length."""
        return None if self.minutes is None else timedelta(minutes=self.minutes)

    @property
    def begins_at(self) -> datetime | None:
        """When it began, as far as its end and its length say so."""
        return None if self.resets_at is None or self.length is None else self.resets_at - self.length

    def is_idle(self, observed_at: datetime) -> bool:
        """Whether no request has started it yet: unused, and its reset slides along with the clock."""
        begins_at = self.begins_at
        return self.used_percent == 0 and begins_at is not None and begins_at >= observed_at - RESET_GRACE

    def elapsed_fraction(self, now: datetime) -> float | None:
        """How much of it has gone by, 0 to 1: where an even pace would stand. None where unknown."""
        if self.resets_at is None or not self.length:
            return None
        return min(1.0, max(0.0, 1.0 - (self.resets_at - now) / self.length))

    def state(self, now: datetime, near_percent: float = NEAR_PERCENT) -> WindowState:
        """Judge it."""
        if self.used_percent is None:
            return WindowState.UNKNOWN
        if self.resets_at is not None and now >= self.resets_at + RESET_GRACE:
            return WindowState.UNKNOWN  # what was observed belongs to a window that is over
        if self.is_full:
            return WindowState.REACHED
        if self.used_percent >= near_percent:
            return WindowState.NEAR
        return WindowState.UNKNOWN if self.minutes is None else WindowState.OK


class Limit(msgspec.Struct, frozen=True):
    """One metered limit with its windows, shortest first."""

    limit_id: str
    name: str | None
    allowed: bool | None
    """The service's own word on whether use is allowed now. None where it did not say."""
    windows: tuple[Window, ...]
    reached_type: str | None = None
    """The service's word for what was reached, raw."""
    reached: bool | None = None
    """The service's own word on whether it is reached. None where it did not say."""

    def blocker_of(self, window: Window, now: datetime) -> Window | None:
        """The window that makes this one's remaining share useless: another that is reached, the last to reset."""
        if window.state(now) is WindowState.REACHED:
            return None
        reached = [w for w in self.windows if w is not window and w.state(now) is WindowState.REACHED]
        return max(reached, key=lambda w: w.minutes or 0, default=None)

    def binding_window(self, now: datetime) -> Window | None:
        """The window that stops work first: the longest reached one, or else the fullest known one."""
        reached = [w for w in self.windows if w.state(now) is WindowState.REACHED]
        if reached:
            return max(reached, key=lambda w: w.minutes or 0)
        known = [w for w in self.windows if w.state(now) is not WindowState.UNKNOWN]
        return max(known, key=lambda w: w.used_percent or 0.0, default=None)


def label(window: Window) -> str:
    """Name a window for a person: `5 hours`, `Day`, `Week`, `Month`, or its length."""
    if window.kind in KINDS:
        return KINDS[window.kind].label
    if not window.minutes:
        return "A window"
    if window.minutes % 1440 == 0:
        return f"{window.minutes // 1440} days"
    return f"{window.minutes // 60} hours" if window.minutes % 60 == 0 else f"{window.minutes} min"


def has_moved(before: Window, after: Window) -> datetime | None:
    """The new reset date if it moved by more than two clocks may differ; None if it stayed or is unknown."""
    if before.resets_at is None or after.resets_at is None:
        return None
    return after.resets_at if abs(after.resets_at - before.resets_at) > timedelta(minutes=2) else None


def limit_label(window: Window | None) -> str:
    """Name a window's limit in a sentence: `5-hour limit`, or by its length."""
    if window is None or not window.minutes:
        return "usage limit"
    known = KINDS.get(window.kind)
    return known.limit if known else f"limit of {window.minutes / 60:g} hours"
