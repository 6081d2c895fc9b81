"""Whether tonight's jobs will likely run into a limit, by the person's own nights and by the forecast."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui.domain.forecast import Forecast
from tui.domain.use import Block

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

BEGINS: Final = 18.0
"""From this hour on it is evening, here."""

_NIGHT: Final = 22.0
"""From this hour ..."""

_MORNING: Final = 7.0
"""... to this one it is night: nobody is there to answer."""

_NIGHTS: Final = 7
"""So many nights are looked back on."""

_LEAST: Final = 3
"""Hits in so many nights are a habit, if these are at least half of them."""

_KNOWN: Final = 3 * DAY
"""Somebody who is known for a shorter time has no rhythm yet, and is not asked."""

_LIKELY: Final = 0.5


class Tonight(msgspec.Struct, frozen=True):
    """A limit that is likely to be hit while nobody is there."""

    hit_at: float
    """When, more or less; Unix seconds."""
    why: str
    """What that rests on, in plain words."""


def tonight(
    forecasts: Sequence[Forecast], blocks: Sequence[Block], first_at: float, now: float, utc_offset: float
) -> Tonight | None:
    """What this evening has to say of the night; None by day, and where no hit is likely.

    `first_at` is since when the person is known; the offset is in seconds east of Greenwich.
    """
    midnight = (now + utc_offset) // DAY * DAY - utc_offset
    if now < midnight + BEGINS * HOUR or now - first_at < _KNOWN:
        return None
    begin, end = max(now, midnight + _NIGHT * HOUR), midnight + DAY + _MORNING * HOUR
    for forecast in forecasts:
        at = forecast.limit_at.p50 if forecast.limit_at is not None else None
        if at is not None and (forecast.chance or 0.0) >= _LIKELY and begin <= at < end:
            return Tonight(at, "by the forecast")
    return _by_habit(blocks, first_at, midnight, begin, end)


def _by_habit(blocks: Sequence[Block], first_at: float, midnight: float, begin: float, end: float) -> Tonight | None:
    """The usual hour of the nights in which a limit was hit, if these are most of the last ones."""
    known, hits = 0, []
    for back in range(1, _NIGHTS + 1):
        first, last = midnight + _NIGHT * HOUR - back * DAY, end - back * DAY
        if first < first_at:
            break
        known += 1
        hit = min((block.start for block in blocks if first <= block.start < last), default=None)
        if hit is not None:
            hits.append(hit + back * DAY)
    if len(hits) < _LEAST or len(hits) < known / 2:
        return None
    hits.sort()
    middle = max(begin, hits[len(hits) // 2])
    return Tonight(middle, f"so it was in {len(hits)} of your last {known} nights")
