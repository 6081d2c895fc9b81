"""Several resets laid against the days to come: by when each is to be used, and which one lapses if nothing is done."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tui.domain.reading import CreditReading

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

_LOOK_BACK_HOURS: Final = 96
_WORKS: Final = 0.3
"""Working hours in one hour from which on somebody is there."""


class Planned(msgspec.Struct, frozen=True):
    """One reset and its time."""

    credit_id: str
    expires_at: float | None
    """Unix seconds; None: it never lapses."""
    use_by: float | None
    """The start of the last hour before it lapses in which the person usually works; None where it never lapses."""
    lapses_unused: bool
    """Whether fewer blocks are to be expected before it lapses than there are resets that lapse by then."""


def plan(
    resets: Sequence[CreditReading],
    now: float,
    blocks_a_day: float,
    presence: Callable[[float, float], float],
) -> tuple[Planned, ...]:
    """Lay the resets in the bank against the days to come, the soonest to lapse first.

    The blocks to be expected a day are infinite where unknown; `presence` tells the working hours between two moments.
    """
    held = [credit for credit in resets if credit.expires_at is None or credit.expires_at > now]
    held.sort(key=lambda credit: (credit.expires_at is None, credit.expires_at))
    found = []
    for place, credit in enumerate(held, 1):
        expires = credit.expires_at
        if expires is None:
            found.append(Planned(credit.id, None, None, False))
            continue
        expected = blocks_a_day * (expires - now) / DAY
        found.append(Planned(credit.id, expires, _use_by(expires, now, presence), expected < place))
    return tuple(found)


def _use_by(expires: float, now: float, presence: Callable[[float, float], float]) -> float:
    """The last hour of work before a moment; the hour before it where nobody is known to work."""
    for back in range(1, _LOOK_BACK_HOURS + 1):
        start = expires - back * HOUR
        if start <= now:
            return now
        if presence(start, start + HOUR) >= _WORKS:
            return start
    return expires - HOUR
