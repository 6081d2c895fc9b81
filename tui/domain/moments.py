"""The moments of a person's past that are like the present one."""

from math import exp, log
from typing import Final

import msgspec

from tui.domain.use import BIN, BLOCKED, DAY_BINS, HOUR_BINS, WATCHED, UseRecord, is_weekend

_STEP: Final = 3
"""Bins between two remembered moments."""

_NEIGHBOURS: Final = 300
_HALF_LIFE_DAYS: Final = 30.0
_PACE_POWER: Final = 0.7
_WEEKEND: Final = 0.5

Pace = tuple[float, float, float, float]


class Likeness(msgspec.Struct, frozen=True):
    """What makes two moments alike."""

    paces: Pace
    """How much a difference in pace counts in the quarter, hour, three and ten hours before."""
    time_of_day: float
    """Bins apart in the time of day that count as one unit of unlikeness."""
    hours_around: int
    """Hours of the day before and after in which moments are looked up."""
    faster: Pace
    """How much each of the four paces says of the pace to come."""


HOURS_AHEAD: Final = Likeness((0.02, 0.05, 0.05, 0.05), 15.0, 2, (0.0, 0.5, 0.3, 0.2))
"""For what comes until a reset: the time of day says most."""

SOON: Final = Likeness((0.3, 0.1, 0.03, 0.02), 40.0, 6, (0.3, 0.5, 0.2, 0.0))
"""For the next half hour: the pace of the last quarter says most."""


class Moments:
    """The remembered moments of a record, which grows, by hour of the day, apart for work and rest."""

    def __init__(self, record: UseRecord) -> None:
        self._record = record
        self._next = 0
        self._working: list[list[tuple[int, Pace, bool]]] = [[] for _ in range(24)]
        self._resting: list[list[tuple[int, Pace, bool]]] = [[] for _ in range(24)]
        self._found: dict[Likeness, tuple[tuple[int, float, bool], list[tuple[float, float, int]]]] = {}

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

    def near(self, now: float, likeness: Likeness = HOURS_AHEAD) -> list[tuple[float, float, int]]:
        """The moments most like the present one.

        Args:
            now: The present moment.
            likeness: What makes two moments alike.

        Returns:
            (weight, how much faster it goes now than it went then, place in the record), the likest first.
        """
        record = self._record
        place = len(record.sums) - 1
        working = now - record.last_use_at <= _STEP * BIN
        more = record.now_sum - record.sums[-1]
        key = (place, round(more, 1), working)
        known, found = self._found.get(likeness, (None, []))
        if known != key:
            found = self._likest(place, self._pace(place, more), self._working if working else self._resting, likeness)
            self._found[likeness] = (key, found)
        return found

    def _likest(
        self, place: int, now: Pace, buckets: list[list[tuple[int, Pace, bool]]], likeness: Likeness
    ) -> list[tuple[float, float, int]]:
        first, second, third, fourth = now
        first_bin = self._record.first_bin
        number = first_bin + place
        bin_of_day = number % DAY_BINS
        hour = bin_of_day // HOUR_BINS
        weekend = is_weekend(number)
        by_quarter, by_hour, by_three, by_ten = likeness.paces
        around, time_of_day = likeness.hours_around, likeness.time_of_day
        found = []
        for step in range(-around, around + 1):
            for past, pace, other in buckets[(hour + step) % 24]:
                a, b, c, d = pace
                apart = abs((first_bin + past) % DAY_BINS - bin_of_day)
                if apart > 144:
                    apart = DAY_BINS - apart
                unlike = (
                    by_quarter * (a - first) ** 2
                    + by_hour * (b - second) ** 2
                    + by_three * (c - third) ** 2
                    + by_ten * (d - fourth) ** 2
                    + (apart / time_of_day) ** 2
                    + (place - past) / (DAY_BINS * _HALF_LIFE_DAYS)
                )
                if other != weekend:
                    unlike += _WEEKEND
                found.append((unlike, past, pace))
        found.sort()
        w, x, y, z = likeness.faster
        return [
            (
                exp(-unlike),
                exp(_PACE_POWER * (w * (first - a) + x * (second - b) + y * (third - c) + z * (fourth - d))),
                past,
            )
            for unlike, past, (a, b, c, d) in found[:_NEIGHBOURS]
        ]
