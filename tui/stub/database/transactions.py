"""The database with its clock and its lock: one transaction at a time, each at one moment of the service's own time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import finalize

import msgspec

from tui.clock import Clock
from tui.errors import StoreError
from tui.store.database import Database
from tui.stub.database.schema import SCHEMA
from tui.stub.scenario import Scenario
from tui.stub.scenarios import find_scenario


class Transaction(msgspec.Struct, frozen=True):
    """A transaction under way."""

    connection: sqlite3.Connection
    scenario: Scenario
    began: float
    """When the scenario began."""
    now: float
    """The service's own time, unix seconds."""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, values)


@contextmanager
def _explained() -> Iterator[None]:
    """Give a `StoreError` a hint that fits a file which the user named on the command line."""
    try:
        yield
    except StoreError as error:
        raise type(error)(error.message, "choose another file with --db") from error


class StubDatabase:
    """What the bank and the referrals share; safe from any thread, one caller at a time.

    Every method raises `StoreError` where the database cannot be used.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        with _explained():
            self._database = Database(path, SCHEMA)
        self._clock = clock
        self.close = self._database.close
        if path is None:
            finalize(self, self.close)  # one in memory goes with its last user, who need not know that it is one

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Everything inside happens together or not at all."""
        with _explained(), self._database.writing() as connection:
            yield self._begun(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """All that is read inside belongs to one moment, also where another process writes."""
        with _explained(), self._database.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield self._begun(connection)
            finally:
                connection.rollback()

    @contextmanager
    def entering(self, wanted: Scenario) -> Iterator[tuple[Transaction, bool]]:
        """The first transaction, and whether nothing was there: then the database is put into a scenario."""
        with _explained(), self._database.writing() as connection:
            is_new = not connection.execute("SELECT EXISTS (SELECT 1 FROM world)").fetchone()[0]
            if is_new:
                connection.execute("INSERT INTO world (scenario, clock_offset) VALUES (?, 0)", (wanted.name,))
            begun = self._begun(connection)
            # A file of the first version does not say: what was then in use begins anew, and was used just now.
            if begun.execute("UPDATE world SET began = ? WHERE began IS NULL", begun.now).rowcount:
                begun.execute("UPDATE account SET plan_since = ?1, last_used_at = ?1", begun.now)
            yield self._begun(connection), is_new

    def turn_to(self, begun: Transaction, scenario: Scenario) -> Transaction:
        """Put the database into a scenario that begins now; its time goes on."""
        begun.execute("UPDATE world SET scenario = ?, began = ?", scenario.name, begun.now)
        return self._begun(begun.connection)

    def advance(self, begun: Transaction, seconds: float) -> Transaction:
        """Let time pass for the service."""
        begun.execute("UPDATE world SET clock_offset = clock_offset + ?", seconds)
        return self._begun(begun.connection)

    def _begun(self, connection: sqlite3.Connection) -> Transaction:
        name, began, offset = connection.execute("SELECT scenario, began, clock_offset FROM world").fetchone()
        now = self._clock.now().timestamp() + offset
        return Transaction(connection, find_scenario(name), now if began is None else began, now)
