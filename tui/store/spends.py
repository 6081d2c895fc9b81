"""The journal of spends: every step is on the disk before the next begins.

A step and its line in the ledger are one transaction. The database itself allows one open spend per account, whatever
the number of processes.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.domain.ledger import Event
from tui.domain.snapshot import Account
from tui.domain.spend import Consent, ConsentKind, Spend, Stage
from tui.errors import SpendHeld, StoreError
from tui.store.database import Table, from_text, moment_of, stamp, to_text
from tui.store.events import insert_events

if TYPE_CHECKING:
    from tui.domain.queue import Queued

_COLUMNS = "key, account, journaled_at, closed_at, body"


class SpendJournal(Table):
    """Spends under way and over; every method is one short transaction."""

    def begin(self, spend: Spend, holder: str, event: Event, queued: "Queued | None" = None) -> None:
        """Write a new spend down, on the disk, before anything is sent.

        The holder is named to whoever else asks. Where it comes from a queue, one less is left in that by the same
        transaction.

        Raises:
            SpendHeld: The account has an open spend already, or the queue is no longer as it was.
        """
        account = spend.account.key
        row = (spend.key, account, spend.stage, holder, stamp(spend.journaled_at), None, to_text(spend))
        try:
            with self._database.writing() as connection:
                if queued is not None:
                    _take_one(connection, account, queued, spend.consent.given_at)
                connection.execute("INSERT INTO spends VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                insert_events(connection, [event])
        except StoreError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise self.held_error(account) from error
            raise

    def advance(self, spend: Spend, events: Iterable[Event] = (), holder: str | None = None) -> None:
        """Write a spend's next step down, with its lines in the ledger, and who drives it from now on.

        Raises:
            StoreError: Also where the journal has no such spend.
        """
        closed_at = stamp(spend.closed_at) if spend.closed_at else None
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE spends SET stage = ?, body = ?, closed_at = ?, holder = coalesce(?, holder) WHERE key = ?",
                (spend.stage, to_text(spend), closed_at, holder, spend.key),
            )
            if changed.rowcount != 1:
                raise StoreError(f"the journal has no spend with the key {spend.key}", "restore the database")
            insert_events(connection, events)

    def open_spend(self, account: str | None = None) -> Spend | None:
        """The open spend of an account, or with None of any account: the oldest."""
        return self._one("closed_at IS NULL AND account = coalesce(?, account) ORDER BY journaled_at", account)

    def last_closed(self, account: str) -> Spend | None:
        """The account's most recently closed spend."""
        return self._one("account = ? AND closed_at IS NOT NULL ORDER BY closed_at DESC", account)

    def ended_keys(self, account: str | None = None) -> frozenset[str]:
        """The keys of the spends that are over, of an account or with None of every one."""
        query = "SELECT key FROM spends WHERE closed_at IS NOT NULL AND account = coalesce(?, account)"
        with self._database.reading() as connection:
            return frozenset(key for (key,) in connection.execute(query, (account,)))

    def every(self, account: str | None = None) -> tuple[Spend, ...]:
        """Every spend of an account, or with None of all, oldest first."""
        with self._database.reading() as connection:
            return all_spends(connection, account)

    def find(self, key: str) -> Spend | None:
        """The spend with this key."""
        return self._one("key = ?", key)

    def held_error(self, account: str) -> SpendHeld:
        """Say who holds an account's open spend."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT holder FROM spends WHERE account = ? AND closed_at IS NULL", (account,)
            ).fetchone()
        holder = row[0] if row else "another resetbank"
        return SpendHeld(f"a reset is being spent by {holder}", "wait until it is done; one spend at a time")

    def _one(self, condition: str, *values: str | None) -> Spend | None:
        query = f"SELECT {_COLUMNS} FROM spends WHERE {condition} LIMIT 1"  # noqa: S608 - our own words
        with self._database.reading() as connection:
            row = connection.execute(query, values).fetchone()
        return decode_spend(*row) if row else None


def all_spends(connection: sqlite3.Connection, account: str | None) -> tuple[Spend, ...]:
    """Every spend of an account, or with None of all, oldest first, inside a transaction."""
    query = f"SELECT {_COLUMNS} FROM spends WHERE account = coalesce(?, account) ORDER BY journaled_at"  # noqa: S608
    return tuple(decode_spend(*row) for row in connection.execute(query, (account,)).fetchall())


def decode_spend(key: str, account: str, journaled_at: str, closed_at: str | None, body: str) -> Spend:
    """A row of the journal; one that this version cannot read is a spend in the stage `unreadable`, or closed."""
    if (known := from_text(body, Spend)) is not None:
        return known
    moment = moment_of(journaled_at)
    return Spend(
        key=key,
        account=Account(id=account),
        credit_id=None,
        credit_expires_at=None,
        consent=Consent(ConsentKind.UNKNOWN, moment),
        before=(),
        resets_before=None,
        journaled_at=moment,
        stage=Stage.UNREADABLE if closed_at is None else Stage.CLOSED,
        doubtful=True,
        reason="another version of resetbank wrote it",
        closed_at=None if closed_at is None else moment_of(closed_at),
    )


def _take_one(connection: sqlite3.Connection, account: str, queued: "Queued", now: datetime) -> None:
    from tui.domain.queue import after_spend
    from tui.store.accounts import read_account, write_account

    state = read_account(connection, account)
    if state.queued is None or not state.queued.is_same(queued):
        raise SpendHeld("the queued reset was taken out or spent elsewhere", "nothing was spent by this one")
    rest = after_spend(state.queued, now)
    owner = state.queue_owner if rest is not None else None
    write_account(connection, account, replace(state, queued=rest, queue_owner=owner))
