"""Keeping the gate: requests are held at the limit, the person sees which, and they go when there is room again.

One process keeps it, by a lock; every other one sees what is held, and takes over when the keeper dies.
"""

from contextlib import ExitStack, nullcontext, suppress
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.follower import Follower
from tui.companion.locks import file_lock
from tui.companion.poller import Poller
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.account_state import AccountState
from tui.domain.gate import READING_SECONDS, gate_state, held_threads
from tui.domain.held_sessions import with_held
from tui.domain.hooks import GateMode, GateState, SpendAttempt, Waiter
from tui.domain.ledger import Event, EventKind
from tui.domain.limit_stops import binding_window
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Outcome
from tui.errors import HooksError, StoreError, StoreReadOnly
from tui.hooks.installation import ALL_HOOKS, Installation

BUSY_SECONDS: Final = 0.5
"""Between two looks while a request is held; also the pace of the heartbeat."""

IDLE_SECONDS: Final = 1.0
"""Between two looks while none is."""

ABSENT_SECONDS: Final = 15.0
"""Between two looks for a gate that nobody has made."""

CHECK_SECONDS: Final = 60.0
"""Between two looks at how our hooks stand in Codex's files."""

_SPENT_NOTE: Final = "one reset was spent; the request goes on"
_ROOM_NOTE: Final = "there is room again; the request goes on"
_FAIL_NOTE: Final = "the request goes on, as you chose"


class GateKeeper(Follower):
    """Keeps one Codex home's gate while this process runs, or shows what another one keeps."""

    def __init__(
        self,
        store: StateStore,
        poller: Poller,
        records: Records,
        clock: Clock,
        *,
        hooks: Installation,
        before_credits: bool,
    ) -> None:
        """Touch nothing yet; `before_credits` also holds requests that paid credits would carry."""
        super().__init__(store, records, clock)
        self._poller = poller
        self._hooks = hooks
        self._gate = hooks.gate
        self._keeping = ExitStack()
        """What is to be let go when this process keeps the gate no longer."""
        self._checked_at: float | None = None
        self._before_credits = before_credits
        self._said: GateState | None = None
        """What was said to the hooks last; None while another process keeps the gate."""
        self._beats = 0
        self._known: frozenset[tuple[int, datetime]] = frozenset()
        self._changed = True
        """Whether something changed since the last decision."""
        self._spent_at: datetime | None = None
        """When a reset was spent since the limit was reached; the keeper may look only when the spend is over."""

    async def follow(self) -> None:
        """Keep the gate, or watch it, until cancelled."""
        with self._keeping:
            self._keeping.callback(self._show, (), None)
            await super().follow()

    def _is_news(self, before: State, state: State) -> bool:
        if state.open_spend is not None and state.open_spend.outcome is Outcome.RESET:
            self._spent_at = state.open_spend.journaled_at
        news = (before.snapshot, before.waiting, before.question) != (state.snapshot, state.waiting, state.question)
        self._changed = self._changed or news
        return news

    async def _look(self) -> float:
        await self._check_hooks()
        if not self._gate.is_there():
            return ABSENT_SECONDS
        if self._said is None:
            self._try_to_keep()
        waiters = self._gate.waiters()
        known, self._known = self._known, frozenset((waiter.pid, waiter.since) for waiter in waiters)
        if self._known - known:
            self._poller.refresh()
        if self._said is not None:
            await self._keep(waiters)
        state, mode = self._store.state, self._said.mode if self._said else None
        if waiters or mode is not state.gate or any(session.held_since for session in state.sessions.values()):
            self._show(waiters, mode)
        return BUSY_SECONDS if waiters else IDLE_SECONDS

    async def _check_hooks(self) -> None:
        """Show how our hooks stand, by Codex's files, now and then."""
        now = self._clock.monotonic()
        if self._checked_at is None or now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            found = await in_thread(lambda: tuple(self._hooks.status(name) for name in ALL_HOOKS))
            self._store.update(hooks=found)

    def _try_to_keep(self) -> None:
        with suppress(StoreReadOnly, HooksError), ExitStack() as trying:
            lock = file_lock(self._gate.folder, "keeper") if self._gate.is_shared else nullcontext(True)
            if trying.enter_context(lock):
                trying.callback(self._stop_keeping)
                self._said = self._gate.read() or GateState(GateMode.OPEN)
                self._beat()
                self._keeping.push(trying.pop_all())

    def _stop_keeping(self) -> None:
        self._said = None
        self._gate.end()

    async def _keep(self, waiters: tuple[Waiter, ...]) -> None:
        somebody_waits = bool(waiters)
        if somebody_waits or not self._gate.has_heartbeat():  # a hook that gave us up has taken it away
            self._beat()
        if somebody_waits or self._changed:
            self._changed = False
            await self._decide(somebody_waits)
        if self._is_unsure(waiters):
            self._poller.refresh()
        attempts = self._gate.take_attempts()
        if attempts:
            with suppress(StoreError):
                await self._records.record(*(self._line(attempt) for attempt in attempts))

    async def _decide(self, somebody_waits: bool) -> None:
        """Say what follows from the newest reading and the person's last answer."""
        assert self._said is not None
        account = AccountState()
        with suppress(StoreError):
            account = await self._records.in_hand()
        wanted = self._wanted(self._said, account)
        if wanted != self._said and (somebody_waits or _matters(self._said, wanted)):
            await in_thread(self._gate.write, wanted)
            self._said = wanted

    def _is_unsure(self, waiters: tuple[Waiter, ...]) -> bool:
        """Whether somebody is held by a meter that may be newer than the reading which opened the gate."""
        said, snapshot = self._said, self._store.state.snapshot
        if said is None or said.mode is not GateMode.OPEN or said.open_since is None or snapshot is None:
            return False
        is_new = any(waiter.since + READING_SECONDS > said.open_since for waiter in waiters)
        return is_new and snapshot.provenance.age(self._clock.now()) >= READING_SECONDS

    def _beat(self) -> None:
        self._beats += 1
        self._gate.beat(self._beats)

    def _wanted(self, said: GateState, account: AccountState) -> GateState:
        state = self._store.state
        window = binding_window(state.snapshot) if state.snapshot else None
        entry = account.memory.find(window.key) if window else None
        lets_fail = entry is not None and entry.lets_fail
        wanted = gate_state(
            state.snapshot,
            said,
            self._hooks.plan_users(),
            self._clock.now(),
            before_credits=self._before_credits,
            waits=window is not None and account.waiting is not None and account.waiting.window.key == window.key,
            lets_fail=lets_fail,
            spent_at=self._spent_at,
            note=_FAIL_NOTE if lets_fail else _SPENT_NOTE if self._spent_at else _ROOM_NOTE,
        )
        if wanted.mode is not GateMode.OPEN and state.open_spend is None:
            self._spent_at = None  # it was not enough: what opens the gate now is something else
        return wanted

    def _show(self, waiters: tuple[Waiter, ...], mode: GateMode | None) -> None:
        self._store.update(gate=mode)
        show_held(self._store, waiters, self._clock.now())

    def _line(self, attempt: SpendAttempt) -> Event:
        account = self._store.state.filed_under
        whose = f" in thread {attempt.session_id}" if attempt.session_id else ""
        text = f"an agent's own spend was refused{whose}: {attempt.tool}"
        return Event(attempt.at, EventKind.SPEND_REFUSED, account, text, "guard")


def show_held(store: StateStore, waiters: tuple[Waiter, ...], now: datetime) -> None:
    """Show which sessions are held."""
    store.update(sessions=with_held(store.state.sessions, held_threads(waiters), now))


def open_gate(snapshot: Snapshot | None, hooks: Installation, now: datetime, spent_at: datetime) -> None:
    """Open the gate where a reading after a spend shows room; a wait would hold on without a keeper."""
    said = hooks.gate.read()
    if said is None:
        return
    wanted = gate_state(snapshot, said, hooks.plan_users(), now, spent_at=spent_at, note=_SPENT_NOTE)
    if wanted.mode is GateMode.OPEN and wanted != said:
        with suppress(HooksError):  # the hooks go on by themselves, later
            hooks.gate.write(wanted)


def _matters(said: GateState, wanted: GateState) -> bool:
    """Whether the difference is worth a write while nobody waits: a newer opening of an open gate is not."""
    return said != replace(wanted, open_since=said.open_since, note=said.note)
