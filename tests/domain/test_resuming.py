import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.asking import APPROVAL, GONE, IDLE, MINUTE, RUNNING, STOPPED, session, sessions, thread
from tests.support.clocks import START
from tui.domain.resumes import LimitStop, ResumeLog, ResumeStage
from tui.domain.resuming import claimed, due, ended, resume_command, seen
from tui.domain.sessions import Session, SessionState, SessionUpdate, merge_update
from tui.errors import UsageError

SECOND = timedelta(seconds=1)
STOP = LimitStop(thread(1), START)
NOW = START + 10 * SECOND
CLAIMED = claimed(ResumeLog(), STOP, NOW)


@pytest.mark.parametrize(
    ("state", "since", "wanted"),
    [
        (STOPPED, START, True),
        (GONE, START + SECOND, True),  # closed since: the command is for it
        (RUNNING, START + SECOND, False),
        (APPROVAL, START + SECOND, False),
        (IDLE, START + SECOND, False),
        (SessionState.STOPPED_BY_ERROR, START + SECOND, False),
    ],
)
def test_only_what_still_stands_where_the_limit_left_it(state: SessionState, since: datetime, wanted: bool) -> None:
    found = due([STOP], START, sessions(session(1, state, since)), True, ResumeLog())
    assert found == ((STOP,) if wanted else ())


def test_whoever_stops_after_the_decision_counts_too() -> None:
    people = sessions(session(1, STOPPED, START - MINUTE), session(2, STOPPED, START + SECOND), session(3, RUNNING))
    assert [stop.thread_id for stop in due([], START, people, True, ResumeLog())] == [thread(2)]
    assert [stop.thread_id for stop in due([], None, people, True, ResumeLog())] == [thread(1), thread(2)]


def test_only_who_was_chosen() -> None:
    people = sessions(*(session(number, STOPPED) for number in (1, 2, 3)))
    assert [stop.thread_id for stop in due([], START, people, (thread(2),), ResumeLog())] == [thread(2)]
    assert due([], START, people, False, ResumeLog()) == ()
    assert due([], START, sessions(session(4, IDLE)), (thread(4),), ResumeLog()) == ()


@pytest.mark.parametrize("log", [CLAIMED, ended(CLAIMED, STOP, None), ended(CLAIMED, STOP, "no daemon")])
def test_never_twice_for_one_stop_whatever_became_of_it(log: ResumeLog) -> None:
    for moment in (START, START + SECOND, NOW + SECOND):  # the feeds may date one stop differently
        assert due([STOP], START, sessions(session(1, STOPPED, moment)), True, log) == ()
    with pytest.raises(ValueError, match="told to go on before"):
        claimed(log, STOP, NOW)


def test_a_later_stop_is_another_one() -> None:
    people = sessions(session(1, STOPPED, NOW + MINUTE))
    assert due([], START, people, True, ended(CLAIMED, STOP, None)) == (LimitStop(thread(1), NOW + MINUTE),)


def test_a_stop_right_after_it_ran_again_is_another_one() -> None:
    done = seen(ended(CLAIMED, STOP, None), sessions(session(1, RUNNING, NOW + SECOND / 10)), NOW + SECOND / 5)
    people = sessions(session(1, STOPPED, NOW + SECOND / 2))
    assert due([], START, people, True, done) == (LimitStop(thread(1), NOW + SECOND / 2),)


@pytest.mark.parametrize(
    ("state", "since", "stage"),
    [
        (RUNNING, NOW + SECOND, ResumeStage.DONE),
        (APPROVAL, NOW + SECOND, ResumeStage.DONE),
        (RUNNING, START - MINUTE, ResumeStage.SENT),
        (STOPPED, START, ResumeStage.SENT),
        (IDLE, NOW + SECOND, ResumeStage.SENT),
        (GONE, NOW + SECOND, ResumeStage.SENT),
    ],
)
def test_done_only_when_it_is_seen_at_work_again(state: SessionState, since: datetime, stage: ResumeStage) -> None:
    log = seen(ended(CLAIMED, STOP, None), sessions(session(1, state, since)), NOW + 2 * SECOND)
    assert log.entries[0].stage is stage


def told(people: Mapping[str, Session], state: SessionState, at: datetime, order: int) -> Mapping[str, Session]:
    return merge_update(
        people, SessionUpdate(thread(1), at, "rollout", state=state, since=at, order=order, rollout_path="r")
    )


def test_a_turn_that_was_over_before_anybody_looked_counts() -> None:
    people: Mapping[str, Session] = {}
    for order, (state, at) in enumerate([(RUNNING, START - MINUTE), (STOPPED, START)]):
        people = told(people, state, at, order)
    log = ended(CLAIMED, STOP, None)
    assert seen(log, people, NOW) is log
    people = told(told(people, RUNNING, NOW + SECOND, 2), IDLE, NOW + 2 * SECOND, 3)
    assert seen(log, people, NOW + 3 * SECOND).entries[0].stage is ResumeStage.DONE


def test_what_is_done_stays_done() -> None:
    done = seen(CLAIMED, sessions(session(1, RUNNING, NOW + SECOND)), NOW + SECOND)
    assert ended(done, STOP, None) == done
    assert ended(done, STOP, "late") == done


def test_a_message_that_could_not_be_sent_says_why() -> None:
    carry = ended(CLAIMED, STOP, "no daemon runs").entries[0]
    assert (carry.stage, carry.reason) == (ResumeStage.COMMAND, "no daemon runs")


def test_the_command_to_resume() -> None:
    assert resume_command(thread(1)) == f"codex resume {thread(1)}"
    assert resume_command(thread(1), "/my tools/codex") == f"'/my tools/codex' resume {thread(1)}"
    at_work = resume_command(thread(1), home="/home/ada/my codex")
    assert at_work == f"CODEX_HOME='/home/ada/my codex' codex resume {thread(1)}"


@pytest.mark.parametrize(
    "name", ["", "x", "--last", f"{thread(1)}; rm -rf ~", f"{thread(1)}\n", f" {thread(1)}", "$(id)"]
)
def test_what_is_no_thread_id_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        resume_command(name)


@given(st.text())
def test_no_text_from_outside_gets_onto_the_command_line(name: str) -> None:
    try:
        command = resume_command(name)
    except UsageError:
        return
    assert shlex.split(command) == ["codex", "resume", name]


steps = st.tuples(
    st.timedeltas(timedelta(seconds=2), timedelta(minutes=9)),
    st.lists(st.sampled_from([RUNNING, IDLE, STOPPED, GONE, APPROVAL]), min_size=2, max_size=2),
    st.sampled_from(["send", "fail"]),
)


@given(st.lists(steps, max_size=25))
def test_any_history_sends_at_most_one_message_a_stop(history: list[tuple[timedelta, list[SessionState], str]]) -> None:
    now, log = START, ResumeLog()
    known: dict[str, Session] = {}
    messages: list[LimitStop] = []
    for step, states, how in history:
        now += step
        for number, state in enumerate(states):
            if thread(number) not in known or known[thread(number)].state is not state:
                known[thread(number)] = session(number, state, now)
        log = seen(log, known, now)
        for stop in due([], None, known, True, log):
            assert known[stop.thread_id].state is STOPPED
            messages.append(stop)
            log = claimed(log, stop, now)
            log = ended(log, stop, None if how == "send" else "no daemon")
    assert len(messages) == len(set(messages))
