"""From when until when the limit kept sessions from work; every process that sees it writes the same rows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from tui.domain.pauses import Pause, PauseKind
from tui.store.database import Table, moment_of, stamp

KEPT: Final = timedelta(days=400)

_COLUMNS: Final = "thread, kind, since, until, resets_at"


class Pauses(Table):
    """The pauses of all accounts."""

    def save(self, account: str, pauses: Iterable[Pause]) -> None:
        """Write pauses that began, and the ends of those that are over; the first end that was seen counts."""
        rows = []
        for p in pauses:
            until, resets_at = p.until and stamp(p.until), p.resets_at and stamp(p.resets_at)
            rows.append((account, p.thread_id, p.kind, stamp(p.since), until, resets_at))
        with self._database.writing() as connection:
            connection.executemany(
                f"INSERT INTO pauses (account, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names
                " ON CONFLICT (account, thread, kind, since) DO UPDATE SET until = coalesce(until, excluded.until)",
                rows,
            )
            newest = max((row[3] for row in rows), default=None)
            if newest is not None:
                oldest = stamp(datetime.fromisoformat(newest) - KEPT)
                connection.execute("DELETE FROM pauses WHERE since < ?", (oldest,))

    def open(self, account: str) -> tuple[Pause, ...]:
        """Those of an account without an end, oldest first."""
        return self._rows("account = ? AND until IS NULL", account)

    def since(self, account: str | None, begin: datetime) -> tuple[Pause, ...]:
        """Those that were not over before a moment, oldest first; `account` None gives every account's."""
        return self._rows("account = coalesce(?, account) AND coalesce(until, since) >= ?", account, stamp(begin))

    def _rows(self, condition: str, *values: str | None) -> tuple[Pause, ...]:
        query = f"SELECT {_COLUMNS} FROM pauses WHERE {condition} ORDER BY since, thread"  # noqa: S608 - our own names
        with self._database.reading() as connection:
            rows = connection.execute(query, values).fetchall()
        return tuple(
            Pause(thread, PauseKind(kind), moment_of(since), until and moment_of(until), ends and moment_of(ends))
            for thread, kind, since, until, ends in rows
        )
