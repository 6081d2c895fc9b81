import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.reading import Reading, WindowReading
from tui.domain.use import UseRecord, weighted_quantiles

START = 1772409600.0
"""Monday, 2 March 2026, 00:00 UTC."""

HOUR = 3600.0


def look(at: float, used: float | None, resets_at: float | None, **more: object) -> Reading:
    return Reading(START + at, (WindowReading(300, used, None if resets_at is None else START + resets_at),), **more)  # type: ignore[arg-type]


def recorded(*readings: Reading) -> UseRecord:
    record = UseRecord()
    for reading in readings:
        record.add(reading)
    return record


def test_what_was_used_lies_where_it_was_used() -> None:
    record = recorded(look(0, 0, 5 * HOUR), look(600, 4, 5 * HOUR), look(1200, 4, 5 * HOUR), look(1500, 5, 5 * HOUR))
    assert record.sums == pytest.approx([0, 2, 4, 4, 4, 5])
    assert record.now_sum == pytest.approx(5)
    assert record.bin_of(START + 601) == 2


def test_a_reset_does_not_take_demand_away() -> None:
    record = recorded(look(0, 90, HOUR), look(2 * HOUR, 3, 7 * HOUR))
    assert record.now_sum == pytest.approx(3)
    assert [(r.natural, r.used_before) for r in record.resets] == [(True, 90.0)]
    early = recorded(look(0, 90, 4 * HOUR, available=2), look(HOUR, 0, 6 * HOUR, available=1))
    assert [(r.natural, r.spent) for r in early.resets] == [(False, True)]
    free = recorded(look(0, 90, 4 * HOUR, available=2), look(HOUR, 0, 6 * HOUR, available=2))
    assert [(r.natural, r.spent) for r in free.resets] == [(False, False)]


def test_two_sources_that_round_differently_use_nothing() -> None:
    record = recorded(*(look(60.0 * n, 41 + n % 2, 5 * HOUR) for n in range(50)))
    assert record.now_sum == pytest.approx(1)
    assert record.resets == []


def test_an_idle_window_that_slides_is_no_reset() -> None:
    record = recorded(*(look(600.0 * n, 0, 600.0 * n + 5 * HOUR) for n in range(50)))
    assert record.resets == []
    assert record.now_sum == 0


def test_unknown_shares_change_nothing() -> None:
    record = recorded(
        look(0, 10, 5 * HOUR), look(60, None, 5 * HOUR), look(120, float("nan"), None), look(180, 12, 5 * HOUR)
    )
    assert record.windows[300].used == 12
    assert record.now_sum == pytest.approx(2)


@pytest.mark.parametrize(
    ("used", "allowed", "blocked"),
    [
        pytest.param(100, True, None, id="a rounded hundred"),
        pytest.param(100, None, 300, id="no word"),
        pytest.param(100, False, 300, id="refused"),
        pytest.param(99, False, 300, id="refused, rounded down"),
        pytest.param(99, True, None, id="allowed"),
        pytest.param(99, None, None, id="not full"),
        pytest.param(20, False, 0, id="refused for another reason"),
    ],
)
def test_what_blocks(used: float, allowed: bool | None, blocked: int | None) -> None:
    record = recorded(look(0, used, 5 * HOUR, allowed=allowed))
    assert (record.block.minutes if record.block else None) == blocked


def test_the_share_of_a_longer_window_is_learnt() -> None:
    def both(n: int) -> Reading:
        short, week = (
            WindowReading(300, float(n % 90), START + 5 * HOUR),
            WindowReading(10080, n // 5, START + 150 * HOUR),
        )
        return Reading(START + 60.0 * n, (short, week))

    record = recorded(*(both(n) for n in range(80)))
    assert record.share_of(300) == 1.0
    assert record.share_of(10080) == pytest.approx(0.2, abs=0.02)
    assert record.share_of(43200) is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e7), st.none() | st.floats(-10, 300), st.none() | st.floats(0, 2e7), st.none() | st.booleans()
        ),
        max_size=40,
    )
)
def test_nothing_breaks_the_record(looks: list[tuple[float, float | None, float | None, bool | None]]) -> None:
    record = recorded(*(look(at, used, resets, allowed=allowed) for at, used, resets, allowed in looks))
    assert record.sums == sorted(record.sums)
    assert len(record.sums) == len(record.flags) + 1 == len(record.present) == len(record.paced)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 5)), min_size=1).map(sorted))
def test_quantiles_are_values_in_order(values: list[tuple[float, float]]) -> None:
    found = weighted_quantiles(values, (0.1, 0.5, 0.9))
    assert found == sorted(found)
    assert set(found) <= {value for value, _ in values}


def test_what_one_session_takes_in_an_hour() -> None:
    def at_work(minutes: int, used: float, running: int | None) -> Reading:
        return look(60.0 * minutes, used, 5 * HOUR, running=running)

    alone = recorded(*(at_work(10 * n, 2.0 * n, 1) for n in range(19)))
    assert alone.session_hour == pytest.approx(12)
    two = recorded(*(at_work(10 * n, 2.0 * n, 2) for n in range(10)))
    assert two.session_hour == pytest.approx(6)
    # Until two hours of sessions were seen, and where nobody knows of sessions, it is unknown.
    assert recorded(*(at_work(10 * n, 2.0 * n, 1) for n in range(12))).session_hour is None
    assert recorded(*(at_work(10 * n, 2.0 * n, None) for n in range(19))).session_hour is None
