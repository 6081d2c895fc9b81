"""Two accounts at their limits at once, in any order and side by side: each thing belongs to the right one."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.companion.scripted import ScriptedChain, ScriptedSource
from tests.domain.asking import session
from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START, ManualClock
from tests.support.referrals import NO_REFERRALS
from tui.companion.companion import Companion
from tui.companion.gate import GateKeeper
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Choice
from tui.domain.sessions import SessionState
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import Consent, ConsentKind, ConsumeAnswer, ConsumeCode, ConsumeRequest, Outcome
from tui.errors import OutcomeUnknown, ResetbankError
from tui.hooks.gate import process_start
from tui.hooks.installation import Installation
from tui.store.database import Database

THREADS = {"work": 1, "home": 2}


class Service(ScriptedSource):
    """One account's service: it takes a reset out of its own bank alone."""

    def __init__(self, clock: ManualClock, name: str) -> None:
        super().__init__(clock)
        self.account = Account(f"acc-{name}", "plus", f"{name}@example.com")
        self.rows = tuple(credit(f"{name}-{number}", 2 + number) for number in range(3))
        self.used, self.loses_answers = 95.0, False
        self.show()

    def show(self) -> None:
        reading = snapshot(window(FIVE_HOURS, self.used), window(WEEK, 40.0), rows=self.rows, account=self.account)
        self.reading: Snapshot | Exception = replace(reading, ordinary_usage_allowed=self.used < 100)

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        self.requests.append(request)
        await asyncio.to_thread(lambda: None)
        if request.credit_id in {row.id for row in self.rows}:
            self.rows, self.used = tuple(row for row in self.rows if row.id != request.credit_id), 0.0
            self.show()
            if self.loses_answers:
                raise OutcomeUnknown("the answer never came")
            return ConsumeAnswer(ConsumeCode.RESET)
        return ConsumeAnswer(ConsumeCode.ALREADY_REDEEMED)


class Half:
    """One account with all that is its own, over the database of both."""

    def __init__(self, name: str, clock: ManualClock, tables: Tables, folder: Path) -> None:
        self.name, self.clock, self.tables = name, clock, tables
        self.service = Service(clock, name)
        self.id = f"acc-{name}"
        self.thread = session(THREADS[name], SessionState.RUNNING, clock.now()).thread_id
        self.consents = 0
        keys = iter(f"{name}-key-{number}" for number in range(1000))
        self.companion = Companion(
            chain=ScriptedChain(self.service),
            tables=tables,
            referrals=lambda: NO_REFERRALS,
            clock=clock,
            holder="the test",
            new_key=lambda: next(keys),
            random_share=lambda: 0.5,
            asks=True,
            process=f"process of {name}",
            names=(name,),
        )
        home = folder / name
        home.mkdir()
        self.hooks = Installation(home, folder / "scripts", folder / "gates", ())
        self.hooks.gate.make()
        parts = self.companion.store, self.companion.poller, self.companion.records, clock
        self.keeper = GateKeeper(*parts, hooks=self.hooks, before_credits=False)

    def session_is(self, state: SessionState) -> None:
        found = session(THREADS[self.name], state, self.clock.now(), self.clock.now())
        self.companion.store.update(sessions={found.thread_id: found})

    async def limit(self) -> None:
        self.service.used = 100.0
        self.service.show()
        await self.companion.poller.poll()
        self.session_is(SessionState.STOPPED_AT_LIMIT)

    async def reset(self) -> None:
        self.service.used = 0.0
        self.service.show()
        self.clock.advance(5 * 3600)
        await self.companion.poller.poll()

    async def work(self) -> None:
        self.session_is(SessionState.RUNNING)
        await self.companion.poller.poll()

    async def ask(self) -> None:
        await self.companion.questions.evaluate()
        self.clock.advance(3)
        await self.companion.questions.evaluate()

    async def spend(self) -> None:
        proposal = await self.companion.spender.propose()
        self.consents += 1
        await self.companion.spender.spend(proposal, Consent(ConsentKind.LETTER, self.clock.now()), True)

    async def lose(self) -> None:
        self.service.loses_answers = True
        try:
            await self.spend()
        finally:
            self.service.loses_answers = False

    async def finish(self) -> None:
        await self.companion.spender.finish()

    async def queue(self) -> None:
        await self.companion.questions.queue()

    async def unqueue(self) -> None:
        await self.companion.questions.cancel_queue()

    async def wait(self) -> None:
        if (question := self.companion.state.question) is not None:
            await self.companion.questions.answer(question, Choice.WAIT)

    async def close(self) -> None:
        if (question := self.companion.state.question) is not None:
            await self.companion.questions.answer(question, None)

    async def hold(self) -> None:
        pid = os.getpid()
        body = json.dumps({"session_id": self.thread, "cwd": f"/w/{self.name}"})
        since = int(self.clock.now().timestamp())
        place = self.hooks.gate.folder / "waiting" / str(pid)
        place.write_text(f"{pid} {since}\n{process_start(pid)}\n{body}")
        await self.keeper._look()

    async def let_go(self) -> None:
        (self.hooks.gate.folder / "waiting" / str(os.getpid())).unlink(missing_ok=True)
        await self.keeper._look()

    async def aclose(self) -> None:
        self.keeper._keeping.close()
        await self.companion.stop()

    def check(self) -> None:
        """Everything that is this account's names this account, its resets and its threads alone."""
        own, state = f"{self.name}-", self.companion.state
        for request in self.service.requests:
            assert request.account_id == self.id
            assert (request.credit_id or "").startswith(own)
            assert request.key.startswith(own)
        assert state.account_key in (self.id, None)
        assert {event.account for event in state.recent} <= {self.id}
        if state.question is not None:
            assert set(state.question.threads) <= {self.thread}
        for spend in (*self.tables.spends.every(self.id), *([state.open_spend] if state.open_spend else [])):
            assert (spend.account.id, (spend.credit_id or "")[: len(own)]) == (self.id, own)
        in_hand = self.tables.accounts.read(self.id)
        for queued in (state.queued, in_hand.queued):
            assert queued is None or (queued.account.key, (queued.credit_id or "")[: len(own)]) == (self.id, own)
        assert {resume.stop.thread_id for resume in in_hand.resumes.entries} <= {self.thread}
        assert {found.thread_id for found in held(state.sessions)} <= {self.thread}
        said = self.hooks.gate.read()
        if said is not None:
            assert said.account in (self.id, None)
            assert said.mode is not GateMode.CLOSED or self.was_at_limit
        spent = [spend for spend in self.tables.spends.every(self.id) if spend.outcome is Outcome.RESET]
        assert 3 - len(self.service.rows) <= self.consents
        assert len(spent) <= self.consents
        for event in self.tables.events.events():
            if event.account == self.id:
                assert event.credit_id is None or event.credit_id.startswith(own)
                assert event.request_id is None or event.request_id.startswith(own)

    was_at_limit = False


STEPS = (
    "limit", "reset", "work", "ask", "spend", "lose", "finish", "queue", "unqueue", "wait", "close", "hold", "let_go"
)  # fmt: skip
one_step = st.sampled_from((*STEPS, None))
interleavings = st.lists(st.tuples(one_step, one_step), min_size=4, max_size=16)


async def attempt(half: Half, step: str | None) -> None:
    if step is None:
        return
    half.was_at_limit = half.was_at_limit or step == "limit"
    work: Callable[[], Awaitable[None]] = getattr(half, step)
    try:
        await work()
    except ResetbankError:
        return  # refused: no reset left, one is open already, nothing to queue


async def attempt_both(halves: tuple[Half, Half], steps: tuple[str | None, str | None]) -> None:
    await asyncio.gather(*(attempt(half, step) for half, step in zip(halves, steps, strict=True)))


async def play(steps: list[tuple[str | None, str | None]], folder: Path) -> None:
    clock = ManualClock()
    tables = Tables(Database(None), AccountLocks(folder / "locks"))
    halves = Half("work", clock, tables, folder), Half("home", clock, tables, folder)
    try:
        for half in halves:
            await half.companion.poller.poll()
            half.session_is(SessionState.RUNNING)
        for both in (("limit", "limit"), ("ask", "ask"), *steps):
            clock.advance(20)
            side_by_side = asyncio.ensure_future(attempt_both(halves, both))
            while not side_by_side.done():
                sleeping = asyncio.ensure_future(clock.until_sleeping())
                await asyncio.wait([side_by_side, sleeping], return_when=asyncio.FIRST_COMPLETED)
                sleeping.cancel()
                await asyncio.gather(sleeping, return_exceptions=True)
                if not side_by_side.done():
                    clock.advance(5)
            side_by_side.result()
            for half in halves:
                half.check()
        lines = tables.events.events()
        assert {line.account for line in lines} <= {half.id for half in halves}
        assert all(line.at >= START for line in lines)
    finally:
        for half in halves:
            await half.aclose()
        tables.database.close()


@given(steps=interleavings)
def test_each_question_spend_hold_and_line_is_its_own_accounts(steps: list[tuple[str | None, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(steps, Path(folder)))
