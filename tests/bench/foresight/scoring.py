"""What is counted, person by person: errors and intervals of forecasts, warnings, waiting."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench.foresight import oracle, others
from tests.bench.foresight.closed_loop import Asked, play
from tests.bench.foresight.people import DAY, HOUR, MINUTE, MONDAY, person
from tests.bench.foresight.service import never, simple_run, soonest

WARMED_UP = MONDAY + 21 * DAY
"""Forecasts count from the fourth week on."""

_LEAST_ALIKE = 10
"""So many like moments have to be over to say how often the limit came."""

SUMS = (
    "count",
    "error",
    "line",
    "average",
    "early",
    "late",
    "likely",
    "likely_early",
    "likely_late",
    "alike",
    "alike_open",
    "low",
    "high",
    "width",
    "own",
)


@dataclass
class Scores:
    """The sums of one person."""

    waiting: dict[str, float] = field(default_factory=dict)
    """Hours under each way to spend."""
    hits: int = 0
    warned: int = 0
    false: int = 0
    weeks: float = 0.0
    lapsed: int = 0
    oracle_used: int = 0
    sums: dict[str, dict[str, float]] = field(default_factory=dict)
    """By window: sums over the moments of active use."""


def score(seed: str, number: int, weeks: int = 12, advice: bool = True) -> Scores:
    """Run everything for one person; a seed that begins with `others` is for the second generator.

    Args:
        seed: The seed.
        number: The person's place.
        weeks: How long the life is.
        advice: Whether advice is scored too, which takes most of the time: oracle, nights and simple rules.
    """
    who = (others.person if seed.startswith("others") else person)(seed, number, weeks)
    played = play(who, forecasts=True)
    found = Scores(weeks=weeks)
    if advice:
        by_night = play(who, nobody_at_night=True)
        least, moments = oracle.best(who)
        found.waiting = {
            "advice": played.life.waiting / HOUR,
            "advice, nobody at night": by_night.life.waiting / HOUR,
            "never": simple_run(who, never).waiting / HOUR,
            "every hit": simple_run(who, soonest).waiting / HOUR,
            "before expiry": simple_run(who, never, 5 * MINUTE).waiting / HOUR,
            "oracle": least / HOUR,
        }
        # A credit is wasted where it lapsed although the oracle, which spends the soonest first, found as many uses.
        found.oracle_used = len(moments)
        found.lapsed = max(0, min(len(played.life.lapsed), len(moments) - len(played.life.spends)))
    found.hits = len(played.life.hits)
    for at, minutes, _ in played.life.hits:
        found.warned += any(m == minutes and 5 * MINUTE <= at - w <= 30 * MINUTE for w, m in played.warnings)
    for at, minutes in played.warnings:
        found.false += not any(m == minutes and 0 <= h - at <= HOUR for h, m, _ in played.life.hits)
    for asked in (300, 10080):
        windows = [a for a in played.asked if a.minutes == asked]
        if windows:
            found.sums[str(asked)] = _sums(windows, played.life.hits, [at for at, _ in played.life.spends], who.end)
            half = [a for a in windows if a.used >= 50]
            found.sums[f"{asked}, half used"] = _sums(
                half, played.life.hits, [s for s, _ in played.life.spends], who.end
            )
    return found


def _sums(
    asked: Sequence[Asked], hits: Sequence[tuple[float, int, float]], spends: Sequence[float], end: float
) -> dict[str, float]:
    sums = dict.fromkeys(SUMS, 0.0)
    own: list[float] = []
    waiting: list[tuple[float, float, tuple[int, int], bool]] = []
    alike: dict[tuple[int, int], list[bool]] = {}
    for moment in asked:
        reset = moment.resets_at
        hit = next((at for at, m, _ in hits if m == moment.minutes and moment.at < at <= reset), None)
        limit = reset if hit is None else hit
        if reset > end or any(moment.at < spend < limit - 1 for spend in spends):
            continue
        for known, error, kind, came in waiting:
            if known <= moment.at:
                own.append(error)
                alike.setdefault(kind, []).append(came)
        waiting = [row for row in waiting if row[0] > moment.at]
        # Moments are alike where as much was used, to a tenth, with as much time left, to a fifth of the window.
        kind = (int(moment.used // 10), int((reset - moment.at) * 5 // (moment.minutes * MINUTE)))
        waiting.append((limit, limit - moment.average, kind, hit is not None))
        if moment.at < WARMED_UP:
            continue
        low, middle, high = (reset if q is None else q for q in moment.limit)
        early, late = limit < low - 1, limit > high + 1
        likely = moment.chance >= 0.1
        before = alike.get(kind, [])
        can_come = len(before) >= _LEAST_ALIKE and sum(before) >= 0.1 * len(before)
        share = moment.last_used if hit is None else 100.0
        values = {
            "count": 1.0,
            "error": abs(middle - limit),
            "line": abs(moment.line - limit),
            "average": abs(moment.average - limit),
            "early": early,
            "late": late,
            "likely": likely,
            "likely_early": likely and early,
            "likely_late": likely and late,
            "alike": can_come,
            "alike_open": can_come and moment.limit[2] is None,
            "low": share < moment.share[0] - 1,
            "high": share > moment.share[1] + 1,
        }
        if len(own) >= 30:
            lately = sorted(own[-2000:])
            first, last = (moment.average + lately[int(share * len(lately))] for share in (0.1, 0.9))
            values["own"] = min(reset, max(moment.at, last)) - min(reset, max(moment.at, first))
            values["width"] = high - low
        for name, value in values.items():
            sums[name] += value
    return sums


def resampled(people: Sequence[Scores], figure: Callable[[Sequence[Scores]], float]) -> str:
    """A figure with the 90 % interval of resampling people."""
    draw = random.Random("people")
    found = sorted(figure([draw.choice(people) for _ in people]) for _ in range(400))
    return f"{figure(people):.2f} ({found[20]:.2f} to {found[379]:.2f})"


def ratio(window: str, above: str, below: str) -> Callable[[Sequence[Scores]], float]:
    """One sum over another."""

    def figure(people: Sequence[Scores]) -> float:
        total = [sum(p.sums[window][name] for p in people if window in p.sums) for name in (above, below)]
        return total[0] / total[1] if total[1] else 0.0

    return figure


def saved(way: str) -> Callable[[Sequence[Scores]], float]:
    """The share of the waiting that the oracle saves."""

    def figure(people: Sequence[Scores]) -> float:
        total = {name: sum(p.waiting[name] for p in people) for name in (way, "never", "oracle")}
        possible = total["never"] - total["oracle"]
        return (total["never"] - total[way]) / possible if possible else 0.0

    return figure
