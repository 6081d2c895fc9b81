"""What sessions took of the windows, asked of the stub over HTTP and said in the arithmetic of the advice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.companion.scripted import ScriptedFeed, World, running
from tests.companion.test_attending import update
from tests.support.clocks import ManualClock
from tests.support.referrals import NO_REFERRALS
from tests.support.waiting import Patience, rest
from tui.companion.companion import Companion
from tui.companion.connection import SourceChain
from tui.companion.costs import ASK_SECONDS, LEAST_SECONDS, SILENT_SECONDS
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.companion.state import State
from tui.domain.question import Cause, Question
from tui.domain.reading import SessionCost
from tui.domain.sessions import SessionState, SessionUpdate
from tui.sources.backend import Backend
from tui.sources.base import Source
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.store.database import Database
from tui.stub.embedded import embedded_stub
from tui.stub.http.exchange import App, Message, Receive, Send

PATH = "/usage/thread_usage/query_v2"
THREAD = "0199a213-81c0-7800-8aa1-bbab2a035a53"


class Service(SourceChain):
    """The stub in this process, a feed of sessions, and the program that follows both."""

    def __init__(self, clock: ManualClock, answer: bytes | None = None) -> None:
        self.clock = clock
        self.stub = embedded_stub(clock, "calm")
        self.feed = ScriptedFeed()
        self.app: App = self.stub.app if answer is None else answering(self.stub.app, answer)
        self.companion = Companion(
            chain=self,
            tables=Tables(Database(None), AccountLocks(None)),
            referrals=lambda: NO_REFERRALS,
            clock=clock,
            holder="the test",
            new_key=lambda: "unused",
            random_share=lambda: 0.5,
            rollouts=lambda: self.feed,
            looks_ahead=True,
        )

    async def open(self) -> Source:
        login = fixed_login(Login(Token(self.stub.token), self.stub.account_id))
        return Backend(parse_base_url(self.stub.base_url), login, self.clock, app=self.app)

    @property
    def asked(self) -> int:
        """How often it was asked what threads took."""
        return sum(count for path, count in self.stub.faults.served.items() if path.endswith(PATH))

    def work(self, turns: int = 1, thread: str = THREAD, **values: str) -> None:
        """A session works: its turns cost, and its feed tells of it."""
        for _ in range(turns):
            self.stub.bank.take_turn(self.stub.account_id, thread)
        told = SessionUpdate(thread, self.clock.now(), "rollout", SessionState.RUNNING, **values)  # type: ignore[arg-type]
        self.feed.told.put_nowait(told)

    async def passing(self, seconds: float, step: float = 10.0) -> State:
        """Let time pass, no faster than the program comes to rest."""
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            await rest()
            await self.clock.until_sleeping(2)
        return self.companion.state

    def puts(self, cause: Cause) -> None:
        """A question comes up, or is put anew."""
        snapshot, now = self.companion.state.snapshot, self.clock.now()
        assert snapshot is not None
        window = snapshot.main_windows[0]
        question = Question(now, cause, snapshot.account, window, now, (THREAD,), (), None, None, None)
        self.companion.store.update(question=question)

    async def asks(self) -> None:
        """Somebody wants to know what the sessions took, once they are known."""
        await self.companion.store.until(lambda state: bool(state.sessions) and state.snapshot is not None)
        await self.companion.costs.ask()

    async def until_said(self, words: str) -> str:
        """Wait for a line of the arithmetic with these words."""
        patience = Patience()
        while True:
            outlook = self.companion.state.outlook
            for line in outlook.advice.arithmetic if outlook else ():
                if words in line:
                    return line
            assert not patience.is_over, outlook
            await rest()
            self.clock.advance(1)


def answering(app: App, body: bytes) -> App:
    """The service, but with this answer about threads."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith(PATH):
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return answer


@asynccontextmanager
async def followed(service: Service) -> AsyncIterator[Service]:
    only = frozenset({"limits", "upgrades", "rollouts", "history", "costs"})  # no questions: the tests put them
    try:
        async with running(service.companion, service.clock, only, sleepers=2):
            yield service
    finally:
        service.stub.close()


async def test_the_arithmetic_says_what_the_session_took_by_the_services_account(clock: ManualClock) -> None:
    async with followed(Service(clock)) as service:
        service.work(4, workspace="/work/api-server", title="Fix [bold]the[/] login" + "!" * 200)
        await service.asks()
        line = await service.until_said("as the service said at")
        assert line.startswith(
            'api-server "Fix [bold]the[/] login!…" took 12 points of the 5-hour limit and 2 points of'
        )
        assert service.companion.state.costs is not None
        assert service.companion.state.costs.of == (SessionCost(THREAD, 12.0, 2.0),)


async def test_it_is_asked_while_a_question_stands_where_there_is_news_and_not_before(clock: ManualClock) -> None:
    async with followed(Service(clock)) as service:
        for _ in range(20):
            service.work(1, workspace="/work/api-server")
            await service.passing(60)
        assert service.asked == 0
        service.puts(Cause.ABOUT_TO_STOP)
        await service.until_said("took 60 points")
        for _ in range(20):
            service.work(1, workspace="/work/api-server")
            await service.passing(10)
            service.puts(Cause.ABOUT_TO_STOP)
        assert service.asked == 1
        await service.passing(ASK_SECONDS)
        assert service.asked == 2
        await service.passing(4 * ASK_SECONDS, step=60)
        assert service.asked == 2  # nothing was heard of it since


async def test_it_is_asked_again_when_the_question_becomes_another_one(clock: ManualClock) -> None:
    async with followed(Service(clock)) as service:
        service.work(1, workspace="/work/api-server")
        await service.passing(20)
        service.puts(Cause.ABOUT_TO_STOP)
        await service.until_said("took 3 points")
        service.work(2, workspace="/work/api-server")
        await service.passing(LEAST_SECONDS)
        service.puts(Cause.STOPPED)
        await service.until_said("took 9 points")
        assert service.asked == 2
        service.companion.store.update(question=None)
        service.work(1, workspace="/work/api-server")
        await service.passing(2 * ASK_SECONDS)
        assert service.asked == 2


async def test_a_service_that_does_not_tell_leaves_the_own_readings_and_is_asked_hourly(clock: ManualClock) -> None:
    async with followed(Service(clock)) as service:
        service.stub.faults.arm(PATH, "status:404", 1000)
        for _ in range(20):
            service.work(1, workspace="/work/api-server")
            await service.passing(60)
            await service.asks()
        line = await service.until_said("your readings rose by")
        assert "with api-server at work" in line
        assert service.companion.state.costs is None
        assert service.asked == 1
        await service.passing(SILENT_SECONDS, step=60)
        service.work(1, workspace="/work/api-server")
        await service.passing(10)
        await service.asks()
        assert service.asked == 2


async def test_a_source_that_cannot_tell_has_no_line(clock: ManualClock, tmp_path: Path) -> None:
    world = World(clock, tmp_path)
    await world.companion.poller.poll()
    world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
    await world.companion.sessions.scan_once()
    await world.companion.costs.ask()
    assert world.companion.state.costs is None
    outlook = await world.companion.history.look_once()
    assert not [line for line in outlook.advice.arithmetic if "took" in line or "at work" in line]
    await world.companion.aclose()


def row(**values: object) -> bytes:
    return json.dumps({"threads": [{"thread_id": THREAD, **values}]}).encode()


HOSTILE = [
    b"[]",
    b"null",
    b'{"threads": 7}',
    row(thread_id="unknown", five_hour_limit_percent=99),
    row(five_hour_limit_percent={}, weekly_limit_percent=[]),
    row(five_hour_limit_percent=1e300, weekly_limit_percent=-4),
    row(thread_id=[THREAD], five_hour_limit_percent=5),
    row(five_hour_limit_percent=float("nan")),
]


@pytest.mark.parametrize("answer", HOSTILE)
async def test_an_answer_that_says_nothing_of_the_session_is_no_line(clock: ManualClock, answer: bytes) -> None:
    service = Service(clock, answer)
    await service.companion.poller.poll()
    service.work(1, workspace="/work/api-server")
    await service.companion.sessions.scan_once()
    await service.companion.costs.ask()
    outlook = await service.companion.history.look_once()
    assert not [line for line in outlook.advice.arithmetic if "took" in line]
    await service.companion.aclose()
    service.stub.close()


async def test_no_thread_of_another_account_is_asked_about(clock: ManualClock) -> None:
    asked: list[bytes] = []
    service = Service(clock)
    inner = service.app

    async def listening(scope: Message, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            asked.append(message.get("body", b"") if scope["path"].endswith(PATH) else b"")
            return message

        await inner(scope, heard, send)

    service.app = listening
    await service.companion.poller.poll()
    service.work(1, workspace="/work/api-server")
    service.work(0, "0a7d5b1e-0000-4000-8000-000000000002", workspace="/work/other", account_id="somebody-else")
    await service.companion.sessions.scan_once()
    await service.companion.costs.ask()
    (body,) = [body for body in asked if body]
    assert [thread["thread_id"] for thread in json.loads(body)["threads"]] == [THREAD]
    await service.companion.aclose()
    service.stub.close()
