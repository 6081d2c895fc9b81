"""Dates, ages and countdowns as a person reads them, in the zone of that person."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_DAY: Final = timedelta(days=1)
REDRAW_EVERY: Final = timedelta(seconds=5)
"""Texts that count minutes may be this late on a screen."""

_SECONDS: Final = re.compile(r"\d\s+s\b")

_WRITTEN: Final = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")
"""How moments stand in the texts of the ledger."""

_FAR: Final = timedelta(days=300)
"""Beyond it a date without its year would mislead."""


def counts_seconds(text: str) -> bool:
    """Whether a text holds a countdown or an age in seconds, and so differs every second."""
    return _SECONDS.search(text) is not None


def local(moment: datetime, zone: tzinfo) -> datetime:
    """The moment in this zone; one at the edge of the calendar stays as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def countdown(left: timedelta) -> str:
    """How long until something: `45 s`, `11 min`, `3 h 12 min`, `2 d 19 h`, `16 d`; `now` when it is over."""
    seconds = int(left.total_seconds())
    if seconds <= 0:
        return "now"
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days < 10 and hours else f"{days} d"


def next_at(hour: int, minute: int, now: datetime, zone: tzinfo) -> datetime:
    """The next moment at which the clocks of a zone show this."""
    there = local(now, zone)
    moment = there.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (moment if moment > there else moment + _DAY).astimezone(UTC)


def age(passed: timedelta) -> str:
    """How long ago: `2 s ago`, `7 min ago`."""
    seconds = int(passed.total_seconds())
    return f"{countdown(timedelta(seconds=seconds)) if seconds > 0 else '0 s'} ago"


def calm_age(passed: timedelta) -> str:
    """How long ago, for a line that is always there: within the first minute it changes every ten seconds only."""
    seconds = int(passed.total_seconds())
    if seconds < 10:
        return "just now"
    return age(timedelta(seconds=seconds - seconds % 10 if seconds < 60 else seconds))


def full(moment: datetime, now: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Date and time: `Thu 26 Nov 09:39`, or `26 Nov 09:39:12` with seconds; with the year where it is far from now."""
    there = local(moment, zone)
    year = " %Y" if abs(moment - now) > _FAR else ""
    return there.strftime(f"%d %b{year} %H:%M:%S" if seconds else f"%a %d %b{year} %H:%M")


def in_zone(text: str, now: datetime, zone: tzinfo) -> str:
    """A text with each moment that is written in it as `2026-11-26 09:39 UTC` in the reader's own time."""

    def own(found: re.Match[str]) -> str:
        try:
            moment = datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
        except ValueError:
            return found[0]
        return full(moment, now, zone)

    return _WRITTEN.sub(own, text)


def brief(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """The time alone on the same local day, date and time on any other."""
    there = local(moment, zone)
    return there.strftime("%H:%M") if there.date() == local(now, zone).date() else full(moment, now, zone)


def until(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """When, and how long till then: `17:20 (3 h 12 min)`."""
    return f"{brief(moment, now, zone)} ({countdown(moment - now)})"


def last_moment(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """When a reset lapses: to the second within its last day."""
    return full(moment, now, zone, seconds=abs(moment - now) <= _DAY)
