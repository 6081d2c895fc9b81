from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, WEEK, moments, snapshot, window, windows
from tests.support.clocks import START
from tui.domain.limit_stops import allowed
from tui.domain.snapshot import PaidCredits, SpendControl, Wall
from tui.domain.windows import Limit, Window, WindowKind, WindowState, classify, label, limit_label


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [
        (300, WindowKind.FIVE_HOUR),
        (299, WindowKind.FIVE_HOUR),
        (240, WindowKind.OTHER),
        (1_440, WindowKind.DAILY),
        (10_080, WindowKind.WEEKLY),
        (10_000, WindowKind.WEEKLY),
        (28 * 1_440, WindowKind.MONTHLY),
        (31 * 1_440, WindowKind.MONTHLY),
        (90 * 1_440, WindowKind.OTHER),
        (1, WindowKind.OTHER),
    ],
)
def test_a_window_is_what_its_length_makes_it(minutes: int, kind: WindowKind) -> None:
    assert classify(minutes) is kind


@pytest.mark.parametrize(
    ("used", "state"),
    [
        (0.0, WindowState.OK),
        (89.9, WindowState.OK),
        (90.0, WindowState.NEAR),
        (100.0, WindowState.REACHED),
        (137.0, WindowState.REACHED),
        (None, WindowState.UNKNOWN),
    ],
)
def test_a_windows_state(used: float | None, state: WindowState) -> None:
    held = window(FIVE_HOURS, used)
    assert held.state(START) is state
    assert snapshot(held, allowed=None).state(START) is state


@pytest.mark.parametrize(
    ("used", "state"),
    [(40.0, WindowState.UNKNOWN), (95.0, WindowState.NEAR), (100.0, WindowState.REACHED), (None, WindowState.UNKNOWN)],
)
def test_a_window_whose_length_was_not_told_counts_when_it_is_full(used: float | None, state: WindowState) -> None:
    held = Window("codex", None, None, used, START + timedelta(hours=1))
    assert snapshot(window(FIVE_HOURS, 3.0), held).state(START) is state
    assert (held.length, held.begins_at, held.elapsed_fraction(START), held.is_idle(START)) == (None, None, None, False)
    assert (held.kind, label(held), limit_label(held)) == (WindowKind.OTHER, "A window", "usage limit")


def test_any_word_that_says_reached_outranks_all_that_disagree() -> None:
    assert snapshot(window(FIVE_HOURS, 3.0), allowed=False).state(START) is WindowState.REACHED
    assert snapshot(window(FIVE_HOURS, 100.0), allowed=True).state(START) is WindowState.REACHED


CREDITS = PaidCredits(True, False, "25")


@pytest.mark.parametrize(
    ("changes", "state", "helps"),
    [
        ({"paid": CREDITS}, WindowState.NEAR, True),
        ({"paid": PaidCredits(False, True, None)}, WindowState.NEAR, True),
        ({"paid": CREDITS, "ordinary_usage_allowed": None}, WindowState.REACHED, True),
        ({"paid": CREDITS, "ordinary_usage_allowed": False}, WindowState.REACHED, True),
        ({"paid": PaidCredits(False, False, "0")}, WindowState.REACHED, True),
        ({"paid": CREDITS, "spend_control": SpendControl(True, None, None)}, WindowState.REACHED, False),
        ({"paid": CREDITS, "spend_control": SpendControl(False, 40.0, None)}, WindowState.NEAR, True),
    ],
)
def test_paid_credits_carry_on_where_the_plan_ends(changes: dict[str, object], state: WindowState, helps: bool) -> None:
    reading = replace(snapshot(window(FIVE_HOURS, 100.0), allowed=True), **changes)
    assert (reading.state(START), reading.reset_helps(START)) == (state, helps)
    assert reading.paid_credits_carry_on(START) is (state is WindowState.NEAR)
    (limit,) = reading.limits
    refused = replace(reading, limits=(replace(limit, reached=True, reached_type="rate_limit_reached"),))
    assert allowed(refused) is (state is WindowState.NEAR), "a queued reset is not spent where work goes on"


@pytest.mark.parametrize(
    ("reason", "walls"),
    [
        ("rate_limit_reached", {Wall.PLAN}),
        ("primary", {Wall.PLAN}),
        ("workspace_member_credits_depleted", {Wall.CREDITS}),
        ("workspace_owner_credits_depleted", {Wall.CREDITS}),
        ("workspace_member_usage_limit_reached", {Wall.CAP}),
    ],
)
def test_what_stops_use(reason: str, walls: set[Wall]) -> None:
    limit = Limit("codex", None, False, (window(FIVE_HOURS, 38.0),), reason)
    reading = replace(snapshot(allowed=False), limits=(limit,))
    assert (set(reading.walls(START)), reading.state(START)) == (walls, WindowState.REACHED)
    assert reading.reset_helps(START) is (walls == {Wall.PLAN})


@pytest.mark.parametrize(
    ("control", "state"),
    [
        (SpendControl(False, 40.0, None), WindowState.OK),
        (SpendControl(False, 92.0, None), WindowState.NEAR),
        (SpendControl(False, 100.0, None), WindowState.REACHED),
        (SpendControl(True, 40.0, None), WindowState.REACHED),
        (SpendControl(True, None, None), WindowState.REACHED),
        (SpendControl(False, None, None), WindowState.UNKNOWN),
    ],
)
def test_a_cap_is_a_meter_where_there_are_no_windows(control: SpendControl, state: WindowState) -> None:
    assert replace(snapshot(), spend_control=control).state(START) is state
    assert replace(snapshot(), limits=(), spend_control=control).state(START) is state


def test_an_account_without_windows_may_be_unlimited() -> None:
    unlimited = replace(snapshot(), paid=PaidCredits(None, True, None))
    assert (unlimited.is_unlimited, unlimited.state(START)) == (True, WindowState.OK)
    assert replace(unlimited, ordinary_usage_allowed=False).state(START) is WindowState.REACHED
    assert replace(unlimited, unclear=True).state(START) is WindowState.UNKNOWN
    assert not replace(snapshot(window(FIVE_HOURS, 3.0)), paid=unlimited.paid).is_unlimited


def test_a_percentage_is_not_believed_beyond_its_windows_end() -> None:
    held = window(FIVE_HOURS, 50.0, resets_in=timedelta(minutes=3))
    assert held.state(START + timedelta(minutes=3)) is WindowState.OK
    assert held.state(START + timedelta(minutes=5)) is WindowState.UNKNOWN


def test_no_windows_is_unknown_not_fine() -> None:
    assert snapshot().state(START) is WindowState.UNKNOWN
    assert snapshot(allowed=True).state(START) is WindowState.UNKNOWN


def test_a_reached_week_blocks_the_five_hours() -> None:
    short, week = window(FIVE_HOURS, 1.0), window(WEEK, 100.0)
    limit = Limit("codex", None, False, (short, week))
    assert limit.blocker_of(short, START) is week
    assert limit.blocker_of(week, START) is None
    assert limit.binding_window(START) is week


def test_the_fullest_window_binds_while_none_is_reached() -> None:
    short, week = window(FIVE_HOURS, 41.0), window(WEEK, 42.0)
    assert Limit("codex", None, None, (short, week)).binding_window(START) is week
    assert Limit("codex", None, None, (window(WEEK, None),)).binding_window(START) is None


def test_an_idle_window_slides() -> None:
    assert window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5)).is_idle(START)
    assert not window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=4)).is_idle(START)
    assert not window(FIVE_HOURS, 1.0, resets_in=timedelta(hours=5)).is_idle(START)


def test_even_pace() -> None:
    assert window(FIVE_HOURS, 1.0, resets_in=timedelta(hours=1)).elapsed_fraction(START) == pytest.approx(0.8)
    assert Window("codex", None, 300, 1.0, None).elapsed_fraction(START) is None


@given(windows, moments)
def test_no_known_window_is_judged_without_its_percentage(held: Window, now: datetime) -> None:
    state = held.state(now)
    assert state is not WindowState.REACHED or (held.used_percent or 0) >= 100
    assert (state is WindowState.UNKNOWN) or held.used_percent is not None


@given(st.lists(windows, max_size=4), moments)
def test_one_bad_window_is_never_hidden_by_good_ones(held: list[Window], now: datetime) -> None:
    if snapshot(*held).state(now) is WindowState.OK:
        assert {one.state(now) for one in held} == {WindowState.OK}


@pytest.mark.parametrize(
    ("minutes", "name"), [(300, "5 hours"), (10_080, "Week"), (4_320, "3 days"), (90, "90 min"), (120, "2 hours")]
)
def test_names_for_people(minutes: int, name: str) -> None:
    assert label(window(minutes, 0)) == name
