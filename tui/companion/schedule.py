"""How often to ask, as pure functions."""

from datetime import datetime, timedelta
from typing import Final

from tui.domain.snapshot import Snapshot

RELAXED: Final = timedelta(minutes=5)
"""Between readings while the windows are at rest."""

CREDITS_EVERY: Final = timedelta(minutes=10)
"""The single credits are rate limited harder than the usage."""

_PACE: Final = ((99.0, 5), (90.0, 15), (75.0, 30), (0.0, 60))
_REST_AFTER: Final = timedelta(minutes=10)
_FIRST_BACK_OFF: Final = 2.0
_LONGEST_BACK_OFF: Final = 120.0


def poll_interval(snapshot: Snapshot, at_rest: timedelta, now: datetime) -> timedelta:
    """How long to wait after a good reading, where no percentage has moved for the time `at_rest`."""
    fullest = max((window.used_percent or 0.0 for window in snapshot.windows), default=0.0)
    if at_rest > _REST_AFTER and fullest < _PACE[0][0]:
        return RELAXED
    pace = timedelta(seconds=next(seconds for percent, seconds in _PACE if fullest >= percent))
    resets = [window.resets_at - now for window in snapshot.windows if window.resets_at and window.resets_at > now]
    # Look right after a window is reset rather than a whole interval later.
    return min([pace, *(until + timedelta(seconds=2) for until in resets)])


def back_off(failures: int, retry_after: float | None) -> timedelta:
    """How long to wait after so many failed readings in a row; what the service asked for is never undercut."""
    seconds = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** min(failures - 1, 10))
    return timedelta(seconds=max(seconds, retry_after or 0.0))


def jittered(interval: timedelta, share: float) -> timedelta:
    """Spread an interval by a share from 0 to 1, ten per cent either way: many companions shall not ask in step."""
    return interval * (0.9 + 0.2 * share)
