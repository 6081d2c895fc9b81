"""Simulated people whose future is known: what they ask of Codex, minute by minute, for some weeks.

Everything that the generator assumes is written here:

- A person is of one of eight kinds, drawn in turn: office, evening, agents (several sessions at once), night jobs,
  irregular, weekend, light and changing (the habit changes for good in one of the weeks).
- A day has its chance of work (less at weekends, none on holidays: five per cent of single days, and for two people in
  five one whole week), its level (lognormal, sigma 0.45) inside the level of its week (lognormal, sigma 0.25).
- A working day is a row of sittings: work for 20 to 90 minutes, pause for 5 to 50; lunch at noon for office people.
- In a sitting turns follow each other after 1 to 6 minutes of reading; a turn is 1 to 10 model requests, 20 to 50
  seconds apart; a request's cost is lognormal with a heavy tail (sigma 1.0, one in fifty ten times as dear).
- Night jobs start between 22:00 and 02:00 on two nights in three, run for two to five hours without a pause.
- Blocked work waits with the person's own chance (0.4 to 0.9), otherwise it is lost. What waits is done in the first
  hour of presence after the block; what is undone at the next hit is given up.
- Plans: `plus` (5 hours and a week; a full 5-hour window is 12 to 22 per cent of the week), `pro` (five times as large,
  for people who work that much more), `weekly` (no 5-hour window).
- Credits: granted every 8 to 25 days, one in five as a pair; each lives 30 days (one in ten 14 days).
- The person is present while a sitting or a night job goes on: time blocked while present is waiting.
"""

import random
from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0
MONDAY: Final = 1772409600.0  # 2026-03-02T00:00:00Z, a Monday

KINDS: Final = ("office", "evening", "agents", "night", "irregular", "weekend", "light", "changing")


@dataclass
class Person:
    """One simulated person."""

    name: str
    kind: str
    plan: str
    weekly_share: float
    """What one per cent of the 5-hour window is of the week, in per cent."""
    waits: float
    """The chance that blocked work waits."""
    requests: list[tuple[float, float]] = field(default_factory=list)
    """(moment, cost in per cent of the 5-hour window), in order."""
    presence: list[tuple[float, float]] = field(default_factory=list)
    """(start, end) of every sitting and job, in order, apart from each other."""
    nights: list[tuple[float, float]] = field(default_factory=list)
    """The presence that is a job without a person."""
    credits: list[tuple[str, float, float]] = field(default_factory=list)
    """(id, granted, expires)."""
    rounding: str = "floor"
    weeks: int = 12

    @property
    def end(self) -> float:
        """The end of the recording."""
        return MONDAY + self.weeks * 7 * DAY

    def minutes(self) -> tuple[int, ...]:
        """The lengths of the windows of the plan."""
        return (10080,) if self.plan == "weekly" else (300, 10080)


_HABITS: Final = {
    # kind: (first hour, last hour, chance on weekdays, chance at weekends, level)
    "office": (9.0, 17.5, 0.95, 0.1, 1.0),
    "evening": (18.5, 23.5, 0.75, 0.7, 1.3),
    "agents": (9.5, 20.0, 0.95, 0.35, 0.28),
    "night": (10.0, 17.0, 0.8, 0.1, 0.55),
    "irregular": (8.0, 22.0, 0.6, 0.5, 1.1),
    "weekend": (10.0, 22.0, 0.15, 0.95, 1.1),
    "light": (9.0, 18.0, 0.7, 0.1, 0.45),
    "changing": (9.0, 18.0, 0.9, 0.2, 0.8),
}


def person(seed: str, number: int, weeks: int = 12) -> Person:
    """Draw one person; the same seed and number give the same person.

    Args:
        seed: Seeds for tuning and for reporting are different words.
        number: The person's place; decides the kind.
        weeks: How long the life is.
    """
    draw = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    plan = draw.choices(("plus", "pro", "weekly"), (0.7, 0.15, 0.15))[0]
    made = Person(
        f"{seed}/{number}",
        kind,
        plan,
        weekly_share=draw.uniform(0.12, 0.22),
        waits=draw.uniform(0.4, 0.9),
        rounding=draw.choice(("floor", "nearest")),
        weeks=weeks,
    )
    _work(made, draw)
    _grants(made, draw)
    return made


def _work(made: Person, draw: random.Random) -> None:
    first, last, weekday, weekend, level = _HABITS[made.kind]
    first += draw.uniform(-1, 1)
    last += draw.uniform(-1, 1)
    base = level * draw.lognormvariate(0, 0.3)
    if made.plan == "pro":
        base *= draw.uniform(0.8, 1.2)
    holiday = draw.randrange(2, made.weeks) if draw.random() < 0.4 else -1
    change = draw.randrange(made.weeks // 3, 2 * made.weeks // 3 + 1)
    factor = draw.choice((0.45, 1.9))
    shift = draw.choice((0.0, 3.0, -1.5))
    spans: list[tuple[float, float, float, bool]] = []
    for week in range(made.weeks):
        week_level = draw.lognormvariate(0, 0.25)
        for day in range(7):
            start = MONDAY + (week * 7 + day) * DAY
            chance = weekday if day < 5 else weekend
            works = draw.random() < chance and draw.random() > 0.05 and week != holiday
            level = base * week_level * draw.lognormvariate(0, 0.45)
            begin, end = first, last
            if made.kind == "changing" and week >= change:
                level *= factor
                begin, end = begin + shift, end + shift
            if made.kind == "irregular":
                begin = draw.uniform(7, 16)
                end = begin + draw.uniform(2, 8)
            if works:
                spans += _sittings(made.kind, start, begin, end, level, draw)
            if made.kind == "night" and draw.random() < 0.66 and week != holiday:
                begin = start + draw.uniform(22, 26) * HOUR
                spans.append((begin, begin + draw.uniform(2, 5) * HOUR, 0.5 * base, True))
    spans.sort()
    for begin, end, level, is_job in spans:
        if made.presence and begin < made.presence[-1][1]:
            begin = made.presence[-1][1] + MINUTE
        if end - begin < 5 * MINUTE or end > made.end:
            continue
        made.presence.append((begin, end))
        if is_job:
            made.nights.append((begin, end))
        streams = draw.choice((2, 3, 4)) if made.kind == "agents" else 1
        for _ in range(streams):
            made.requests += _turns(begin, end, level / (streams**0.5), is_job, draw)
    made.requests.sort()


def _sittings(
    kind: str, start: float, begin: float, end: float, level: float, draw: random.Random
) -> list[tuple[float, float, float, bool]]:
    spans = []
    at = start + (begin + draw.uniform(0, 0.7)) * HOUR
    stop = start + (end + draw.uniform(-0.7, 0.7)) * HOUR
    while at < stop:
        until = min(stop, at + draw.uniform(20, 90) * MINUTE)
        spans.append((at, until, level * draw.lognormvariate(0, 0.35), False))
        at = until + draw.uniform(5, 50) * MINUTE
        noon = start + 12 * HOUR
        if kind in ("office", "agents") and noon < at < noon + HOUR:
            at = noon + HOUR
    return spans


def _turns(begin: float, end: float, level: float, is_job: bool, draw: random.Random) -> list[tuple[float, float]]:
    found = []
    at = begin + draw.uniform(0, 3) * MINUTE
    while at < end:
        for _ in range(draw.randint(1, 10)):
            cost = level * 0.34 * draw.lognormvariate(-0.5, 1.0) * (10 if draw.random() < 0.02 else 1)
            found.append((at, cost))
            at += draw.uniform(20, 50)
            if at >= end:
                break
        at += draw.uniform(5, 30) if is_job else draw.uniform(1, 6) * MINUTE
    return found


def _grants(made: Person, draw: random.Random) -> None:
    at = MONDAY + draw.uniform(-20, 10) * DAY
    while at < made.end:
        for _ in range(2 if draw.random() < 0.2 else 1):
            life = 14 if draw.random() < 0.1 else 30
            made.credits.append((f"c{len(made.credits)}", at, at + life * DAY))
        at += draw.uniform(8, 25) * DAY
