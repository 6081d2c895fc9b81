"""What is in hand for each account, changed in one transaction, so that two processes never act on the same thing."""

import sqlite3
from collections.abc import Callable, Iterable

from tui.domain.account_state import AccountState
from tui.domain.ledger import Event
from tui.store.database import Table, from_text, to_text
from tui.store.events import insert_events

Step = Callable[[AccountState], AccountState]
"""From the state as it is, whoever changed it last, to the state as it shall be."""


class Accounts(Table):
    """One state per account."""

    def read(self, account: str) -> AccountState:
        """An account's state; takes no lock."""
        with self._database.reading() as connection:
            return read_account(connection, account)

    def change(self, account: str, step: Step, events: Callable[[], Iterable[Event]] = tuple) -> AccountState:
        """Change an account's state by a step, and return it; where the step changes nothing, nothing is locked.

        The step is called once or twice, the last time in the transaction, and the ledger's lines after it.
        """
        before = self.read(account)
        if step(before) == before:
            return before
        with self._database.writing() as connection:
            before = read_account(connection, account)
            after = step(before)
            if after != before:
                write_account(connection, account, after)
                insert_events(connection, events())
        return after


def read_account(connection: sqlite3.Connection, account: str) -> AccountState:
    """An account's state, inside a transaction."""
    row = connection.execute("SELECT body FROM accounts WHERE account = ?", (account,)).fetchone()
    state = from_text(row[0], AccountState) if row else None
    return state or AccountState()  # what another version wrote is asked about anew


def write_account(connection: sqlite3.Connection, account: str, state: AccountState) -> None:
    """Replace an account's state, inside a transaction."""
    connection.execute(
        "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET body = excluded.body",
        (account, to_text(state)),
    )
