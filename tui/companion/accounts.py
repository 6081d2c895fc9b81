"""Several accounts side by side: a companion for each in sight or at work, a look now and then at the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.schedule import jittered
from tui.companion.state import Link, State, StateStore
from tui.companion.supervisor import Supervisor
from tui.concurrency import in_thread
from tui.domain.lapses import STEPS
from tui.errors import ResetbankError, StoreError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.notifier import Notifier

CHECK_SECONDS: Final = 20.0
"""Between two looks at the files of Codex: an account whose sessions begin to work gets its companion."""

OUT_OF_SIGHT: Final = timedelta(minutes=1)
"""Between two readings of an account that has a companion and is not in sight; a stop there is seen at once."""

AT_ONCE: Final = 2
"""So many accounts out of sight are read side by side."""


class Member(msgspec.Struct, frozen=True):
    """One account of the settings."""

    name: str
    open: "Callable[[], Companion]"
    recall: Callable[[], State]
    """What the database last knew; blocking."""
    look: Callable[[], Awaitable[State]]
    """Reads once and keeps the reading."""
    is_at_work: Callable[[], bool]
    """Whether a session there is at work or held, by the files; blocking, and cheap."""
    records: Callable[[StateStore], Records]
    """What is written down about it, for while it is only looked at."""
    notifier: "Callable[[StateStore, Records, Clock], Notifier] | None" = None
    """Makes what tells outside the screen, for while it is only looked at; None tells nobody."""


class Accounts:
    """Every account of one screen or one command, each with what is its own."""

    def __init__(
        self, members: Sequence[Member], clock: Clock, *, every: timedelta, random_share: Callable[[], float]
    ) -> None:
        """Open nothing yet; the first member is in sight first.

        `every` is the time between two looks at an account that is neither in sight nor at work; `random_share` gives
        numbers from 0 to 1, for jitter.
        """
        self._members = {member.name: member for member in members}
        self.clock = clock
        self._every = every
        self._random_share = random_share
        self._stores = {name: StateStore(State(account_name=name)) for name in self._members}
        self._looked_at: dict[str, tuple[StateStore, Records]] = {}
        self._tellers: list[Supervisor] = []
        self._companions: dict[str, Companion] = {}
        self._due = dict.fromkeys(self._members, clock.monotonic())
        self._listeners: list[Callable[[State], None]] = []
        self._openers: list[Callable[[Companion], None]] = []
        self._lookers: list[Callable[[StateStore, Records], None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._only: frozenset[str] | None = None
        self._room = asyncio.Semaphore(AT_ONCE)
        for store in self._stores.values():
            store.listen(self._show)

    @property
    def names(self) -> tuple[str, ...]:
        """Every account's name, in the order of the settings."""
        return tuple(self._members)

    @property
    def states(self) -> tuple[State, ...]:
        """The newest State of every account, in that order."""
        return tuple(store.state for store in self._stores.values())

    @property
    def companions(self) -> "tuple[Companion, ...]":
        """The companions that there are by now."""
        return tuple(self._companions.values())

    def listen(self, on_state: Callable[[State], None]) -> None:
        """Call back with every new State of any account, on the loop."""
        self._listeners.append(on_state)

    def on_open(self, opened: "Callable[[Companion], None]") -> None:
        """Call back with every companion, those that there are and those that come."""
        for companion in self.companions:
            opened(companion)
        self._openers.append(opened)

    def on_look(self, looked_at: Callable[[StateStore, Records], None]) -> None:
        """Call back with what becomes of an account that is only looked at, once for each, with its first reading."""
        self._lookers.append(looked_at)

    def open(self, name: str) -> "Companion":
        """An account's companion, running while `run` does.

        Raises:
            ResetbankError: Its home or its address cannot be used.
        """
        companion = self._companions.get(name)
        if companion is None:
            companion = self._members[name].open()
            companion.accounts = self
            if companion.state.snapshot is None:
                companion.store.update(snapshot=self._stores[name].state.snapshot)
            if self._companions:
                companion.poller.least_interval = OUT_OF_SIGHT
            self._companions[name], self._stores[name] = companion, companion.store
            for opened in self._openers:
                opened(companion)
            companion.listen(self._show)
            self._show(companion.state)
            if self._group is not None:
                self._group.create_task(companion.run(self._only))
        return companion

    def show(self, name: str) -> "Companion":
        """Bring an account in sight, where `open` can: it is read oftener than the others."""
        shown = self.open(name)
        for companion in self.companions:
            companion.poller.least_interval = timedelta(0) if companion is shown else OUT_OF_SIGHT
        shown.poller.wake()
        return shown

    def first(self) -> "Companion":
        """The companion of the first account that has one.

        Raises:
            ResetbankError: None has.
        """
        for name in self.names:
            try:
                return self.open(name)
            except ResetbankError as error:
                self._show_failure(name, error)
                failure = error
        raise failure

    def open_all(self) -> "dict[str, Companion | ResetbankError]":
        """Every account's companion, or why it has none."""
        found: dict[str, Companion | ResetbankError] = {}
        for name in self.names:
            try:
                found[name] = self.open(name)
            except ResetbankError as error:
                found[name] = error
        return found

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Run every companion, all its long tasks or only those named, and look at the rest, until cancelled."""
        self._only = only
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for companion in self.companions:
                    group.create_task(companion.run(only))
                group.create_task(self._look_around())
        finally:
            self._group = None
            for teller in self._tellers:
                await teller.aclose()

    async def _look_around(self) -> None:
        """Look at the accounts without a companion, for as long as there are any."""
        for companion in self.companions[:1]:  # the account in sight: nothing else is read before it
            await companion.store.until(lambda state: state.link.has_answered)
        for member in self._idle():
            try:
                self._stores[member.name].show(await in_thread(member.recall))
            except StoreError:
                break  # said where a reading is to be kept
        while idle := self._idle():
            at_work = await in_thread(_at_work, idle)
            await asyncio.gather(*(self._look(member, member.name in at_work) for member in idle))
            await self.clock.sleep(CHECK_SECONDS)

    def _idle(self) -> list[Member]:
        return [member for name, member in self._members.items() if name not in self._companions]

    async def _look(self, member: Member, is_at_work: bool) -> None:
        if not is_at_work and self.clock.monotonic() < self._due[member.name]:
            return
        async with self._room:
            try:
                if is_at_work:
                    self.open(member.name)
                    return
                state = await member.look()
                await self._keep(member, state)
                if is_pressing(state, self.clock.now()):
                    self.open(member.name)
            except ResetbankError as error:
                self._show_failure(member.name, error)
        pause = jittered(self._every, self._random_share())
        self._due[member.name] = self.clock.monotonic() + pause.total_seconds()

    async def _keep(self, member: Member, state: State) -> None:
        """Show what a look found, and let who follows the account see it as one that has a companion."""
        if member.name in self._companions:
            return  # opened meanwhile, and read by that
        store = self._stores[member.name]
        store.show(replace(state, problems=store.state.problems))
        if member.name not in self._looked_at:
            records = member.records(store)
            self._looked_at[member.name] = store, records
            for looked_at in self._lookers:
                looked_at(store, records)
            if member.notifier is not None and (self._only is None or "notices" in self._only):
                teller = Supervisor(store, self.clock)
                teller.start("notices", member.notifier(store, records, self.clock).follow)
                self._tellers.append(teller)
        await self._looked_at[member.name][1].show()

    def _show_failure(self, name: str, error: ResetbankError) -> None:
        store = self._stores[name]
        store.update(link=store.state.link.failing(str(error), self.clock.now(), self._every))

    def _show(self, state: State) -> None:
        if self._stores[state.account_name].state is not state:
            return  # of the time before it had a companion
        for listener in tuple(self._listeners):
            listener(state)

    async def aclose(self) -> None:
        """Let every account go; the database that they share last."""
        for companion in self.companions:
            await companion.stop()
        for companion in self.companions:
            await companion.aclose()


def _at_work(members: Sequence[Member]) -> set[str]:
    return {member.name for member in members if member.is_at_work()}


def is_pressing(state: State, now: datetime) -> bool:
    """Whether an account needs its companion though nobody works there: a spend is open, or a reset lapses soon."""
    bank = state.snapshot.bank if state.snapshot is not None else None
    expiries = [credit.expires_at for credit in bank.spendable(now)] if bank is not None else []
    return state.open_spend is not None or any(at is not None and at - now <= STEPS[-1] for at in expiries)


def seen(state: State, name: str, every: timedelta) -> State:
    """The State of an account that is only looked at."""
    link = Link(state.link.source, interval=every)
    return replace(state, account_name=name, link=link)
