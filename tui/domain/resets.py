"""When a window was really reset: by what a reading shows, never by what the clock says."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.snapshot import Snapshot
from tui.domain.windows import RESET_GRACE, Window, WindowKey

_LEAST_FALL: Final = 5.0
"""A window that falls by fewer points was recalculated, not reset."""


class WindowMark(msgspec.Struct, frozen=True):
    """A window as it is remembered until it is reset.

    Its date may move without a reset, so the mark follows it.
    """

    limit_id: str
    minutes: int | None
    used_percent: float | None
    """The highest share seen since the mark was set."""
    resets_at: datetime | None
    """The last known date."""
    seen_at: datetime
    """The reading it comes from; an older one says nothing about it."""

    @property
    def key(self) -> WindowKey:
        """Which window it is."""
        return self.limit_id, self.minutes

    def find(self, snapshot: Snapshot) -> Window | None:
        """The window in a reading."""
        return next((window for window in snapshot.windows if window.key == self.key), None)

    def has_reset(self, snapshot: Snapshot) -> bool:
        """Whether a newer reading shows that the window was reset since."""
        window = self.find(snapshot)
        if window is None or snapshot.provenance.observed_at <= self.seen_at:
            return False
        return has_fallen(self.used_percent, window.used_percent) or self._has_begun_anew(window)

    def _has_begun_anew(self, window: Window) -> bool:
        """Whether the window in hand began when the remembered one had ended; a date that only moved does not."""
        if self.resets_at is None or window.begins_at is None:
            return False
        return window.begins_at >= self.resets_at - RESET_GRACE

    def follow(self, snapshot: Snapshot) -> "WindowMark":
        """The mark after a newer reading of the same window."""
        window = self.find(snapshot)
        if window is None or snapshot.provenance.observed_at <= self.seen_at:
            return self
        shares = [share for share in (self.used_percent, window.used_percent) if share is not None]
        return replace(
            self,
            used_percent=max(shares, default=None),
            resets_at=window.resets_at or self.resets_at,
            seen_at=snapshot.provenance.observed_at,
        )


def mark(window: Window, seen_at: datetime) -> WindowMark:
    """Remember a window."""
    return WindowMark(window.limit_id, window.minutes, window.used_percent, window.resets_at, seen_at)


def has_fallen(before: float | None, after: float | None) -> bool:
    """Whether a share fell so far that only a reset explains it; unknown shares explain nothing."""
    if before is None or after is None:
        return False
    return before - after >= _LEAST_FALL and after <= before / 2
