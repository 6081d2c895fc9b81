"""How fast somebody uses up their windows: every reading added to one growing record.

The record counts *demand*: per cent of the shortest window used, in bins of five minutes, without the jumps back at
resets. The other windows are a fixed share of it, which the readings themselves show. Where a limit blocked all work,
the demand is filled in from the person's usual rate at that hour, and the bin is marked.

`UseRecord` is the one mutable thing here: it grows with every reading and is owned by one caller. Everything that
leaves it is a value.
"""

from collections.abc import Iterator, Sequence
from math import exp, isfinite
from typing import Final

import msgspec

from tui.domain.reading import Reading

BIN: Final = 300.0
"""Seconds of one bin."""

HOUR_BINS: Final = 12
DAY_BINS: Final = 288
WEEK_BINS: Final = 2016

DAY_MINUTES: Final = 1440
"""A window up to this length is short."""

WATCHED: Final = 1
BLOCKED: Final = 2
PRESENT: Final = 4

_ROUNDING: Final = 2.5
"""A fall by no more than this is two sources that round differently."""

_NEARLY: Final = 90.0
"""From this percentage on a window can be the one that the service means when it allows no use."""

_GRACE: Final = 90.0
"""Seconds by which two clocks may differ."""

_WATCHED_GAP: Final = 45 * 60.0
"""A longer time between readings was not watched."""

_PACE_BINS: Final = 12
"""The pace before a block is that of so many bins."""

_PACE_LASTS: Final = 72.0
"""After so many bins of a block a third of that pace is still assumed."""


_SESSION_LASTS: Final = 30 * 3600.0
"""After so many hours of sessions at work, what one cost before counts half."""

_SESSION_KNOWN: Final = 2 * 3600.0
"""So much of them has to be seen."""


class WindowUse(msgspec.Struct):
    """What is known of one window now."""

    minutes: int
    at: float
    used: float
    """Per cent, the highest reading since its last reset."""
    resets_at: float | None
    total: float = 0.0
    """Per cent used over all resets, since the record of this window began."""
    base_total: float = 0.0
    """The demand recorded beside `total`."""
    moved_at: float = 0.0
    """When `used` last rose."""
    used_before: float = 0.0
    """Where it stood at its last reset."""


class ResetSeen(msgspec.Struct, frozen=True):
    """A window that went back before its date, or at it."""

    at: float
    minutes: int
    used_before: float
    natural: bool
    """Whether its date had come."""
    spent: bool | None
    """Whether a credit went at the same time; None where the bank is unknown."""


class Block(msgspec.Struct, frozen=True):
    """A time in which a limit stopped all work."""

    start: float
    end: float | None
    minutes: int
    """The length of the window that was full; 0 where only the service's word is known."""
    natural_end: float | None


class UseRecord:
    """Demand in bins of five minutes, and the windows as they stand.

    Args:
        utc_offset_minutes: Where the person's day begins.
    """

    def __init__(self, utc_offset_minutes: int = 0) -> None:
        self.offset = utc_offset_minutes * 60.0
        self.first_bin = 0
        """The bin, counted from 1970 in local time, of `sums[0]`."""
        self.sums: list[float] = [0.0]
        """Demand before each bin; the last one is before the bin that is still filling."""
        self.paced: list[float] = [0.0]
        """The same without what was filled in for blocks of short windows: how the week really fills."""
        self.present: list[float] = [0.0]
        """Bins with a person or a job at work before each bin; filled in like demand where a limit blocked."""
        self.flags = bytearray()
        self.windows: dict[int, WindowUse] = {}
        self.last: Reading | None = None
        self.resets: list[ResetSeen] = []
        self.blocks: list[Block] = []
        self.active_seconds = 0.0
        self._session_seconds = 0.0
        self._session_use = 0.0
        self._filling = 0.0
        self._paced = 0.0
        self._filling_flags = 0
        self._rate_sums = [0.0] * 48
        self._rate_counts = [0.0] * 48
        self._present_sums = [0.0] * 48
        self._first_at = 0.0
        self._open: Block | None = None
        self._last_use_at = 0.0
        self._block_bin = 0
        self._block_pace = 0.0

    # -- reading -----------------------------------------------------------------------------------------------------

    def add(self, reading: Reading) -> bool:
        """Add one reading.

        Returns:
            Whether it counted; one that is older than the last does not.
        """
        last = self.last
        if last is not None and reading.at < last.at:
            return False
        if last is None:
            self._first_at = reading.at
            self.first_bin = int((reading.at + self.offset) // BIN)
        rises = self._follow_windows(reading, last)
        base = self.base_minutes
        amount = rises.get(base, 0.0) if base is not None else 0.0
        for minutes, rise in rises.items():
            state = self.windows[minutes]
            state.total += rise
            state.base_total += amount
        if amount > 0:
            self._last_use_at = reading.at
        if last is not None:
            self._fill(last, reading, amount)
        self._follow_block(reading)
        self.last = reading
        return True

    @property
    def base_minutes(self) -> int | None:
        """The length of the window that demand is counted in: the shortest that was seen."""
        return min(self.windows, default=None)

    def _follow_windows(self, reading: Reading, last: Reading | None) -> dict[int, float]:
        rises: dict[int, float] = {}
        for window in reading.windows:
            used = window.used_percent
            if used is None or not isfinite(used) or window.minutes <= 0:
                continue
            used = max(0.0, used)
            state = self.windows.get(window.minutes)
            if state is None:
                self.windows[window.minutes] = WindowUse(window.minutes, reading.at, used, window.resets_at)
                continue
            over = state.resets_at is not None and reading.at >= state.resets_at - _GRACE
            moved = (
                state.resets_at is not None
                and window.resets_at is not None
                and window.resets_at > state.resets_at + 10 * _GRACE
            )
            fell = used < state.used - _ROUNDING
            if fell or (over and (moved or window.resets_at is None)):
                if state.used > 0:
                    self._note_reset(state, reading, last, natural=over)
                rise = used
                state.used_before, state.used = state.used, used
                state.moved_at = reading.at
            else:
                rise = max(0.0, used - state.used)
                if rise > 0:
                    state.moved_at = reading.at
                state.used = max(state.used, used)
            state.at = reading.at
            if window.resets_at is not None:
                state.resets_at = window.resets_at
            elif fell or over:
                state.resets_at = None
            rises[window.minutes] = rise
        return rises

    def _note_reset(self, state: WindowUse, reading: Reading, last: Reading | None, natural: bool) -> None:
        spent = None
        if last is not None and last.available is not None and reading.available is not None:
            spent = reading.available < last.available
        self.resets.append(ResetSeen(reading.at, state.minutes, state.used, natural, spent))

    def _fill(self, last: Reading, reading: Reading, amount: float) -> None:
        """Lay what was used between two readings over the bins in between."""
        span = reading.at - last.at
        blocked = self._open is not None
        long_block = self._open is not None and self._open.minutes > DAY_MINUTES
        flags = WATCHED if span <= _WATCHED_GAP else 0
        if blocked:
            flags |= BLOCKED
        if amount > 0 or (reading.running or 0) > 0:
            flags |= PRESENT
            if span <= 1200:
                self.active_seconds += span
        if 0 < span <= 1200 and not blocked and (last.running or 0) > 0:
            fades = 0.5 ** (span * (last.running or 0) / _SESSION_LASTS)
            self._session_seconds = self._session_seconds * fades + span * (last.running or 0)
            self._session_use = self._session_use * fades + amount
        start = last.at
        end_bin = int((reading.at + self.offset) // BIN)
        current = self.first_bin + len(self.flags)
        rate = amount / span if span > 0 else 0.0
        if span <= 0:
            self._filling += amount
            self._paced += amount
        while current < end_bin:
            edge = (current + 1) * BIN - self.offset
            piece = edge - start
            guess = self._usual_rate(current) * piece / BIN if blocked else 0.0
            self._filling += rate * piece + guess
            self._paced += rate * piece + (guess if long_block else 0.0)
            self._filling_flags |= flags
            self._close_bin(current)
            start = edge
            current += 1
        piece = reading.at - start
        if piece > 0:
            guess = self._usual_rate(current) * piece / BIN if blocked else 0.0
            self._filling += rate * piece + guess
            self._paced += rate * piece + (guess if long_block else 0.0)
        self._filling_flags |= flags

    def _close_bin(self, number: int) -> None:
        flags = self._filling_flags
        self.sums.append(self.sums[-1] + self._filling)
        self.paced.append(self.paced[-1] + self._paced)
        slot = self._slot(number)
        here = 1.0 if flags & PRESENT else 0.0
        if flags & BLOCKED:
            count = self._rate_counts[slot]
            here = self._present_sums[slot] / count if count >= HOUR_BINS else 0.4
        self.present.append(self.present[-1] + here)
        self.flags.append(flags)
        if flags & WATCHED and not flags & BLOCKED:
            self._present_sums[slot] = self._present_sums[slot] * 0.997 + here
            self._rate_sums[slot] = self._rate_sums[slot] * 0.997 + self._filling
            self._rate_counts[slot] = self._rate_counts[slot] * 0.997 + 1.0
        self._filling, self._paced, self._filling_flags = 0.0, 0.0, 0

    @staticmethod
    def _slot(number: int) -> int:
        return (24 if is_weekend(number) else 0) + number % DAY_BINS // HOUR_BINS

    def _usual_rate(self, number: int) -> float:
        """Demand in one blocked bin: first the pace before the block, then more and more the usual one of the hour."""
        slot = self._slot(number)
        count = self._rate_counts[slot]
        usual = self._rate_sums[slot] / count if count >= HOUR_BINS else 0.0
        fading = exp(-max(0, number - self._block_bin) / _PACE_LASTS)
        return self._block_pace * fading + usual * (1 - fading)

    def _follow_block(self, reading: Reading) -> None:
        full = [
            s
            for s in self.windows.values()
            if s.used >= 100 and s.at == reading.at and (s.resets_at is None or s.resets_at > reading.at)
        ]
        blocked = reading.allowed is False or (bool(full) and reading.allowed is not True)
        if blocked and not full:  # the service says so, and a percentage is rounded down: the fullest window it is
            nearly = [s for s in self.windows.values() if s.used >= _NEARLY and s.at == reading.at]
            full = sorted(nearly, key=lambda s: -s.used)[:1]
        if blocked:
            longest = max(full, key=lambda s: s.resets_at or 0.0, default=None)
            minutes, end = (longest.minutes, longest.resets_at) if longest else (0, None)
            if self._open is None:
                self._open = Block(reading.at, None, minutes, end)
                place = len(self.sums) - 1
                self._block_bin = self.first_bin + place
                before = min(place, _PACE_BINS)
                self._block_pace = self.used_between(place - before, place) / before if before else 0.0
            elif minutes and (minutes, end) != (self._open.minutes, self._open.natural_end):
                self._open = Block(self._open.start, None, minutes, end)
        elif self._open is not None:
            self.blocks.append(msgspec.structs.replace(self._open, end=reading.at))
            self._open = None

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def block(self) -> Block | None:
        """The block that lasts now."""
        return self._open

    @property
    def first_at(self) -> float:
        """When the record begins."""
        return self._first_at

    @property
    def watched_days(self) -> float:
        """How long the record is."""
        return 0.0 if self.last is None else (self.last.at - self._first_at) / 86400.0

    @property
    def last_use_at(self) -> float:
        """When the meter was last seen to rise."""
        return self._last_use_at

    @property
    def session_hour(self) -> float | None:
        """Demand of one session in an hour at work, by the recent ones; None where too few were seen."""
        seconds = self._session_seconds
        return self._session_use / seconds * 3600 if seconds >= _SESSION_KNOWN and self._session_use > 0 else None

    def bin_of(self, at: float) -> int:
        """A moment's place in `sums`."""
        return int((at + self.offset) // BIN) - self.first_bin

    @property
    def now_sum(self) -> float:
        """Demand up to the last reading."""
        return self.sums[-1] + self._filling

    def under_way(self, now: float) -> Iterator[tuple[WindowUse, float, float, float]]:
        """Each window whose reset is known and ahead, shortest first, with its reset, its start and its share."""
        for minutes, window in sorted(self.windows.items()):
            share = self.share_of(minutes)
            if share is not None and window.resets_at is not None and window.resets_at > now:
                yield window, window.resets_at, window.resets_at - minutes * 60.0, share

    def share_of(self, minutes: int) -> float | None:
        """Per cent of a window used by one per cent of demand; None where too little was seen to tell."""
        base = self.base_minutes
        if base == minutes:
            return 1.0
        state = self.windows.get(minutes)
        if state is None or state.total < 2.0 or state.base_total <= 0:
            return None
        return state.total / state.base_total

    def used_between(self, first: int, last: int) -> float:
        """Demand from one place to another; beyond the record, none."""
        top = len(self.sums) - 1
        return self.sums[min(max(last, 0), top)] - self.sums[min(max(first, 0), top)]

    def seen_between(self, start: float, end: float) -> float | None:
        """Demand from one moment to another; None unless all of it was watched, and nothing of it is filled in."""
        first, last = self.bin_of(start), self.bin_of(end)
        flags = [*self.flags[max(0, first) : last + 1], *([self._filling_flags] if last >= len(self.flags) else [])]
        if start < self._first_at or end <= start or any(not f & WATCHED or f & BLOCKED for f in flags):
            return None
        return self._sum_at(end) - self._sum_at(start)

    def _sum_at(self, at: float) -> float:
        """Demand before a moment, laid evenly over its bin."""
        place = self.bin_of(at)
        if place >= len(self.flags):
            return self.now_sum
        share = (at + self.offset) / BIN - self.first_bin - place
        return self.sums[place] + (self.sums[place + 1] - self.sums[place]) * share


def is_weekend(number: int) -> bool:
    """Whether a bin, counted from 1970, lies on a Saturday or Sunday."""
    return (number // DAY_BINS + 3) % 7 >= 5  # 1 January 1970 was a Thursday


def weighted_quantiles(values: Sequence[tuple[float, float]], shares: Sequence[float]) -> list[float]:
    """The values below which these shares of the weight lie; `values` are (value, weight), sorted, not empty."""
    total = sum(weight for _, weight in values)
    found = []
    place, before = 0, 0.0
    for share in shares:
        wanted = share * total
        while place < len(values) - 1 and before + values[place][1] < wanted:
            before += values[place][1]
            place += 1
        found.append(values[place][0])
    return found
