"""When a window will be empty, from its last quarter of an hour of active use.

A plain forecast: a straight line. Whoever asks for one calls `forecast`, so that a better one can take its place.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.resets import WindowKey, WindowMark, key_of, mark
from tui.domain.snapshot import Account, Snapshot

SPAN: Final = timedelta(minutes=15)
"""So much active use is looked back on."""

LEAST_SAMPLES: Final = 3
LEAST_SPAN: Final = timedelta(minutes=3)

LONGEST_GAP: Final = timedelta(minutes=6)
"""A longer time between two readings was not watched, and counts as idle; polling at rest takes five minutes."""

_LEAST_FALL: Final = 2.0
"""Two sources may round differently; a fall by more than this cuts the history."""

_THINNED: Final = timedelta(seconds=5)
_KEPT: Final = 256
_HORIZON_HOURS: Final = 24.0 * 366


class Sample(msgspec.Struct, frozen=True):
    """One reading of one window."""

    at: datetime
    used_percent: float
    active: bool = True
    """Whether a session was at work since the sample before; True where nobody knows."""


class Forecast(msgspec.Struct, frozen=True):
    """What the straight line says; expected, never observed."""

    empty_at: datetime | None
    """When the window is used up if work goes on like this; None where that is not before its reset."""
    slope_percent_per_hour: float
    at_reset_percent: float | None
    """Where it lands at its reset, at most 100 and never below what is used; None where its reset is unknown."""


def forecast(samples: Sequence[Sample], now: datetime, resets_at: datetime | None = None) -> Forecast | None:
    """Draw the line.

    Args:
        samples: Readings of one window, the newest last.
        now: The present moment.
        resets_at: When the window starts afresh, if known.

    Returns:
        None where there is too little to go by: fewer than three readings or three minutes of active use since the
        last reset, nothing recent, or a window that is over.
    """
    points = _active_points(samples)
    if len(points) < LEAST_SAMPLES or -points[-1][0] * 3600 < LEAST_SPAN.total_seconds():
        return None
    last = samples[-1]
    if now - last.at > LONGEST_GAP or (resets_at is not None and resets_at <= now):
        return None
    slope = _slope(points)
    hours_to_reset = None if resets_at is None else (resets_at - last.at) / timedelta(hours=1)
    if slope <= 0:
        return Forecast(None, slope, None if resets_at is None else last.used_percent)
    hours = max(0.0, 100.0 - last.used_percent) / slope
    landing = None
    if hours_to_reset is not None:
        landing = max(last.used_percent, min(100.0, last.used_percent + slope * hours_to_reset))
    if hours > (_HORIZON_HOURS if hours_to_reset is None else hours_to_reset):
        return Forecast(None, slope, landing)
    return Forecast(max(now, last.at + timedelta(hours=hours)), slope, landing)


def _active_points(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Hours before the newest sample, counting active use only, and points below it; the newest first."""
    if not samples:
        return []
    hours, points = 0.0, 0.0
    found = [(0.0, 0.0)]
    for newer, older in zip(reversed(samples), reversed(samples[:-1]), strict=False):
        gap = newer.at - older.at
        if older.used_percent - newer.used_percent > _LEAST_FALL or gap < timedelta(0):
            break
        if not newer.active or gap > LONGEST_GAP:
            continue  # neither this time nor what was used in it says how fast work goes
        hours -= gap / timedelta(hours=1)
        points -= newer.used_percent - older.used_percent
        found.append((hours, points))
        if -hours >= SPAN / timedelta(hours=1):
            break
    return found


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares, in points an hour."""
    middle = sum(hours for hours, _ in points) / len(points)
    level = sum(share for _, share in points) / len(points)
    spread = sum((hours - middle) ** 2 for hours, _ in points)
    return sum((hours - middle) * (share - level) for hours, share in points) / spread if spread else 0.0


class _Series(msgspec.Struct, frozen=True):
    mark: WindowMark
    samples: tuple[Sample, ...]


class SampleLog(msgspec.Struct, frozen=True):
    """The readings of every window of one account since its last reset; bounded."""

    account: Account | None = None
    series: tuple[_Series, ...] = ()

    def take(self, snapshot: Snapshot, *, active: bool = True) -> "SampleLog":
        """Add a reading; a window that started afresh, or another account, begins anew.

        Args:
            snapshot: The reading.
            active: Whether a session was at work since the last one.
        """
        old = {} if self._is_other(snapshot) else {series.mark.key: series for series in self.series}
        fresh = []
        for window in snapshot.windows:
            share = window.used_percent
            known = old.get(key_of(window))
            if share is None or not math.isfinite(share):
                fresh += [known] if known else []
                continue
            sample = Sample(snapshot.provenance.observed_at, share, active)
            if known is None or known.mark.has_reset(snapshot) or sample.at < known.samples[-1].at - LONGEST_GAP:
                fresh.append(_Series(mark(window, sample.at), (sample,)))
            else:
                fresh.append(_Series(known.mark.follow(snapshot), _extended(known.samples, sample)))
        return SampleLog(snapshot.account, tuple(fresh))

    def _is_other(self, snapshot: Snapshot) -> bool:
        return self.account is not None and self.account.differs_from(snapshot.account)

    def samples(self, limit_id: str, minutes: int | None) -> tuple[Sample, ...]:
        """The readings of one window, the newest last."""
        return next((series.samples for series in self.series if series.mark.key == (limit_id, minutes)), ())

    def forecasts(self, now: datetime) -> Mapping[WindowKey, Forecast | None]:
        """A forecast for every window; None where unknown."""
        return {series.mark.key: forecast(series.samples, now, series.mark.resets_at) for series in self.series}


def _extended(samples: tuple[Sample, ...], sample: Sample) -> tuple[Sample, ...]:
    last = samples[-1]
    if sample.at <= last.at:
        return samples
    if len(samples) > 1 and sample.at - samples[-2].at < _THINNED:
        # Many readings a second, as six sessions push them, make one.
        return (*samples[:-1], replace(sample, active=sample.active or last.active))
    return (*samples, sample)[-_KEPT:]
