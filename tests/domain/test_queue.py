from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.asking import HELD, HOUR, MINUTE, RUNNING, STOPPED, reading, session, sessions
from tests.domain.worlds import WEEK, credit
from tests.support.clocks import START
from tui.domain.credits import Credit, CreditStatus
from tui.domain.queue import (
    BEFORE_LAPSE,
    Queued,
    QueueEndReason,
    after_restart,
    after_spend,
    arm,
    confirmed,
    dies,
    fire,
    followed,
    should_fire,
)
from tui.domain.sessions import SessionState
from tui.domain.snapshot import Account, Snapshot, SpendControl
from tui.domain.spend import ConsentKind, IllegalStep

BANK = (credit("a", 2), credit("b", 20))
BEFORE = reading(93.0)
QUEUED = arm(BEFORE, BEFORE.windows[0], BANK[0], True, START)
LATER = START + 10 * MINUTE
NOBODY = sessions(session(1, RUNNING))


def stopped(at: timedelta) -> dict[str, object]:
    return {"people": sessions(session(1, STOPPED, START + at))}


def fires(snapshot: Snapshot, queued: Queued = QUEUED, people: object = NOBODY) -> bool:
    return should_fire(queued, snapshot, people, LATER)  # type: ignore[arg-type]


def hit(**changes: object) -> Snapshot:
    return reading(**({"at": LATER, "allowed": False} | changes))  # type: ignore[arg-type]


def test_a_refusal_fires() -> None:
    assert fires(hit())
    assert fires(replace(hit(allowed=None), ordinary_usage_allowed=False))


def test_any_window_of_the_limit_fires() -> None:
    assert fires(hit(five=94.0, week=100.0))


def test_a_session_that_stopped_after_the_arming_fires() -> None:
    assert fires(hit(five=97.0, allowed=None, at=START), **stopped(9 * MINUTE))  # type: ignore[arg-type]


def test_a_session_that_is_held_after_the_arming_fires() -> None:
    full = hit(allowed=None)
    held = sessions(session(1, HELD, START + MINUTE))
    assert fires(full, people=held)
    assert not fires(full, people=sessions(session(1, HELD, START - MINUTE)))
    assert not fires(hit(five=97.0, allowed=None), people=held)
    assert not fires(full, queued=after_restart(QUEUED), people=held)


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(hit(allowed=None), id="a percentage alone"),
        pytest.param(hit(allowed=True), id="full but allowed"),
        pytest.param(hit(at=START - MINUTE), id="a refusal from before"),
        pytest.param(hit(five_left=14 * MINUTE), id="the natural reset is near"),
        pytest.param(replace(hit(), spend_control=SpendControl(True, 100.0, None)), id="a cap of the workspace"),
        pytest.param(hit(rows=(), available=0), id="dead"),
    ],
)
def test_what_does_not_fire(snapshot: Snapshot) -> None:
    assert not fires(snapshot)


@pytest.mark.parametrize(
    ("at", "snapshot"),
    [
        pytest.param(-MINUTE / 6, hit(five=97.0, allowed=None, at=START), id="stopped before the arming"),
        pytest.param(9 * MINUTE, hit(five=40.0, allowed=None, at=START), id="another limit stopped it"),
        pytest.param(9 * MINUTE, hit(five=None, week=None, allowed=None), id="unknown"),
    ],
)
def test_which_stop_does_not_fire(at: timedelta, snapshot: Snapshot) -> None:
    assert not fires(snapshot, **stopped(at))  # type: ignore[arg-type]


def test_its_consent_takes_effect_when_it_is_spent() -> None:
    consent = fire(QUEUED, LATER)
    assert (consent.kind, consent.given_at, consent.armed_at) == (ConsentKind.QUEUED, LATER, START)


def test_a_restart_asks_for_a_fresh_yes() -> None:
    found = after_restart(QUEUED)
    assert not fires(hit(), found)
    with pytest.raises(IllegalStep):
        fire(found, LATER)
    again = confirmed(found, LATER)
    assert fires(hit(), again)
    assert fire(again, LATER).armed_at == LATER


@pytest.mark.parametrize(
    ("snapshot", "death"),
    [
        (hit(), None),
        (hit(five=0.0, five_left=5 * HOUR), QueueEndReason.WINDOW_RESET),
        (hit(five=95.0, five_left=8 * HOUR), QueueEndReason.WINDOW_RESET),
        (hit(five=94.0, five_left=4 * HOUR), None),
        (hit(rows=(), available=0), QueueEndReason.BANK_EMPTY),
        (hit(available=0), QueueEndReason.BANK_EMPTY),
        (hit(rows=None, available=None), None),
        (hit(rows=None, available=2), None),
        (hit(rows=BANK[1:]), QueueEndReason.CREDIT_GONE),
        (hit(rows=BANK[1:], available=2), None),
        (hit(rows=(replace(BANK[0], status=CreditStatus.REDEEMED), BANK[1])), QueueEndReason.CREDIT_GONE),
        (hit(rows=(replace(BANK[0], status=CreditStatus.UNKNOWN), BANK[1])), None),
        (replace(hit(), account=Account("acc2")), QueueEndReason.ACCOUNT_CHANGED),
        (replace(hit(), account=Account()), None),
    ],
)
def test_what_it_dies_of(snapshot: Snapshot, death: QueueEndReason | None) -> None:
    assert dies(QUEUED, snapshot, LATER) is death


def test_it_dies_with_its_credit() -> None:
    late = START + timedelta(days=2)
    week = arm(BEFORE, BEFORE.windows[1], BANK[0], False, START)
    assert dies(week, reading(94.0, at=late), late - MINUTE) is None
    assert dies(week, reading(94.0, at=late), late) is QueueEndReason.CREDIT_LAPSED


def test_a_fall_is_measured_from_the_highest_share_seen() -> None:
    low = arm(reading(30.0), BEFORE.windows[0], None, False, START)
    full = followed(low, reading(100.0, at=LATER))
    assert full.window.used_percent == 100.0
    assert dies(full, reading(20.0, at=LATER + MINUTE), LATER + MINUTE) is QueueEndReason.WINDOW_RESET


events = st.tuples(
    st.timedeltas(timedelta(0), timedelta(hours=2)),
    st.sampled_from([None, 0.0, 50.0, 93.0, 97.0, 100.0]),
    st.sampled_from([None, True, False]),
    st.sampled_from([RUNNING, STOPPED]),
    st.sampled_from(["restart", "yes", "nothing"]),
    st.sampled_from([(), BANK[1:], BANK]),
)
Event = tuple[timedelta, float | None, bool | None, SessionState, str, tuple[Credit, ...]]


@given(st.lists(events, max_size=30))
def test_any_history_spends_it_never_without_cause(history: list[Event]) -> None:
    queued, now = QUEUED, START
    for step, share, allowed, state, person, rows in history:
        now += step
        snapshot = reading(share, at=now, allowed=allowed, rows=rows)
        if person == "restart":
            queued = after_restart(queued)
        elif person == "yes":
            queued = confirmed(queued, now)
        if should_fire(queued, snapshot, sessions(session(1, state, now)), now):
            assert rows == BANK
            assert not queued.needs_fresh_yes
            assert allowed is False or (state is STOPPED and share is not None)
            assert fire(queued, now).given_at == now
            return  # it leaves the queue with its spend
        queued = followed(queued, snapshot)


def test_the_window_it_was_armed_for_may_be_the_week() -> None:
    week = arm(BEFORE, BEFORE.windows[1], None, False, START)
    assert week.window.minutes == WEEK
    assert dies(week, hit(five=0.0, five_left=8 * HOUR), LATER) is None


MORNING = START + 8 * HOUR
NIGHT = arm(BEFORE, BEFORE.windows[0], BANK[0], True, START, number=2, until=MORNING)


def test_several_are_spent_one_at_a_time_each_for_a_limit_of_its_own() -> None:
    assert fires(hit(), NIGHT, sessions(session(1, STOPPED, START + 9 * MINUTE)))
    rest = after_spend(NIGHT, LATER)
    assert rest is not None
    assert (rest.left, rest.armed_at, rest.consent.armed_at) == (1, LATER, START)
    people = sessions(session(1, STOPPED, START + 9 * MINUTE))
    assert not fires(hit(at=LATER - MINUTE), rest, people)  # the limit from before the first spend
    assert fire(rest, LATER).armed_at == START
    assert after_spend(rest, LATER) is None


def test_several_need_a_session_that_is_held_or_stopped() -> None:
    assert not fires(hit(), NIGHT)
    assert fires(hit(), NIGHT, sessions(session(1, HELD, START + MINUTE)))


def test_several_end_at_their_time_and_not_with_a_window() -> None:
    assert dies(NIGHT, reading(0.0, five_left=5 * HOUR, at=LATER), LATER) is None
    assert dies(NIGHT, reading(93.0, at=MORNING), MORNING - MINUTE) is None
    assert dies(NIGHT, reading(93.0, at=MORNING), MORNING) is QueueEndReason.TIME_IS_UP
    assert dies(NIGHT, hit(rows=BANK[1:]), LATER) is None


@pytest.mark.parametrize("least", [timedelta(0), MINUTE])
def test_none_is_spent_within_five_minutes_of_the_natural_reset(least: timedelta) -> None:
    near = hit(five_left=14 * MINUTE)  # read ten minutes after the start
    people = sessions(session(1, STOPPED, START + 9 * MINUTE))
    assert not should_fire(NIGHT, near, people, LATER, least)


@pytest.mark.parametrize(("number", "until"), [(0, None), (2, None), (0, MORNING), (1, START)])
def test_no_queue_without_a_number_and_an_end(number: int, until: object) -> None:
    with pytest.raises(IllegalStep):
        arm(BEFORE, BEFORE.windows[0], None, True, START, number=number, until=until)  # type: ignore[arg-type]


def test_what_an_older_version_wrote_is_one_for_its_window() -> None:
    old = msgspec.to_builtins(QUEUED)
    del old["left"], old["until"]
    read = msgspec.convert(old, Queued)
    assert (read.left, read.until) == (1, None)


nights = st.tuples(
    st.timedeltas(timedelta(0), timedelta(hours=2)),
    st.sampled_from([0.0, 93.0, 100.0]),
    st.sampled_from([True, False]),
    st.sampled_from([RUNNING, STOPPED, HELD]),
    st.sampled_from(["restart", "yes", "nothing"]),
    st.sampled_from(["spent", "crash before the journal", "crash after it"]),
)
Night = tuple[timedelta, float, bool, SessionState, str, str]


@given(st.integers(1, 4), st.lists(nights, max_size=40))
def test_no_history_spends_more_than_was_consented_to(number: int, history: list[Night]) -> None:
    queued: Queued | None = arm(BEFORE, BEFORE.windows[0], None, True, START, number=number, until=MORNING)
    consented, spent, now, had_room = number, 0, START, True
    for step, share, allowed, state, person, end in history:
        now += step
        if queued is None:
            break
        if person == "restart":
            queued = after_restart(queued)
        elif person == "yes" and queued.needs_fresh_yes:
            queued = confirmed(queued, now)
            consented += queued.left  # the same resets, asked about again
        snapshot = reading(share, at=now, allowed=allowed)
        if should_fire(queued, snapshot, sessions(session(1, state, now)), now):
            assert now < MORNING
            assert state in (STOPPED, HELD)
            assert had_room  # since the last one
            if end != "crash before the journal":
                spent += 1  # the journal and what is left are one transaction
                queued, had_room = after_spend(queued, now), False
            if end != "spent" and queued is not None:
                queued = after_restart(queued)
        elif queued is not None:
            queued, had_room = followed(queued, snapshot), had_room or allowed
    assert spent <= number <= consented


SAVED = arm(BEFORE, BEFORE.windows[0], BANK[0], True, START, before_lapse=50.0)
LAST = START + timedelta(days=2)
"""When the first reset lapses."""


def before_it_lapses(left: timedelta, used: float | None = 60.0, queued: Queued = SAVED, **changes: object) -> bool:
    now = LAST - left
    values = {"at": now, "five_left": now - START + 2 * HOUR, "week_left": now - START + 90 * HOUR, "rows": BANK}
    seen = reading(used, 10.0, **(values | changes))  # type: ignore[arg-type]
    return should_fire(queued, seen, NOBODY, now)


def test_one_is_spent_in_the_last_minutes_before_it_lapses_if_enough_is_used() -> None:
    assert before_it_lapses(14 * MINUTE)
    assert before_it_lapses(timedelta(seconds=1), 50.0)
    assert before_it_lapses(14 * MINUTE, five_left=LAST - START - 12 * MINUTE)  # a natural reset is no reason to wait
    for left, used in ((16 * MINUTE, 99.0), (14 * MINUTE, 49.0), (14 * MINUTE, None), (timedelta(0), 99.0)):
        assert not before_it_lapses(left, used)
    assert not before_it_lapses(14 * MINUTE, queued=QUEUED)
    assert not before_it_lapses(14 * MINUTE, queued=after_restart(SAVED))
    assert not before_it_lapses(14 * MINUTE, rows=BANK[1:])
    assert not before_it_lapses(14 * MINUTE, available=0)


def test_it_is_the_one_that_was_consented_to_and_ends_with_it() -> None:
    assert (SAVED.credit_id, SAVED.until, SAVED.left) == ("a", LAST, 1)
    reset = reading(2.0, 10.0, at=LATER, five_left=5 * HOUR)
    assert dies(SAVED, reset, LATER) is None  # no natural reset ends it
    assert dies(SAVED, reset, LAST) is QueueEndReason.CREDIT_LAPSED
    assert dies(SAVED, reading(rows=BANK[1:], at=LATER), LATER) is QueueEndReason.CREDIT_GONE
    assert confirmed(after_restart(SAVED), LATER).before_lapse == 50.0
    assert 2 * timedelta(minutes=5) < BEFORE_LAPSE  # two readings, even at rest


def test_it_is_spent_at_the_limit_before_that_where_a_session_stands_still() -> None:
    assert not fires(hit(), SAVED)
    assert fires(hit(), SAVED, people=sessions(session(1, STOPPED, START + MINUTE)))


@pytest.mark.parametrize(
    ("credit_row", "number", "share"),
    [(None, 1, 50.0), (credit("c", None), 1, 50.0), (BANK[0], 2, 50.0), (BANK[0], 1, 0.0), (BANK[0], 1, 101.0)],
)
def test_nothing_else_can_be_armed_for_its_lapse(credit_row: Credit | None, number: int, share: float) -> None:
    with pytest.raises(IllegalStep):
        arm(BEFORE, BEFORE.windows[0], credit_row, True, START, number=number, before_lapse=share)
