"""The moments of a person's past that are like the present one."""

from math import exp, log
from typing import Final

from tui.domain.use import BIN, BLOCKED, DAY_BINS, HOUR_BINS, WATCHED, UseRecord, is_weekend

_STEP: Final = 3
"""Bins between two remembered moments."""

_NEIGHBOURS: Final = 300
_HOURS_AROUND: Final = 2
_HALF_DAY_TIME: Final = 15.0
"""Bins apart in the time of day that count as one unit of unlikeness."""

_HALF_LIFE_DAYS: Final = 30.0
_PACE_POWER: Final = 0.7
_WEEKEND: Final = 0.5

Pace = tuple[float, float, float, float]


class Moments:
    """The remembered moments of a record, which grows, by hour of the day, apart for work and rest."""

    def __init__(self, record: UseRecord) -> None:
        self._record = record
        self._next = 0
        self._working: list[list[tuple[int, Pace, bool]]] = [[] for _ in range(24)]
        self._resting: list[list[tuple[int, Pace, bool]]] = [[] for _ in range(24)]
        self._cached_for: tuple[int, float, bool] | None = None
        self._cached: list[tuple[float, float, int]] = []

    def _pace(self, place: int, more: float = 0.0) -> Pace:
        """How fast it went in the quarter, hour, three and ten hours before a place."""
        used = self._record.used_between
        return (
            log(1.0 + 4 * (used(place - 3, place) + more)),
            log(1.0 + used(place - 12, place) + more),
            log(1.0 + 0.4 * (used(place - 36, place) + more)),
            log(1.0 + 0.125 * (used(place - 120, place) + more)),
        )

    def grow(self) -> None:
        """Remember the moments that came to the record."""
        record = self._record
        top = len(record.flags)
        while self._next < top:
            place = self._next
            self._next += _STEP
            if place < _STEP:
                continue
            flags = record.flags[place - 1]
            if not flags & WATCHED or flags & BLOCKED:
                continue
            number = record.first_bin + place
            working = record.used_between(place - _STEP, place) > 0
            bucket = (self._working if working else self._resting)[number % DAY_BINS // HOUR_BINS]
            bucket.append((place, self._pace(place), is_weekend(number)))

    def near(self, now: float) -> list[tuple[float, float, int]]:
        """The moments most like the present one.

        Returns:
            (weight, how much faster it goes now than it went then, place in the record), the likest first.
        """
        record = self._record
        place = len(record.sums) - 1
        working = now - record.last_use_at <= _STEP * BIN
        more = record.now_sum - record.sums[-1]
        key = (place, round(more, 1), working)
        if key == self._cached_for:
            return self._cached
        first, second, third, fourth = self._pace(place, more)
        number = record.first_bin + place
        bin_of_day = number % DAY_BINS
        hour = bin_of_day // HOUR_BINS
        weekend = is_weekend(number)
        buckets = self._working if working else self._resting
        first_bin = record.first_bin
        found = []
        for step in range(-_HOURS_AROUND, _HOURS_AROUND + 1):
            for past, pace, other in buckets[(hour + step) % 24]:
                a, b, c, d = pace
                apart = abs((first_bin + past) % DAY_BINS - bin_of_day)
                if apart > 144:
                    apart = DAY_BINS - apart
                unlike = (
                    0.02 * (a - first) ** 2
                    + 0.05 * ((b - second) ** 2 + (c - third) ** 2 + (d - fourth) ** 2)
                    + (apart / _HALF_DAY_TIME) ** 2
                    + (place - past) / (DAY_BINS * _HALF_LIFE_DAYS)
                )
                if other != weekend:
                    unlike += _WEEKEND
                found.append((unlike, past, pace))
        found.sort()
        self._cached = [
            (
                exp(-unlike),
                exp(_PACE_POWER * (0.5 * (second - p[1]) + 0.3 * (third - p[2]) + 0.2 * (fourth - p[3]))),
                past,
            )
            for unlike, past, p in found[:_NEIGHBOURS]
        ]
        self._cached_for = key
        return self._cached
