"""Random runs of processes that die at one of their commits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.companion.inviting import Crash
from tests.support.budget import budget
from tests.support.referrals import NO_REFERRALS
from tui.clock import Clock
from tui.companion.companion import Companion
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.spend import Proposal
from tui.errors import ResetbankError, StoreLocked
from tui.sources.base import Source
from tui.store.database import Database


class MortalDatabase(Database):
    """The real database of a process that dies before or after one of its commits."""

    commits_to_live: int | None = None
    dies_after = False
    commits_until_locked: int | None = None
    """None: nobody else writes."""
    locked_commits = 0

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._mortal(), self._contended(), super().writing() as connection:
            yield connection

    def lock(self, after: int, commits: int) -> None:
        """Another program holds the database for so many of its commits, after so many that pass."""
        self.commits_until_locked, self.locked_commits = after, commits

    @contextmanager
    def _contended(self) -> Iterator[None]:
        if self.commits_until_locked is not None:
            self.commits_until_locked -= 1
            if self.commits_until_locked < -self.locked_commits:
                self.commits_until_locked = None
            elif self.commits_until_locked < 0:
                raise StoreLocked("another program holds it")
        yield

    @contextmanager
    def _mortal(self) -> Iterator[None]:
        dies = False
        if self.commits_to_live is not None:
            self.commits_to_live -= 1
            dies = self.commits_to_live < 0
        if dies and not self.dies_after:
            raise Crash
        yield
        if dies:
            raise Crash


class ManyLives(RuleBasedStateMachine):
    """One account on one database, and companions that come and go; a subclass opens the way to its service."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = clock
        self.database = MortalDatabase(None)
        self.keys: list[str] = []
        self.proposal: Proposal | None = None
        self.companion = self.start()

    async def open(self) -> Source:
        """The service."""
        raise NotImplementedError

    async def upgrade(self, current: str) -> None:
        """There is no better one."""
        return

    def start(self) -> Companion:
        self.database.commits_to_live = None
        self.tables = Tables(self.database, AccountLocks(None))  # the kernel frees a dead process's locks
        return Companion(
            chain=self,
            tables=self.tables,
            referrals=lambda: NO_REFERRALS,
            clock=self.clock,
            holder="one of many",
            new_key=self.new_key,
            random_share=lambda: 0.5,
        )

    def new_key(self) -> str:
        self.keys.append(f"00000000-0000-4000-8000-{len(self.keys):012}")
        return self.keys[-1]

    def run(self, work: Any) -> Any:
        """What comes of it, or the error; None where the process died of it, and another one has started."""
        try:
            return self.loop.run_until_complete(work)
        except Crash:
            self.companion, self.proposal = self.start(), None
        except ResetbankError as error:
            return error
        return None

    def ask(self) -> None:
        """Have a spend proposed."""
        proposal = self.run(self.companion.spender.propose())
        self.proposal = proposal if isinstance(proposal, Proposal) else self.proposal


def run_at_random(machine: type[RuleBasedStateMachine], runs: int) -> None:
    """Let a machine live through so many random runs (a tenth of them while one works, see `budget`)."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=budget(runs),
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
