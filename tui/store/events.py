"""The ledger: one line for everything that happened."""

import sqlite3
from collections.abc import Iterable, Sequence
from sys import maxsize

from msgspec.structs import astuple, fields

from tui.domain.ledger import Event, EventKind
from tui.store.database import Table, moment_of, stamp

_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(Event))
_INSERT = f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(Event)))})"  # noqa: S608 - our own names


class EventLog(Table):
    """The lines of the ledger."""

    def record(self, events: Iterable[Event]) -> None:
        """Add lines that belong to no other change."""
        with self._database.writing() as connection:
            insert_events(connection, events)

    def events(self, limit: int | None = None, account: str | None = None) -> tuple[Event, ...]:
        """The newest lines, oldest first; None gives all, or those of every account."""
        return tuple(event for _, event in self.numbered(limit, account))

    def numbered(
        self, limit: int | None = None, account: str | None = None, *, after: int = 0, before: int = maxsize
    ) -> tuple[tuple[int, Event], ...]:
        """The newest lines between two numbers, oldest first, each with its own; None gives all, or every account's."""
        query = (
            f"SELECT id, {_COLUMNS} FROM events WHERE account = coalesce(?, account) AND id > ? AND id < ? "  # noqa: S608
            "ORDER BY id DESC LIMIT ?"
        )
        most = -1 if limit is None else limit
        with self._database.reading() as connection:
            rows = connection.execute(query, (account, after, before, most)).fetchall()
        return tuple((int(number), _event(row)) for number, *row in reversed(rows))

    def after(self, last: int) -> tuple[int, tuple[Event, ...]]:
        """The newest line's number, and the lines after a certain one, whoever wrote them; none after -1."""
        with self._database.reading() as connection:
            newest = int(connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0])
        if last < 0 or newest <= last:
            return newest, ()
        return newest, tuple(event for _, event in self.numbered(after=last, before=newest + 1))


def lines_of(connection: sqlite3.Connection, account: str, since: str) -> tuple[Event, ...]:
    """An account's lines since a stamped moment, oldest first, inside a transaction of the caller's."""
    query = f'SELECT {_COLUMNS} FROM events WHERE account = ? AND "at" >= ? ORDER BY id'  # noqa: S608 - our own names
    return tuple(_event(row) for row in connection.execute(query, (account, since)).fetchall())


def insert_events(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Add lines inside a transaction of the caller's."""
    rows = [(stamp(event.at), *astuple(event)[1:]) for event in events]
    connection.executemany(_INSERT, rows)


def _event(row: Sequence[str]) -> Event:
    at, kind, account, text, *rest = row
    moment = moment_of(at)
    try:
        return Event(moment, EventKind(kind), account, text, *rest)
    except ValueError:
        return Event(moment, EventKind.UNREADABLE, account, f"{kind}: {text}", *rest)
