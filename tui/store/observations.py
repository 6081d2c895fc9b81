"""The last reading of each account, kept across restarts, so that changes in between are recorded once."""

import msgspec
from msgspec.structs import replace

from tui.domain.changes import notice
from tui.domain.ledger import Event
from tui.domain.snapshot import Snapshot
from tui.store.database import Database, stamp
from tui.store.events import insert_events
from tui.store.spends import spends_between


class Observations:
    """The last reading of each account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def observe(self, snapshot: Snapshot) -> tuple[Event, ...]:
        """Compare a reading with the last one and put what changed by itself into the ledger.

        One transaction, so that of several resetbanks that see the same change exactly one records it. A reading older
        than the last one is left alone.

        Returns:
            What was recorded.

        Raises:
            StoreError: The database cannot be used.
        """
        account = snapshot.account.key
        with self._database.writing() as connection:
            row = connection.execute("SELECT body FROM observations WHERE account = ?", (account,)).fetchone()
            previous = _decode(row[0]) if row else None
            if previous is not None:
                if previous.provenance.observed_at >= snapshot.provenance.observed_at:
                    return ()
                if snapshot.bank.credits is None and previous.bank.credits is not None:
                    # Which credit it was shows once the single credits are there again: compare the bank then.
                    snapshot = replace(snapshot, bank=previous.bank)
            since = stamp(previous.provenance.observed_at) if previous else ""
            until = stamp(snapshot.provenance.observed_at)
            spends = [spend for spend in spends_between(connection, account, since, until) if spend.may_have_spent]
            credit_id = spends[0].credit_id if spends else None
            events = notice(previous, snapshot, spent=bool(spends), spent_credit=credit_id) if previous else ()
            insert_events(connection, events)
            connection.execute(
                "INSERT INTO observations VALUES (?, ?, ?) ON CONFLICT (account)"
                " DO UPDATE SET observed_at = excluded.observed_at, body = excluded.body",
                (account, until, msgspec.json.encode(snapshot).decode()),
            )
        return events

    def last(self) -> Snapshot | None:
        """The newest reading of any account; None where none ever was.

        Raises:
            StoreError: The database cannot be used.
        """
        with self._database.reading() as connection:
            row = connection.execute("SELECT body FROM observations ORDER BY observed_at DESC LIMIT 1").fetchone()
        return _decode(row[0]) if row else None


def _decode(body: str) -> Snapshot | None:
    try:
        return msgspec.json.decode(body, type=Snapshot)
    except msgspec.MsgspecError:
        return None  # written by another version: nothing to compare with, and the next reading replaces it
