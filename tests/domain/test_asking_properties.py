"""Whatever happens: asked at most once a window and cause, never near a reset, never after "not until the reset"."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.asking import FIVE_HOUR_KEY, MINUTE, WEEK_KEY, expecting, session, sessions, thread
from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.budget import budget
from tests.support.clocks import START
from tui.domain.ask_memory import AskMemory, answered, asked, observed
from tui.domain.interruption import Situation, decide
from tui.domain.question import LATER, AskRules, Cause, Choice, Question
from tui.domain.sessions import SessionState
from tui.domain.windows import WindowKey

RULES = AskRules(daily_cap=4)


@dataclass(frozen=True)
class Step:
    wait: timedelta
    five: float | None
    week: float | None
    restart: tuple[WindowKey, ...]
    """The windows that the service starts afresh, at whatever time it likes."""
    allowed: bool | None
    states: tuple[SessionState, ...]
    empty_in: tuple[timedelta | None, timedelta | None]
    credits: int
    stale: bool
    blocked: bool
    answer: Choice | None
    lifted: bool


shares = st.sampled_from([None, 90.0, 95.0, 99.0, 100.0])
expected = st.none() | st.timedeltas(-5 * MINUTE, 20 * MINUTE)
steps = st.builds(
    Step,
    wait=st.timedeltas(MINUTE / 10, 90 * MINUTE),
    five=shares,
    week=shares,
    restart=st.sampled_from([(), (), (), (FIVE_HOUR_KEY,), (WEEK_KEY,), (FIVE_HOUR_KEY, WEEK_KEY)]),
    allowed=st.sampled_from([None, True, False, False]),
    states=st.lists(st.sampled_from(SessionState), max_size=3).map(tuple),
    empty_in=st.tuples(expected, expected),
    credits=st.sampled_from([0, 1, 3, 3]),
    stale=st.sampled_from([False, False, False, True]),
    blocked=st.sampled_from([False, False, False, True]),
    answer=st.none() | st.sampled_from(Choice),
    lifted=st.booleans(),
)


@settings(max_examples=budget(400))
@given(st.lists(steps, min_size=5, max_size=40))
def test_any_history(history: list[Step]) -> None:
    now, memory = START, AskMemory()
    dates = {FIVE_HOUR_KEY: START + timedelta(minutes=FIVE_HOURS), WEEK_KEY: START + timedelta(minutes=WEEK)}
    generation: Counter[WindowKey] = Counter()
    allowance: Counter[tuple[WindowKey, int, Cause]] = Counter()
    muted: set[tuple[WindowKey, int]] = set()
    days: Counter[object] = Counter()
    for step in history:
        now += step.wait
        for key in step.restart:
            generation[key] += 1
            dates[key] = now + timedelta(minutes=key[1] or 0)
        used = {FIVE_HOUR_KEY: step.five, WEEK_KEY: step.week} | dict.fromkeys(step.restart, 1.0)
        taken = snapshot(
            *(window(key[1] or 0, used[key], resets_in=dates[key] - now, at=now) for key in used),
            rows=tuple(credit(f"c{number}") for number in range(step.credits)),
            allowed=step.allowed,
            at=now,
        )
        people = sessions(*(session(number, state, now) for number, state in enumerate(step.states)))
        ends = (None if left is None else now + left for left in step.empty_in)
        lines = expecting(taken, dict(zip(used, ends, strict=True)))
        memory = observed(memory, taken)
        situation = Situation(taken, people, lines, stale=step.stale, spend_locked=step.blocked)
        question = decide(situation, RULES, memory, now)
        if not isinstance(question, Question):
            continue
        assert not step.stale
        assert not step.blocked
        assert step.credits or question.cause is Cause.HELD
        assert {people[name].state for name in question.threads} <= {
            SessionState.RUNNING,
            SessionState.WAITING_APPROVAL,
            SessionState.STOPPED_AT_LIMIT,
            SessionState.HELD,
        }
        assert question.threads
        assert dates[question.key] - now > 5 * MINUTE
        instance = (question.key, generation[question.key])
        assert instance not in muted
        allowance[(*instance, question.cause)] -= 1
        assert allowance[(*instance, question.cause)] >= -1
        days[now.date()] += 1
        assert days[now.date()] <= RULES.daily_cap
        memory = asked(memory, question, now)
        if step.answer is None:
            continue
        memory = answered(memory, question, step.answer, now)
        if step.answer in LATER:
            allowance[(*instance, question.cause)] += 1
        elif step.answer is Choice.NOT_UNTIL_RESET:
            muted.add(instance)


def test_the_properties_are_not_empty() -> None:
    """The same world asks readily when nothing speaks against it."""
    hit = snapshot(window(FIVE_HOURS, 100.0), window(WEEK, 90.0), rows=(credit(),), allowed=False)
    question = decide(Situation(hit, sessions(session(1, SessionState.STOPPED_AT_LIMIT))), RULES, AskMemory(), START)
    assert isinstance(question, Question)
    assert question.threads == (thread(1),)
