"""Live sessions: the feeds are followed side by side and folded into one picture."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from msgspec.structs import replace

from tui.domain.resets import WindowKey
from tui.domain.sessions import Session, SessionUpdate, forget_daemon, merge_update, of_account
from tui.domain.snapshot import Provenance, Snapshot
from tui.domain.windows import Limit, Window
from tui.errors import SourceError
from tui.sources.base import SessionFeed

ROLLOUT = "rollout"
"""The source of numbers that were read off a session's own file."""


SURVEY_SECONDS = 5.0
"""How long a survey waits for the feeds."""


class SessionWatch:
    """Folds what the feeds tell and hands every change on."""

    def __init__(
        self, rollouts: SessionFeed | None, on_sighting: Callable[[SessionUpdate], None], on_loss: Callable[[], None]
    ) -> None:
        """Follow nothing yet.

        Args:
            rollouts: The feed that is always there; None where there are no files to follow, as in a demo.
            on_sighting: Called after each sighting was folded.
            on_loss: Called after the daemon was lost, and with it what only it knew.
        """
        self._rollouts = rollouts
        self._on_sighting = on_sighting
        self._on_loss = on_loss
        self._followed: SessionFeed | None = None
        self._daemon: asyncio.Task[None] | None = None
        self.sessions: Mapping[str, Session] = {}

    @property
    def is_watching(self) -> bool:
        """Whether any feed is followed."""
        return self._rollouts is not None or self._followed is not None

    async def run(self) -> None:
        """Follow the rollouts until cancelled."""
        if self._rollouts is not None:
            await self._follow(self._rollouts.updates())

    async def survey(self) -> None:
        """Learn every session that is there now, and follow no further; a feed that says nothing is not waited for."""
        following = asyncio.ensure_future(self.run())
        feeds = [feed for feed in (self._rollouts, self._followed) if feed is not None]
        try:
            async with asyncio.timeout(SURVEY_SECONDS):
                await asyncio.gather(*(feed.caught_up() for feed in feeds))
        except TimeoutError:
            pass
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def attend(self, feed: SessionFeed | None) -> None:
        """Follow the open source's own feed from now on, instead of an earlier one; None: it has none.

        What only the daemon knew is forgotten with it.
        """
        if feed is self._followed:
            return
        self._followed = feed
        if self._daemon is not None:
            self._daemon.cancel()
            self._daemon = None
            self._forget_daemon()
        if feed is not None:
            self._daemon = asyncio.ensure_future(self._follow_daemon(feed))

    async def _follow_daemon(self, feed: SessionFeed) -> None:
        await self._follow(feed.updates())
        self._forget_daemon()  # it ended by itself: it is gone

    def _forget_daemon(self) -> None:
        self.sessions = forget_daemon(self.sessions)
        self._on_loss()

    async def _follow(self, updates: AsyncIterator[SessionUpdate]) -> None:
        with suppress(SourceError):  # it went: its source is read and replaced by whoever polls
            async for update in updates:
                self.sessions = merge_update(self.sessions, update)
                self._on_sighting(update)

    async def aclose(self) -> None:
        """Let the feeds go."""
        if self._daemon is not None:
            self._daemon.cancel()
            await asyncio.gather(self._daemon, return_exceptions=True)
        if self._rollouts is not None:
            await self._rollouts.aclose()


def with_limits(snapshot: Snapshot | None, update: SessionUpdate) -> Snapshot | None:
    """The reading after a session's own file told newer limits; None where it told nothing newer.

    Only windows that the reading has are moved on. The service's word on use is from before: it no longer holds once a
    window is full (wire.md 11.5: at the limit the file says 100 per cent, and no more).

    Args:
        snapshot: The last reading.
        update: What a feed learnt.
    """
    if snapshot is None or not update.limits or update.seen_at <= snapshot.provenance.observed_at:
        return None
    if not of_account(update, snapshot):
        return None
    told = {(window.limit_id, window.minutes): window for limit in update.limits for window in limit.windows}
    limits = tuple(_moved_on(limit, told) for limit in snapshot.limits)
    if limits == snapshot.limits:
        return None
    moved = replace(snapshot, provenance=Provenance(ROLLOUT, update.seen_at), limits=limits)
    main = moved.main_limit
    # `is not`: single models' limits say nothing about ordinary use.
    outdated = main is not snapshot.main_limit and main is not None and _is_full(main.windows)
    return replace(moved, ordinary_usage_allowed=None) if outdated else moved


def _moved_on(limit: Limit, told: Mapping[WindowKey, Window]) -> Limit:
    newer = ((window, told.get((window.limit_id, window.minutes))) for window in limit.windows)
    windows = tuple(new if new is not None and new.used_percent is not None else old for old, new in newer)
    if windows == limit.windows:
        return limit
    return replace(limit, windows=windows, allowed=None if _is_full(windows) else limit.allowed)


def _is_full(windows: tuple[Window, ...]) -> bool:
    return any((window.used_percent or 0.0) >= 100 for window in windows)
