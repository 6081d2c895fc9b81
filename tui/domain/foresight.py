"""Forecasts, warnings and advice over one growing record: what the companion and `resetbank replay` both ask."""

from collections.abc import Iterable
from typing import Final

import msgspec

from tui.domain.advice import Advice, Took
from tui.domain.adviser import Adviser
from tui.domain.forecast import Forecast, Forecaster
from tui.domain.reading import Reading
from tui.domain.use import UseRecord

LEAD: Final = 20 * 60.0
"""What a warning looks ahead, in seconds, where nobody set another time."""

FIRE: Final = 0.28
"""The chance that raises it."""

CALM: Final = 0.17
"""Below this chance, for half an hour, it may be raised again."""

_CALM_LASTS: Final = 30 * 60.0
_GOOD_FOR: Final = 20 * 60.0
"""A warning that did not come true in this time may be raised once more when the limit is close ..."""

_FIRE_CLOSE: Final = 0.4
"""... which is this chance within the lead time."""


class Warned(msgspec.Struct, frozen=True):
    """A limit that is likely to be reached within the lead time."""

    at: float
    minutes: int
    chance: float


class _Alarm(msgspec.Struct):
    """Whether a window was warned of, and since when it is calm."""

    resets_at: float
    raised_at: float | None = None
    chance: float = 0.0
    """The one that raised it."""
    calm_since: float | None = None


_LEAST_USED: Final = 40.0

_LONGEST_GAP: Final = 60 * 86400.0
"""After a longer time without readings everything begins anew."""


class Foresight:
    """Everything that is expected of one account.

    Args:
        utc_offset_minutes: Where the person's day begins.
        lead: A warning is raised by the chance of a hit within so many seconds.
    """

    def __init__(self, utc_offset_minutes: int = 0, lead: float = LEAD) -> None:
        self._offset = utc_offset_minutes
        self._lead = lead
        self._far: float | None = None
        self._begin()

    def _begin(self) -> None:
        self.record = UseRecord(self._offset)
        self.forecaster = Forecaster(self.record)
        self.adviser = Adviser(self.record, self.forecaster)
        self._alarms: dict[int, _Alarm] = {}

    def add(self, reading: Reading) -> tuple[Warned, ...]:
        """Add a reading; one that is older than the last changes nothing.

        Returns:
            The warnings that it raises.
        """
        last = self.record.last
        if last is not None and reading.at - last.at > _LONGEST_GAP:
            if self._far is None or reading.at < self._far:
                self._far = reading.at  # one that is alone so far ahead is a clock that went wrong
                return ()
            self._begin()
        self._far = None
        if not self.record.add(reading):
            return ()
        self.forecaster.grow()
        self.forecaster.learn()
        self.adviser.note(reading)
        return tuple(self._warnings(reading))

    def recall(self, readings: Iterable[Reading]) -> None:
        """Add readings of the past, oldest first; nobody is warned of what is over."""
        for reading in readings:
            if self.record.add(reading):
                self.adviser.note(reading)
        self.forecaster.grow()

    def forecasts(self, now: float) -> tuple[Forecast, ...]:
        """A forecast of every window, shortest first; each is remembered, and judged when its window is over."""
        found = []
        for minutes in sorted(self.record.windows):
            forecast = self.forecaster.forecast(minutes, now)
            if forecast is not None:
                self.forecaster.claim(forecast)
                found.append(forecast)
        return tuple(found)

    def advice(self, now: float, took: tuple[Took, ...] = ()) -> Advice:
        """The verdict at a moment; see `Adviser.advise`."""
        return self.adviser.advise(now, took)

    def warned(self, now: float) -> tuple[Warned, ...]:
        """The warnings that hold: neither is it calm again, nor was the window reset or the limit reached."""
        windows = self.record.windows
        return tuple(
            Warned(alarm.raised_at, minutes, alarm.chance)
            for minutes, alarm in self._alarms.items()
            if alarm.raised_at is not None and alarm.resets_at > now and windows[minutes].used < 100
        )

    def _warnings(self, reading: Reading) -> list[Warned]:
        found = []
        for minutes, window in self.record.windows.items():
            if window.at != reading.at or window.resets_at is None:
                continue
            alarm = self._alarms.get(minutes)
            if alarm is None or abs(alarm.resets_at - window.resets_at) > 600:
                alarm = self._alarms[minutes] = _Alarm(window.resets_at)
            if window.used < _LEAST_USED or window.used >= 100 or self.record.block is not None:
                continue
            chance = self.forecaster.chance_within(minutes, reading.at, self._lead)
            if chance is not None and self._raises(alarm, reading.at, chance):
                alarm.raised_at, alarm.chance, alarm.calm_since = reading.at, chance, None
                found.append(Warned(reading.at, minutes, chance))
        return found

    @staticmethod
    def _raises(alarm: _Alarm, now: float, chance: float) -> bool:
        if alarm.raised_at is None:
            return chance >= FIRE
        if now - alarm.raised_at >= _GOOD_FOR and chance >= _FIRE_CLOSE:
            return True
        if chance >= CALM:
            alarm.calm_since = None
        elif alarm.calm_since is None:
            alarm.calm_since = now
        elif now - alarm.calm_since >= _CALM_LASTS:
            alarm.raised_at = None
        return False
