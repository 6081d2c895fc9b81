"""What a command reads of the local database, which it never makes."""

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.domain.ledger import Event
    from tui.store.database import Database


@contextmanager
def kept_database() -> "Iterator[Database | None]":
    """The database while it is needed; None where there is none yet.

    Raises:
        StoreError: It cannot be used.
    """
    from tui.paths import resetbank_paths

    path = resetbank_paths().database
    if not path.exists():
        yield None
        return
    from tui.store.database import Database

    with closing(Database(path)) as database:
        yield database


def kept_account(name: str | None) -> str | None:
    """The key of the account that the database knows under a name of the settings; None where none is named.

    Raises:
        UsageError: It was never read under that name.
    """
    if name is None:
        return None
    from tui.store.observations import Observations

    with kept_database() as database:
        account = Observations(database).account_of(name) if database is not None else None
    if account is None:
        hint = f"'resetbank status --account {name}' reads it"
        raise UsageError(f"nothing was read yet of an account {name!r}", hint)
    return account


def read_events(account: str | None = None) -> "Sequence[Event]":
    """Every event of the ledger, or of one account; none where there is no database yet.

    Raises:
        StoreError: It cannot be used.
    """
    from tui.store.events import EventLog

    with kept_database() as database:
        return EventLog(database).events(account=account) if database is not None else ()
