"""The desk of each account, changed in one transaction, so that two processes never act on the same thing twice."""

from collections.abc import Callable

import msgspec

from tui.domain.account_state import AccountState
from tui.store.ledger import Ledger


class Desks:
    """One desk an account, in the ledger's database; every method raises `StoreError` where that cannot be used."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def change(self, account: str, step: Callable[[AccountState], AccountState]) -> AccountState:
        """Change an account's desk by a step, and return it; nothing is written where the step changes nothing.

        Args:
            account: The account's key.
            step: From the desk as it is, whoever changed it last, to the desk as it shall be; runs in a transaction.
        """
        with self._ledger.writing() as connection:
            row = connection.execute("SELECT body FROM desks WHERE account = ?", (account,)).fetchone()
            before = _decode(row[0]) if row else AccountState()
            after = step(before)
            if after != before:
                connection.execute(
                    "INSERT INTO desks VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET body = excluded.body",
                    (account, msgspec.json.encode(after).decode()),
                )
        return after


def _decode(body: str) -> AccountState:
    try:
        return msgspec.json.decode(body, type=AccountState)
    except msgspec.MsgspecError:
        return AccountState()  # written by another version: what it held in hand is asked about anew
