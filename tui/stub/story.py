"""What lies behind the demo's afternoon: five weeks of readings, and a ledger, made up and always the same."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Final

from tui.domain.ledger import Event, EventKind
from tui.domain.reading import PastFile, PastReadings, Reading, WindowReading
from tui.domain.snapshot import Account
from tui.domain.windows import WindowKind
from tui.stub.rules.windows import DAY, LENGTHS
from tui.stub.scenario import Scenario
from tui.stub.scenarios import MAIN_ACCOUNT

_DAYS: Final = 35
_STEP: Final = 600.0
_HOUR: Final = 3600.0
_FIVE_HOURS: Final = 300
_WEEK: Final = 10_080
_WEEK_SHARE: Final = 0.12
"""Per cent of the week that one per cent of the five hours takes."""

_REST_DAYS: Final = (2, 3)
"""Days before today, in each week: today is always one on which work is done."""

_AT_ONCE: Final = 200
"""Readings that are made and kept at a time: all of them at once would take some megabytes for good."""


def story_past(scenario: Scenario, now: float) -> PastReadings:
    """The readings that led to a scenario with windows of five hours and of a week, as the history takes them in."""

    def past(account: Account, is_known: Callable[[str, int, float], bool]) -> Iterator[PastFile]:
        readings, part = _readings(scenario, now), 0
        while some := tuple(islice(readings, _AT_ONCE)):
            part += 1
            yield PastFile(f"the story, part {part}", 1, 1.0, some)

    return past


def _readings(scenario: Scenario, now: float) -> Iterator[Reading]:
    starts = {window.kind: window for window in scenario.windows}
    short, week = starts[WindowKind.FIVE_HOUR], starts[WindowKind.WEEKLY]
    assert short.resets_in is not None
    assert week.resets_in is not None
    began = LENGTHS[WindowKind.FIVE_HOUR] - short.resets_in
    """How long before now today's work began."""
    weekly_reset = now + week.resets_in

    def looks() -> Iterator[tuple[float, float, float, float]]:
        return _work(Random(7), now, began, short.used_percent)  # noqa: S311 - always the same

    this_week = sum(rise for at, rise, _, _ in looks() if at > weekly_reset - 7 * DAY) or 1.0
    week_used, ends = 0.0, weekly_reset - 6 * 7 * DAY
    for at, rise, used, resets_at in looks():
        while at >= ends:
            week_used, ends = 0.0, ends + 7 * DAY
        share = week.used_percent / this_week if ends > now else _WEEK_SHARE
        week_used = min(99.0, week_used + rise * share)
        windows = (
            WindowReading(_FIVE_HOURS, float(int(used)), resets_at),
            WindowReading(_WEEK, float(int(week_used)), ends),
        )
        yield Reading(at, windows, used < 100, None, None, int(rise > 0))


def _work(random: Random, now: float, began: float, used_now: float) -> Iterator[tuple[float, float, float, float]]:
    """(time, rise, used, reset) of the five hours, every ten minutes: work in the same hours of most days."""
    for back in range(_DAYS, -1, -1):
        day = now - back * DAY
        start = day - began + (random.uniform(-0.7, 0.5) * _HOUR if back else 0.0)
        pace = random.uniform(18.0, 40.0) if back else used_now / (began / _HOUR)
        hours = random.uniform(4.0, 8.0) if back else began / _HOUR
        works = back % 7 not in _REST_DAYS
        used, resets_at = 0.0, start + 5 * _HOUR
        at = day - began - 3 * _HOUR
        end = day - began + 21 * _HOUR if back else now - 1
        while at < end:
            rise = 0.0
            if at >= resets_at:
                used, resets_at = 0.0, at + 5 * _HOUR
            if works and start <= at < start + hours * _HOUR:
                rise = min(100.0 - used, max(0.0, random.gauss(1.0, 0.6 if back else 0.1)) * pace * _STEP / _HOUR)
            elif used == 0:
                resets_at = at + 5 * _HOUR
            used += rise
            if not back:
                used = min(used, used_now)
            yield at, rise, used, resets_at
            at += _STEP


def story_events(now: datetime) -> Iterable[Event]:
    """What happened to the bank in those weeks."""
    happened = (
        (26.2, EventKind.CREDIT_GRANTED, "a reset was granted", None, None),
        (17.9, EventKind.CREDIT_GRANTED, "a reset was earned by an invite (@friend)", None, None),
        (12.1, EventKind.SPEND_CLOSED, "one reset spent", "5 hours 100 %, Week 61 %", "5 hours 0 %, Week 0 %"),
        (6.3, EventKind.CREDIT_EXPIRED, "a reset expired unused", None, None),
        (3.0, EventKind.CREDIT_GRANTED, "a reset was granted", None, None),
    )
    for days, kind, text, before, after in happened:
        at = now.astimezone(UTC) - timedelta(days=days)
        yield Event(at, kind, MAIN_ACCOUNT, text, "stub", before=before, after=after)
