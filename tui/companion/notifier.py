"""Telling a person outside the screen what happens: where, whether now, and once across all processes.

Every process that can tell sees every fact; the first to claim it for a channel tells it, the others come back when
the claim runs out. Who is killed, or stands still, between the claim and the telling is stood in for then. Nobody can
note the telling and do it in one step: who is killed after the receiver had the notice and before that was noted, in
the milliseconds between, sends it a second time. A notice too many is better than none.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, tzinfo
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.state import Problem, StateStore
from tui.companion.watch_events import WatchEvent, WatchEventKind, WatchEvents
from tui.concurrency import first_of, in_thread
from tui.domain.windows import limit_label
from tui.errors import NoticeFailed, StoreError
from tui.store.deliveries import LEASE

if TYPE_CHECKING:
    from tui.channels.base import Channel, Notice

_OLD: Final = 600.0
"""What happened longer ago is no news, in seconds: a start finds many a stop of the past."""

_AGAIN: Final = 10.0
"""Seconds until a database that could not be used is tried again."""

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
    notice: "Notice"
    happened: float
    is_sent: bool = False
    """Whether it went out, and only that is still to be noted."""


class _Queue:
    """What one channel still has to send, and when; a slow one holds up no other."""

    def __init__(self) -> None:
        self.facts: list[tuple[float, _Fact]] = []
        self.wake = asyncio.Event()
        self.is_idle = False

    def put(self, moment: float, fact: _Fact) -> None:
        """Let it send a fact, not before a moment."""
        self.facts.append((moment, fact))
        self.wake.set()
        self.is_idle = False

    def take(self, now: float) -> list[_Fact]:
        """What is due, in the order in which it came."""
        due = [fact for moment, fact in self.facts if moment <= now]
        self.facts = [(moment, fact) for moment, fact in self.facts if moment > now]
        return due


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
        """Send nothing yet; only these events are reported, and nothing of a quiet moment is, later."""
        self._store = store
        self._records = records
        self._clock = clock
        self._channels = channels
        self._events = events
        self._is_quiet = is_quiet
        self._queues = {name: _Queue() for name in channels}

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to send at present."""
        return all(queue.is_idle for queue in self._queues.values())

    async def follow(self) -> None:
        """Tell until cancelled."""
        WatchEvents(self._store, self._records, self._clock, self._on_event)
        async with asyncio.TaskGroup() as group:
            for channel, queue in self._queues.items():
                group.create_task(self._serve(channel, queue))

    async def _serve(self, channel: str, queue: _Queue) -> None:
        while True:
            queue.wake.clear()
            queue.is_idle = False
            for fact in queue.take(self._now()):
                await self._tell(channel, queue, fact)
            queue.is_idle = not any(moment <= self._now() for moment, _ in queue.facts)
            soonest = min((moment for moment, _ in queue.facts), default=None)
            pause = None if soonest is None else self._clock.sleep(max(0.1, soonest - self._now()))
            await first_of(queue.wake.wait(), *([] if pause is None else [pause]))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _on_event(self, event: WatchEvent) -> None:
        now = self._clock.now()
        if event.kind not in self._events or self._is_quiet(now) or (now - event.at).total_seconds() > _OLD:
            return
        name, at, tolerance = event.identity(self._store.state.account_key)
        for queue in self._queues.values():
            queue.put(0.0, _Fact(name, at, tolerance, notice_of(event), now.timestamp()))

    async def _tell(self, channel: str, queue: _Queue, fact: _Fact) -> None:
        try:
            deliveries = self._records.require().deliveries
            if not fact.is_sent:
                asked = self._now()
                claimed = await in_thread(deliveries.claim, fact.name, fact.at, channel, asked, fact.tolerance)
                if claimed is None:
                    return
                if not claimed and self._now() >= asked + LEASE:
                    claimed = self._now()  # this process stood still, and what it claimed may be another's by now
                if claimed:
                    queue.put(claimed, fact)
                    return
                await self._send(channel, fact.notice)
                fact = replace(fact, is_sent=True)
            await in_thread(deliveries.settle, fact.name, fact.at, channel, fact.tolerance)
        except StoreError:  # said by State.store_failure; no notice is better than the same one again and again
            if self._now() - fact.happened < _OLD:
                queue.put(self._now() + _AGAIN, fact)

    async def _send(self, channel: str, notice: "Notice") -> None:
        task = f"notices by {channel}"
        failure = None
        try:
            await self._channels[channel](notice)
        except NoticeFailed as error:
            failure = Problem(task, str(error), "")
        self._store.report(task, failure)


def notice_of(event: WatchEvent) -> "Notice":
    """An event in words."""
    from tui.channels.base import Notice, one_line

    name = one_line(event.session.folder, 60) if event.session and event.session.workspace else None
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
