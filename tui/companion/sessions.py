"""Live sessions: the feeds are followed side by side and merged into one picture."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.companion.connection import Connection
from tui.companion.merge import ROLLOUT
from tui.companion.poller import Poller
from tui.companion.state import StateStore
from tui.concurrency import first_of
from tui.domain.sessions import SessionState, SessionUpdate, forget_daemon, merge_update, of_account
from tui.domain.snapshot import Provenance, Snapshot
from tui.domain.windows import Limit, Window, WindowKey
from tui.errors import SourceError
from tui.sources.base import SessionFeed

SCAN_SECONDS = 5.0
"""How long one scan waits for the feeds."""


_STOPPED: Final = (SessionState.STOPPED_AT_LIMIT, SessionState.STOPPED_BY_ERROR)


class SessionTracker(msgspec.Struct, frozen=True):
    """Follows the feeds of sessions and merges them into the State."""

    store: StateStore
    connection: Connection
    poller: Poller
    rollouts: Callable[[], SessionFeed] | None
    """None where there are no files to follow, as in a demo."""

    async def follow_rollouts(self) -> None:
        """Follow the rollout files until cancelled."""
        if self.rollouts is None:
            return
        feed = self.rollouts()
        self.store.update(watches_sessions=True)
        try:
            await self._follow(feed)
        finally:
            await feed.aclose()

    async def follow_source(self) -> None:
        """Follow the feed of whatever source is in use, until cancelled."""
        feed: SessionFeed | None = None
        while True:
            feed = await self.connection.next_feed(feed)
            self.store.update(watches_sessions=feed is not None or self.rollouts is not None)
            if feed is not None:
                await self._follow_until_replaced(feed)

    async def _follow_until_replaced(self, feed: SessionFeed) -> None:
        try:
            for over in await first_of(self._follow(feed), self.connection.next_feed(feed)):
                over.result()
        except Exception:
            await self.connection.aclose()  # a feed is followed once: the next reading opens another source
            raise
        finally:
            # What only the daemon knew is forgotten with it.
            self.store.update(sessions=forget_daemon(self.store.state.sessions))

    async def scan_once(self) -> bool:
        """Learn every session that is there now; whether no feed took so long that it was not waited for."""
        rollouts = self.rollouts() if self.rollouts else None
        feeds = [feed for feed in (rollouts, self.connection.session_feed()) if feed is not None]
        self.store.update(watches_sessions=bool(feeds))
        following = [asyncio.ensure_future(self._follow(feed)) for feed in feeds]
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                await asyncio.gather(*(feed.caught_up() for feed in feeds))
            return True
        except TimeoutError:
            return False
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            if rollouts is not None:
                await rollouts.aclose()

    async def _follow(self, feed: SessionFeed) -> None:
        with suppress(SourceError):  # it went: its source is read and replaced by whoever polls
            async for update in feed.updates():
                self._apply(update)

    def _apply(self, update: SessionUpdate) -> None:
        state = self.store.state
        moved = with_limits(state.snapshot, update)
        self.store.update(sessions=merge_update(state.sessions, update), snapshot=moved or state.snapshot)
        before, after = (known.sessions.get(update.thread_id) for known in (state, self.store.state))
        if after is not None and after.state in _STOPPED and (before is None or before.state is not after.state):
            self.poller.wake()


def with_limits(snapshot: Snapshot | None, update: SessionUpdate) -> Snapshot | None:
    """The reading after a session's own file showed newer limits; None where it showed none.

    Only windows that the reading has are moved on. The service's word on use is from before: it no longer holds once a
    window is full (at the limit the file says 100 per cent, and no more).
    """
    if snapshot is None or not update.limits or update.seen_at <= snapshot.provenance.observed_at:
        return None
    if not of_account(update, snapshot):
        return None
    updated = {window.key: window for limit in update.limits for window in limit.windows}
    limits = tuple(_moved_on(limit, updated) for limit in snapshot.limits)
    if limits == snapshot.limits:
        return None
    moved = replace(snapshot, provenance=Provenance(ROLLOUT, update.seen_at), limits=limits)
    main = moved.main_limit
    # `is not`: single models' limits say nothing about ordinary use.
    outdated = main is not snapshot.main_limit and main is not None and _is_full(main.windows)
    return replace(moved, ordinary_usage_allowed=None) if outdated else moved


def _moved_on(limit: Limit, updated: Mapping[WindowKey, Window]) -> Limit:
    newer = ((window, updated.get(window.key)) for window in limit.windows)
    windows = tuple(new if new is not None and new.used_percent is not None else old for old, new in newer)
    if windows == limit.windows:
        return limit
    return replace(limit, windows=windows, allowed=None if _is_full(windows) else limit.allowed)


def _is_full(windows: tuple[Window, ...]) -> bool:
    return any(window.is_full for window in windows)
