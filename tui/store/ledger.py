"""The ledger and the journal: what happened, and the spends that are under way.

A spend's step and its line in the ledger are one transaction. The database itself allows one open spend an account,
whatever the number of processes.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import astuple, fields

from tui.domain.ledger import Event, EventKind
from tui.domain.spend import Spend
from tui.errors import SpendHeld
from tui.store.schema import explained, transaction

_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(Event))
_INSERT_EVENT = f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(Event)))})"  # noqa: S608 - our own names


class Ledger:
    """Events and spends in one database; every method is one short, blocking transaction, safe from any thread.

    Every method raises `StoreError` where the database cannot be used.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            yield self._connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For reading another table of the same database; whoever writes at the same time is not waited for."""
        with self._alone() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, for another table of the same database."""
        with self._alone() as connection, transaction(connection):
            yield connection

    def close(self) -> None:
        """Close the database; fine to call twice."""
        with self._alone() as connection:
            connection.close()

    def begin(self, spend: Spend, holder: str, event: Event) -> None:
        """Write a new spend down, on the disk, before anything is sent.

        Args:
            spend: In the stage `journaled`.
            holder: Who drives it, for whoever else asks.
            event: Its line in the ledger.

        Raises:
            SpendHeld: The account has an open spend already.
        """
        row = (spend.key, spend.account.key, spend.stage, holder, stamp(spend.journaled_at), None, _encode(spend))
        with self._alone() as connection:
            try:
                with transaction(connection):
                    connection.execute("INSERT INTO spends VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                    insert_events(connection, [event])
            except sqlite3.IntegrityError as error:
                raise self.held_error(spend.account.key) from error

    def advance(self, spend: Spend, events: Iterable[Event] = (), holder: str | None = None) -> None:
        """Write a spend's next step down, with its lines in the ledger, and who drives it from now on."""
        closed_at = stamp(spend.closed_at) if spend.closed_at else None
        with self.writing() as connection:
            connection.execute(
                "UPDATE spends SET stage = ?, body = ?, closed_at = ?, holder = coalesce(?, holder) WHERE key = ?",
                (spend.stage, _encode(spend), closed_at, holder, spend.key),
            )
            insert_events(connection, events)

    def open_spend(self, account: str | None = None) -> Spend | None:
        """The open spend of an account, or with None of any account: the oldest."""
        with self._alone() as connection:
            row = connection.execute(
                "SELECT body FROM spends WHERE closed_at IS NULL AND account = coalesce(?, account)"
                " ORDER BY journaled_at LIMIT 1",
                (account,),
            ).fetchone()
        return msgspec.json.decode(row[0], type=Spend) if row else None

    def held_error(self, account: str) -> SpendHeld:
        """Say who holds an account's open spend."""
        with self._alone() as connection:
            row = connection.execute(
                "SELECT holder FROM spends WHERE account = ? AND closed_at IS NULL", (account,)
            ).fetchone()
        holder = row[0] if row else "another resetbank"
        return SpendHeld(f"a reset is being spent by {holder}", "wait until it is done; one spend at a time")

    def last_closed(self, account: str) -> Spend | None:
        """The account's most recently closed spend."""
        with self._alone() as connection:
            row = connection.execute(
                "SELECT body FROM spends WHERE account = ? AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1",
                (account,),
            ).fetchone()
        return msgspec.json.decode(row[0], type=Spend) if row else None

    def record(self, events: Iterable[Event]) -> None:
        """Add lines that belong to no spend."""
        with self.writing() as connection:
            insert_events(connection, events)

    def events(self, limit: int | None = None) -> tuple[Event, ...]:
        """The newest lines, oldest first; None gives all."""
        query = f"SELECT {_COLUMNS} FROM events ORDER BY id DESC LIMIT ?"  # noqa: S608 - our own names
        with self._alone() as connection:
            rows = connection.execute(query, (-1 if limit is None else limit,)).fetchall()
        return tuple(_event(row) for row in reversed(rows))


def stamp(moment: datetime) -> str:
    """A moment as the database keeps it: RFC 3339, UTC, microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def insert_events(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Add lines inside a transaction of the caller's."""
    rows = [(stamp(event.at), *astuple(event)[1:]) for event in events]
    connection.executemany(_INSERT_EVENT, rows)


def _event(row: tuple[str, ...]) -> Event:
    at, kind, *rest = row
    return Event(datetime.fromisoformat(at), EventKind(kind), *rest)


def _encode(spend: Spend) -> str:
    return msgspec.json.encode(spend).decode()
