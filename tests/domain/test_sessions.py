"""Two feeds folded into one picture of the live sessions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.clocks import START
from tui.domain.credits import Bank
from tui.domain.held_sessions import RELEASE_SEEN_WITHIN, HeldThread, held, with_held
from tui.domain.sessions import (
    IDLE_KEPT,
    SILENCE_KEPT,
    STOPPED_KEPT,
    Feed,
    Session,
    SessionState,
    SessionUpdate,
    active,
    forget_daemon,
    interrupted,
    live,
    merge_update,
    of_account,
)
from tui.domain.snapshot import Account, Provenance, Snapshot
from tui.domain.windows import Limit, Window

RUNNING, IDLE, LIMIT = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_AT_LIMIT
ERROR, GONE, WAITING = SessionState.STOPPED_BY_ERROR, SessionState.GONE, SessionState.WAITING_APPROVAL


def seen(feed: Feed, seconds: float, state: SessionState | None = None, **facts: object) -> SessionUpdate:
    return replace(SessionUpdate("t", START + timedelta(seconds=seconds), feed, state), **facts)


def rollout(seconds: float, state: SessionState | None = None, **facts: object) -> SessionUpdate:
    return seen("rollout", seconds, state, **facts)


def daemon(seconds: float, state: SessionState | None = None, **facts: object) -> SessionUpdate:
    return seen("daemon", seconds, state, **facts)


def fold(*updates: SessionUpdate) -> Mapping[str, Session]:
    sessions: Mapping[str, Session] = {}
    for update in updates:
        sessions = merge_update(sessions, update)
    return sessions


def state(*updates: SessionUpdate) -> SessionState:
    return fold(*updates)["t"].state


def test_the_facts_of_both_feeds_meet() -> None:
    session = fold(
        daemon(0, IDLE, workspace="/w", model="m", first_message="hello", rollout_path="/r"),
        rollout(1, RUNNING),
        rollout(2, title="the login", first_message="another"),
    )["t"]
    assert (session.workspace, session.model, session.rollout_path) == ("/w", "m", "/r")
    assert (session.name, session.first_message) == ("the login", "hello")
    assert (session.state, session.since) == (RUNNING, START + timedelta(seconds=1))
    assert session.seen_at == START + timedelta(seconds=2)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_limit_is_recognised_in_any_order(order: tuple[int, ...]) -> None:
    """The daemon's words are stamped on arrival, here after the rollout's end of the turn."""
    started = [rollout(-60, RUNNING, order=1, rollout_path="/r"), daemon(-60, RUNNING, order=1)]
    words = [daemon(0.060, RUNNING, order=2), rollout(0.055, LIMIT, order=2, rollout_path="/r"), daemon(0.12, ERROR)]
    words[2] = replace(words[2], order=3)
    assert state(*started, *(words[index] for index in order)) is LIMIT


def test_an_error_that_is_no_limit() -> None:
    assert state(rollout(0, RUNNING), daemon(0.1, RUNNING), daemon(2, ERROR)) is ERROR
    assert state(rollout(0, RUNNING), daemon(2, ERROR), rollout(1.9, ERROR)) is ERROR


def test_a_new_error_is_not_taken_for_the_old_limit() -> None:
    stopped = [daemon(0, RUNNING), rollout(1, LIMIT), daemon(1.1, ERROR)]
    assert state(*stopped) is LIMIT
    assert state(*stopped, daemon(60, RUNNING), daemon(61, ERROR)) is ERROR


def test_it_runs_again_after_a_limit() -> None:
    stopped = [rollout(0, RUNNING), rollout(1, LIMIT), daemon(1.1, ERROR)]
    assert state(*stopped, daemon(60, RUNNING)) is RUNNING
    assert state(*stopped, rollout(60, RUNNING)) is RUNNING
    assert state(*stopped, rollout(60, RUNNING), daemon(60.1, RUNNING), daemon(70, IDLE)) is IDLE
    assert state(*stopped, daemon(60, RUNNING), daemon(70, IDLE), rollout(69.9, IDLE)) is IDLE


def test_a_thread_that_is_loaded_again_is_still_stopped() -> None:
    assert state(rollout(0, LIMIT), daemon(60, IDLE)) is LIMIT
    assert state(rollout(0, LIMIT), daemon(60, None, workspace="/w")) is LIMIT
    assert state(daemon(0, RUNNING), rollout(1, LIMIT), daemon(1.1, ERROR), daemon(60, IDLE)) is LIMIT


def test_a_standing_error_in_the_list_is_the_limit_of_the_rollout() -> None:
    found = daemon(600, ERROR, since=START)
    assert state(rollout(0.5, LIMIT), found) is LIMIT
    assert state(found, rollout(0.5, LIMIT)) is LIMIT


def test_only_the_daemon_knows_of_a_question() -> None:
    asked = [rollout(0, RUNNING), daemon(0.1, RUNNING), daemon(5, WAITING)]
    session = fold(*asked, rollout(5.1, None))["t"]
    assert (session.state, session.since) == (WAITING, START + timedelta(seconds=5))
    answered = fold(*asked, daemon(9, RUNNING))["t"]
    assert (answered.state, answered.since) == (RUNNING, START)


def test_closing_deleting_and_coming_back() -> None:
    assert state(rollout(0, IDLE), daemon(1, IDLE), daemon(2, GONE)) is GONE
    assert state(rollout(0, IDLE), daemon(2, GONE), rollout(3, RUNNING)) is RUNNING
    assert state(rollout(0, IDLE), daemon(1, IDLE), rollout(2, GONE)) is GONE
    assert state(rollout(0, IDLE), rollout(1, GONE), rollout(2, RUNNING)) is RUNNING
    assert fold(rollout(0, GONE)) == {}


def test_a_deleted_rollout_does_not_end_a_turn_that_the_daemon_sees() -> None:
    assert state(rollout(0, RUNNING), daemon(1, RUNNING), rollout(2, GONE)) is RUNNING


def test_facts_alone_make_no_session() -> None:
    assert fold(daemon(0, None, workspace="/w")) == {}


def test_a_subagent_is_no_session() -> None:
    assert fold(rollout(0, RUNNING, internal=True)) == {}
    assert fold(daemon(0, RUNNING), rollout(1, RUNNING, internal=True)) == {}


def test_an_older_sighting_only_fills_gaps() -> None:
    session = fold(rollout(10, IDLE, model="new"), rollout(5, RUNNING, model="old", workspace="/w"))["t"]
    assert (session.state, session.model, session.workspace) == (IDLE, "new", "/w")
    assert session.seen_at == START + timedelta(seconds=10)


def test_nothing_new_is_the_same_mapping() -> None:
    sessions = fold(rollout(0, IDLE, model="m"))
    assert merge_update(sessions, rollout(0, IDLE, model="m")) is sessions


def test_the_order_in_a_rollout_outranks_a_clock_that_jumped_back() -> None:
    stopped = [rollout(0, RUNNING, order=10, rollout_path="/r"), rollout(9, LIMIT, order=20, rollout_path="/r")]
    session = fold(*stopped, rollout(-3600, RUNNING, order=30, rollout_path="/r"))["t"]
    assert (session.state, session.since) == (RUNNING, START - timedelta(hours=1))
    assert session.seen_at == START - timedelta(hours=1)


def test_a_clock_that_jumped_forward_and_back_heals_with_the_next_turn() -> None:
    jumped = [daemon(0, RUNNING, order=1), daemon(7200, IDLE, order=2)]
    assert state(*jumped, daemon(5, RUNNING, order=3)) is RUNNING
    assert state(*jumped, daemon(5, RUNNING, order=3), rollout(6, LIMIT), daemon(6.1, ERROR, order=4)) is LIMIT


def test_the_rollouts_alone_once_the_daemon_is_gone() -> None:
    sessions = forget_daemon(fold(rollout(0, RUNNING), daemon(1, WAITING)))
    assert sessions["t"].state is RUNNING
    assert forget_daemon(fold(daemon(0, RUNNING))) == {}


@pytest.mark.parametrize(
    ("kept", "what"), [(IDLE_KEPT, IDLE), (SILENCE_KEPT, RUNNING), (STOPPED_KEPT, LIMIT), (STOPPED_KEPT, ERROR)]
)
def test_how_long_a_session_is_live(kept: timedelta, what: SessionState) -> None:
    sessions = fold(rollout(0, what))
    assert live(sessions, START + kept)
    assert not live(sessions, START + kept + timedelta(seconds=1))
    assert live(sessions, START - timedelta(days=1)), "the clock jumped back"


def test_a_long_silent_turn_is_live_where_the_daemon_sees_it() -> None:
    assert live(fold(daemon(0, RUNNING)), START + 2 * SILENCE_KEPT)


def test_the_order_of_the_list() -> None:
    states = {"a": IDLE, "b": RUNNING, "c": LIMIT, "d": GONE, "e": WAITING, "f": ERROR}
    sessions = fold(*(replace(rollout(0, what), thread_id=name) for name, what in states.items()))
    assert "".join(session.thread_id for session in live(sessions, START)) == "cebfa"
    assert [session.thread_id for session in interrupted(sessions)] == ["c"]
    assert [session.thread_id for session in active(sessions)] == ["b", "e"]


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_what_changed_in_the_same_minute_stands_in_the_same_order_however_it_was_found(order: tuple[str, ...]) -> None:
    found = [replace(daemon(number / 10, RUNNING), thread_id=name) for number, name in enumerate(order)]
    later = replace(daemon(60, RUNNING), thread_id="z")
    sessions = fold(*found, later)
    assert "".join(session.thread_id for session in live(sessions, START + timedelta(minutes=2))) == "zabc"


WORDS = st.builds(
    seen,
    st.sampled_from(["daemon", "rollout"]),
    st.floats(-1e6, 1e6),
    st.none() | st.sampled_from(SessionState),
    order=st.none() | st.integers(0, 99),
    rollout_path=st.none() | st.sampled_from(["/r", "/s"]),
)


@given(st.lists(WORDS, max_size=12), WORDS)
def test_any_words_fold_and_the_same_word_twice_changes_nothing(
    words: list[SessionUpdate], last: SessionUpdate
) -> None:
    sessions = fold(*words, last)
    assert merge_update(sessions, last) == sessions
    assert set(sessions) <= {"t"}
    assert len(live(sessions, START)) + (not sessions) <= 1
    forget_daemon(sessions)


@given(st.lists(WORDS, max_size=8))
def test_a_limit_is_never_invented(words: list[SessionUpdate]) -> None:
    told = any(word.state is LIMIT for word in words)
    assert told or not interrupted(fold(*words))


RESET = START + timedelta(hours=2)


def meter(minutes: int = 300, used: float = 50.0, resets_at: datetime | None = RESET) -> Limit:
    return Limit("codex", None, None, (Window("codex", None, minutes, used, resets_at),))


def reading(limit: Limit, account: Account) -> Snapshot:
    return Snapshot(Provenance("http", START), account, True, (limit,), Bank(1, None))


@pytest.mark.parametrize(
    ("facts", "own"),
    [
        ({}, True),
        ({"account_id": "acc1", "plan": "plus", "limits": (meter(),)}, True),
        ({"account_id": "acc2"}, False),
        ({"plan": "team"}, False),
        ({"limits": (meter(resets_at=RESET + timedelta(seconds=90)),)}, True),
        ({"limits": (meter(resets_at=RESET + timedelta(minutes=9)),)}, False),
        ({"limits": (meter(resets_at=RESET - timedelta(minutes=9)),)}, False),
        ({"limits": (meter(resets_at=None),)}, True),
        ({"limits": (meter(10080, resets_at=START + timedelta(days=3)),)}, True),
        ({"limits": (meter(resets_at=START - timedelta(minutes=9)),)}, True),  # a window that is over
        ({"limits": (meter(used=0, resets_at=START + timedelta(hours=5)),)}, True),  # one that has not begun
    ],
)
def test_whose_account_a_thread_speaks_of(facts: dict[str, object], own: bool) -> None:
    update = rollout(0, RUNNING, **facts)
    snapshot = reading(meter(), Account("acc1", "plus", None))
    assert of_account(update, snapshot) is own
    assert of_account(fold(update)["t"], snapshot) is own
    assert of_account(update, reading(meter(), Account())) is own or set(facts) <= {"account_id", "plan"}


def test_the_end_of_an_older_file_means_nothing() -> None:
    first, second = {"rollout_path": "/r"}, {"rollout_path": "/r_2"}
    told = [rollout(0, LIMIT, **first), rollout(5, RUNNING, **second), rollout(9, GONE, **first)]
    assert state(*told) is RUNNING
    assert state(*told, rollout(10, GONE, **second)) is GONE


def test_only_the_plan_s_sessions_count_as_at_work() -> None:
    assert active(fold(rollout(0, RUNNING, uses_plan=False))) == ()
    assert len(live(fold(rollout(0, RUNNING, uses_plan=False)), START)) == 1
    assert len(active(fold(rollout(0, RUNNING, uses_plan=False), daemon(1, RUNNING, uses_plan=True)))) == 1


HELD_THREAD = {"t": HeldThread(START + timedelta(seconds=10), "/work/api")}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_held_session_is_held_until_it_is_heard_of_again() -> None:
    held_now = with_held(fold(rollout(0, RUNNING)), HELD_THREAD, at(10))
    assert [(session.state, session.since) for session in held(held_now)] == [(SessionState.HELD, at(10))]
    assert with_held(held_now, HELD_THREAD, at(11)) is held_now
    assert active(held_now) == ()
    let_go = with_held(held_now, {}, at(20))
    assert (let_go["t"].state, held(let_go)) == (SessionState.HELD, ())
    heard = with_held(merge_update(let_go, rollout(21, IDLE)), {}, at(22))
    assert (heard["t"].state, heard["t"].held_since) == (IDLE, None)
    unheard = with_held(let_go, {}, at(20) + RELEASE_SEEN_WITHIN)
    assert unheard["t"].state is RUNNING


def test_what_came_before_the_release_was_noticed_counts_too() -> None:
    held_now = with_held(fold(rollout(0, RUNNING)), HELD_THREAD, at(10))
    heard = merge_update(held_now, rollout(19, IDLE))
    assert with_held(heard, {}, at(20))["t"].state is IDLE


def test_a_held_session_that_no_feed_knows_lives_while_it_is_held() -> None:
    held_now = with_held({}, HELD_THREAD, at(10))
    assert (held_now["t"].workspace, live(held_now, at(10) + timedelta(days=3))) == ("/work/api", (held_now["t"],))
    assert forget_daemon(held_now) == held_now
    assert with_held(held_now, {}, at(20)) == {}


def test_a_word_of_a_feed_does_not_end_a_hold() -> None:
    held_now = with_held(fold(rollout(0, RUNNING)), HELD_THREAD, at(10))
    assert merge_update(held_now, daemon(12, WAITING))["t"].state is SessionState.HELD
