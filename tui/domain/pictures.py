"""The past in a form that can be drawn: how a window fills, the last four weeks, the hours of the week."""

from typing import Final

import msgspec

from tui.domain.use import DAY_BINS, HOUR_BINS, WATCHED, UseRecord

DAYS: Final = 28
STEPS: Final = 96


class BurnUp(msgspec.Struct, frozen=True):
    """How one window filled since it began."""

    minutes: int
    start: float
    """Unix seconds."""
    resets_at: float
    shares: tuple[float, ...]
    """Per cent used at the end of each of the even steps of the window that have begun."""


class ResetMark(msgspec.Struct, frozen=True):
    """A window that began anew."""

    at: float
    """Unix seconds."""
    minutes: int
    natural: bool
    """Whether its time had come."""
    spent: bool
    """Whether a reset left the bank at the same time."""


class Pictures(msgspec.Struct, frozen=True):
    """Everything that the history screen draws of the readings."""

    burn_ups: tuple[BurnUp, ...]
    days: tuple[tuple[int, float | None], ...]
    """(days since 1970 in local time, per cent of the longest window used); None where nothing was read."""
    heat: tuple[tuple[float | None, ...], ...]
    """Seven weekdays from Monday, 24 hours each: per cent of the shortest window used in that hour on average."""
    resets: tuple[ResetMark, ...] = ()
    """Of the last four weeks, oldest first."""


def draw(record: UseRecord, now: float) -> Pictures:
    """Sum up a record."""
    resets = tuple(
        ResetMark(seen.at, seen.minutes, seen.natural, seen.spent is True)
        for seen in record.resets
        if now - seen.at <= DAYS * 86400
    )
    return Pictures(_burn_ups(record, now), _days(record), _heat(record), resets)


def _burn_ups(record: UseRecord, now: float) -> tuple[BurnUp, ...]:
    found = []
    for window, resets_at, start, share in record.under_way(now):
        length = resets_at - start
        begin = max(0, record.bin_of(start))
        shares = []
        for step in range(1, STEPS + 1):
            at = min(now, start + length * step / STEPS)
            used = record.used_between(begin, record.bin_of(at)) * share
            shares.append(window.used if at == now else min(window.used, used))
            if at == now:
                break
        found.append(BurnUp(window.minutes, start, resets_at, tuple(shares)))
    return tuple(found)


def _days(record: UseRecord) -> tuple[tuple[int, float | None], ...]:
    longest = max(record.windows, default=None)
    share = None if longest is None else record.share_of(longest)
    top = record.first_bin + len(record.flags)
    today = top // DAY_BINS
    found = []
    for day in range(today - DAYS + 1, today + 1):
        first = day * DAY_BINS - record.first_bin
        last = first + DAY_BINS
        known = last > 0 and first < len(record.flags) and any(record.flags[max(0, first) : last])
        used = record.paced[min(max(last, 0), len(record.flags))] - record.paced[min(max(first, 0), len(record.flags))]
        found.append((day, used * share if known and share is not None else None))
    return tuple(found)


def _heat(record: UseRecord) -> tuple[tuple[float | None, ...], ...]:
    used = [[0.0] * 24 for _ in range(7)]
    count = [[0] * 24 for _ in range(7)]
    first = max(0, len(record.flags) - DAYS * DAY_BINS)
    first += -(record.first_bin + first) % HOUR_BINS
    for place in range(first, len(record.flags) - HOUR_BINS + 1, HOUR_BINS):
        number = record.first_bin + place
        if not record.flags[place] & WATCHED:
            continue
        weekday = (number // DAY_BINS + 3) % 7
        hour = number % DAY_BINS // HOUR_BINS
        used[weekday][hour] += record.paced[place + HOUR_BINS] - record.paced[place]
        count[weekday][hour] += 1
    return tuple(
        tuple(used[day][hour] / count[day][hour] if count[day][hour] else None for hour in range(24))
        for day in range(7)
    )
