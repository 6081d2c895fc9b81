"""When a window will be full and where it stands at its reset, from what the same person did in like moments.

Short windows (up to a day): the person's own moments at this time of day with a like pace are looked up; how long it
took from each until as much more was used gives the chances. Long windows: the coming days are put together from the
person's own past days at the same hours of the week, corrected for the present level. With little record the window's
own average answers, and the basis says so. How often the ends of the intervals were wrong before moves them.
"""

from bisect import bisect_left
from math import exp, inf
from typing import Final

import msgspec

from tui.domain.judge import Claim, Judge
from tui.domain.moments import HOURS_AHEAD, SOON, Likeness, Moments
from tui.domain.use import BIN, DAY_BINS, DAY_MINUTES, WEEK_BINS, UseRecord, WindowUse, weighted_quantiles

_LEAST_MOMENTS: Final = 8
_OWN_PACE_WEIGHT: Final = 2.0
"""The window's own average counts like two past moments."""

_OWN_PACE_SPREAD: Final = 0.6
_DRAWS: Final = 64
_OWN_WEEK_WEIGHT: Final = 0.25
"""The average of the week under way counts beside the rhythm like so large a part of it."""

_OWN_WEEK_SPREAD: Final = 0.6
_WEEK_SPREAD: Final = 0.35
"""Standard deviation of the log of a coming week's level against the recent one."""

_WEEK_HALF_LIFE: Final = 6.0
_LEVEL_POWER: Final = 0.6
_FIRST_BINS: Final = 288
"""The first day to come is one that came after a like moment."""

_ROUNDING: Final = 0.3
"""A whole per cent hides so much on average, floor or nearest."""

_FINITE_CHANCE: Final = 0.01
"""From this chance on, or where the limit came in like moments before, the later end is a moment, at the latest the
reset."""


class Interval(msgspec.Struct, frozen=True):
    """Three quantiles; a None among moments means not before the reset."""

    p10: float | None
    p50: float | None
    p90: float | None


class Forecast(msgspec.Struct, frozen=True):
    """What to expect of one window; expected, never observed."""

    at: float
    minutes: int
    limit_at: Interval | None
    """When it is full, Unix seconds; an end at the reset means then or not at all. None: too little to tell."""
    at_reset_percent: Interval | None
    """Where it stands at its natural reset, at most 100."""
    chance: float | None
    """The chance that it is full before its reset."""
    resets_at: float | None
    basis: str
    """What the figures rest on, in plain words."""


class Paths(msgspec.Struct, frozen=True):
    """Possible ways on from a moment."""

    passages: list[tuple[float, float]]
    """(seconds until the limit, weight), sorted; infinite where it is not reached."""
    amounts: list[tuple[float, float]]
    """(demand until the reset, weight), sorted."""
    basis: str

    def chance_within(self, seconds: float) -> float:
        """The share of the ways on that reach the limit within a time."""
        total = sum(weight for _, weight in self.passages)
        return sum(weight for after, weight in self.passages if after <= seconds) / total


class Forecaster:
    """Forecasts of every window of one record.

    Args:
        record: What was read; the caller adds to it and calls `learn` after each reading.
    """

    def __init__(self, record: UseRecord) -> None:
        self._record = record
        self._moments = Moments(record)
        self._judges: dict[int, Judge] = {}

    def paths(self, minutes: int, now: float) -> Paths | None:
        """The possible ways on of one window; None where nothing can be said.

        Args:
            minutes: The window's length.
            now: The present moment, not before the last reading.
        """
        window = self._record.windows.get(minutes)
        if window is None or window.resets_at is None or window.resets_at <= now:
            return None
        horizon = window.resets_at - now
        share = self._record.share_of(minutes)
        paths = None
        if share is not None:
            left = max(0.01, 100.0 - window.used - _ROUNDING) / share
            is_short = minutes <= DAY_MINUTES
            paths = self._short(window, left, horizon, now) if is_short else self._long(window, share, horizon, now)
        return paths or self._average(window, share or 1.0, now)

    def chance_within(self, minutes: int, now: float, seconds: float) -> float | None:
        """The chance that a window is full within a short time; None where nothing can be said.

        Like moments serve every window here, since it is the next half hour that counts.
        """
        window = self._record.windows.get(minutes)
        share = self._record.share_of(minutes)
        if window is None or window.resets_at is None or share is None:
            return None
        horizon = min(seconds, window.resets_at - now)
        if horizon <= 0:
            return None
        left = max(0.01, 100.0 - window.used - _ROUNDING) / share
        if left > 120:
            return 0.0
        paths = self._short(window, left, horizon, now, SOON)
        return None if paths is None else paths.chance_within(horizon)

    def forecast(self, minutes: int, now: float) -> Forecast | None:
        """What to expect of one window; None where it is unknown.

        Args:
            minutes: The window's length.
            now: The present moment, not before the last reading.
        """
        window = self._record.windows.get(minutes)
        if window is None:
            return None
        allowed = self._record.last is not None and self._record.last.allowed is True
        if window.used >= 100 and not allowed:
            full = Interval(window.moved_at, window.moved_at, window.moved_at)
            return Forecast(now, minutes, full, Interval(100, 100, 100), 1.0, window.resets_at, "the limit is reached")
        paths = self.paths(minutes, now)
        if paths is None or window.resets_at is None:
            return Forecast(now, minutes, None, None, None, window.resets_at, "too little to tell")
        resets_at = window.resets_at
        judge = self._judge(window)
        chance = paths.chance_within(resets_at - now)
        limit, sides = judge.ends(window.used)
        found = weighted_quantiles(paths.passages, (limit.low, 0.5, limit.high))
        ends = [None if q == inf or now + q >= resets_at else now + q for q in found]
        if ends[2] is None and (chance >= _FINITE_CHANCE or judge.can_come(window.used, resets_at - now)):
            ends[2] = resets_at
        share = self._record.share_of(minutes) or 1.0
        amounts = weighted_quantiles(paths.amounts, (sides.low, 0.5, sides.high))
        shares = [min(100.0, window.used + _ROUNDING + amount * share) for amount in amounts]
        return Forecast(now, minutes, Interval(*ends), Interval(*shares), chance, resets_at, paths.basis)

    # -- ways on -----------------------------------------------------------------------------------------------------

    def _average(self, window: WindowUse, share: float, now: float) -> Paths | None:
        """The window's own average goes on, more or less."""
        assert window.resets_at is not None
        started = max(window.resets_at - window.minutes * 60.0, self._record.first_at if window.used < 1 else 0.0)
        elapsed = now - started
        if elapsed < 120 or (window.used <= 0 and self._record.watched_days < 0.5):
            return None
        horizon = window.resets_at - now
        pace = _own_pace(window, elapsed) / share
        spread = 0.7 if window.minutes <= DAY_MINUTES else _OWN_WEEK_SPREAD
        passages, amounts = _spread_pace(pace, (100.0 - window.used) / share, horizon, spread, 20, 1.0)
        return Paths(sorted(passages), sorted(amounts), "the average of this window so far")

    def _short(
        self, window: WindowUse, left: float, horizon: float, now: float, likeness: Likeness = HOURS_AHEAD
    ) -> Paths | None:
        record = self._record
        bins = min(int(horizon / BIN) + 1, DAY_BINS)
        sums = record.sums
        top = len(sums) - 1
        passages, amounts = [], []
        days = set()
        for weight, factor, past in self._moments.near(now, likeness):
            last = past + bins
            if last > top:
                continue
            begin = sums[past]
            target = begin + left / factor
            amounts.append(((sums[last] - begin) * factor, weight))
            passages.append((passage(sums, past, last, target) * BIN, weight))
            days.add((past + record.first_bin) // DAY_BINS)
        if len(passages) < _LEAST_MOMENTS:
            return None
        assert window.resets_at is not None
        elapsed = max(1200.0, now - window.resets_at + window.minutes * 60)
        pace = max(1e-5, window.used / elapsed)
        more = _spread_pace(pace, left, horizon, _OWN_PACE_SPREAD, 10, _OWN_PACE_WEIGHT / 10)
        passages += more[0]
        amounts += more[1]
        passages.sort()
        amounts.sort()
        return Paths(passages, amounts, f"{len(passages) - 10} like moments on {len(days)} of your days")

    def _long(self, window: WindowUse, share: float, horizon: float, now: float) -> Paths | None:
        record = self._record
        sums = record.paced
        place = len(sums) - 1
        bins = int(horizon / BIN) + 1
        weeks = place // WEEK_BINS
        left = max(0.01, 100.0 - window.used - _ROUNDING) / share
        step, sources = WEEK_BINS, weeks
        if weeks < 1:
            step, sources = DAY_BINS, place // DAY_BINS
            if sources < 2:
                return None
        spread = _WEEK_SPREAD if weeks else 0.6
        levels = [max(1e-9, sums[place - s * step] - sums[place - (s + 1) * step]) for s in range(sources)]
        recent = levels[0] if weeks else sum(levels) / len(levels)
        weights = [0.5 ** (s / _WEEK_HALF_LIFE) for s in range(sources)] if weeks else [1.0] * sources
        total = sum(weights)
        powers = [(recent / level) ** _LEVEL_POWER for level in levels] if weeks else [1.0] * sources
        passages: list[tuple[float, float]] = []
        amounts: list[tuple[float, float]] = []
        first = min(bins, _FIRST_BINS)
        near = [moment for moment in self._moments.near(now) if moment[2] + first <= place]
        if len(near) < _LEAST_MOMENTS:
            first = 0
        near_weight = sum(weight for weight, _, _ in near)
        passed, nearest = 0.0, 0
        for number in range(_DRAWS):
            level = exp(spread * normal_quantile((number * 7 % _DRAWS + 0.5) / _DRAWS))
            used, at, reached = 0.0, 0, inf
            if first:
                while passed + near[nearest][0] < (number + 0.5) / _DRAWS * near_weight and nearest < len(near) - 1:
                    passed += near[nearest][0]
                    nearest += 1
                _, factor, past = near[nearest]
                used = (sums[past + first] - sums[past]) * factor
                if used >= left:
                    reached = passage(sums, past, past + first, sums[past] + left / factor)
                at = first
            while at < bins:
                length = min(DAY_BINS, bins - at)
                source = choose(weights, total, evenly(number, at // DAY_BINS))
                factor = level * min(3.0, powers[source])
                begin = place - (source + 1) * step + (at % WEEK_BINS if weeks else 0)
                piece = (sums[begin + length] - sums[begin]) * factor
                if reached == inf and used + piece >= left:
                    reached = at + passage(sums, begin, begin + length, sums[begin] + (left - used) / factor)
                used += piece
                at += length
            amounts.append((used, 1.0))
            passages.append((reached * BIN, 1.0))
        pace = _own_pace(window, window.minutes * 60 - horizon) / share
        more = _spread_pace(pace, left, horizon, _OWN_WEEK_SPREAD, 20, _OWN_WEEK_WEIGHT * _DRAWS / 20)
        passages += more[0]
        amounts += more[1]
        passages.sort()
        amounts.sort()
        return Paths(passages, amounts, f"rhythm of {_count(sources, 'week' if weeks else 'day')}")

    # -- learning from misses ----------------------------------------------------------------------------------------

    def _judge(self, window: WindowUse) -> Judge:
        return self._judges.setdefault(window.minutes, Judge(window.minutes, window.resets_at or 0.0))

    def claim(self, forecast: Forecast) -> None:
        """Remember what was said while somebody was at work, every half hour; it is judged when the window is over."""
        judge, resets_at = self._judges.get(forecast.minutes), forecast.resets_at
        limit, share = forecast.limit_at, forecast.at_reset_percent
        if judge is None or limit is None or share is None or resets_at is None:
            return
        if forecast.at - self._record.last_use_at > 900:
            return
        low, high = (resets_at if end is None else end for end in (limit.p10, limit.p90))
        used = self._record.windows[forecast.minutes].used
        judge.hear(Claim(forecast.at, used, (low, high), (share.p10 or 0.0, share.p90 or 0.0)), resets_at)

    def learn(self) -> None:
        """Judge what was said of windows that are over or full by now."""
        last = self._record.last
        if last is None:
            return
        for minutes, judge in self._judges.items():
            if not judge.waits:
                continue
            window = self._record.windows[minutes]
            same = window.resets_at is not None and abs(window.resets_at - judge.resets_at) < 600
            if same and window.used >= 100:
                judge.settle(window.moved_at, 100.0)
            elif last.at >= judge.resets_at:
                judge.settle(judge.resets_at, window.used if same else window.used_before)
            elif not same:
                judge.forget()

    def grow(self) -> None:
        """Remember the moments that came to the record."""
        self._moments.grow()


def passage(sums: list[float], first: int, last: int, target: float) -> float:
    """How many bins after `first` a rising sum passes `target`; infinite if not by `last`."""
    if sums[last] < target:
        return inf
    place = bisect_left(sums, target, first, last + 1)
    if place <= first:
        return 0.0
    rise = sums[place] - sums[place - 1]
    return place - first - (1 - (target - sums[place - 1]) / rise if rise > 0 else 0.0)


def _own_pace(window: WindowUse, elapsed: float) -> float:
    """Per cent of a window in a second so far; its first minutes do not count as its pace."""
    return max(window.used, 0.2) / max(elapsed, 0.04 * window.minutes * 60)


def _spread_pace(
    pace: float, left: float, horizon: float, spread: float, count: int, weight: float
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """One pace, more or less: passages and amounts."""
    passages, amounts = [], []
    for number in range(count):
        rate = pace * exp(spread * normal_quantile((number + 0.5) / count))
        after = left / rate
        passages.append((after if after < horizon else inf, weight))
        amounts.append((rate * horizon, weight))
    return passages, amounts


def evenly(number: int, step: int) -> float:
    """A number from 0 to 1, spread evenly; the same arguments give the same one."""
    mixed = (number * 2654435761 + step * 40503 + 12345) & 0xFFFFFFFF
    mixed = ((mixed >> 16) ^ mixed) * 0x45D9F3B & 0xFFFFFFFF
    mixed = ((mixed >> 16) ^ mixed) * 0x45D9F3B & 0xFFFFFFFF
    return ((mixed >> 16) ^ mixed) / 0x100000000


def choose(weights: list[float], total: float, unit: float) -> int:
    """The place that a number from 0 to 1 falls on."""
    left = unit * total
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return len(weights) - 1


def normal_quantile(unit: float) -> float:
    """The standard normal quantile, close enough for a spread (Tukey's lambda)."""
    return float((unit**0.135 - (1 - unit) ** 0.135) / 0.1975)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
