import pytest

from tui.domain.reading import PastPeriod, Reading, WindowReading
from tui.store.database import Database
from tui.store.readings import DAY, UNCHANGED, Readings

START = 1772409600.0


@pytest.fixture
def readings(database: Database) -> Readings:
    return Readings(database)


def look(at: float, used: float | None, resets_at: float | None = 18000, minutes: int = 300, **more: int) -> Reading:
    resets = None if resets_at is None else START + resets_at
    return Reading(START + at, (WindowReading(minutes, used, resets),), **more)  # type: ignore[arg-type]


def saved(readings: Readings, *looks: Reading) -> list[int]:
    return [readings.save("acc1", "http", reading) for reading in looks]


def test_only_what_changed_is_written_and_what_rests_every_ten_minutes(readings: Readings) -> None:
    assert saved(readings, look(0, 10), look(60, 10), look(90, 11), look(120, 11), look(90 + UNCHANGED, 11)) == [
        1,
        0,
        1,
        0,
        1,
    ]
    assert [(row.at - START, row.used_percent) for row in readings.rows("acc1", 0)] == [(0, 10), (90, 11), (690, 11)]
    assert saved(readings, look(700, 11, 20000), look(710, 11, 20000, available=2)) == [1, 1]


def test_what_another_process_kept_is_not_kept_again(readings: Readings, database: Database) -> None:
    other = Readings(database)
    assert saved(readings, look(0, 10)) == [1]
    assert saved(other, look(60.7, 10), look(120.2, 11)) == [0, 1]
    assert saved(readings, look(180, 11)) == [0]
    assert saved(readings, look(30, 12)) == [1]  # a session's own file may tell of an earlier moment


def test_an_idle_window_whose_date_slides_rests(readings: Readings) -> None:
    assert sum(saved(readings, *(look(60.0 * n, 0, 60.0 * n + 18000) for n in range(20)))) == 2


def test_accounts_and_windows_are_kept_apart(readings: Readings) -> None:
    readings.save("acc1", "http", look(0, 10))
    readings.save("acc2", "daemon", look(0, 20))
    readings.save("acc1", "http", look(0, 5, minutes=10080), "codex_other")
    assert [(row.used_percent, row.source) for row in readings.rows("acc2", 0)] == [(20, "daemon")]
    assert [reading.windows[0].used_percent for reading in readings.load("acc1", 0)] == [10]
    assert len(readings.rows(None, 0)) == 3


def test_what_is_unknown_stays_unknown(readings: Readings) -> None:
    readings.save("acc1", "somewhere", look(0, None, None))
    (row,) = readings.rows(None, 0)
    assert (row.used_percent, row.resets_at, row.allowed, row.available, row.source) == (
        None,
        None,
        None,
        None,
        "other",
    )


def test_a_forecast_gets_both_windows_of_a_moment_and_one_in_five_minutes(readings: Readings) -> None:
    for second in range(0, 600, 20):
        windows = (WindowReading(300, second / 20, START + 18000), WindowReading(10080, second / 200, START + 600000))
        readings.save("acc1", "http", Reading(START + second, windows))
    loaded = list(readings.load("acc1", START))
    assert [len(reading.windows) for reading in loaded] == [2, 2]
    assert [reading.at - START for reading in loaded] == [280, 580]
    assert next(readings.load("acc1", START + 300)).at == START + 580


def test_past_readings_come_once_however_often_they_are_added(readings: Readings) -> None:
    past = [look(60.0 * n, n // 3) for n in range(30)]
    assert readings.add_past("acc1", "rollout", past) == 10
    assert readings.add_past("acc1", "rollout", past) == 0
    assert not readings.is_imported("a.jsonl", 5, 1.0)
    readings.note_import("a.jsonl", 5, 1.0)
    assert readings.is_imported("a.jsonl", 5, 1.0)
    assert not readings.is_imported("a.jsonl", 6, 1.0)


def test_thinning_keeps_the_extremes_of_every_hour_and_later_of_every_day(readings: Readings) -> None:
    climb = [look(60.0 * n, n % 90, 3600.0 * (n // 90 + 1) * 1.5) for n in range(24 * 60)]
    readings.add_past("acc1", "rollout", climb)
    assert readings.thin(START + 50 * DAY) == 0
    readings.thin(START + 150 * DAY)
    rows = readings.rows("acc1", 0)
    assert max(row.used_percent or 0 for row in rows) == 89
    assert min(row.used_percent or 0 for row in rows) == 0
    by_turn = {row.resets_at: max(r.used_percent or 0 for r in rows if r.resets_at == row.resets_at) for row in rows}
    assert set(by_turn.values()) == {89}
    assert len(rows) < 100
    assert readings.thin(START + 150 * DAY) == 0
    readings.thin(START + 250 * DAY)
    assert len(readings.rows("acc1", 0)) <= 2 * 17
    readings.thin(START + 402 * DAY)
    assert readings.rows("acc1", 0) == []


def test_past_windows_of_the_service_fill_only_gaps_and_teach_no_forecast(readings: Readings) -> None:
    readings.save("acc1", "http", look(3600, 40))
    seen = PastPeriod(300, START, START + 18000, 90.0)
    unseen = PastPeriod(300, START - DAY, START - DAY + 18000, 62.5)
    assert readings.add_periods("acc1", [unseen, seen]) == 1
    assert readings.add_periods("acc1", [unseen, seen]) == 0
    rows = readings.rows("acc1", 0)
    assert [(row.at - START, row.used_percent, row.source) for row in rows] == [
        (18000 - DAY - 1, 62.5, "history"),
        (3600, 40, "http"),
    ]
    assert [reading.at - START for reading in readings.load("acc1", 0)] == [3600]
