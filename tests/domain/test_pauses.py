from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, snapshot, window
from tests.support.clocks import START
from tui.domain.held_sessions import HeldThread, with_held
from tui.domain.pauses import Pause, PauseKind, end_of, is_same, lost_before, pauses, time_lost
from tui.domain.sessions import Session, SessionState

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RESET = START + timedelta(hours=2, minutes=30)
STOP = Pause("t", PauseKind.STOPPED, START, None, RESET)
HELD = replace(STOP, kind=PauseKind.HELD)
AT_LIMIT = snapshot(window(FIVE_HOURS, 100.0), allowed=False)
STOPPED = Session("t", SessionState.STOPPED_AT_LIMIT, START, START)
RUNNING = Session("t", SessionState.RUNNING, START + HOUR, START + HOUR)


def test_stopped_and_held_sessions_stand_still_and_others_do_not() -> None:
    sessions = {"t": STOPPED, "u": replace(RUNNING, thread_id="u", since=START), "v": replace(RUNNING, thread_id="v")}
    sessions = dict(with_held(sessions, {"u": HeldThread(START)}, START))
    found = pauses(sessions, AT_LIMIT, START)
    assert found == (STOP, Pause("u", PauseKind.HELD, START, None, RESET))


@pytest.mark.parametrize(
    ("pause", "session", "room_after", "was_seen", "end"),
    [
        pytest.param(STOP, STOPPED, None, True, None, id="it still stands"),
        pytest.param(STOP, RUNNING, None, True, HOUR, id="its person went on"),
        pytest.param(STOP, replace(RUNNING, since=START + 9 * HOUR), None, False, 2.5 * HOUR, id="not before morning"),
        pytest.param(STOP, STOPPED, 40 * MINUTE, True, 40 * MINUTE, id="there was room, and nobody there"),
        pytest.param(STOP, STOPPED, 9 * HOUR, False, 2.5 * HOUR, id="room while nobody looked"),
        pytest.param(STOP, None, None, True, 2.5 * HOUR, id="gone"),
        pytest.param(STOP, None, None, False, None, id="not known yet after a start"),
        pytest.param(HELD, replace(RUNNING, since=START - HOUR), None, True, 10 * HOUR, id="let go"),
        pytest.param(HELD, replace(RUNNING, since=START - HOUR), None, False, None, id="let go while nobody looked"),
        pytest.param(
            HELD,
            replace(RUNNING, state=SessionState.HELD, released_at=START + 5 * MINUTE),
            None,
            True,
            5 * MINUTE,
            id="let go, and not heard of yet",
        ),
    ],
)
def test_when_it_ended(
    pause: Pause, session: Session | None, room_after: timedelta | None, was_seen: bool, end: timedelta | None
) -> None:
    seen = AT_LIMIT if room_after is None else snapshot(window(FIVE_HOURS, 0.0), allowed=True, at=START + room_after)
    found = end_of(pause, session, seen, START + 10 * HOUR, was_seen=was_seen)
    assert found == (None if end is None else START + end)


def test_the_same_stop_by_two_feeds_is_one() -> None:
    assert is_same(STOP, replace(STOP, since=START + MINUTE))
    assert not is_same(STOP, replace(STOP, since=START + 3 * MINUTE))
    assert not is_same(STOP, HELD)
    assert not is_same(None, STOP)


def test_time_that_several_stood_still_counts_once() -> None:
    now = START + 10 * HOUR
    found = [
        replace(STOP, until=START + HOUR),
        replace(STOP, thread_id="u", since=START + 30 * MINUTE, until=START + 2 * HOUR),
        replace(HELD, since=START + 3 * HOUR, until=START + 3 * HOUR + 5 * MINUTE),
        replace(HELD, since=START + 4 * HOUR),
    ]
    assert time_lost(found, now) == 2 * HOUR + 5 * MINUTE
    assert time_lost([STOP], START + HOUR) == HOUR
    assert time_lost([STOP], now) == RESET - START
    assert time_lost([], now) == timedelta(0)


def test_what_was_lost_before_a_spend() -> None:
    earlier = replace(STOP, since=START - HOUR, until=START - 30 * MINUTE)
    found = [earlier, replace(STOP, until=START + HOUR), replace(HELD, since=START + 20 * MINUTE, until=START + HOUR)]
    assert lost_before(found, START + 50 * MINUTE, START + HOUR) == 50 * MINUTE
    assert lost_before(found, START + 2 * HOUR, START + 3 * HOUR) == timedelta(0)
    assert lost_before([STOP], START + 50 * MINUTE, START + HOUR) == 50 * MINUTE


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=8))
def test_what_is_lost_is_never_more_than_each_alone_nor_less_than_the_longest(spans: list[tuple[int, int]]) -> None:
    found = [replace(STOP, since=START + a * MINUTE, until=START + (a + n) * MINUTE) for a, n in spans]
    lost = time_lost(found, START + 24 * HOUR)
    lengths = [n * MINUTE for _, n in spans]
    assert max(lengths, default=timedelta(0)) <= lost <= sum(lengths, timedelta(0))
