"""The last reading of each account, kept across restarts, so that changes in between are recorded once."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tui.domain.snapshot import STALE_AFTER, Snapshot
from tui.domain.summary import summary_of
from tui.domain.windows import NEAR_PERCENT
from tui.store.database import Table, from_text, stamp, to_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.domain.changes import Spent
    from tui.domain.ledger import Event
    from tui.domain.spend import Spend
    from tui.domain.witness import ResetHistory


UNNAMED: Final = ("",)


class Observations(Table):
    """The last reading of each account."""

    def observe(
        self,
        snapshot: Snapshot,
        near_percent: float = NEAR_PERCENT,
        fresh_for: timedelta = STALE_AFTER,
        names: "Sequence[str]" = UNNAMED,
    ) -> "tuple[Event, ...]":
        """Compare a reading with the last one, put what changed by itself into the ledger, and return that.

        One transaction, so that of several resetbanks that see the same change exactly one records it. A reading older
        than the last one is left alone. Beside the reading stands its summary, which `resetbank line` shows.
        The names are what the account is called in the settings, the empty one where it is read without a name.
        """
        account = snapshot.account.key
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO names VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET account = excluded.account",
                [(name, account) for name in names],
            )
            row = connection.execute("SELECT body FROM observations WHERE account = ?", (account,)).fetchone()
            previous = from_text(row[0], Snapshot) if row else None  # another version's is replaced
            if previous is not None:
                if previous.provenance.observed_at >= snapshot.provenance.observed_at:
                    return ()
                if snapshot.bank.credits is None and previous.bank.credits is not None:
                    # Which credit it was shows once the single credits are there again: compare the bank then.
                    snapshot = replace(snapshot, bank=previous.bank)
            at = stamp(snapshot.provenance.observed_at)
            summary = summary_of(snapshot, near_percent, fresh_for)
            events = _changes(connection, previous, snapshot)
            connection.execute(
                "INSERT INTO observations (account, observed_at, first_at, offered_at, body, summary)"
                " VALUES (?1, ?2, ?2, ?3, ?4, ?5) ON CONFLICT (account) DO UPDATE"
                " SET observed_at = excluded.observed_at,"
                " offered_at = coalesce(excluded.offered_at, offered_at),"
                " body = excluded.body, summary = excluded.summary",
                (account, at, at if snapshot.codex_offers else None, to_text(snapshot), to_text(summary)),
            )
        return events

    def witness(self, snapshot: Snapshot, history: "ResetHistory", *, codex_runs_here: bool = False) -> None:
        """Put what the service lists and nothing here explains into the ledger, each once.

        Where no session of this Codex home is known, nothing that Codex offered was taken here.
        """
        from tui.domain.witness import Written, unexplained
        from tui.store.events import insert_events, lines_of
        from tui.store.spends import all_spends

        account = snapshot.account.key
        with self._database.writing() as connection:
            found = "SELECT first_at, offered_at FROM observations WHERE account = ?"
            first, offered = connection.execute(found, (account,)).fetchone() or (None, None)
            if first is None:
                return
            written = Written(
                datetime.fromisoformat(first),
                all_spends(connection, account),
                lines_of(connection, account, first),
                datetime.fromisoformat(offered) if offered is not None and codex_runs_here else None,
            )
            insert_events(connection, unexplained(history, written, snapshot))

    def has_open_spend(self, account: str) -> bool:
        """Whether the account has an open spend; tells it without the journal."""
        query = "SELECT EXISTS (SELECT 1 FROM spends WHERE account = ? AND closed_at IS NULL)"
        with self._database.reading() as connection:
            return bool(connection.execute(query, (account,)).fetchone()[0])

    def last(self, name: str = "") -> Snapshot | None:
        """The last reading under a name of the settings; with no name, and none read so, the newest of all."""
        account = self.account_of(name)
        if account is None and name:
            return None
        query = "SELECT body FROM observations WHERE account = coalesce(?, account) ORDER BY observed_at DESC LIMIT 1"
        with self._database.reading() as connection:
            row = connection.execute(query, (account,)).fetchone()
        return from_text(row[0], Snapshot) if row else None

    def account_of(self, name: str) -> str | None:
        """The key of the account that was last read under a name of the settings; None where none was."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT account FROM names WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None


def _changes(connection: "sqlite3.Connection", previous: Snapshot | None, snapshot: Snapshot) -> "tuple[Event, ...]":
    """Put what changed by itself between two readings into the ledger."""
    from tui.domain.changes import notice

    events = notice(previous, snapshot, _spent(connection, previous, snapshot) if previous else None)
    if events:
        from tui.store.events import insert_events

        insert_events(connection, events)
    return events


def _spent(connection: "sqlite3.Connection", previous: Snapshot, snapshot: Snapshot) -> "Spent | None":
    """What our own spends explain of the changes between two readings."""
    from tui.domain.changes import Spent

    since, until = stamp(previous.provenance.observed_at), stamp(snapshot.provenance.observed_at)
    if not connection.execute("SELECT EXISTS (SELECT 1 FROM spends)").fetchone()[0]:
        return None  # as nearly always: what reads the journal is not even loaded
    from tui.store.spends import all_spends

    # Readings without single credits may have come since a spend: it explains the bank until one with them.
    read_at = previous.bank.credits_observed_at
    spends = [spend for spend in all_spends(connection, snapshot.account.key) if spend.may_have_spent]
    return Spent(
        windows=any(_overlaps(spend, since, until) for spend in spends),
        count=sum(_overlaps(spend, stamp(read_at) if read_at else since, until) for spend in spends),
        credits=frozenset(spend.credit_id for spend in spends if spend.credit_id is not None),
    )


def _overlaps(spend: "Spend", since: str, until: str) -> bool:
    """Whether a spend was under way at some time between two moments."""
    return stamp(spend.journaled_at) <= until and (spend.closed_at is None or stamp(spend.closed_at) >= since)
