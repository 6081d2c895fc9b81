"""The program without a screen: this ties its parts together and has no logic of its own."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tui.clock import Clock
from tui.companion.connection import Connection, SourceChain
from tui.companion.poller import Poller
from tui.companion.records import Records, Tables
from tui.companion.state import State, StateStore
from tui.domain.windows import NEAR_PERCENT
from tui.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tui.companion.accounts import Accounts
    from tui.companion.costs import CostKeeper
    from tui.companion.follower import Follower
    from tui.companion.history import HistoryService
    from tui.companion.inviter import Inviter
    from tui.companion.notifier import Notifier
    from tui.companion.pauses import PauseKeeper
    from tui.companion.questions import QuestionService
    from tui.companion.queue import QueueWatch
    from tui.companion.resumer import Resumer
    from tui.companion.sessions import SessionTracker
    from tui.companion.spender import Spender
    from tui.companion.supervisor import Supervisor
    from tui.domain.question import AskRules
    from tui.domain.reading import PastReadings
    from tui.hooks.installation import Installation
    from tui.sources.base import Referrals, SessionFeed


_HEAD_START = 0.5
"""Seconds that the first reading is given before the other tasks load what they need."""


class Companion(msgspec.Struct, kw_only=True, dict=True, eq=False):
    """Every part of the program, each made when it is first used; nothing is read or sent before."""

    chain: SourceChain
    tables: Tables | StoreError
    """The database; or why it cannot be used: then everything can be seen and nothing spent."""
    referrals: "Callable[[], Referrals]"
    """Opens the referral programme, or what stands in for it where nobody may be asked."""
    clock: Clock
    holder: str
    """How other processes name this one while it drives a spend."""
    new_key: Callable[[], str]
    """Makes a UUIDv4 for each consent."""
    random_share: Callable[[], float]
    """Gives numbers from 0 to 1, for jitter."""
    near_percent: float = NEAR_PERCENT
    demo: str | None = None
    """The scenario of the embedded stub, if that is the source."""
    rollouts: "Callable[[], SessionFeed] | None" = None
    """Opens the feed of sessions that is always there; None follows none."""
    rules: "Callable[[], AskRules] | None" = None
    message: str = "Continue where you left off."
    """What a stopped thread is told."""
    asks: bool = False
    """Whether a person is there to be asked."""
    hooks: "Callable[[], Installation] | None" = None
    """What Codex runs for us, and the gate through which requests are held; None holds none."""
    before_credits: bool = False
    """Whether a request is held that paid credits would carry."""
    process: str | None = None
    """A name that no other process ever has; None takes the holder's."""
    looks_ahead: bool = False
    """Whether readings are kept and looked ahead from."""
    notifier: "Callable[[StateStore, Records, Clock], Notifier] | None" = None
    """Makes what tells outside the screen; None tells nobody."""
    past: "PastReadings | None" = None
    """Fills the history from rollouts; None where there are none."""
    codex_home: str | None = None
    """Codex's folder, where the command `codex` alone would use another."""
    names: "Sequence[str]" = ("",)
    """What the account is called in the settings, its own name last; empty where it has none."""

    def __post_init__(self) -> None:
        self.name = self.names[-1]
        """What the account is called in the settings; empty where it has no name."""
        state = State(self.name, codex_home=self.codex_home, demo=self.demo, near_percent=self.near_percent)
        self.store = StateStore(state)
        self.connection = Connection(self.chain, self.name)
        self.records = Records(self.store, self.tables, self.process or self.holder, self.names)
        self.poller = Poller(self.store, self.connection, self.records, self.clock, random_share=self.random_share)
        self.accounts: Accounts | None = None
        """This and the other accounts of the settings; None where there is no other."""

    @cached_property
    def sessions(self) -> "SessionTracker":
        """What follows the live sessions."""
        from tui.companion.sessions import SessionTracker

        return SessionTracker(self.store, self.connection, self.poller, self.rollouts)

    @cached_property
    def resumer(self) -> "Resumer":
        """What tells threads to go on."""
        from tui.companion.resumer import Resumer

        return Resumer(self.store, self.connection, self.records, self.clock, message=self.message)

    @cached_property
    def spender(self) -> "Spender":
        """What spends resets."""
        from tui.companion.spender import Spender

        parts = self.store, self.connection, self.poller, self.records, self.resumer, self.clock
        return Spender(*parts, holder=self.holder, new_key=self.new_key)

    @cached_property
    def questions(self) -> "QuestionService":
        """What asks."""
        from tui.companion.questions import QuestionService

        return QuestionService(self.store, self.records, self.resumer, self.clock, self._ask_rules, asks=self.asks)

    @cached_property
    def queue(self) -> "QueueWatch":
        """What spends the queued reset."""
        from tui.companion.queue import QueueWatch

        return QueueWatch(self.store, self.records, self.spender, self.clock, self._ask_rules)

    @cached_property
    def costs(self) -> "CostKeeper":
        """What asks how much each session took."""
        from tui.companion.costs import CostKeeper

        return CostKeeper(self.store, self.connection, self.records, self.clock)

    @cached_property
    def history(self) -> "HistoryService":
        """What keeps readings and looks ahead."""
        from tui.companion.history import HistoryService

        periods = self.connection.past_periods if self.state.demo is None else None
        lead = self._ask_rules.lead.total_seconds()
        return HistoryService(self.store, self.records, self.clock, self.past, periods, lead)

    @cached_property
    def pauses(self) -> "PauseKeeper":
        """What writes down when sessions stood still at the limit."""
        from tui.companion.pauses import PauseKeeper

        return PauseKeeper(self.store, self.records, self.clock)

    async def _once_read(self, part: "Callable[[], Follower]") -> None:
        """Follow what learns from the past; what it needs is loaded after the first reading."""
        if self.looks_ahead:
            await self.store.until(lambda state: state.snapshot is not None)
            await part().follow()

    async def _keep_gate(self) -> None:
        """Hold requests at the limit and let them go, until cancelled."""
        if self.hooks is None:
            return
        from tui.companion.gate import GateKeeper

        parts = self.store, self.poller, self.records, self.clock
        await GateKeeper(*parts, hooks=self.hooks(), before_credits=self.before_credits).follow()

    async def _tell(self) -> None:
        """Tell a person outside the screen what happens, until cancelled."""
        if self.notifier is not None:
            await self.notifier(self.store, self.records, self.clock).follow()

    @cached_property
    def inviter(self) -> "Inviter":
        """What invites friends."""
        from tui.companion.inviter import Inviter

        return Inviter(self.store, self.records, self.referrals(), self.clock, new_key=self.new_key)

    @cached_property
    def supervisor(self) -> "Supervisor":
        """What runs the long tasks."""
        from tui.companion.supervisor import Supervisor

        return Supervisor(self.store, self.clock)

    @cached_property
    def _ask_rules(self) -> "AskRules":
        from tui.domain.question import AskRules

        return self.rules() if self.rules else AskRules()

    @property
    def state(self) -> State:
        """The newest State."""
        return self.store.state

    def listen(self, on_state: Callable[[State], None]) -> Callable[[], None]:
        """Call back with every new State, on the loop; the result ends it."""
        return self.store.listen(on_state)

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Run the long tasks, all or only those named, until cancelled."""
        import asyncio
        from contextlib import suppress

        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "limits": self.poller.follow,
            "upgrades": self.poller.follow_upgrades,
            "rollouts": lambda: self.sessions.follow_rollouts(),
            "sessions": lambda: self.sessions.follow_source(),
            "questions": lambda: self.questions.follow(),
            "queue": lambda: self.queue.follow(),
            "spends": lambda: self.spender.follow(),
            "gate": self._keep_gate,
            "resumes": lambda: self.resumer.follow(),
            "invites": lambda: self.inviter.follow(),
            "history": lambda: self._once_read(lambda: self.history),
            "pauses": lambda: self._once_read(lambda: self.pauses),
            "costs": lambda: self._once_read(lambda: self.costs),
            "notices": self._tell,
        }
        if self.asks:
            await self.records.recall()
        wanted = [name for name in tasks if only is None or name in only]
        try:
            for name in wanted:
                self.supervisor.start(name, tasks[name])
                if name == "limits":
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_HEAD_START):
                            await self.store.until(lambda state: state.link.has_answered)
                await self.clock.sleep(0)  # each loads its modules, and the numbers are painted between them
            await asyncio.Event().wait()
        finally:
            await self.supervisor.aclose()

    async def scan_once(self) -> bool:
        """Read once and learn every live session, for commands that end again; False where that took too long."""
        await self.poller.poll()
        whole = await self.sessions.scan_once()
        if self.hooks is not None:
            from tui.companion.gate import show_held

            show_held(self.store, self.hooks().gate.waiters(), self.clock.now())
        return whole

    def let_go(self, spent_at: "datetime") -> None:
        """Tell the hooks that there is room again, for a command that spent while nobody keeps the gate."""
        if self.hooks is not None:
            from tui.companion.gate import open_gate

            open_gate(self.state.snapshot, self.hooks(), self.clock.now(), spent_at)

    def refresh(self) -> None:
        """Read now instead of at the next turn, the single credits too."""
        self.poller.refresh()

    async def stop(self) -> None:
        """End the tasks."""
        if "supervisor" in self.__dict__:
            await self.supervisor.aclose()

    async def aclose(self) -> None:
        """Let the tasks, the sources and the database go."""
        await self.stop()
        if "inviter" in self.__dict__:
            await self.inviter.aclose()
        await self.connection.aclose()
        self.records.close()
