from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.worlds import FIVE_HOURS, WEEK, moments, snapshot, window, windows
from tests.support.clocks import START
from tui.domain.windows import Limit, Window, WindowKind, WindowState, classify, label


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
    ("used", "allowed", "state"),
    [
        (0.0, None, WindowState.OK),
        (89.9, None, WindowState.OK),
        (90.0, None, WindowState.NEAR),
        (100.0, None, WindowState.REACHED),
        (137.0, None, WindowState.REACHED),
        (100.0, False, WindowState.REACHED),
        (100.0, True, WindowState.NEAR),
        (None, True, WindowState.UNKNOWN),
    ],
)
def test_a_windows_state(used: float | None, allowed: bool | None, state: WindowState) -> None:
    held = window(FIVE_HOURS, used)
    assert Limit("codex", None, allowed, (held,)).state_of(held, START) is state


def test_the_services_own_word_outranks_the_percentages() -> None:
    assert snapshot(window(FIVE_HOURS, 3.0), allowed=False).state(START) is WindowState.REACHED
    assert snapshot(window(FIVE_HOURS, 100.0), allowed=True).state(START) is WindowState.NEAR


def test_a_percentage_is_not_believed_beyond_its_windows_end() -> None:
    held = window(FIVE_HOURS, 50.0, resets_in=timedelta(minutes=3))
    limit = Limit("codex", None, None, (held,))
    assert limit.state_of(held, START + timedelta(minutes=3)) is WindowState.OK
    assert limit.state_of(held, START + timedelta(minutes=5)) is WindowState.UNKNOWN


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


@given(windows, moments, st.none() | st.booleans())
def test_no_known_window_is_judged_without_its_percentage(held: Window, now: object, allowed: bool | None) -> None:
    state = Limit("codex", None, allowed, (held,)).state_of(held, now)  # type: ignore[arg-type]
    assert state is not WindowState.REACHED or (held.used_percent or 0) >= 100
    assert (state is WindowState.UNKNOWN) or held.used_percent is not None


@given(st.lists(windows, max_size=4), moments)
def test_one_bad_window_is_never_hidden_by_good_ones(held: list[Window], now: object) -> None:
    limit = Limit("codex", None, None, tuple(held))
    states = [limit.state_of(one, now) for one in held]  # type: ignore[arg-type]
    if limit.state(now) is WindowState.OK:  # type: ignore[arg-type]
        assert set(states) == {WindowState.OK}


@pytest.mark.parametrize(
    ("minutes", "name"), [(300, "5 hours"), (10_080, "Week"), (4_320, "3 days"), (90, "90 min"), (120, "2 hours")]
)
def test_names_for_people(minutes: int, name: str) -> None:
    assert label(window(minutes, 0)) == name
