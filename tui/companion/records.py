"""What is written down about the account in use, changed on the disk and shown in the State."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from sys import maxsize
from typing import TYPE_CHECKING, Final

from tui.companion.locks import AccountLocks
from tui.companion.state import StateStore
from tui.concurrency import in_thread
from tui.domain.ledger import Event, EventKind
from tui.domain.sessions import live
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import Spend
from tui.errors import StoreError
from tui.store.database import Database
from tui.store.deliveries import Deliveries
from tui.store.events import EventLog
from tui.store.invites import Invites
from tui.store.observations import UNNAMED, Observations
from tui.store.readings import Readings
from tui.store.remembered import Remembered
from tui.store.spends import SpendJournal

if TYPE_CHECKING:
    from tui.domain.account_state import AccountState
    from tui.domain.pauses import Pause
    from tui.domain.witness import ResetHistory
    from tui.store.accounts import Accounts, Step
    from tui.store.pauses import Pauses

RECENT: Final = 8
"""How many of the newest ledger lines the State holds."""


class Tables:
    """The parts of the local database, and who may drive spends in it."""

    def __init__(self, database: Database, locks: AccountLocks) -> None:
        self.database = database
        self.locks = locks
        self.events = EventLog(database)
        self.spends = SpendJournal(database)
        self.observations = Observations(database)
        self.deliveries = Deliveries(database)
        self.readings = Readings(database)
        self.remembered = Remembered(database)
        self.invites = Invites(database)

    @cached_property
    def accounts(self) -> "Accounts":
        """What is in hand for each account."""
        from tui.store.accounts import Accounts

        return Accounts(self.database)

    @cached_property
    def pauses(self) -> "Pauses":
        """From when until when sessions stood still at the limit."""
        from tui.store.pauses import Pauses

        return Pauses(self.database)


class Records:
    """Reads and writes the database for the other parts; without one, nothing is kept and nothing may be spent.

    Every method raises `StoreError` where the database cannot be used, but for `observe`, `witness`, `show` and
    `recall`: `State.store_failure` tells why they could not.
    """

    def __init__(
        self, store: StateStore, tables: Tables | StoreError, process: str, names: Sequence[str] = UNNAMED
    ) -> None:
        """Read nothing yet.

        Only what this process queued itself may it spend without a new yes. The names are what the account is called in
        the settings, its own name last.
        """
        self._store = store
        self.tables = tables if isinstance(tables, Tables) else None
        """The database; None where it cannot be used."""
        self._failure = tables if isinstance(tables, StoreError) else None
        self._listeners: list[Callable[[Event, Spend | None], None]] = []
        self._last_line = -1
        self.process = process
        self._names = names
        self._name = names[-1]
        if isinstance(tables, StoreError):
            store.update(store_failure=str(tables))

    def require(self) -> Tables:
        """The database, for what must not happen without one.

        Raises:
            StoreError: There is none.
        """
        if self.tables is None:
            failure = self._store.state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is spent: {failure}")
        return self.tables

    def listen(self, on_line: Callable[[Event, Spend | None], None]) -> None:
        """Call back with every line the ledger gets from now on, whoever writes it, and the spend that it closes."""
        self._listeners.append(on_line)

    async def in_hand(self) -> "AccountState":
        """What is in hand for the account in use, read and shown; without an account or a database nothing is."""
        account = self._store.state.account_key
        if self.tables is None or account is None:
            return _nothing()
        return await self._show_in_hand(await in_thread(self.tables.accounts.read, account))

    async def change(self, step: "Step", events: Callable[[], Iterable[Event]] = tuple) -> "AccountState":
        """Change what is in hand for the account in use; without an account or a database nothing is.

        The step runs once or twice, the last time in a transaction; the ledger's lines are asked for after it.
        """
        account = self._store.state.account_key
        if self.tables is None or account is None:
            return _nothing()
        return await self._show_in_hand(await in_thread(self.tables.accounts.change, account, step, events))

    async def show_life(self) -> None:
        """Let other processes see that what this one arms is watched over.

        Raises:
            StoreError: It cannot be shown.
        """
        await in_thread(self.require().locks.keep, self.process)

    async def _show_in_hand(self, state: "AccountState") -> "AccountState":
        lives = False
        if self.tables is not None and state.queued is not None and state.queue_owner != self.process:
            lives = await in_thread(self.tables.locks.lives, state.queue_owner)
        self._store.update(
            queued=state.queued_for(self.process, owner_lives=lives),
            waiting=state.waiting,
            announcement=state.announcement,
            resumes=state.resumes,
        )
        return state

    async def spent_at(self) -> datetime | None:
        """When the account's last spend was journaled that took a reset, or may have."""
        account = self._store.state.account_key
        if self.tables is None or account is None:
            return None
        spends = self.tables.spends
        last = await in_thread(spends.open_spend, account) or await in_thread(spends.last_closed, account)
        return last.journaled_at if last is not None and last.may_have_spent else None

    async def record(self, *events: Event) -> None:
        """Put lines into the ledger and show them."""
        if self.tables is not None:
            await in_thread(self.tables.events.record, events)
            await self.show()

    async def observe(self, snapshot: Snapshot) -> tuple[Event, ...]:
        """Keep a reading, put what changed since the last one into the ledger, and return that."""
        if self.tables is None:
            return ()
        events: tuple[Event, ...] = ()
        try:
            if self._listeners and self._last_line < 0:
                self._last_line, _ = await in_thread(self.tables.events.after, -1)
            events = await in_thread(
                self.tables.observations.observe,
                snapshot,
                self._store.state.near_percent,
                self._store.state.fresh_for,
                self._names,
            )
        except StoreError as error:
            self._store.update(store_failure=str(error))
        else:
            self._store.update(store_failure=None)
            await self.show(snapshot.account.key)
        return events

    async def witness(self, snapshot: Snapshot, history: "ResetHistory") -> None:
        """Put the service's own word on what nothing here explains into the ledger."""
        if self.tables is not None:
            runs_here = bool(live(self._store.state.sessions, snapshot.provenance.observed_at))
            with suppress(StoreError):  # said once a reading is to be kept
                observations = self.tables.observations
                await in_thread(observations.witness, snapshot, history, codex_runs_here=runs_here)
                await self.show(snapshot.account.key)

    async def show(self, account: str | None = None) -> None:
        """Show the open spend and the newest lines of the ledger, of the account in use where none is named."""
        if self.tables is None:
            return
        tables, account = self.tables, account or self._store.state.account_key
        try:
            open_spend = await in_thread(tables.spends.open_spend, account)
            # Of one account of several its own lines alone; who has one sees what an earlier login left, too.
            whose = (account or self._store.state.filed_under) if self._name else None
            recent = await in_thread(tables.events.events, RECENT, whose)
            lines: tuple[Event, ...] = ()
            if self._listeners:
                self._last_line, lines = await in_thread(tables.events.after, self._last_line)
                lines = tuple(line for line in lines if line.account == account)
        except StoreError as error:
            self._store.update(store_failure=str(error))
            return
        self._store.update(open_spend=open_spend, recent=recent)
        for line in lines:
            spend = None
            if line.kind is EventKind.SPEND_CLOSED and line.request_id is not None:
                spend = await in_thread(tables.spends.find, line.request_id)
            for listener in self._listeners:
                listener(line, spend)

    async def recall(self) -> None:
        """Show the last reading of the last account until there is a fresh one; its age goes with it."""
        if self.tables is None or self._store.state.snapshot is not None:
            return
        with suppress(StoreError):  # said once a reading is to be kept
            last = await in_thread(self.tables.observations.last, self._name)
            if self._store.state.snapshot is None:
                self._store.update(snapshot=last)

    async def spends(self) -> tuple[Spend, ...]:
        """Every spend of the account in use, oldest first."""
        account = self._store.state.account_key
        return await in_thread(self.tables.spends.every, account) if self.tables and account else ()

    async def pauses_since(self, begin: datetime) -> "tuple[Pause, ...]":
        """When sessions of the account in use stood still at the limit, oldest first."""
        account = self._store.state.account_key
        if self.tables is None or account is None:
            return ()
        return await in_thread(self.tables.pauses.since, account, begin)

    async def remembered(self, name: str) -> str | None:
        """What a screen remembered under a name; nothing without a database."""
        return await in_thread(self.tables.remembered.get, name) if self.tables else None

    async def remember(self, name: str, value: str) -> None:
        """Remember this under a name; without a database it is forgotten."""
        if self.tables is not None:
            await in_thread(self.tables.remembered.set, name, value)

    async def events(self, limit: int | None = None) -> tuple[Event, ...]:
        """The newest lines of the ledger, oldest first; None gives all."""
        return tuple(event for _, event in await self.numbered_events(limit))

    async def numbered_events(
        self, limit: int | None = None, *, after: int = 0, before: int = maxsize
    ) -> tuple[tuple[int, Event], ...]:
        """The newest lines of the ledger between two others, oldest first, each with its own number."""
        if self.tables is None:  # an empty ledger would say that nothing has happened
            raise self._failure or StoreError("the database cannot be used")
        account = self._store.state.filed_under if self._name else None
        return await in_thread(self.tables.events.numbered, limit, account, after=after, before=before)

    def last_account(self) -> Account | None:
        """The account that was read last; None where none ever was."""
        last = self.tables.observations.last(self._name) if self.tables else None
        return last.account if last else None

    def close(self) -> None:
        """Close the database."""
        if self.tables is not None:
            self.tables.locks.close()
            self.tables.database.close()


def _nothing() -> "AccountState":
    from tui.domain.account_state import AccountState

    return AccountState()
