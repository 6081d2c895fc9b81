"""States with sessions in them: at work, stopped, asked about, queued for, carried on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tests.domain.asking import expecting
from tests.ui import states
from tests.ui.states import NOW, five_hours, main_limit, snapshot, week
from tui.companion.state import State
from tui.domain.ask_memory import AskMemory
from tui.domain.evening import Tonight
from tui.domain.held_sessions import HeldThread, with_held
from tui.domain.hooks import GateMode, HookState, HookStatus
from tui.domain.interruption import Situation, decide
from tui.domain.limit_stops import binding_window
from tui.domain.pictures import BurnUp, Pictures
from tui.domain.question import AskRules, Cause, NoQuestion, NoQuestionReason, Question
from tui.domain.queue import after_restart, arm
from tui.domain.resets import mark
from tui.domain.resumes import LimitStop
from tui.domain.sessions import Session, SessionState, SessionUpdate, merge_update
from tui.domain.waiting import Announcement, ResumeReason, wait
from tui.domain.windows import MAIN_LIMIT

API: Final = "0199a213-81c0-7800-8aa1-bbab2a035a53"
DOCS: Final = "0199a214-1111-7800-8aa1-cccc2a035a54"
TOOLS: Final = "0199a215-2222-7800-8aa1-dddd2a035a55"
SHOP: Final = "0199a216-3333-7800-8aa1-eeee2a035a56"
HOSTILE: Final = "/home/me/[/b]\x1b]0;x\x07"


def session(thread: str, workspace: str, state: SessionState, minutes: float, model: str = "gpt-6-sol") -> Session:
    """As the rollouts would tell it."""
    since = NOW - timedelta(minutes=minutes)
    update = SessionUpdate(
        thread_id=thread,
        seen_at=since,
        feed="rollout",
        state=state,
        since=since,
        workspace=workspace,
        model=model,
        rollout_path=f"/sessions/{thread}.jsonl",
        order=1,
    )
    return merge_update({}, update)[thread]


def running(thread: str, workspace: str, minutes: float) -> Session:
    return session(thread, workspace, SessionState.RUNNING, minutes)


def stopped(thread: str, workspace: str, minutes: float) -> Session:
    return session(thread, workspace, SessionState.STOPPED_AT_LIMIT, minutes)


def of(*sessions: Session) -> Mapping[str, Session]:
    return {one.thread_id: one for one in sessions}


ONE: Final = of(
    stopped(API, "/home/me/api-server", 3), session(DOCS, "/home/me/docs", SessionState.IDLE, 65, "gpt-6-luna")
)
THREE: Final = of(
    stopped(API, "/home/me/api-server", 3), stopped(DOCS, "/home/me/docs", 2), stopped(TOOLS, "/home/me/tools", 1)
)
ALL: Final = of(
    running(API, "/home/me/api-server", 12),
    session(DOCS, "/home/me/docs", SessionState.IDLE, 65, "gpt-6-luna"),
    session(TOOLS, "/home/me/tools", SessionState.WAITING_APPROVAL, 2),
    session(SHOP, "/home/me/shop", SessionState.STOPPED_BY_ERROR, 7),
)
EMPTY_SOON: Final = NOW + timedelta(minutes=8, seconds=20)


def question_of(state: State, now: datetime = NOW) -> Question:
    """As the rules ask it."""
    situation = Situation(snapshot=state.snapshot, sessions=state.sessions, outlook=state.outlook)
    asked = decide(situation, AskRules(), AskMemory(), now)
    assert isinstance(asked, Question)
    return asked


def asked(state: State) -> State:
    return replace(state, question=question_of(state))


def one_stopped() -> State:
    return replace(states.at_limit(), sessions=ONE, watches_sessions=True)


def stopped_question() -> State:
    return asked(one_stopped())


def several_question() -> State:
    return asked(replace(states.at_limit(), sessions=THREE, watches_sessions=True))


def hostile_question() -> State:
    return asked(replace(states.at_limit(), sessions=of(stopped(API, HOSTILE, 3)), watches_sessions=True))


def held_three() -> State:
    """Two sessions are held and one had stopped before; the guard is not trusted yet."""
    threads = {thread: HeldThread(NOW - timedelta(minutes=minutes)) for thread, minutes in ((DOCS, 2), (TOOLS, 1))}
    sessions = {**THREE, DOCS: running(DOCS, "/home/me/docs", 9), TOOLS: running(TOOLS, "/home/me/tools", 5)}
    hooks = (HookStatus("hold", HookState.TRUSTED, False), HookStatus("guard", HookState.UNTRUSTED, False))
    state = replace(states.at_limit(), sessions=with_held(sessions, threads, NOW), gate=GateMode.CLOSED, hooks=hooks)
    return replace(state, watches_sessions=True)


def held_question() -> State:
    return asked(held_three())


PICTURES: Final = Pictures(
    (
        BurnUp(
            300, states.at(23, 12, 20).timestamp(), states.AFTERNOON.timestamp(), tuple(2.7 * n for n in range(1, 35))
        ),
        BurnUp(10080, states.at(20, 8).timestamp(), states.FRIDAY.timestamp(), tuple(0.9 * n for n in range(1, 46))),
    ),
    tuple((20752 + day, None if day < 5 else float(day * 7 % 23)) for day in range(28)),
    tuple(tuple(float((hour * day) % 9) if 8 <= hour < 22 else 0.0 for hour in range(24)) for day in range(1, 8)),
)
"""Readings of some weeks, summed up."""


def working() -> State:
    state = states.busy()
    assert state.snapshot is not None
    outlook = expecting(state.snapshot, {(MAIN_LIMIT, 300): EMPTY_SOON, (MAIN_LIMIT, 10080): None})
    return replace(state, sessions=ALL, outlook=outlook, watches_sessions=True)


def about_question() -> State:
    question = question_of(working())
    assert question.cause is Cause.ABOUT_TO_STOP
    return replace(working(), question=question)


def lapsing_question() -> State:
    """Nobody is at work, and the first reset lapses within the hour."""
    state = states.busy()
    assert state.snapshot is not None
    first, *others = state.snapshot.bank.credits or ()
    first = replace(first, expires_at=NOW + timedelta(minutes=52, seconds=5))
    bank = replace(state.snapshot.bank, credits=(first, *others))
    return asked(replace(state, snapshot=replace(state.snapshot, bank=bank)))


def evening_question() -> State:
    """Tonight the limit will likely be hit; nobody is at work."""
    state = states.calm()
    assert state.snapshot is not None
    night = Tonight((NOW + timedelta(hours=5)).timestamp(), "by the forecast")
    outlook = replace(expecting(state.snapshot, {}), tonight=night)
    return asked(replace(state, outlook=outlook))


def queued() -> State:
    state = working()
    assert state.snapshot is not None
    window = binding_window(state.snapshot)
    assert window is not None
    return replace(state, queued=arm(state.snapshot, window, states.THREE[0], True, NOW - timedelta(minutes=5)))


def queued_before_restart() -> State:
    state = queued()
    assert state.queued is not None
    return replace(state, queued=after_restart(state.queued))


def announced() -> State:
    """Two sessions stand still, and the limit that stopped them has gone."""
    before = states.at_limit().snapshot
    assert before is not None
    window = binding_window(before)
    assert window is not None
    sessions = of(stopped(API, "/home/me/api-server", 130), stopped(DOCS, "/home/me/docs", 120))
    stops = tuple(LimitStop(one.thread_id, one.since) for one in sessions.values())
    begun = NOW - timedelta(hours=2)
    seen = mark(window, begun)
    news = Announcement(ResumeReason.WINDOW_RESET, seen, NOW - timedelta(minutes=1), begun, stops)
    fresh = snapshot(main_limit(five_hours(1, NOW + timedelta(hours=5)), week(43)))
    return states.state(fresh, sessions=sessions, announcement=news)


def waiting() -> State:
    state = one_stopped()
    assert state.snapshot is not None
    question = question_of(state)
    silence = NoQuestion(NoQuestionReason.WAITING, Cause.STOPPED, question.window)
    return replace(state, waiting=wait(question, state.snapshot, NOW), no_question=silence)


def silent(reason: NoQuestionReason, cause: Cause | None = Cause.STOPPED) -> State:
    state = one_stopped()
    assert state.snapshot is not None
    return replace(state, no_question=NoQuestion(reason, cause, binding_window(state.snapshot)))
