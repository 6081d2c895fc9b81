import pytest

from tui.domain.advice import Verdict
from tui.domain.foresight import Foresight
from tui.domain.reading import Reading, WindowReading

START = 1772409600.0
HOUR = 3600.0
DAY = 24 * HOUR


def look(at: float, used: float, resets_at: float, minutes: int = 300) -> Reading:
    return Reading(START + at, (WindowReading(minutes, used, START + resets_at),), used < 100, 1)


def workdays(foresight: Foresight, days: int, per_hour: float, until: float | None = None) -> float:
    """The same morning every day: work from 9:00 at an even pace, in a window from 9:00 to 14:00."""
    at = 0.0
    for day in range(days):
        for step in range(0, 25 * 12, 5):
            at = day * DAY + 9 * HOUR + step * 60.0
            if until is not None and at > until:
                return at
            if step * 60.0 < 5 * HOUR:
                foresight.add(look(at, float(int(min(100.0, step / 60 * per_hour))), day * DAY + 14 * HOUR))
            else:
                foresight.add(look(at, 0, at + 5 * HOUR))
    return at


def test_an_even_rhythm_is_known_after_some_days() -> None:
    foresight = Foresight()
    now = workdays(foresight, 15, 25.0, until=14 * DAY + 10 * HOUR)
    (forecast,) = foresight.forecasts(START + now)
    assert "like moments on" in forecast.basis
    assert forecast.limit_at is not None
    assert forecast.limit_at.p50 == pytest.approx(START + 14 * DAY + 13 * HOUR, abs=900)
    assert forecast.at_reset_percent is not None
    assert forecast.at_reset_percent.p50 == pytest.approx(100, abs=1)


def test_the_first_minutes_rest_on_the_window_itself_and_say_so() -> None:
    foresight = Foresight()
    workdays(foresight, 1, 30.0, until=10 * HOUR)
    (forecast,) = foresight.forecasts(START + 10 * HOUR)
    assert forecast.basis == "the average of this window so far"
    assert forecast.limit_at is not None
    assert forecast.limit_at.p50 == pytest.approx(START + 12.3 * HOUR, abs=1500)


def test_what_is_full_is_full() -> None:
    foresight = Foresight()
    foresight.add(look(0, 100, 3 * HOUR))
    (forecast,) = foresight.forecasts(START)
    assert (forecast.chance, forecast.basis) == (1.0, "the limit is reached")


def test_a_lone_reading_far_ahead_is_a_clock_that_went_wrong() -> None:
    foresight = Foresight()
    workdays(foresight, 3, 20.0)
    known = foresight.record.now_sum
    foresight.add(look(4000 * DAY, 5, 4000 * DAY + HOUR))
    foresight.add(look(4 * DAY, 0, 4 * DAY + 5 * HOUR))
    assert foresight.record.now_sum == known
    foresight.add(look(4000 * DAY, 5, 4000 * DAY + HOUR))
    foresight.add(look(4000 * DAY + 60, 6, 4000 * DAY + HOUR))
    assert foresight.record.now_sum == 0
    assert foresight.record.last is not None
    assert foresight.record.last.at == START + 4000 * DAY + 60


def test_advice_needs_a_fresh_reading() -> None:
    foresight = Foresight()
    assert foresight.advice(START).verdict is Verdict.CANNOT_TELL
    foresight.add(look(0, 50, 3 * HOUR))
    assert foresight.advice(START + 60).verdict is not Verdict.CANNOT_TELL
    assert foresight.advice(START + 2 * HOUR).verdict is Verdict.CANNOT_TELL
