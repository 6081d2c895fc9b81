"""One reading for a command that ends: the service is asked, what it shows is kept, and nothing in hand is touched."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tui.domain.snapshot import STALE_AFTER, Snapshot
from tui.errors import SourceError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.companion.connection import SourceChain
    from tui.companion.state import State
    from tui.domain.spend import Spend
    from tui.store.database import Database


class Reading(msgspec.Struct, frozen=True):
    """What one look at the service and the database shows."""

    snapshot: Snapshot
    open_spend: "Spend | None"
    store_failure: str | None
    """Why nothing could be kept; None where all is well."""
    near_percent: float
    demo: str | None

    def is_stale(self, now: datetime) -> bool:
        """Whether it is too old to judge by, because the service or this machine's clock says so."""
        return self.snapshot.provenance.age(now) > STALE_AFTER

    @property
    def state(self) -> "State":
        """The same as a State, for who shows it as the screen would."""
        from tui.companion.state import Link, State

        return State(
            snapshot=self.snapshot,
            link=Link(source=self.snapshot.provenance.source),
            open_spend=self.open_spend,
            demo=self.demo,
            near_percent=self.near_percent,
            store_failure=self.store_failure,
        )


async def read_once(
    chain: "SourceChain",
    database: "Database | StoreError",
    near_percent: float,
    names: "Sequence[str]",
    *,
    demo: str | None = None,
    fresh_for: timedelta = STALE_AFTER,
    beside_others: bool = False,
) -> Reading:
    """Ask the first source that can be used, and keep its reading; the names are those of the account in the settings.

    The database is waited for on the loop, where nothing else runs on it, or `beside_others` in a thread.

    Raises:
        SourceError: Nothing could be read; the message is the source's own.
    """
    source = await chain.open()
    try:
        snapshot = await source.read(with_credits=True)
        snapshot = replace(snapshot, account=snapshot.account.named(names[-1]))
    finally:
        await source.aclose()
    try:
        if isinstance(database, StoreError):
            raise database
        keep = partial(_keep, snapshot, database, near_percent, names, fresh_for)
        if beside_others:
            from tui.concurrency import in_thread

            open_spend, shows_less = await in_thread(keep)
        else:
            open_spend, shows_less = keep()
    except StoreError as error:
        return Reading(snapshot, None, str(error), near_percent, demo)
    if shows_less:
        await _hear_history(chain, database, snapshot)
    return Reading(snapshot, open_spend, None, near_percent, demo)


async def _hear_history(chain: "SourceChain", database: "Database", snapshot: Snapshot) -> None:
    """Write down the service's own word where a reading shows less in the bank: no later one shows that again."""
    from tui.sources.base import KeepsHistory
    from tui.store.observations import Observations

    with suppress(SourceError, StoreError):  # the next process that follows the limits asks anyway
        source = await chain.open()
        try:
            known: object = source
            history = await known.reset_history() if isinstance(known, KeepsHistory) else None
        finally:
            await source.aclose()
        if history is not None:
            Observations(database).witness(snapshot, history)


def _keep(
    snapshot: Snapshot, database: "Database", near_percent: float, names: "Sequence[str]", fresh_for: timedelta
) -> "tuple[Spend | None, bool]":
    """Keep a reading; the account's open spend, and whether the bank shows less."""
    from tui.store.observations import Observations

    observations = Observations(database)
    events = observations.observe(snapshot, near_percent, fresh_for, names)
    shows_less = False
    if events:
        from tui.domain.ledger import SHOWS_LESS

        shows_less = any(event.kind in SHOWS_LESS for event in events)
    if not observations.has_open_spend(snapshot.account.key):
        return None, shows_less  # as nearly always: what reads the journal is not even loaded
    from tui.store.spends import SpendJournal

    return SpendJournal(database).open_spend(snapshot.account.key), shows_less
