from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.worlds import credit
from tests.support.clocks import START
from tui.domain.credits import Bank, Credit, CreditStatus
from tui.domain.spend import choose_credit


def test_the_soonest_to_lapse_is_spent_first_and_the_everlasting_last() -> None:
    bank = Bank(
        4,
        (
            credit("never", None),
            credit("late", 29),
            credit("soon", 2),
            credit("date unknown", None, never_expires=False),
        ),
    )
    assert [row.id for row in bank.spendable(START)] == ["soon", "late", "date unknown", "never"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (credit(status=CreditStatus.REDEEMING), "redeeming"),
        (credit(status=CreditStatus.REDEEMED), "redeemed"),
        (credit(status=CreditStatus.UNKNOWN), "in a state this version does not know"),
        (credit(type="cloud_minutes"), "of a type this version does not know"),
        (credit(days=0), "lapsed"),
        (credit(supported=False), "not supported by your plan"),
        (credit(), None),
    ],
)
def test_what_cannot_be_spent_says_why(row: Credit, reason: str | None) -> None:
    assert row.refusal(START) == reason


def test_a_credit_lapses_to_the_second() -> None:
    row = credit(days=1)
    assert row.refusal(START + timedelta(days=1, seconds=-1)) is None
    assert row.refusal(START + timedelta(days=1)) == "lapsed"


def test_a_count_above_the_rows_is_said() -> None:
    assert Bank(12, tuple(credit(str(number)) for number in range(5))).unlisted == 7
    assert Bank(None, (credit(),)).unlisted == 0
    assert Bank(3, None).unlisted == 0


def test_choosing_explains_itself() -> None:
    bank = Bank(2, (credit("a", 5), credit("b", 3)))
    assert choose_credit(bank, START) == bank.find("b")
    assert choose_credit(bank, START, "a") == bank.find("a")
    assert choose_credit(bank, START, "z") == "no reset with the id z is listed"
    assert choose_credit(Bank(0, ()), START) == "no reset that could be spent is in the bank"
    assert choose_credit(Bank(1, (credit(days=-1),)), START) == "no reset that could be spent is in the bank"
    assert choose_credit(Bank(None, None), START) == "the service did not say how many resets are banked"
    assert choose_credit(Bank(2, None), START) is None


def test_where_the_service_counts_none_no_row_is_chosen() -> None:
    bank = Bank(0, (credit("a", 5),))
    assert choose_credit(bank, START) == "no reset that could be spent is in the bank"
    assert choose_credit(bank, START, "a") == "the service counts no reset that could be spent"
    assert bank.usable(START) == 0


@given(st.lists(st.integers(-3, 40), max_size=12))
def test_whatever_is_chosen_can_be_spent_and_nothing_lapses_sooner(days: list[int]) -> None:
    bank = Bank(len(days), tuple(credit(str(place), day) for place, day in enumerate(days)))
    chosen = choose_credit(bank, START)
    alive = [day for day in days if day > 0]
    if alive:
        assert isinstance(chosen, Credit)
        assert chosen.expires_at == START + timedelta(days=min(alive))
    else:
        assert not isinstance(chosen, Credit)


@pytest.mark.parametrize(
    ("available", "rows", "usable"),
    [
        (None, None, None),
        (3, None, 3),
        (0, None, 0),
        (0, (credit(),), 0),
        (None, (credit(),), None),
        (2, (), 2),
        (1, (credit(days=-1),), 0),
        (1, (credit(supported=False),), 0),
        (1, (credit(status=CreditStatus.UNKNOWN),), 0),
        (1, (credit(type="cloud_minutes"),), 0),
        (2, (credit("a"), credit("b", days=-1)), 1),
        (9, (credit("a"), credit("b")), 9),
        (1, (credit("a"), credit("b")), 1),
    ],
)
def test_how_many_can_be_promised(available: int | None, rows: tuple[Credit, ...] | None, usable: int | None) -> None:
    bank = Bank(available, rows)
    assert bank.usable(START) == usable
    if usable == 0 and available:
        assert isinstance(choose_credit(bank, START), str)
