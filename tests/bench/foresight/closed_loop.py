"""A person's weeks with the program's advice carried out, against the oracle and the simple rules."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bench.foresight.people import HOUR, MINUTE, Person
from tests.bench.foresight.service import Life, Line, Service, recording
from tui.domain.advice import Verdict
from tui.domain.foresight import Foresight
from tui.domain.reading import CreditReading, Reading, WindowReading


@dataclass
class Asked:
    """What was said of one window at one moment of active use, beside the simple ways to say it."""

    at: float
    minutes: int
    used: float
    resets_at: float
    limit: tuple[float | None, float | None, float | None]
    share: tuple[float, float]
    chance: float
    """Of the limit before the reset."""
    line: float
    """By a straight line through the last 15 minutes, at most the reset."""
    average: float
    """By the whole window's average, at most the reset."""
    last_used: float = 0.0
    """What the window had reached before its reset; filled in afterwards."""


@dataclass
class Played:
    """What came of it."""

    life: Life
    warnings: list[tuple[float, int]] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


def reading(service: Service, at: float) -> Reading:
    """The account as a program reads it."""
    bank = service.in_bank(at)
    windows = tuple(
        WindowReading(minutes, service.shown(min(100.0, meter.used)), meter.ends(at))
        for minutes, meter in service.meters.items()
    )
    working = service.presence.between(at - 2 * MINUTE, at + MINUTE) > 0
    blocked = service.blocked_since is not None
    return Reading(
        at,
        windows,
        not blocked,
        len(bank),
        tuple(CreditReading(name, expires_at) for name, _, expires_at in bank),
        int(working and not blocked),
    )


def is_night(at: float) -> bool:
    """Whether nobody is there to act."""
    return not 7 * HOUR <= at % (24 * HOUR) < 23 * HOUR


def play(person: Person, nobody_at_night: bool = False, forecasts: bool = False) -> Played:
    """Run the weeks with the advice carried out.

    Args:
        person: Who.
        nobody_at_night: From 23:00 to 07:00 nothing is asked; what was queued before stays.
        forecasts: Whether forecasts are asked for at every 15 minutes of active use.
    """
    foresight = Foresight(0)
    queued: list[str | None] = [None]
    played = Played(Life())

    def act(service: Service, at: float, what: str) -> str | None:
        if what == "hit":
            chosen, queued[0] = queued[0], None
        elif nobody_at_night and is_night(at):
            return None
        else:
            advice = foresight.advice(at)
            played.verdicts[advice.verdict] = played.verdicts.get(advice.verdict, 0) + 1
            queued[0] = advice.credit_id if advice.verdict is Verdict.QUEUE else None
            acts = advice.verdict in (Verdict.SPEND_NOW, Verdict.USE_BEFORE_IT_LAPSES)
            chosen = advice.credit_id if acts else None
        return chosen if any(chosen == credit for credit, _, _ in service.in_bank(at)) else None

    service: Service | None = None
    line: Line
    moments = [at for start, end in person.presence for at in _quarters(start, end)] if forecasts else []
    place = 0
    readings: dict[int, list[tuple[float, float]]] = {minutes: [] for minutes in person.minutes()}
    for service, line in recording(person, act):
        while place < len(moments) and moments[place] < line.at:
            played.asked += _ask(foresight, moments[place])
            place += 1
        if line.kind != "ask":
            seen = reading(service, line.at)
            for window in seen.windows:
                readings[window.minutes].append((line.at, window.used_percent or 0.0))
            played.warnings += [(w.at, w.minutes) for w in foresight.add(seen)]
    assert service is not None
    played.life = service.finish()
    for asked in played.asked:
        seen_of = readings[asked.minutes]
        first, last = bisect_left(seen_of, (asked.at - HOUR, 0.0)), bisect_left(seen_of, (asked.resets_at - 1, 0.0))
        asked.last_used = max((used for at, used in seen_of[first:last] if at > asked.at), default=asked.used)
    return played


def _quarters(start: float, end: float) -> Iterator[float]:
    at = start + 15 * MINUTE
    while at < end:
        yield at
        at += 15 * MINUTE


def _ask(foresight: Foresight, now: float) -> Iterator[Asked]:
    record = foresight.record
    if record.last is None or record.block is not None or now - record.last.at > 20 * MINUTE:
        return
    for forecast in foresight.forecasts(now):
        window, reset = record.windows[forecast.minutes], forecast.resets_at
        if reset is None or reset <= now or window.used <= 0:
            continue
        limit, share = forecast.limit_at, forecast.at_reset_percent
        left = 100.0 - window.used
        average = window.used / max(MINUTE, now - reset + forecast.minutes * MINUTE)
        place = len(record.sums) - 1
        used = record.now_sum - record.sums[max(0, place - 3)]
        lately = used * (record.share_of(forecast.minutes) or 0.15) / (15 * MINUTE)
        yield Asked(
            now,
            forecast.minutes,
            window.used,
            reset,
            (None, None, None) if limit is None else (limit.p10, limit.p50, limit.p90),
            (0.0, 100.0) if share is None else (share.p10 or 0.0, share.p90 or 100.0),
            forecast.chance or 0.0,
            min(reset, now + left / lately) if lately > 0 else reset,
            min(reset, now + left / average),
        )
