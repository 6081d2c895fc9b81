"""The invites of each account: other people's addresses, kept in this database and nowhere else."""

import sqlite3
from collections.abc import Callable, Iterable

from tui.domain.invites import InviteRecord, newest_first
from tui.domain.ledger import Event
from tui.store.database import Table, from_text, to_text
from tui.store.events import insert_events

Step = Callable[[tuple[InviteRecord, ...]], tuple[Iterable[InviteRecord], Iterable[Event]]]
"""From an account's invites to what they shall be, with the lines for the ledger; it may refuse by raising."""


class Invites(Table):
    """Invites beside the ledger, in the same database."""

    def change(self, account: str, step: Step) -> tuple[InviteRecord, ...]:
        """Change an account's invites by a step, in one transaction, so that no two processes send the same one.

        What the step leaves out is deleted; the invites as they are then are returned, newest first.
        """
        with self._database.writing() as connection:
            before = {record.key: record for record in _read(connection, account)}
            changed, events = step(newest_first(before.values()))
            after = {record.key: record for record in changed}
            connection.executemany(
                "INSERT INTO invites VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body",
                [(key, account, to_text(record)) for key, record in after.items() if record != before.get(key)],
            )
            connection.executemany("DELETE FROM invites WHERE key = ?", [(key,) for key in before.keys() - after])
            insert_events(connection, events)
        return newest_first(after.values())

    def records(self, account: str) -> tuple[InviteRecord, ...]:
        """An account's invites, newest first."""
        with self._database.reading() as connection:
            return newest_first(_read(connection, account))


def _read(connection: sqlite3.Connection, account: str) -> list[InviteRecord]:
    rows = connection.execute("SELECT body FROM invites WHERE account = ?", (account,)).fetchall()
    found = (from_text(body, InviteRecord) for (body,) in rows)
    return [record for record in found if record is not None]  # what another version wrote is left as it is
