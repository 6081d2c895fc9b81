"""What is expected of an account at one moment, as it is shown."""

from typing import TYPE_CHECKING

import msgspec

from tui.domain.advice import Advice
from tui.domain.evening import Tonight, tonight
from tui.domain.forecast import Forecast
from tui.domain.foresight import Foresight, Warned
from tui.domain.plan import Planned
from tui.domain.reading import Costs
from tui.domain.took import Turn, took

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outlook(msgspec.Struct, frozen=True):
    """Forecasts of the windows of ordinary use, and the advice; expected, never observed."""

    at: float
    """Unix seconds."""
    forecasts: tuple[Forecast, ...]
    advice: Advice
    plan: tuple[Planned, ...] = ()
    """The resets in the bank, the soonest to lapse first, each with the time by which it is to be used."""
    trends: tuple[tuple[int, tuple[float, ...]], ...] = ()
    """(minutes, shares used at even steps up to now) of each window, since its last reset."""

    tonight: Tonight | None = None
    """A limit that is likely to be hit in the night; said in the evening alone."""

    warned: tuple[Warned, ...] = ()
    """The limits that are likely to be reached within the lead time."""

    def forecast_of(self, minutes: int | None) -> Forecast | None:
        """The forecast of one window; None where there is none."""
        return next((forecast for forecast in self.forecasts if forecast.minutes == minutes), None)

    def trend_of(self, minutes: int | None) -> tuple[float, ...]:
        """The trend of one window; empty where unknown."""
        return next((trend for length, trend in self.trends if length == minutes), ())


_STEPS = 24


def look_ahead(
    foresight: Foresight, now: float, under_way: tuple[Turn, ...] = (), costs: Costs | None = None
) -> Outlook:
    """Say what is expected now.

    Args:
        foresight: What was read so far.
        now: The present moment, not before the last reading.
        under_way: The sessions at work, and those that the limit stopped.
        costs: What the service said that they took.
    """
    trends = tuple(_trends(foresight, now))
    forecasts, record = foresight.forecasts(now), foresight.record
    blocks = record.blocks if record.block is None else [*record.blocks, record.block]
    night = tonight(forecasts, blocks, record.first_at, now, record.offset)
    advice = foresight.advice(now, took(record, under_way, costs, now))
    return Outlook(now, forecasts, advice, foresight.adviser.plan(now), trends, night, foresight.warned(now))


def _trends(foresight: Foresight, now: float) -> "Iterable[tuple[int, tuple[float, ...]]]":
    """Use since each window began, in even steps over the whole window."""
    record = foresight.record
    for window, resets_at, start, share in record.under_way(now):
        length = resets_at - start
        begin = max(0, record.bin_of(start))
        shares = []
        for step in range(1, _STEPS + 1):
            at = start + length * step / _STEPS
            if at > now + length / _STEPS:
                break
            shares.append(min(window.used, record.used_between(begin, record.bin_of(min(at, now))) * share))
        yield window.minutes, tuple(shares)
