from hypothesis import given
from hypothesis import strategies as st

from tui.domain.plan import DAY, HOUR, plan
from tui.domain.reading import CreditReading

MIDNIGHT = 1772409600.0
NOON = MIDNIGHT + 12 * HOUR


def credit(name: str, days: float | None) -> CreditReading:
    return CreditReading(name, None if days is None else NOON + days * DAY)


def office(start: float, end: float) -> float:
    """Somebody works from 9:00 to 17:00 every day."""
    hour = (start - MIDNIGHT) % DAY / HOUR
    return (end - start) / HOUR if 9 <= hour < 17 else 0.0


def test_each_is_used_in_the_last_working_hour_before_it_lapses() -> None:
    (night,) = plan([credit("a", 1.625)], NOON, 1.0, office)  # lapses at 3:00 in the night after tomorrow
    assert night.use_by == MIDNIGHT + DAY + 16 * HOUR
    (day,) = plan([credit("a", 1.0)], NOON, 1.0, office)
    assert day.use_by == NOON + DAY - HOUR
    (soon,) = plan([credit("a", 0.01)], NOON, 1.0, office)
    assert soon.use_by == NOON


def test_the_one_that_no_block_is_left_for_lapses_unused() -> None:
    planned = plan([credit("c", 30), credit("a", 2), credit("b", 4), credit("d", None)], NOON, 0.5, office)
    assert [(one.credit_id, one.lapses_unused) for one in planned] == [
        ("a", False),  # one block in two days
        ("b", False),  # two in four
        ("c", False),
        ("d", False),
    ]
    planned = plan([credit("a", 2), credit("b", 3), credit("c", 30)], NOON, 0.5, office)
    assert [one.lapses_unused for one in planned] == [False, True, False]


def test_one_that_never_lapses_has_no_date_and_one_that_is_over_is_left_out() -> None:
    planned = plan([credit("a", None), credit("b", -1)], NOON, 0.0, office)
    assert [(one.credit_id, one.use_by) for one in planned] == [("a", None)]


@given(st.lists(st.floats(0.01, 60), max_size=6), st.floats(0, 5))
def test_nothing_is_planned_for_after_it_has_lapsed(lives: list[float], blocks: float) -> None:
    for one in plan([credit(str(n), life) for n, life in enumerate(lives)], NOON, blocks, office):
        assert one.expires_at is not None
        assert one.use_by is not None
        assert NOON <= one.use_by < one.expires_at
