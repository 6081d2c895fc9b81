"""A day on the stub's own clock: turns cost, windows roll over, and each limit brings one question at most."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.companion.scripted import ScriptedFeed, running
from tests.support.clocks import ManualClock
from tests.support.referrals import NO_REFERRALS
from tests.support.waiting import until
from tui.companion.companion import Companion
from tui.companion.connection import SourceChain
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.question import AskRules, Cause, Choice, Question
from tui.domain.sessions import SessionState, SessionUpdate
from tui.domain.windows import WindowKind
from tui.sources.backend import Backend
from tui.sources.base import Source
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.store.database import Database
from tui.stub.embedded import embedded_stub

MINUTES = 16 * 60
STEP = 60.0


@dataclass
class Day(SourceChain):
    """A person with some sessions, the service, and what they were asked."""

    sessions: int
    turns_every: int
    """Minutes between two turns of one session."""
    answer: Choice | None
    clock: ManualClock = field(default_factory=ManualClock)
    questions: list[Question] = field(default_factory=list)
    stops: int = 0

    def __post_init__(self) -> None:
        self.stub = embedded_stub(self.clock, "calm")
        self.stub.bank.set_usage(self.stub.account_id, WindowKind.WEEKLY, 0.0)
        self.feed = ScriptedFeed()
        self.states = [SessionState.IDLE] * self.sessions

    async def open(self) -> Source:
        login = fixed_login(Login(Token(self.stub.token), self.stub.account_id))
        base_url = parse_base_url(self.stub.base_url)
        return Backend(base_url, login, self.clock, app=self.stub.app)

    def tell(self, number: int, state: SessionState) -> None:
        self.states[number] = state
        thread = f"0a7d5b1e-0000-4000-8000-{number:012}"
        self.feed.told.put_nowait(
            SessionUpdate(thread, self.clock.now(), "rollout", state, workspace=f"/work/{number}")
        )

    def work(self, minute: int) -> None:
        """Every session takes its turns; one that is refused stops, and takes up work when the limit is gone."""
        for number in range(self.sessions):
            if (minute + number) % self.turns_every:
                continue
            _, allowed = self.stub.bank.take_turn(self.stub.account_id)
            if allowed:
                self.tell(number, SessionState.RUNNING)
            elif self.states[number] is SessionState.RUNNING:
                self.stops += 1
                self.tell(number, SessionState.STOPPED_AT_LIMIT)


@asynccontextmanager
async def following(day: Day) -> AsyncIterator[Companion]:
    companion = Companion(
        chain=day,
        tables=Tables(Database(None), AccountLocks(None)),
        referrals=lambda: NO_REFERRALS,
        clock=day.clock,
        holder="the test",
        new_key=lambda: "unused",
        random_share=lambda: 0.5,
        rollouts=lambda: day.feed,
        asks=True,
    )
    try:
        async with running(companion, day.clock):
            yield companion
    finally:
        day.stub.close()


async def live_through(day: Day) -> None:
    async with following(day) as companion:
        for minute in range(MINUTES):
            day.work(minute)
            day.clock.advance(STEP)
            await settled(day)
            question = companion.state.question
            if question is not None:
                day.questions.append(question)
                await companion.questions.answer(question, day.answer)


async def settled(day: Day) -> None:
    """Wait until everything told was taken in and both loops wait again."""
    await until(day.feed.told.empty)
    await day.clock.until_sleeping(3)


def near(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and abs(moment - other) < timedelta(minutes=10)


def assert_quiet(day: Day) -> None:
    assert len(day.questions) <= AskRules().daily_cap * 2  # sixteen hours touch two days
    seen: list[Question] = []
    for question in day.questions:
        twins = [old for old in seen if old.cause is question.cause and near(old.natural_reset, question.natural_reset)]
        assert not twins
        if question.natural_reset is not None:
            assert question.natural_reset - question.asked_at > AskRules().least_waiting
        seen.append(question)


async def test_a_heavy_user_is_asked_once_per_window_and_cause() -> None:
    day = Day(sessions=6, turns_every=6, answer=None)
    await live_through(day)
    print(f"heavy: {day.stops} stops, {len(day.questions)} questions")
    assert day.stops > 0
    assert {question.cause for question in day.questions} >= {Cause.STOPPED}
    assert_quiet(day)


async def test_not_until_the_reset_is_kept() -> None:
    day = Day(sessions=6, turns_every=6, answer=Choice.NOT_UNTIL_RESET)
    await live_through(day)
    print(f"muting: {day.stops} stops, {len(day.questions)} questions")
    assert_quiet(day)
    resets = [question.natural_reset for question in day.questions]
    assert not any(near(one, other) for place, one in enumerate(resets) for other in resets[:place])


async def test_a_light_user_is_never_asked() -> None:
    day = Day(sessions=1, turns_every=60, answer=None)
    await live_through(day)
    assert (day.stops, day.questions) == (0, [])
