import pytest
from msgspec.structs import replace

from tui.domain.advice import Verdict
from tui.domain.foresight import Foresight
from tui.domain.reading import CreditReading, Reading, WindowReading

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


def test_a_reset_is_queued_for_a_limit_that_comes_before_it_lapses() -> None:
    foresight = Foresight()
    now = workdays(foresight, 15, 25.0, until=14 * DAY + 10 * HOUR) + 60
    ten = START + now
    soon, late = CreditReading("soon", ten + HOUR), CreditReading("late", ten + 9 * DAY)
    for held, chosen, lapsed in (((late, soon), "late", False), ((soon,), None, True), ((), None, False)):
        reading = look(now, 25.0, 14 * DAY + 14 * HOUR)
        foresight.add(replace(reading, credits=held, available=len(held) or 1))
        facts = foresight.adviser.facts(START + now)
        assert facts.hit_at is not None
        assert ten + HOUR < facts.hit_at < START + 14 * DAY + 14 * HOUR
        assert (facts.hit_credit_id, facts.lapsed_by_then) == (chosen, lapsed)
        now += 60


def test_advice_needs_a_fresh_reading() -> None:
    foresight = Foresight()
    assert foresight.advice(START).verdict is Verdict.CANNOT_TELL
    foresight.add(look(0, 50, 3 * HOUR))
    assert foresight.advice(START + 60).verdict is not Verdict.CANNOT_TELL
    assert foresight.advice(START + 2 * HOUR).verdict is Verdict.CANNOT_TELL


def one_window(foresight: Foresight, minutes: int, days: int, per_day: float, resets_at: float) -> float:
    """Work from 9:00 to 17:00 of every day, in one long window; it is the last evening, 18:00."""
    at = 0.0
    for day in range(days):
        for step in range(24 * 6):
            at = day * DAY + step * 600.0
            if at > (days - 1) * DAY + 18 * HOUR:
                return at
            done = day + min(1.0, max(0.0, step / 6 - 9) / 8)
            foresight.add(look(at, done * per_day, resets_at, minutes))
    return at


@pytest.mark.parametrize(("days", "minutes"), [(3, 10080), (10, 10080), (10, 43200), (22, 43200), (9, 60 * 24 * 60)])
def test_no_reset_is_too_far_away_to_look_ahead(days: int, minutes: int) -> None:
    foresight = Foresight()
    length = minutes * 60.0
    now = one_window(foresight, minutes, days, 2.0, length)
    foresight.add(look(now + 600, 0.0, now + 600 + length, minutes))  # a whole window lies ahead
    foresight.add(look(now + 1200, 0.0, now + 1200 + length, minutes))
    (forecast,) = foresight.forecasts(START + now + 1200)
    assert forecast.limit_at is not None


@pytest.mark.parametrize(("lead", "earliest", "latest"), [(1200.0, 10, 40), (3600.0, 45, 90)])
def test_a_warning_holds_from_its_lead_time_before_the_limit_until_that_is_reached(
    lead: float, earliest: int, latest: int
) -> None:
    """25 per cent an hour since nine o'clock, as on every day before: it is full at 13:00."""
    foresight = Foresight(lead=lead)
    workdays(foresight, 14, 25.0)
    raised: list[float] = []
    for minute in range(4 * 60 + 1):
        at = 14 * DAY + 9 * HOUR + minute * 60
        used = min(100.0, float(int(minute / 60 * 25)))
        raised += [one.at for one in foresight.add(look(at, used, 14 * DAY + 14 * HOUR))]
        holds = bool(raised) and used < 100
        assert [one.minutes for one in foresight.warned(START + at)] == ([300] if holds else [])
    (first, *_) = raised
    assert earliest <= (START + 14 * DAY + 13 * HOUR - first) / 60 <= latest
    foresight.add(look(14 * DAY + 14 * HOUR + 60, 0.0, 14 * DAY + 19 * HOUR))
    assert foresight.warned(START + 14 * DAY + 14 * HOUR + 60) == ()


def test_a_month_is_looked_ahead_to_its_end_by_the_own_weeks() -> None:
    foresight = Foresight()
    now = one_window(foresight, 43200, 15, 4.0, 30 * DAY)
    (forecast,) = foresight.forecasts(START + now)
    assert forecast.basis == "rhythm of 2 weeks"
    assert forecast.limit_at is not None
    assert forecast.limit_at.p50 is not None
    assert forecast.limit_at.p50 == pytest.approx(START + 25 * DAY, abs=1.5 * DAY)  # ten days from now


def test_a_month_that_is_not_used_up_lands_by_all_its_days() -> None:
    foresight = Foresight()
    now = one_window(foresight, 43200, 15, 2.0, 30 * DAY)
    (forecast,) = foresight.forecasts(START + now)
    assert forecast.at_reset_percent is not None
    assert forecast.at_reset_percent.p50 == pytest.approx(60, abs=4)


def test_a_warning_comes_once_and_in_time() -> None:
    """Every working day reaches the limit four hours after it began."""
    foresight = Foresight()
    warned: dict[int, list[float]] = {}
    for day in range(12):
        for step in range(0, 25 * 12, 5):
            at = day * DAY + 9 * HOUR + step * 60.0
            used = float(int(min(100.0, step / 60 * 25.0)))
            for warning in foresight.add(look(at, used, day * DAY + 14 * HOUR)):
                warned.setdefault(day, []).append(day * DAY + 13 * HOUR - (warning.at - START))
    assert all(len(before) == 1 and 300 <= before[0] <= 1800 for day, before in warned.items() if day >= 3)
    assert set(range(3, 12)) <= set(warned)


def test_a_pace_at_an_unusual_hour_warns_by_moments_of_a_like_pace() -> None:
    """Sprints came in the morning alone; one in the afternoon is seen by its pace."""
    foresight = Foresight()
    at = 0.0

    def session(begin: float, per_hour: float, minutes: int, since: float = 0.0, resets_at: float = 0.0) -> list[float]:
        found = []
        for step in range(0, minutes, 5):
            used = min(100.0, since + step / 60 * per_hour)
            found += [w.at - START for w in foresight.add(look(begin + step * 60, float(int(used)), resets_at))]
        return found

    for day in range(14):
        at = day * DAY
        session(at + 9 * HOUR, 100.0, 60, 0, at + 14 * HOUR)
        session(at + 20 * HOUR, 10.0, 120, 0, at + 25 * HOUR)
    at = 14 * DAY
    (first, *_) = session(at + 15 * HOUR, 100.0, 60, 0, at + 20 * HOUR)
    assert 300 <= at + 16 * HOUR - first <= 1800
