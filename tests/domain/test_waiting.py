from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.asking import FIVE_HOUR_KEY, HOUR, MINUTE, reading, stopped_situation, thread
from tests.support.clocks import START
from tui.domain.ask_memory import AskMemory
from tui.domain.interruption import decide
from tui.domain.question import AskRules, Question
from tui.domain.snapshot import Account, Snapshot
from tui.domain.waiting import Announcement, ResumeReason, Waiting, follow, wait

QUESTION = decide(stopped_situation(), AskRules(), AskMemory(), START)
assert isinstance(QUESTION, Question)
REFUSED = reading(allowed=False)
WAITING = wait(QUESTION, REFUSED, START)
PAST = START + 3 * HOUR + 10 * MINUTE


def told(*readings: Snapshot) -> Announcement | None:
    waiting: Waiting = WAITING
    announcement = None
    for snapshot in readings:
        assert announcement is None
        waiting, announcement = follow(waiting, snapshot)
    return announcement


def test_a_share_that_fell_is_told_with_who_had_stopped() -> None:
    announcement = told(reading(0.0, at=PAST, five_left=8 * HOUR, allowed=True))
    assert announcement is not None
    assert announcement.reason is ResumeReason.WINDOW_RESET
    assert announcement.window.key == FIVE_HOUR_KEY
    assert announcement.observed_at == PAST
    assert [stop.thread_id for stop in announcement.stops] == [thread(1)]


def test_a_new_window_is_told_even_where_its_share_is_unknown() -> None:
    assert told(reading(None, at=PAST, five_left=8 * HOUR)) is not None


def test_allowed_again_is_told_as_such() -> None:
    announcement = told(reading(100.0, at=START + HOUR, allowed=True))
    assert announcement is not None
    assert announcement.reason is ResumeReason.ALLOWED_AGAIN


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(reading(at=PAST, allowed=False), id="the clock says so, the reading does not"),
        pytest.param(reading(at=PAST), id="over by the clock"),
        pytest.param(reading(None, at=PAST), id="unknown"),
        pytest.param(reading(at=START + MINUTE, allowed=False, five_left=4 * HOUR), id="only the date moved"),
        pytest.param(reading(0.0, five_left=8 * HOUR), id="a reading that is no newer"),
        pytest.param(replace(reading(0.0, at=PAST), account=Account("acc2")), id="another account"),
        pytest.param(reading(0.0, 100.0, at=PAST, five_left=8 * HOUR), id="the week still stops work"),
        pytest.param(reading(0.0, at=PAST, five_left=8 * HOUR, allowed=False), id="still refused"),
    ],
)
def test_what_is_not_told(snapshot: Snapshot) -> None:
    assert told(snapshot) is None


def test_a_reset_behind_another_limit_is_told_when_that_one_opens() -> None:
    blocked = reading(0.0, 100.0, at=PAST, five_left=8 * HOUR, week_left=4 * HOUR)
    open_again = reading(30.0, 0.0, at=PAST + HOUR, five_left=8 * HOUR, week_left=172 * HOUR)
    announcement = told(blocked, open_again)
    assert announcement is not None
    assert announcement.reason is ResumeReason.WINDOW_RESET


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=20))
def test_no_time_that_passes_is_an_announcement(steps: list[timedelta]) -> None:
    waiting, at = WAITING, START
    for step in steps:
        at += step
        waiting, announcement = follow(waiting, reading(at=at, allowed=False))
        assert announcement is None
