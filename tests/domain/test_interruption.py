from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from tests.domain.asking import (
    APPROVAL,
    FIVE_HOUR_KEY,
    GONE,
    HELD,
    HOUR,
    IDLE,
    MINUTE,
    RUNNING,
    STOPPED,
    WEEK_KEY,
    expecting,
    held_situation,
    reading,
    session,
    sessions,
    stopped_situation,
    thread,
    working_situation,
)
from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START
from tui.domain.ask_memory import AskMemory, answered, asked, observed
from tui.domain.evening import Tonight
from tui.domain.forecast import Interval
from tui.domain.foresight import Warned
from tui.domain.interruption import Situation, decide, is_settled, still_stands
from tui.domain.question import AskRules, Cause, Choice, NoQuestion, NoQuestionReason, Question
from tui.domain.snapshot import Account, PaidCredits, Snapshot, SpendControl

RULES = AskRules(lead=10 * MINUTE)


def ask(situation: Situation, memory: AskMemory | None = None, now: datetime = START) -> Question:
    question = decide(situation, RULES, memory or AskMemory(), now)
    assert isinstance(question, Question), question
    return question


def silence(
    situation: Situation, memory: AskMemory | None = None, now: datetime = START, rules: AskRules = RULES
) -> NoQuestionReason:
    result = decide(situation, rules, memory or AskMemory(), now)
    assert isinstance(result, NoQuestion), result
    return result.reason


def after(choice: Choice | None, situation: Situation) -> AskMemory:
    question = ask(situation)
    memory = asked(AskMemory(), question, START)
    return memory if choice is None else answered(memory, question, choice, START)


def test_a_session_that_stopped_is_asked_about() -> None:
    question = ask(stopped_situation())
    assert question.cause is Cause.STOPPED
    assert question.key == FIVE_HOUR_KEY
    assert question.threads == (thread(1),)
    assert question.stops[0].stopped_at == START - MINUTE / 2
    assert question.natural_reset == START + 3 * HOUR
    assert question.credit is not None
    assert question.credit.id == "a"
    assert Choice.QUEUE not in question.choices


def test_a_session_about_to_stop_is_asked_about() -> None:
    question = ask(working_situation())
    assert question.cause is Cause.ABOUT_TO_STOP
    assert question.empty_at == START + 8 * MINUTE
    assert (question.threads, question.stops) == ((thread(1),), ())
    assert question.choices == tuple(choice for choice in Choice if choice is not Choice.LET_FAIL)


def warned_of(limit: Interval, **changes: object) -> Situation:
    """A session at work; the five hours were warned of by chance."""
    situation = working_situation(**changes)  # type: ignore[arg-type]
    assert situation.outlook is not None
    (first, *others), at = situation.outlook.forecasts, START.timestamp()
    forecasts = (replace(first, limit_at=limit), *others)
    outlook = replace(situation.outlook, forecasts=forecasts, warned=(Warned(at, FIVE_HOURS, 0.3),))
    return replace(situation, outlook=outlook)


NOON = START.timestamp()


def test_a_warning_by_chance_asks_though_the_median_is_later_than_the_lead_time() -> None:
    later = warned_of(Interval(NOON + 600, NOON + 2400, NOON + 7200))
    assert ask(later).empty_at == START + 40 * MINUTE
    unlikely = warned_of(Interval(NOON + 600, None, None))
    assert ask(unlikely).empty_at == START + 10 * MINUTE  # its early end: it is less likely than not


def test_a_warning_asks_nothing_where_nobody_is_asked_early_or_nothing_is_at_work() -> None:
    warned = warned_of(Interval(NOON + 600, NOON + 2400, NOON + 7200))
    assert silence(warned, rules=replace(RULES, lead=timedelta(0))) is NoQuestionReason.NO_LIMIT_NEAR
    assert silence(replace(warned, sessions={})) is NoQuestionReason.NOTHING_RUNNING
    calm = replace(warned, outlook=replace(warned.outlook, warned=()))  # type: ignore[type-var]
    assert silence(calm) is NoQuestionReason.NO_LIMIT_NEAR


def test_only_a_count_is_enough_to_ask() -> None:
    question = ask(stopped_situation(snapshot=reading(allowed=False, rows=None, available=3)))
    assert question.credit is None


def test_a_limit_that_is_hit_while_a_turn_goes_on_is_about_to_stop_it() -> None:
    question = ask(working_situation(None, snapshot=reading(100.0, allowed=False)))
    assert (question.cause, question.empty_at) == (Cause.ABOUT_TO_STOP, START)


def test_the_full_window_that_resets_last_binds() -> None:
    assert ask(stopped_situation(snapshot=reading(100.0, 100.0))).window.minutes == WEEK


def test_an_unknown_reset_is_asked_about_and_stays_unknown() -> None:
    known = reading(allowed=False)
    limit = known.limits[0]
    undated = replace(limit, windows=tuple(replace(window, resets_at=None) for window in limit.windows))
    question = ask(stopped_situation(snapshot=replace(known, limits=(undated,))))
    assert question.natural_reset is None


def working(**changes: object) -> Situation:
    return working_situation(**changes)  # type: ignore[arg-type]


def idle(*states: object) -> Situation:
    return stopped_situation(sessions=sessions(*(session(n, state) for n, state in enumerate(states))))  # type: ignore[arg-type]


def with_fact(snapshot: Snapshot, **facts: object) -> Snapshot:
    return replace(snapshot, **facts)


CAP = SpendControl(True, 100.0, None)
PAID = PaidCredits(True, False, "25")
OF_ANOTHER_WINDOW = expecting(reading(five_left=2 * HOUR), {FIVE_HOUR_KEY: START + 8 * MINUTE})
LONG_AGO = sessions(session(1, STOPPED, START - 9 * HOUR, START))


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (stopped_situation(snapshot=None), NoQuestionReason.UNKNOWN),
        (stopped_situation(stale=True), NoQuestionReason.STALE),
        (stopped_situation(spend_locked=True), NoQuestionReason.SPEND_LOCKED),
        (stopped_situation(queued=True), NoQuestionReason.QUEUED),
        (stopped_situation(snapshot=reading(five_left=5 * MINUTE)), NoQuestionReason.RESET_NEAR),
        (stopped_situation(snapshot=reading(allowed=False, five_left=-2 * MINUTE)), NoQuestionReason.RESET_NEAR),
        (stopped_situation(snapshot=reading(rows=())), NoQuestionReason.BANK_EMPTY),
        (stopped_situation(snapshot=reading(available=0)), NoQuestionReason.BANK_EMPTY),
        (stopped_situation(snapshot=reading(rows=(credit("a", -1),))), NoQuestionReason.BANK_EMPTY),
        (stopped_situation(snapshot=reading(rows=None, available=None)), NoQuestionReason.BANK_UNKNOWN),
        (stopped_situation(snapshot=with_fact(reading(), spend_control=CAP)), NoQuestionReason.WORKSPACE_CAP),
        (stopped_situation(sessions={}), NoQuestionReason.NOTHING_RUNNING),
        (stopped_situation(sessions=LONG_AGO), NoQuestionReason.NOTHING_RUNNING),
        (stopped_situation(snapshot=reading(40.0)), NoQuestionReason.NOTHING_RUNNING),
        (stopped_situation(snapshot=reading(95.0, at=START + MINUTE, allowed=True)), NoQuestionReason.NOTHING_RUNNING),
        (idle(IDLE, GONE), NoQuestionReason.NOTHING_RUNNING),
        (working(empty_in=11 * MINUTE), NoQuestionReason.NO_LIMIT_NEAR),
        (working(empty_in=None), NoQuestionReason.NO_LIMIT_NEAR),
        (working(outlook=None), NoQuestionReason.NO_LIMIT_NEAR),
        (working(outlook=expecting(reading(93.0), {})), NoQuestionReason.NO_LIMIT_NEAR),
        (working(outlook=OF_ANOTHER_WINDOW), NoQuestionReason.NO_LIMIT_NEAR),
        (working(snapshot=reading(93.0, five_left=12 * MINUTE)), NoQuestionReason.RESET_NEAR),
        (working(snapshot=with_fact(reading(93.0), paid=PAID)), NoQuestionReason.PAID_CREDITS),
        (working(sessions=sessions(session(1, RUNNING, START - 3 * HOUR))), NoQuestionReason.NOTHING_RUNNING),
    ],
)
def test_why_nothing_is_asked(situation: Situation, reason: NoQuestionReason) -> None:
    assert silence(situation) is reason


def test_switched_off_asks_nothing() -> None:
    assert silence(stopped_situation(), rules=AskRules(enabled=False)) is NoQuestionReason.DISABLED


def test_an_empty_bank_still_says_what_resets_when() -> None:
    quiet = decide(stopped_situation(snapshot=reading(rows=())), RULES, AskMemory(), START)
    assert isinstance(quiet, NoQuestion)
    assert quiet.window is not None
    assert quiet.natural_reset == START + 3 * HOUR


@pytest.mark.parametrize(
    ("share", "read_after", "allowed", "asks"),
    [
        (97.0, -20, True, True),  # read before the stop: the stop is newer
        (97.0, 20, True, True),  # the meter may lag behind the refusal
        (97.0, 40, True, False),
        (99.0, 40, None, True),  # rounded
        (97.0, 40, None, False),
        (60.0, -20, None, False),  # another limit stopped it
        (None, 40, None, True),
        (100.0, 40, True, False),
    ],
)
def test_a_stop_and_a_reading_are_weighed(
    share: float | None, read_after: int, allowed: bool | None, asks: bool
) -> None:
    taken = reading(share, None if share is None else 1.0, at=START + timedelta(seconds=read_after), allowed=allowed)
    situation = stopped_situation(snapshot=taken, sessions=sessions(session(1, STOPPED)))
    assert isinstance(decide(situation, RULES, AskMemory(), START + MINUTE), Question) is asks


def test_a_stop_from_before_use_was_allowed_again_is_over() -> None:
    old, new = session(1, STOPPED, START - HOUR, START), session(2, STOPPED, START - MINUTE)
    memory = observed(AskMemory(), reading(10.0, at=START - 30 * MINUTE))
    assert ask(stopped_situation(sessions=sessions(old, new)), memory).threads == (thread(2),)


def test_an_approval_in_the_middle_of_a_turn_is_work() -> None:
    assert ask(working_situation(sessions=sessions(session(1, APPROVAL)))).threads == (thread(1),)


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        (None, NoQuestionReason.ALREADY_ASKED),
        (Choice.NOT_UNTIL_RESET, NoQuestionReason.MUTED),
        (Choice.LATER_5, NoQuestionReason.SNOOZED),
    ],
)
def test_a_window_and_a_cause_are_asked_about_once(choice: Choice | None, reason: NoQuestionReason) -> None:
    assert silence(working_situation(), after(choice, working_situation())) is reason


@pytest.mark.parametrize(("choice", "minutes"), [(Choice.LATER_5, 5), (Choice.LATER_15, 15)])
def test_later_asks_again_if_it_is_still_true(choice: Choice, minutes: int) -> None:
    memory = after(choice, stopped_situation())
    due = START + minutes * MINUTE
    assert silence(stopped_situation(), memory, due - MINUTE / 60) is NoQuestionReason.SNOOZED
    again = ask(stopped_situation(), memory, due)
    assert silence(stopped_situation(), asked(memory, again, due), due) is NoQuestionReason.ALREADY_ASKED


def test_later_ends_where_the_clock_is_set_back() -> None:
    ask(stopped_situation(), after(Choice.LATER_5, stopped_situation()), START - 5 * MINUTE)


@pytest.mark.parametrize("choice", [None, Choice.LATER_5, Choice.LATER_15])
def test_a_stop_may_be_asked_about_after_a_warning(choice: Choice | None) -> None:
    assert ask(stopped_situation(), after(choice, working_situation())).cause is Cause.STOPPED


@pytest.mark.parametrize(
    ("in_hand", "reason"),
    [
        ({"waiting_for": FIVE_HOUR_KEY}, NoQuestionReason.WAITING),
        ({"queued": True}, NoQuestionReason.QUEUED),
        ({"spent_at": START + MINUTE}, NoQuestionReason.SPENT),
    ],
)
def test_what_is_in_hand_settles_a_window_for_as_long_as_it_is_there(
    in_hand: dict[str, object], reason: NoQuestionReason
) -> None:
    memory = after(None, working_situation())
    assert silence(stopped_situation(**in_hand), memory) is reason
    ask(stopped_situation(), memory)


def test_a_wait_for_another_window_and_an_earlier_spend_settle_nothing() -> None:
    memory = after(None, working_situation())
    ask(stopped_situation(waiting_for=WEEK_KEY, spent_at=START - MINUTE), memory)


def test_a_mute_holds_when_it_stops() -> None:
    assert silence(stopped_situation(), after(Choice.NOT_UNTIL_RESET, working_situation())) is NoQuestionReason.MUTED


def test_a_warning_after_a_stop_is_no_news() -> None:
    assert silence(working_situation(), after(None, stopped_situation())) is NoQuestionReason.ALREADY_ASKED


def test_a_mute_holds_until_the_reset_is_observed() -> None:
    memory = after(Choice.NOT_UNTIL_RESET, stopped_situation())
    past = START + 4 * HOUR
    still = replace(stopped_situation(), snapshot=reading(at=past, allowed=False, week_left=90 * HOUR))
    assert silence(still, memory, past) is NoQuestionReason.RESET_NEAR
    assert observed(memory, reading(at=past, allowed=False)).find(FIVE_HOUR_KEY) is not None
    moved = reading(at=START + MINUTE, allowed=False, five_left=4 * HOUR)
    assert silence(stopped_situation(snapshot=moved), observed(memory, moved), START + MINUTE) is NoQuestionReason.MUTED
    fresh = reading(0.0, at=past, five_left=9 * HOUR)
    assert observed(memory, fresh).windows == ()


def test_a_window_that_is_full_again_is_another_one() -> None:
    memory = after(Choice.NOT_UNTIL_RESET, stopped_situation())
    later = START + 7 * HOUR
    full = reading(at=later, allowed=False, five_left=8 * HOUR)
    situation = stopped_situation(snapshot=full, sessions=sessions(session(1, STOPPED, later)))
    ask(situation, memory, later)


def test_another_account_starts_with_no_answers() -> None:
    memory = after(Choice.NOT_UNTIL_RESET, stopped_situation())
    other = replace(reading(allowed=False, at=START + MINUTE), account=Account("acc2"))
    ask(stopped_situation(snapshot=other), memory, START + MINUTE)
    nameless = replace(other, account=Account())
    assert silence(stopped_situation(snapshot=nameless), memory, START + MINUTE) is NoQuestionReason.MUTED


def test_another_window_may_be_asked_about_while_one_is_muted() -> None:
    memory = after(Choice.NOT_UNTIL_RESET, working_situation())
    both = expecting(reading(93.0), dict.fromkeys((FIVE_HOUR_KEY, WEEK_KEY), START + 8 * MINUTE))
    assert ask(working_situation(outlook=both), memory).key == WEEK_KEY


def test_the_cap_counts_the_readers_day() -> None:
    east = timezone(timedelta(hours=10))  # 00:07 there
    yesterday = tuple(START - 10 * MINUTE - place * MINUTE for place in range(6))
    memory = AskMemory(asked_at=yesterday)
    assert silence(stopped_situation(), memory) is NoQuestionReason.DAILY_CAP
    assert isinstance(decide(stopped_situation(), AskRules(zone=east), memory, START), Question)
    assert isinstance(decide(stopped_situation(), AskRules(daily_cap=7), memory, START), Question)


def test_old_questions_are_forgotten() -> None:
    memory = AskMemory(asked_at=(datetime(2026, 11, 1, tzinfo=UTC),))
    assert asked(memory, ask(stopped_situation()), START).asked_at == (START,)


@pytest.mark.parametrize(
    ("situation", "stands"),
    [
        (stopped_situation(stale=True), True),
        (stopped_situation(snapshot=None), False),
        (stopped_situation(snapshot=reading(rows=())), False),
        (stopped_situation(snapshot=reading(0.0, at=START + MINUTE)), False),
        (stopped_situation(snapshot=replace(reading(), account=Account("acc2"))), False),
        (stopped_situation(sessions=sessions(session(1, RUNNING))), False),
        (stopped_situation(sessions=sessions(session(2, STOPPED))), False),
    ],
)
def test_an_open_question_stands_while_it_is_true(situation: Situation, stands: bool) -> None:
    assert still_stands(ask(stopped_situation()), situation, START) is stands


@pytest.mark.parametrize(("state", "stands"), [(RUNNING, True), (IDLE, False)])
def test_a_warning_stands_while_somebody_works(state: object, stands: bool) -> None:
    wavering = working_situation(None, sessions=sessions(session(1, state)))  # type: ignore[arg-type]
    assert still_stands(ask(working_situation()), wavering, START) is stands


def test_one_question_covers_what_is_held_and_what_stopped() -> None:
    question = ask(held_situation())
    assert question.cause is Cause.HELD
    assert question.threads == (thread(2), thread(1))
    assert [stop.thread_id for stop in question.stops] == [thread(1)]
    assert Choice.LET_FAIL in question.choices
    assert Choice.QUEUE not in question.choices
    assert Choice.LET_FAIL not in ask(stopped_situation()).choices
    assert still_stands(question, held_situation(), START)


def test_where_there_is_room_again_nothing_is_asked_about_the_held() -> None:
    room = held_situation(snapshot=reading(3.0, allowed=True), sessions=sessions(session(2, HELD)))
    assert silence(room) is NoQuestionReason.NOTHING_RUNNING
    assert not still_stands(ask(held_situation()), room, START)


def test_held_is_asked_once_and_to_let_fail_holds_until_the_reset() -> None:
    for choice, reason in ((None, NoQuestionReason.ALREADY_ASKED), (Choice.LET_FAIL, NoQuestionReason.MUTED)):
        memory = after(choice, held_situation())
        assert silence(held_situation(), memory) is reason
        assert silence(stopped_situation(), memory) is reason
    entry = memory.find(FIVE_HOUR_KEY)
    assert entry is not None
    assert entry.lets_fail
    later = reading(2.0, at=START + 4 * HOUR, five_left=8 * HOUR)
    assert observed(memory, later).find(FIVE_HOUR_KEY) is None


def test_credits_that_carry_on_may_be_held_back_and_asked_about() -> None:
    snapshot = replace(reading(allowed=True), paid=PaidCredits(True, False, "20"))
    assert ask(held_situation(snapshot=snapshot, sessions=sessions(session(2, HELD)))).cause is Cause.HELD


def test_a_question_that_was_opened_by_hand_is_answered_too() -> None:
    question = ask(held_situation())
    memory = answered(AskMemory(), question, Choice.LET_FAIL, START)
    assert silence(held_situation(), memory) is NoQuestionReason.MUTED


def test_what_is_held_is_asked_about_without_any_reset_too() -> None:
    empty = reading(allowed=False, rows=(), available=0)
    question = ask(held_situation(snapshot=empty))
    assert (question.cause, question.credit) == (Cause.HELD, None)
    assert still_stands(question, held_situation(snapshot=empty), START)
    assert silence(stopped_situation(snapshot=empty)) is NoQuestionReason.BANK_EMPTY


def lapsing(hours: float = 20, used: float = 40.0, **changes: object) -> Situation:
    """Nobody is at work; one reset lapses soon, another in three weeks."""
    rows = (replace(credit("a"), expires_at=START + hours * HOUR), credit("b", 20))
    values: dict[str, object] = {"snapshot": reading(used, used / 2, rows=rows), "sessions": {}}
    return Situation(**(values | changes))  # type: ignore[arg-type]


def test_a_reset_that_lapses_within_a_day_is_asked_about_and_again_within_the_hour() -> None:
    question = ask(lapsing())
    assert (question.cause, question.threads) == (Cause.LAPSING, ())
    assert question.credit is not None
    assert question.credit.id == "a"
    assert question.choices == (Choice.SPEND_ONLY, Choice.LATER_5, Choice.LATER_15, Choice.NOT_UNTIL_RESET)
    memory = asked(AskMemory(), question, START)
    for hours in (0, 1, 18.9):
        assert silence(lapsing(), memory, START + hours * HOUR) is NoQuestionReason.NOTHING_RUNNING
    again = ask(lapsing(), memory, START + 19 * HOUR)
    assert again.cause is Cause.LAPSING
    memory = asked(memory, again, START + 19 * HOUR)
    assert silence(lapsing(), memory, START + 19.5 * HOUR) is NoQuestionReason.NOTHING_RUNNING


@pytest.mark.parametrize(
    "situation",
    [
        lapsing(25),
        lapsing(used=0),
        lapsing(queued=True),
        lapsing(spend_locked=True),
        lapsing(stale=True),
        lapsing(snapshot=snapshot(window(WEEK, 40), rows=(credit("a", 0.5),), available=0)),
        lapsing(snapshot=snapshot(rows=(credit("a", 0.5),))),
    ],
)
def test_a_lapse_is_quiet_where_a_spend_would_give_nothing_or_could_not_begin(situation: Situation) -> None:
    silence(situation)


def test_a_lapse_counts_for_the_day_and_keeps_to_its_cap() -> None:
    memory = AskMemory(asked_at=(START,) * RULES.daily_cap)
    silence(lapsing(), memory)
    assert asked(AskMemory(), ask(lapsing()), START).asked_on(START.date(), UTC) == 1
    silence(lapsing(), rules=replace(RULES, enabled=False))


def test_a_stop_is_more_pressing_than_a_lapse_and_a_lapse_is_asked_once_the_stop_was() -> None:
    rows = (replace(credit("a"), expires_at=START + HOUR), credit("b", 20))
    both = stopped_situation(snapshot=reading(allowed=False, rows=rows))
    first = ask(both)
    assert first.cause is Cause.STOPPED
    assert ask(both, asked(AskMemory(), first, START)).cause is Cause.LAPSING


def test_later_asks_about_a_lapse_again_and_mute_never() -> None:
    question = ask(lapsing(0.9))
    memory = asked(AskMemory(), question, START)
    later = answered(memory, question, Choice.LATER_5, START)
    assert isinstance(decide(lapsing(0.9), RULES, later, START + 4 * MINUTE), NoQuestion)
    assert isinstance(decide(lapsing(0.9), RULES, later, START + 5 * MINUTE), Question)
    muted = answered(asked(AskMemory(), ask(lapsing(20)), START), ask(lapsing(20)), Choice.NOT_UNTIL_RESET, START)
    silence(lapsing(20), muted)
    assert observed(muted, reading(40.0, at=START + 21 * HOUR)).lapses == ()


def test_an_open_question_about_a_lapse_stands_until_the_reset_is_gone() -> None:
    question = ask(lapsing())
    assert still_stands(question, lapsing(), START)
    assert still_stands(question, lapsing(used=0), START)  # it closes no dialog under the fingers
    assert not still_stands(question, lapsing(), START + 20 * HOUR)
    assert not still_stands(question, lapsing(snapshot=reading(40.0, rows=(credit("b", 20),))), START)
    assert not still_stands(question, lapsing(queued=True), START)


def evening(**changes: object) -> Situation:
    """It is evening, nobody is at work, and tonight the limit will likely be hit."""
    seen = reading(40.0, 20.0)
    night = Tonight((START + 5 * HOUR).timestamp(), "by the forecast")
    outlook = replace(expecting(seen, {}), tonight=night)
    values: dict[str, object] = {"snapshot": seen, "sessions": {}, "outlook": outlook}
    return Situation(**(values | changes))  # type: ignore[arg-type]


def test_the_night_is_offered_a_queue_once_an_evening() -> None:
    question = ask(evening())
    assert (question.cause, question.choices, question.why) == (Cause.EVENING, (Choice.QUEUE,), "by the forecast")
    assert question.empty_at == START + 5 * HOUR
    memory = asked(AskMemory(), question, START)
    assert silence(evening(), memory) is NoQuestionReason.NOTHING_RUNNING
    assert silence(evening(), memory, START + 4 * HOUR) is NoQuestionReason.NOTHING_RUNNING
    other = replace(reading(40.0, 20.0), account=Account("acc2"))
    assert isinstance(decide(evening(snapshot=other), RULES, memory, START), NoQuestion)  # once, whatever account
    assert ask(evening(), replace(memory, evening_at=START - 24 * HOUR)).cause is Cause.EVENING


def test_the_night_is_not_asked_about_where_no_queue_would_help() -> None:
    for changes in (
        {"queued": True},
        {"spend_locked": True},
        {"snapshot": reading(40.0, 20.0, rows=())},
        {"snapshot": reading(allowed=False)},
    ):
        silence(evening(**changes))
    silence(evening(), now=START + 6 * HOUR)
    silence(evening(), rules=replace(RULES, lead=timedelta(0)))
    silence(evening(), AskMemory(asked_at=(START,) * RULES.daily_cap))


def test_the_evenings_question_stands_until_the_hit_or_a_queue() -> None:
    question = ask(evening())
    assert still_stands(question, evening(), START)
    assert not still_stands(question, evening(), START + 5 * HOUR)
    assert not still_stands(question, evening(queued=True), START)
    assert is_settled(question, evening(), AskMemory(), START) is None
    assert is_settled(question, evening(queued=True), AskMemory(), START) is NoQuestionReason.QUEUED
