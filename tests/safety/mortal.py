"""Random runs of processes that die at one of their commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.companion.inviting import Crash
from tests.support.budget import budget
from tui.errors import StoreLocked
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
