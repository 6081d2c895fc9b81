"""One verdict on the banked resets, by rules in order, with its sentence and its arithmetic.

`decide` is the whole judgement: it takes what is known as one value and answers with the first rule that holds. Where
the figures come from is `tui.domain.adviser`'s business.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

HOUR: Final = 3600.0
DAY: Final = 86400.0

NEAR_RESET: Final = 300.0
"""A reset is not worth spending so many seconds before the windows reset by themselves."""

LEAST_GAIN: Final = 0.25
"""Working hours that a spend must save."""

_LEAST_SHARE: Final = 0.005
"""Of a window: what is less would be written as 0.00."""

SURPLUS: Final = 0.7
"""Dearer blocks to be expected for one reset up to which this block is due."""

LIKELY: Final = 0.2
"""From this chance of a hit on, the hit is planned for."""


_NOT_KNOWN: Final = "too little is known to say whether a reset is worth it"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Verdict(StrEnum):
    """What to do with the banked resets now."""

    SPEND_NOW = "spend_now"
    QUEUE = "queue"
    WAIT = "wait"
    USE_BEFORE_IT_LAPSES = "use_before_it_lapses"
    NOTHING_TO_GAIN = "nothing_to_gain"
    CANNOT_TELL = "cannot_tell"


class Matter(StrEnum):
    """What a verdict is about."""

    REACHED = "reached"
    """A limit that stops work now."""
    EXPECTED = "expected"
    """A limit that is likely to be reached."""
    LAPSING = "lapsing"
    """A reset that lapses before anybody is expected to work again."""


class Facts(msgspec.Struct, frozen=True):
    """What a verdict rests on; None is unknown."""

    now: float
    known: bool
    """Whether the windows are known and the reading is fresh."""
    available: int | None
    credit_id: str | None = None
    """The one that lapses first, where the rows are known."""
    expires_at: float | None = None
    """When it lapses."""
    blocked_minutes: int | None = None
    """The window that is full now; 0 where only the service's word is known; None where nothing blocks."""
    blocked_until: float | None = None
    """When work goes on by itself."""
    hit_minutes: int | None = None
    """The window that is expected to fill."""
    hit_at: float | None = None
    """When, more or less."""
    hit_until: float | None = None
    """When that block would end by itself."""
    hit_chance: float = 0.0
    hit_credit_id: str | None = None
    """Of the resets that are left then the one that lapses first, where the rows are known."""
    lapsed_by_then: bool = False
    """Whether every reset in the bank will have lapsed when it comes."""
    saved_hours: float | None = None
    """Working hours that this block, or the expected one, costs: what a reset saves at once."""
    date_hours: float = 0.0
    """Working hours won, or lost if below zero, since the week begins anew at a spend."""
    dearer_blocks: float | None = None
    """How many dearer blocks are to be expected before the resets lapse."""
    resets_for_them: float = 1.0
    """How many resets there are for them."""
    lapse_gain_hours: float | None = None
    """Waiting saved by using it now instead of letting it lapse."""
    last_chance: bool = False
    """Whether nobody is expected to work again before it lapses."""
    used: tuple[tuple[int, float], ...] = ()
    """(minutes, per cent) of each window."""
    week_resets_at: float | None = None
    week_used: float | None = None
    week_minutes: int = 10080
    """The longest window; some plans have a month in the week's place."""
    utc_offset: float = 0.0
    """Seconds east of Greenwich."""
    days_known: float = 0.0
    """How long the record is."""
    hits_lately: int | None = None
    """How often a limit was hit in the last four weeks."""
    free_within_day: float | None = None
    """The chance that everybody's windows are reset for free within a day."""

    session_hour: float | None = None
    """Points of the shortest window that one session takes in an hour at work."""
    work_hour: float | None = None
    """Points of it that all sessions together take in an hour in which any is at work."""
    took: tuple["Took", ...] = ()
    """What sessions at work, or stopped, took of the windows; empty where nobody knows."""

    @property
    def is_worth_it(self) -> bool | None:
        """Whether a reset is well spent at this block or the expected one; None where too little is known."""
        if self.saved_hours is None or self.dearer_blocks is None:
            return None
        enough = self.saved_hours + self.date_hours >= LEAST_GAIN
        return enough and self.dearer_blocks <= SURPLUS * self.resets_for_them


class Took(msgspec.Struct, frozen=True):
    """What some sessions took of windows."""

    who: str
    """One by its name, cut, which is text from outside; or how many."""
    shares: tuple[tuple[int, float], ...]
    """(minutes, per cent) of each window, the shortest first."""
    until: float
    """When the service said so; or the end of the time over which the own readings were counted."""
    since: float | None = None
    """The beginning of that time; None where it is the service's word, which names no time."""


class Advice(msgspec.Struct, frozen=True):
    """A verdict with its words."""

    at: float
    verdict: Verdict
    credit_id: str | None
    headline: str
    arithmetic: tuple[str, ...]
    """One plain line for each figure behind it."""
    about: Matter | None = None
    """None where it is about nothing in particular, as where no limit is in sight."""
    took: tuple[str, ...] = ()
    """What sessions took of the windows, as the arithmetic has it; quotes names from outside."""


def decide(facts: Facts) -> Advice:
    """Judge; the first rule that holds counts.

    Args:
        facts: What is known.
    """
    verdict, headline, *matters = _rules(facts)
    acts = verdict in (Verdict.SPEND_NOW, Verdict.USE_BEFORE_IT_LAPSES)
    credit_id = facts.hit_credit_id if verdict is Verdict.QUEUE else facts.credit_id if acts else None
    took = tuple(_took(facts, took) for took in facts.took)
    about = matters[0] if matters else None
    return Advice(facts.now, verdict, credit_id, headline, arithmetic(facts), about, took)


def _rules(f: Facts) -> tuple[Verdict, str] | tuple[Verdict, str, Matter]:
    if not f.known:
        return Verdict.CANNOT_TELL, "The limits are not known now."
    if f.available is None:
        return Verdict.CANNOT_TELL, "How many resets you have is not known now."
    if f.available == 0:
        if f.blocked_minutes is not None:
            return Verdict.NOTHING_TO_GAIN, f"No reset available; {_goes_on(f)}.", Matter.REACHED
        return Verdict.NOTHING_TO_GAIN, "No reset available."
    if f.blocked_minutes is not None:
        return *_blocked(f), Matter.REACHED
    if f.last_chance and f.lapse_gain_hours is not None and f.lapse_gain_hours >= LEAST_GAIN:
        assert f.expires_at is not None
        return (
            Verdict.USE_BEFORE_IT_LAPSES,
            f"Use one before it lapses {_when(f, f.expires_at)}:"
            f" it saves about {_hours(f.lapse_gain_hours)} of waiting.",
            Matter.LAPSING,
        )
    if f.hit_minutes is not None and f.hit_chance >= LIKELY:
        return *_expected(f), Matter.EXPECTED
    if f.used and all(used < 1 for _, used in f.used):
        return Verdict.NOTHING_TO_GAIN, "Nothing is used: a reset would change nothing."
    if f.last_chance and f.expires_at is not None:
        lapses = f"One reset lapses {_when(f, f.expires_at)}"
        if f.lapse_gain_hours is None:
            return Verdict.CANNOT_TELL, f"{lapses}; {_NOT_KNOWN}.", Matter.LAPSING
        return Verdict.NOTHING_TO_GAIN, f"{lapses}; using it now would save no waiting.", Matter.LAPSING
    return Verdict.WAIT, "No limit in sight: keep the reset."


def _blocked(f: Facts) -> tuple[Verdict, str]:
    name = window_name(f.blocked_minutes)
    if f.blocked_until is not None and f.blocked_until - f.now <= NEAR_RESET:
        return Verdict.WAIT, f"Wait: {_goes_on(f)}."
    if f.is_worth_it is None:
        return Verdict.CANNOT_TELL, f"The {name} is reached; {_NOT_KNOWN}."
    if f.is_worth_it:
        until = "" if f.blocked_until is None else f" until {_moment(f, f.blocked_until)}"
        cost = "" if f.saved_hours is None else f"; that costs about {_hours(f.saved_hours)} of your working time"
        return Verdict.SPEND_NOW, f"Spend one: you are at the {name}{until}{cost}."
    return Verdict.WAIT, f"Wait: {_goes_on(f)}; {_why_not(f)}."


def _expected(f: Facts) -> tuple[Verdict, str]:
    assert f.hit_at is not None
    name = window_name(f.hit_minutes)
    chance = "likely" if f.hit_chance >= 0.5 else "possibly"
    *day, time = _moment(f, f.hit_at).rsplit(" ", 1)
    when = f"on {day[0]} at about {time}" if day else f"at about {time}"
    coming = f"you {chance} reach the {name} {when}"
    if f.lapsed_by_then:
        return Verdict.WAIT, f"Wait: {coming}, when every reset will have lapsed."
    if f.is_worth_it is None:
        return Verdict.CANNOT_TELL, f"{coming[0].upper()}{coming[1:]}; {_NOT_KNOWN}."
    if f.is_worth_it:
        return Verdict.QUEUE, f"Queue one: {coming}{_until(f, f.hit_until)}."
    return Verdict.WAIT, f"Wait: {coming}{_until(f, f.hit_until)}; {_why_not(f)}."


def _why_not(f: Facts) -> str:
    saved = f.saved_hours or 0.0
    if saved < LEAST_GAIN:
        return f"a reset would save no more than about {_hours(saved)} of your working time"
    if saved + f.date_hours < LEAST_GAIN:
        return "the week that would begin anew costs more than the reset saves"
    return "the reset is worth more later"


def arithmetic(f: Facts) -> tuple[str, ...]:
    """The figures behind a verdict, one plain line each."""
    lines = [
        f"{window_name(minutes)}: {used:.0f} % used, so a reset gives back {min(100, used):.0f} points"
        for minutes, used in f.used
    ]
    lines += _hour_costs(f)
    lines += [_took(f, took) for took in f.took]
    what = "this block" if f.blocked_minutes is not None else "the expected block"
    if f.saved_hours is not None and (f.blocked_minutes is not None or f.hit_minutes is not None):
        lines.append(f"{what} costs about {_hours(f.saved_hours)} of your working time")
        if f.date_hours:
            word = "wins" if f.date_hours > 0 else "loses"
            lines.append(f"a week that begins anew with the spend {word} about {_hours(abs(f.date_hours))}")
        if f.dearer_blocks is not None:
            lines.append(
                f"costlier blocks expected before the resets lapse: about {f.dearer_blocks:.1f};"
                f" resets for them: {f.resets_for_them:.1f}"
            )
    if f.week_resets_at is not None and f.week_used is not None and f.week_resets_at > f.now:
        share = (f.week_resets_at - f.now) / (f.week_minutes * 60) - (1 - f.week_used / 100)
        word = "gains" if share >= 0 else "loses"
        name = {"weekly limit": "week", "monthly limit": "month"}.get(window_name(f.week_minutes), "window")
        if abs(share) >= _LEAST_SHARE:
            lines.append(f"if the {name}'s date moves, a reset now {word} about {abs(share):.2f} of a {name}")
    if f.hits_lately is not None:
        lines.append(f"limits reached in the last four weeks: {f.hits_lately}")
    if f.free_within_day is not None:
        lines.append(f"chance of a free reset for everybody within a day: {100 * f.free_within_day:.0f} %")
    if f.expires_at is not None:
        lines.append(f"the reset that lapses first lapses {_when(f, f.expires_at)}")
    lines.append(f"days of your use that are known: {f.days_known:.0f}")
    return tuple(lines)


def _hour_costs(f: Facts) -> list[str]:
    """What one session costs, or all of them together where nobody counted them."""
    what, points = "one session at work", f.session_hour
    if points is None:
        what, points = "your work", f.work_hour
    if points is None or not f.used:
        return []
    number = f"{points:.1f}" if points < 2 else f"{points:.0f}"
    return [f"an hour of {what} takes about {number} points of the {window_name(min(f.used)[0])}"]


def _took(f: Facts, took: Took) -> str:
    """What sessions took so far, with whose word that is."""
    shares = " and ".join(f"{_points(share)} of the {window_name(minutes)}" for minutes, share in took.shares)
    if took.since is None:
        return f"{took.who} took {shares}, as the service said {_when(f, took.until)}"
    span = f"from {_moment(f, took.since)} to {_moment(f, took.until)}"
    return f"{span}, with {took.who} at work, your readings rose by {shares}"


def _points(share: float) -> str:
    if 0 < share < 0.1:
        return "less than 0.1 points"
    return f"{share:.1f} points" if share < 2 else f"{share:.0f} points"


def window_name(minutes: int | None) -> str:
    """`5-hour limit`, `weekly limit` and so on."""
    if not minutes:
        return "limit"
    hours = minutes / 60
    if abs(hours - 168) < 9:
        return "weekly limit"
    if abs(hours - 24) < 2:
        return "daily limit"
    if 640 < hours < 790:
        return "monthly limit"
    if minutes % 1440 == 0:
        return f"{minutes // 1440}-day limit"
    return f"{minutes // 60}-hour limit" if minutes % 60 == 0 else f"{minutes}-minute limit"


def _goes_on(f: Facts) -> str:
    if f.blocked_until is None:
        return "when work goes on by itself is not known"
    return f"work goes on by itself {_when(f, f.blocked_until)}"


def _until(f: Facts, until: float | None) -> str:
    return "" if until is None else f", which resets {_when(f, until)}"


def _when(f: Facts, at: float) -> str:
    """`at 17:20`, or `on` the day."""
    moment = _moment(f, at)
    return f"at {moment}" if len(moment) == len("17:20") else f"on {moment}"


def _moment(f: Facts, at: float) -> str:
    """`17:20` today, `Fri 08:00` within six days, else `9 Mar 08:00`."""
    day, today = ((int(moment + f.utc_offset) // int(DAY)) for moment in (at, f.now))
    if day == today:
        return clock(f, at)
    if at - f.now < 6 * DAY:
        return f"{('Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed')[day % 7]} {clock(f, at)}"
    date = datetime.fromtimestamp(at + f.utc_offset, UTC)
    return f"{date.day} {_MONTHS[date.month - 1]} {clock(f, at)}"


def clock(f: Facts, at: float) -> str:
    """Hours and minutes of the person's day."""
    minutes = int((at + f.utc_offset) % DAY // 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _hours(hours: float) -> str:
    if hours < 0.95:
        return f"{max(1, round(hours * 60))} min"
    return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
