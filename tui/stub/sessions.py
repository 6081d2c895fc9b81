"""The sessions of a demo: Codex is played, with a hook that holds its requests as the real one would be held."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from tui.clock import Clock
from tui.domain.gate import PlanUsers
from tui.domain.hooks import GateMode, GateState, HookState, HookStatus, SpendAttempt, Waiter
from tui.domain.sessions import SessionState, SessionUpdate
from tui.hooks.gate import Gate
from tui.hooks.installation import Installation
from tui.sources.backend import Backend
from tui.sources.base_url import BaseUrl
from tui.sources.login import LoginProvider
from tui.stub.database.bank import Bank
from tui.stub.rules.windows import blocking
from tui.stub.scenario import SessionStart
from tui.stub.scenarios import MAIN_ACCOUNT, MODEL
from tui.wire.hooks import ListedHook

POLL_SECONDS: Final = 0.25
"""Between two looks of a held request at the gate, as the real hook has it."""

_IDS: Final = UUID("5f1d3a52-4b0e-5c1e-9c43-8f0d3c1f7a10")
_AT_WORK: Final = (SessionState.RUNNING, SessionState.HELD)


class PlayedGate(Gate):
    """A gate in memory: its keeper and its hooks are in this process, and nobody else sees it."""

    is_shared = False

    def __init__(self) -> None:
        super().__init__(Path())
        self._state: GateState | None = None
        self._is_kept = False
        self.waiting: dict[str, Waiter] = {}
        """By thread."""

    def is_there(self) -> bool:
        """Always."""
        return True

    def write(self, state: GateState) -> None:
        """Say something to every session."""
        self._state = state

    def read(self) -> GateState | None:
        """What was last said."""
        return self._state

    def beat(self, count: int) -> None:
        """Show that a keeper lives."""
        self._is_kept = True

    def has_heartbeat(self) -> bool:
        """Whether a keeper lives."""
        return self._is_kept

    def end(self) -> None:
        """Say that no keeper runs any more."""
        self._is_kept = False

    def waiters(self) -> tuple[Waiter, ...]:
        """Every request that is held now."""
        return tuple(self.waiting.values())

    def take_attempts(self) -> tuple[SpendAttempt, ...]:
        """None: what is played never tries to spend."""
        return ()


class PlayedHooks(Installation):
    """Our hooks, as if they were trusted in a Codex that is played."""

    def __init__(self) -> None:
        super().__init__(Path(), Path(), Path(), ())
        self.played = PlayedGate()
        self.gate = self.played

    def status(self, name: str, listed: tuple[ListedHook, ...] | None = None) -> HookStatus:
        """Trusted."""
        return HookStatus(name, HookState.TRUSTED, True)

    def plan_users(self) -> PlanUsers:
        """All that is played."""
        return PlanUsers(("openai",), True)


class _Thread:
    """One thread in the middle of its turn, or after it."""

    def __init__(self, start: SessionStart, now: float) -> None:
        self.start = start
        self.id = str(uuid5(_IDS, f"{start.workspace}:{start.name}"))
        self.state = SessionState.RUNNING
        self.begin(now)

    def begin(self, now: float) -> None:
        """Begin a turn."""
        self.state, self.left, self.next_at = SessionState.RUNNING, self.start.requests, now + self.start.every


class PlayedSessions:
    """Plays the sessions of a scenario; each request is metered by the service as one of the real Codex would be."""

    def __init__(self, bank: Bank, clock: Clock, starts: tuple[SessionStart, ...]) -> None:
        self.hooks = PlayedHooks()
        self.metered = asyncio.Event()
        """Set with each request."""
        self._bank = bank
        self._clock = clock
        self._threads = [_Thread(start, clock.monotonic()) for start in starts]
        self._is_known = asyncio.Event()

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        """What each session does, and every change; they work only while somebody looks."""
        for thread in self._threads:
            yield self._update(thread)
        self._is_known.set()
        while True:
            await self._clock.sleep(POLL_SECONDS)
            for thread in self._threads:
                if thread.state in _AT_WORK and self._clock.monotonic() >= thread.next_at and self._step(thread):
                    yield self._update(thread)

    async def caught_up(self) -> None:
        """Return once every session was shown."""
        await self._is_known.wait()

    def carry_on(self, thread_id: str) -> None:
        """Begin another turn of a thread, as a message would."""
        for thread in self._threads:
            if thread.id == thread_id and thread.state not in _AT_WORK:
                thread.begin(self._clock.monotonic())

    def _step(self, thread: _Thread) -> bool:
        """Send a thread's next request, if it is not held; whether it was sent."""
        if self._is_held():
            thread.state = SessionState.HELD
            waiter = Waiter(0, self._clock.now(), thread.id, workspace=thread.start.workspace)
            self.hooks.played.waiting.setdefault(thread.id, waiter)
            return False
        self.hooks.played.waiting.pop(thread.id, None)
        _, allowed = self._bank.take_turn(MAIN_ACCOUNT, thread.id)
        thread.left -= 1
        thread.next_at = self._clock.monotonic() + thread.start.every
        thread.state = SessionState.RUNNING if thread.left > 0 else SessionState.IDLE
        if not allowed:
            thread.state = SessionState.STOPPED_AT_LIMIT
        self.metered.set()
        return True

    def _is_held(self) -> bool:
        gate = self.hooks.played
        said = gate.read()
        if said is None or not gate.has_heartbeat() or said.mode is GateMode.PASS:
            return False
        # What the thread's own last answer said is what the service says: all requests go through it.
        return said.mode is not GateMode.OPEN or blocking(self._bank.read(MAIN_ACCOUNT).windows) is not None

    def _update(self, thread: _Thread) -> SessionUpdate:
        # The keeper says who is held.
        state = SessionState.RUNNING if thread.state is SessionState.HELD else thread.state
        return SessionUpdate(
            thread.id,
            self._clock.now(),
            "daemon",
            state,
            workspace=thread.start.workspace,
            model=MODEL,
            first_message=thread.start.name,
        )


class PlayedSource(Backend):
    """The embedded service as a source that also sees the sessions which are played, and hands them messages."""

    def __init__(self, played: PlayedSessions, base_url: BaseUrl, login: LoginProvider, clock: Clock, app: Any) -> None:
        super().__init__(base_url, login, clock, app=app)
        self._played = played

    def updates(self) -> AsyncIterator[SessionUpdate]:
        """What each session does, and every change."""
        return self._played.updates()

    async def caught_up(self) -> None:
        """Return once every session was shown."""
        await self._played.caught_up()

    async def carry_on(self, thread_id: str, message: str, message_id: str) -> None:
        """Begin another turn of a thread."""
        self._played.carry_on(thread_id)

    async def changed(self) -> None:
        """Return once a request was metered."""
        await self._played.metered.wait()
        self._played.metered.clear()
