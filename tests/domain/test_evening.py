"""The evening's offer: by the forecast, or by most of the last nights; never by day."""

import pytest

from tui.domain.evening import DAY, HOUR, tonight
from tui.domain.forecast import Forecast, Interval
from tui.domain.use import Block

MIDNIGHT = 1772409600.0
"""Monday, 2 March 2026, 00:00 UTC."""
EVENING = MIDNIGHT + 20 * HOUR
TWO = MIDNIGHT + 26 * HOUR
"""Two in the coming night."""
LONG_AGO = MIDNIGHT - 60 * DAY


def expected(at: float | None, chance: float = 0.7) -> Forecast:
    return Forecast(EVENING, 300, Interval(at, at, at), Interval(90, 100, 100), chance, MIDNIGHT + 28 * HOUR, "")


def hit(nights_ago: int, hour: float = 26.0) -> Block:
    start = MIDNIGHT + hour * HOUR - nights_ago * DAY
    return Block(start, start + HOUR, 300, start + HOUR)


def test_the_forecast_speaks_first() -> None:
    found = tonight([expected(TWO)], [], LONG_AGO, EVENING, 0)
    assert found is not None
    assert (found.hit_at, found.why) == (TWO, "by the forecast")


@pytest.mark.parametrize(
    "forecast",
    [expected(None), expected(TWO, 0.4), expected(MIDNIGHT + 21 * HOUR), expected(MIDNIGHT + 31 * HOUR)],
)
def test_a_hit_that_is_unlikely_or_not_in_the_night_is_none(forecast: Forecast) -> None:
    assert tonight([forecast], [], LONG_AGO, EVENING, 0) is None


def test_most_of_the_last_nights_are_a_habit_and_their_middle_hour_counts() -> None:
    blocks = [hit(7, 23), hit(5, 26), hit(3, 27), hit(1, 25.5)]
    found = tonight([], blocks, LONG_AGO, EVENING, 0)
    assert found is not None
    assert found.hit_at == TWO
    assert found.why == "so it was in 4 of your last 7 nights"
    assert tonight([], blocks[:3], LONG_AGO, EVENING, 0) is None
    late = tonight([], blocks, LONG_AGO, EVENING - 20 * HOUR + 23.9 * HOUR, 0)
    assert late is not None
    assert late.hit_at == TWO


def test_a_person_known_for_three_nights_has_a_habit_after_three_hits() -> None:
    blocks = [hit(3), hit(2), hit(1)]
    assert tonight([], blocks, MIDNIGHT - 3 * DAY, EVENING, 0) is not None
    assert tonight([], blocks[1:], MIDNIGHT - 2 * DAY, EVENING, 0) is None


@pytest.mark.parametrize("hour", [0, 3, 9, 17.9])
def test_by_day_nothing_is_said(hour: float) -> None:
    blocks = [hit(n) for n in range(1, 8)]
    assert tonight([expected(TWO)], blocks, LONG_AGO, MIDNIGHT + hour * HOUR, 0) is None
    assert tonight([expected(TWO)], blocks, LONG_AGO, MIDNIGHT + hour * HOUR, 3 * HOUR) is None or hour >= 15


def test_the_evening_is_the_persons_own() -> None:
    assert tonight([expected(TWO)], [], LONG_AGO, MIDNIGHT + 12 * HOUR, 8 * HOUR) is None
    assert tonight([expected(MIDNIGHT + 18 * HOUR)], [], LONG_AGO, MIDNIGHT + 12 * HOUR, 8 * HOUR) is not None


def test_nobody_is_asked_on_the_first_days_whatever_the_forecast() -> None:
    assert tonight([expected(TWO)], [], EVENING - 2.9 * DAY, EVENING, 0) is None
    assert tonight([expected(TWO)], [], EVENING - 3 * DAY, EVENING, 0) is not None
