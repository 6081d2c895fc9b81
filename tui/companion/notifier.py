"""Telling a person outside the screen what happens: where, whether now, and once across all processes."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, tzinfo
from typing import TYPE_CHECKING, Final

import msgspec

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.state import Problem, StateStore
from tui.companion.watch_events import WatchEvent, WatchEventKind, WatchEvents
from tui.concurrency import first_of, in_thread
from tui.domain.windows import limit_label
from tui.errors import NoticeFailed, StoreError

if TYPE_CHECKING:
    from tui.channels.base import Channel, Notice

_OLD: Final = 600.0
"""What happened longer ago is no news, in seconds: a start finds many a stop of the past."""

_TEXTS: Final = {
    WatchEventKind.NEAR: "the {limit} is near",
    WatchEventKind.INTERRUPTED: "stopped: {limit} reached",
    WatchEventKind.HELD: "waits at the {limit}",
    WatchEventKind.RESUMED: "goes on",
    WatchEventKind.RESET_OBSERVED: "the {limit} was reset",
    WatchEventKind.SPENT: "one reset was spent",
    WatchEventKind.CREDIT_CHANGED: "the bank of resets changed",
    WatchEventKind.LAPSING: "one reset lapses in {left}",
}


class _Fact(msgspec.Struct, frozen=True):
    """One fact to send by one channel."""

    name: str
    at: float
    tolerance: float
    channel: str
    notice: "Notice"


class Notifier:
    """Tells what happens by every channel, each fact once."""

    def __init__(
        self,
        store: StateStore,
        records: Records,
        clock: Clock,
        channels: "Mapping[str, Channel]",
        *,
        events: frozenset[str],
        is_quiet: Callable[[datetime], bool],
    ) -> None:
        """Tell nothing yet.

        Args:
            store: What happens.
            records: The ledger, and which notices went out.
            clock: The time.
            channels: The channels by name.
            events: Which events to report.
            is_quiet: Whether a moment is quiet; what happens then is not reported later.
        """
        self._store = store
        self._records = records
        self._clock = clock
        self._channels = channels
        self._events = events
        self._is_quiet = is_quiet
        self._pending: list[tuple[float, _Fact]] = []
        self._wake = asyncio.Event()
        self.is_idle = False
        """Whether there is nothing to send at present."""

    async def follow(self) -> None:
        """Tell until cancelled."""
        WatchEvents(self._store, self._records, self._clock, self._on_event)
        while True:
            self._wake.clear()
            self.is_idle = False
            now = self._now()
            due = [fact for moment, fact in self._pending if moment <= now]
            self._pending = [(moment, fact) for moment, fact in self._pending if moment > now]
            await asyncio.gather(*(self._tell(fact) for fact in due))
            self.is_idle = not self._wake.is_set()
            soonest = min((moment for moment, _ in self._pending), default=None)
            pause = None if soonest is None else self._clock.sleep(max(0.1, soonest - self._now()))
            await first_of(self._wake.wait(), *([] if pause is None else [pause]))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _on_event(self, event: WatchEvent) -> None:
        now = self._clock.now()
        if event.kind not in self._events or self._is_quiet(now) or (now - event.at).total_seconds() > _OLD:
            return
        notice = notice_of(event)
        name, at, tolerance = event.identity(self._store.state.account_key)
        for channel in self._channels:
            self._pending.append((0.0, _Fact(name, at, tolerance, channel, notice)))
        self._wake.set()
        self.is_idle = False

    async def _tell(self, fact: _Fact) -> None:
        try:
            deliveries = self._records.require().deliveries
            claimed = await in_thread(deliveries.claim, fact.name, fact.at, fact.channel, self._now(), fact.tolerance)
            if claimed is None:
                return
            if claimed:
                self._pending.append((claimed, fact))
                return
            await self._send(fact)
            await in_thread(deliveries.settle, fact.name, fact.at, fact.channel, fact.tolerance)
        except StoreError:  # said by State.store_failure; no notice is better than the same one again and again
            return

    async def _send(self, fact: _Fact) -> None:
        task = f"notices by {fact.channel}"
        others = tuple(problem for problem in self._store.state.problems if problem.task != task)
        try:
            await self._channels[fact.channel](fact.notice)
        except NoticeFailed as error:
            self._store.update(problems=(*others, Problem(task, str(error), "", self._clock.now())))
        else:
            if len(others) != len(self._store.state.problems):
                self._store.update(problems=others)


def notice_of(event: WatchEvent) -> "Notice":
    """An event in words."""
    from tui.channels.base import Notice, one_line

    workspace = event.session.workspace if event.session else None
    name = one_line(workspace.rstrip("/").rpartition("/")[2], 60) if workspace else None
    left = event.lapse.left_text(event.at) if event.lapse else ""
    text = _TEXTS[event.kind].format(limit=limit_label(event.window), left=left)
    text = text if event.is_ours else "one reset was spent, but not through this program"
    if event.resets_available is not None:
        text += f"; {event.resets_available} reset{'' if event.resets_available == 1 else 's'} banked"
    words = f"{name}: {text}" if name else f"{text[0].upper()}{text[1:]}"
    moment = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    title = f"resetbank: {event.account_name}" if event.account_name else "resetbank"
    return Notice(event.kind, title, words, name, moment)


def quiet_hours(text: str, zone: tzinfo) -> Callable[[datetime], bool]:
    """Whether a moment lies in quiet hours such as `22:00-07:00`; an empty text has none.

    Raises:
        ValueError: It is no such text.
    """
    if not text:
        return lambda now: False
    begins, ends = (time.fromisoformat(part.strip()) for part in text.split("-"))

    def is_quiet(now: datetime) -> bool:
        here = now.astimezone(zone).time()
        return begins <= here < ends if begins <= ends else here >= begins or here < ends

    return is_quiet
