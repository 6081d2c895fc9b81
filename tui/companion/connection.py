"""Holding on to one open source: opened when first needed, let go when it fails, opened anew the next time."""

import asyncio
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from tui.domain.snapshot import Snapshot
from tui.errors import SignedOut, SourceDown, SourceError
from tui.sources.base import CarriesOn, KeepsHistory, KnowsPeriods, SessionFeed, Source

if TYPE_CHECKING:
    from tui.domain.reading import PastPeriod, SessionCost
    from tui.domain.witness import ResetHistory


class SourceChain(Protocol):
    """What picks a source; `tui.sources.chain` is the real one."""

    async def open(self) -> Source:
        """Open the first viable source.

        Raises:
            NotViable: None is; the message names every reason.
        """
        ...

    async def upgrade(self, current: str) -> Source | None:
        """Open a source that is preferred to the one in use and has become usable since; None where there is none."""
        return None


class Connection:
    """The source in use, of the account that the settings call by the name, where they do."""

    def __init__(self, chain: SourceChain, name: str = "") -> None:
        self._chain = chain
        self._name = name
        self._source: Source | None = None
        self._proven = False
        self._replaced = asyncio.Event()
        self.lock = asyncio.Lock()
        """Held while the source is read or a spend is driven: one thing at a time."""

    @property
    def source_name(self) -> str | None:
        """Which source is open; None while none is."""
        return self._source.name if self._source else None

    async def source(self) -> Source:
        """The open source, opened now where there is none.

        Raises:
            SourceError: None could be opened.
        """
        if self._source is None:
            self._source = await self._chain.open()
            self._replaced.set()
            self._proven = False
        return self._source

    async def read(self, *, with_credits: bool) -> Snapshot:
        """Read from the source; one that worked before and has gone is replaced at once, by the chain's next choice.

        Raises:
            SourceError: It failed, and so did its replacement.
        """
        proven = self._source is not None and self._proven
        try:
            return await self._read(with_credits)
        except (SourceDown, SignedOut):
            if not proven:
                raise
        return await self._read(with_credits)

    async def _read(self, with_credits: bool) -> Snapshot:
        source = await self.source()
        try:
            snapshot = await source.read(with_credits=with_credits)
        except SourceError as error:
            if isinstance(error, SourceDown | SignedOut):
                await self.aclose()
            raise
        self._proven = True
        return replace(snapshot, account=snapshot.account.named(self._name))

    async def upgrade(self) -> bool:
        """Go over to a preferred source that has become usable, such as a daemon of late; whether there was one."""
        found = await self._chain.upgrade(self._source.name) if self._source else None
        if found is None:
            return False
        await self.aclose()
        self._source = found
        self._replaced.set()
        self._proven = False
        return True

    async def changed(self) -> None:
        """Return when the open source hints at a change; never, while none is open."""
        if self._source is None:
            await asyncio.Event().wait()
        else:
            await self._source.changed()

    def session_feed(self) -> SessionFeed | None:
        """The open source, if it sees sessions."""
        source: object = self._source
        return source if isinstance(source, SessionFeed) else None

    async def next_feed(self, current: SessionFeed | None) -> SessionFeed | None:
        """The open source's feed of sessions, once it is another than this one; None where it has none."""
        while (feed := self.session_feed()) is current:
            self._replaced.clear()
            await self._replaced.wait()
        return feed

    async def reset_history(self) -> "ResetHistory | None":
        """The service's own word on which resets were used and granted; None where it does not tell."""
        source: object = self._source
        return await source.reset_history() if isinstance(source, KeepsHistory) else None

    async def past_periods(self) -> "tuple[PastPeriod, ...] | None":
        """How full past windows were, by the service's own word; None where it does not tell."""
        async with self.lock:
            source: object = self._source
            return await source.past_periods() if isinstance(source, KnowsPeriods) else None

    async def session_costs(self, thread_ids: tuple[str, ...]) -> "tuple[SessionCost, ...] | None":
        """What each thread took of the windows; None where the service does not tell. No spend waits for it."""
        source: object = self._source
        return await source.session_costs(thread_ids) if isinstance(source, KnowsPeriods) else None

    def messenger(self) -> CarriesOn | None:
        """The open source, if it can hand messages to sessions."""
        source: object = self._source
        return source if isinstance(source, CarriesOn) else None

    async def aclose(self) -> None:
        """Let the source go; the next use opens one anew."""
        source, self._source = self._source, None
        self._replaced.set()
        if source is not None:
            await source.aclose()
