"""The local database as the companion uses it."""

import msgspec

from tui.companion.locks import AccountLocks
from tui.store.desks import Desks
from tui.store.history import History
from tui.store.invites import Invites
from tui.store.ledger import Ledger


class Books(msgspec.Struct, frozen=True):
    """The local database and who may drive spends in it."""

    ledger: Ledger
    history: History
    locks: AccountLocks
    desks: Desks
    invites: Invites

    @classmethod
    def over(cls, ledger: Ledger, locks: AccountLocks) -> "Books":
        """Everything that is kept in the ledger's database."""
        return cls(ledger, History(ledger), locks, Desks(ledger), Invites(ledger))
