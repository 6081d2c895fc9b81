from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.asking import FIVE_HOUR_KEY, HOUR, MINUTE, WEEK_KEY, reading
from tests.domain.worlds import FIVE_HOURS
from tests.support.clocks import START
from tui.domain.forecast import Forecast, Sample, SampleLog, forecast
from tui.domain.snapshot import Account


def climb(*shares: float, every: timedelta = MINUTE, active: bool = True) -> list[Sample]:
    """Readings that end at START."""
    first = START - every * (len(shares) - 1)
    return [Sample(first + every * place, share, active) for place, share in enumerate(shares)]


def test_a_steady_climb_ends_where_the_line_does() -> None:
    line = forecast(climb(80, 81, 82, 83, 84), START, START + 3 * HOUR)
    assert line is not None
    assert line.slope_percent_per_hour == pytest.approx(60.0)
    assert (line.empty_at, line.at_reset_percent) == (START + 16 * MINUTE, 100.0)


def test_a_slow_climb_lands_below_full() -> None:
    line = forecast(climb(40, 40.1, 40.2, 40.3), START, START + 2 * HOUR)
    assert line is not None
    assert line.empty_at is None
    assert line.at_reset_percent == pytest.approx(52.3)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([], id="nothing"),
        pytest.param(climb(80, 90, every=5 * MINUTE), id="two readings"),
        pytest.param(climb(80, 81, 82, every=MINUTE), id="two minutes"),
        pytest.param(climb(80, 85, 90, 3, 4, 5), id="a reset in between"),
        pytest.param(climb(80, 81, 82, 83, 84, active=False), id="nobody at work"),
        pytest.param(climb(80, 85, 90, every=7 * MINUTE), id="not watched in between"),
    ],
)
def test_too_little_is_unknown(samples: list[Sample]) -> None:
    assert forecast(samples, START, START + HOUR) is None


def test_old_readings_and_a_window_that_is_over_say_nothing() -> None:
    samples = climb(80, 81, 82, 83, 84)
    assert forecast(samples, START + 7 * MINUTE, START + HOUR) is None
    assert forecast(samples, START, START) is None


@pytest.mark.parametrize("shares", [(84, 84, 84, 84), (84, 83.5, 83, 82.5)])
def test_no_climb_is_never_empty(shares: tuple[float, ...]) -> None:
    line = forecast(climb(*shares), START, START + HOUR)
    assert line is not None
    assert line.empty_at is None
    assert line.at_reset_percent == shares[-1]


def test_a_climb_with_no_known_reset_has_no_landing() -> None:
    line = forecast(climb(80, 81, 82, 83), START)
    assert line is not None
    assert line.at_reset_percent is None
    assert line.empty_at == START + 17 * MINUTE


def test_a_pause_does_not_slow_the_line() -> None:
    work = climb(80, 81, 82)
    pause = [Sample(work[-1].at + MINUTE * place, 82, active=False) for place in range(1, 31)]
    back = [Sample(pause[-1].at + MINUTE * place, 82.0 + place) for place in range(1, 4)]
    now = back[-1].at
    line = forecast([*work, *pause, *back], now, now + HOUR)
    assert line is not None
    assert line.slope_percent_per_hour == pytest.approx(60.0)


def test_only_the_last_quarter_of_an_hour_counts() -> None:
    line = forecast(climb(*[50.0] * 60, *[50.0 + place for place in range(1, 17)]), START, START + HOUR)
    assert line is not None
    assert line.slope_percent_per_hour == pytest.approx(60.0)


@given(
    st.lists(st.tuples(st.integers(-300, 900), st.floats(0, 150), st.booleans()), max_size=40),
    st.none() | st.integers(-3600, 700_000),
)
def test_any_history_gives_a_sane_line_or_none(steps: list[tuple[int, float, bool]], left: int | None) -> None:
    at, samples = START, []
    for seconds, share, active in steps:
        at += timedelta(seconds=seconds)
        samples.append(Sample(at, share, active))
    resets_at = None if left is None else at + timedelta(seconds=left)
    line = forecast(samples, at, resets_at)
    if line is None:
        return
    if line.empty_at is not None:
        assert line.slope_percent_per_hour > 0
        assert at <= line.empty_at
        assert resets_at is None or line.empty_at <= resets_at
    assert (line.at_reset_percent is None) == (resets_at is None)
    assert line.at_reset_percent is None or line.at_reset_percent >= samples[-1].used_percent


def logged(*shares: float | None, start: datetime = START) -> SampleLog:
    log = SampleLog()
    for place, share in enumerate(shares):
        log = log.take(reading(share, at=start + MINUTE * place))
    return log


def test_the_log_feeds_the_forecast_of_every_window() -> None:
    found = logged(80, 81, 82, 83).forecasts(START + 3 * MINUTE)
    five = found[FIVE_HOUR_KEY]
    assert five is not None
    assert five.empty_at == START + 20 * MINUTE
    assert found[WEEK_KEY] == Forecast(None, 0.0, 43.0)


def test_the_log_begins_anew_after_a_reset() -> None:
    log = logged(80, 81, 82, 3)
    assert [sample.used_percent for sample in log.samples(*FIVE_HOUR_KEY)] == [3]
    assert len(log.samples(*WEEK_KEY)) == 4


def test_the_log_begins_anew_where_the_next_window_is_as_full() -> None:
    log = logged(10).take(reading(12.0, at=START + 4 * HOUR, five_left=8 * HOUR))
    assert len(log.samples(*FIVE_HOUR_KEY)) == 1


def test_an_unknown_share_leaves_no_sample() -> None:
    assert [sample.used_percent for sample in logged(80, None, 82).samples("codex", FIVE_HOURS)] == [80, 82]


def test_another_account_begins_anew() -> None:
    other = reading(83.0, at=START + HOUR)
    other = replace(other, account=Account("acc2"))
    assert len(logged(80, 81, 82).take(other).samples(*FIVE_HOUR_KEY)) == 1


def test_many_readings_a_second_stay_few() -> None:
    log = SampleLog()
    for place in range(4_000):
        log = log.take(reading(50.0, at=START + place * MINUTE / 600))
    kept = log.samples(*FIVE_HOUR_KEY)
    assert len(kept) < 100
    assert kept[-1].at == START + 3_999 * MINUTE / 600


def test_the_log_is_bounded() -> None:
    assert len(logged(*[50.0] * 400).samples(*FIVE_HOUR_KEY)) == 256


def test_a_clock_set_back_begins_anew_and_a_late_reading_is_dropped() -> None:
    log = logged(80, 81, 82)
    assert log.take(reading(81.0, at=START + MINUTE)).samples(*FIVE_HOUR_KEY) == log.samples(*FIVE_HOUR_KEY)
    assert len(log.take(reading(83.0, at=START - HOUR)).samples(*FIVE_HOUR_KEY)) == 1
