"""Each step of a reset's last week is one step, whatever the moment."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.worlds import credit, snapshot
from tests.support.clocks import START
from tui.domain.credits import CreditStatus
from tui.domain.lapses import STEPS, lapses

HOURS = st.floats(-48, 400).map(lambda hours: timedelta(hours=hours))


@given(left=HOURS)
def test_a_reset_is_in_the_shortest_step_that_holds(left: timedelta) -> None:
    bank = snapshot(rows=(replace(credit(), expires_at=START + left),)).bank
    found = lapses(bank, START)
    expected = [step for step in STEPS if timedelta(0) < left <= step][:1]
    assert [lapse.step for lapse in found] == expected


@given(left=st.floats(0.01, 167), later=st.floats(0, 167))
def test_a_step_never_gets_longer_with_time(left: float, later: float) -> None:
    bank = snapshot(rows=(replace(credit(), expires_at=START + timedelta(hours=left)),)).bank
    (before,) = lapses(bank, START)
    after = lapses(bank, START + timedelta(hours=later))
    assert all(lapse.step <= before.step for lapse in after)
    assert bool(after) == (later < left)


def test_what_cannot_be_spent_or_never_lapses_is_no_lapse() -> None:
    rows = (
        credit("never", None),
        credit("gone", 1, status=CreditStatus.REDEEMED),
        credit("other", 1, type="moon_phase"),
        credit("unsupported", 1, supported=False),
    )
    assert lapses(snapshot(rows=rows).bank, START) == ()
    assert lapses(snapshot(rows=(credit("a", 1),), available=0).bank, START) == ()
    assert lapses(snapshot(rows=None, available=2).bank, START) == ()


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=6.6), "about 7 days"),
        (timedelta(hours=50), "about 2 days"),
        (timedelta(hours=72), "3 days"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(minutes=61), "61 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=20), "less than a minute"),
    ],
)
def test_what_is_left_is_said_in_whole_units(left: timedelta, text: str) -> None:
    (lapse,) = lapses(snapshot(rows=(replace(credit(), expires_at=START + left),)).bank, START)
    assert lapse.left_text(START) == text
