"""People of another character than those of `people`: advice tuned on the one must hold for the other.

What differs:

- Sittings have a heavy tail (Pareto, from 8 minutes to 6 hours), and so have the pauses between them; their chance
  follows a smooth curve of the day, one peak or two, and not hours of work.
- A turn is one request, dearer with every turn of its session until the context is made small again (1 to 4 times),
  with a gamma draw; turns are 1 to 12 minutes apart, and no single one is ten times as dear.
- Demand is set against the limits: over a life the busy hours ask for 0.3 to 2.2 times what the 5-hour window gives.
- Weeks differ by sprints (two hard ones in four, for half of the people), some weekday is always free, and one in six
  lets an agent run through whole days and nights now and then.
- A full 5-hour window is 7 to 35 per cent of the week. Half of the resets come three at once, and live 30 days.
"""

import random
from math import exp, pi, sin

from tests.bench.foresight.people import DAY, HOUR, MINUTE, MONDAY, Person


def person(seed: str, number: int, weeks: int = 12) -> Person:
    """Draw one person; the same seed and number give the same person."""
    draw = random.Random(f"others/{seed}/{number}")
    made = Person(
        f"others/{seed}/{number}",
        "another",
        draw.choices(("plus", "weekly"), (0.8, 0.2))[0],
        weekly_share=draw.uniform(0.07, 0.35),
        waits=draw.uniform(0.2, 1.0),
        rounding=draw.choice(("floor", "nearest")),
        weeks=weeks,
    )
    _work(made, draw)
    at = MONDAY - draw.uniform(0, 25) * DAY
    while at < made.end:
        for _ in range(3 if draw.random() < 0.5 else 1):
            made.credits.append((f"c{len(made.credits)}", at, at + 30 * DAY))
        at += draw.uniform(12, 45) * DAY
    return made


def _work(made: Person, draw: random.Random) -> None:
    peak, second = draw.uniform(8, 20), draw.random() < 0.4
    free, busy = draw.randrange(7), draw.uniform(0.25, 0.8)
    sprints, runs = draw.random() < 0.5, draw.random() < 1 / 6
    per_minute = draw.uniform(0.3, 2.2) * 100 / (5 * 60 * busy)
    gap = draw.uniform(2, 8)
    at = MONDAY
    while at < made.end:
        day = int((at - MONDAY) // DAY)
        hour = (at - MONDAY) % DAY / HOUR
        here = exp(3 * (sin((hour - peak) * pi / 12 + pi / 2) - 1))
        if second:
            here = max(here, exp(3 * (sin((hour - peak - 9) * pi / 12 + pi / 2) - 1)))
        here *= (day % 7 != free) * (0.5 if day % 7 >= 5 else 1.0)
        level = (1.5 if day // 14 % 2 else 0.5) if sprints else 1.0
        if runs and day % 11 == 5 and hour < 1:
            until = at + draw.uniform(14, 40) * HOUR
        elif draw.random() < busy * here:
            until = at + min(6 * HOUR, 8 * MINUTE * draw.paretovariate(0.8))
        else:
            at += draw.uniform(5, 25) * MINUTE
            continue
        until = min(until, made.end - 1)
        _session(made, at, until, level * per_minute * draw.lognormvariate(0, 0.5), gap, draw)
        at = until + 4 * MINUTE * draw.paretovariate(0.9)


def _session(made: Person, at: float, until: float, per_minute: float, gap: float, draw: random.Random) -> None:
    if until - at < 5 * MINUTE:
        return
    made.presence.append((at, until))
    context = 1.0
    while True:
        wait = gap * draw.uniform(0.3, 1.7)
        at += wait * MINUTE
        if at >= until:
            return
        made.requests.append((at, per_minute * wait * draw.gammavariate(1.2, 1 / 1.2) * context / 2))
        context = context * 1.15 if context < 4 else 1.0
