"""The source `daemon`: the running Codex daemon, which also sees every live session.

It subscribes to no thread and answers nothing that the daemon asks: approvals are for the person's own Codex.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Final

from tui.clock import Clock
from tui.domain.sessions import SessionUpdate
from tui.errors import BadPayload, CarryOnRejected, CarryOnUnknown, SourceDown
from tui.sources.answers import Failed
from tui.sources.appserver import READ_DEADLINE, AppServerSource
from tui.sources.appserver_client import Refused
from tui.sources.appserver_transports import Transport, connect_daemon
from tui.sources.codex_home import CodexHome
from tui.wire import threads as wire
from tui.wire.jsonrpc import INTERNAL_ERROR, METHOD_NOT_FOUND, News
from tui.wire.threads import PaysPlan

CARRY_ON_DEADLINE: Final = 10.0
_LOOK: Final = "look at the session before you try again"
_BY_HAND: Final = "carry on by hand with `codex resume`"
_MOST_WAITING: Final = 5000
_MOST_UNREAD: Final = 100
_ORDER: Final = count()
"""One count for every connection of this process, so that a later one's updates are the newer ones."""


class DaemonSource(AppServerSource):
    """The daemon; implements `Source`, `SessionFeed` and `CarriesOn` of `tui.sources.base`."""

    name = "daemon"
    experimental = True  # `thread/queue/add` is refused otherwise

    def __init__(self, transport: Transport, clock: Clock, pays_plan: PaysPlan = lambda _: True) -> None:
        self._pays_plan = pays_plan
        self._heard: deque[SessionUpdate] = deque()
        self._wake = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._internal: dict[str, bool] = {}
        """Of each thread whose row was read, whether nobody started it."""
        self._unread: dict[str, SessionUpdate | None] = {}
        """Updates of threads whose row is still to be read: only the row shows whether they are sessions."""
        self._wants = asyncio.Event()
        super().__init__(transport, clock)

    async def caught_up(self) -> None:
        """Return once every thread that the daemon lists was yielded; see `SessionFeed.caught_up`."""
        await self._caught_up.wait()

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        """What the daemon knows at first, then every change; see `SessionFeed.updates`."""
        for update in await self._list_threads():
            yield update
        self._caught_up.set()
        asking = asyncio.create_task(self._read_rows())
        try:
            while True:
                while self._heard:
                    yield self._heard.popleft()
                if self._client.ended is not None:
                    raise SourceDown(self._client.ended)
                await self._wake.wait()
                self._wake.clear()
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking

    async def carry_on(self, thread_id: str, message: str, message_id: str) -> None:
        """Put a message into a thread's queue, once; see `CarriesOn.carry_on`."""
        await self._require_loaded(thread_id)
        params = wire.queue_params(thread_id, message, message_id)
        try:
            await self._client.request(wire.QUEUE_ADD, params, deadline=CARRY_ON_DEADLINE)
        except Failed as error:
            if error.sent:
                raise CarryOnUnknown(f"the message was sent, but {error.reason}", _LOOK) from error
            raise CarryOnRejected(f"the message was not sent: {error.reason}", _BY_HAND) from error
        except Refused as error:
            if error.refusal.code == INTERNAL_ERROR:
                raise CarryOnUnknown("Codex could not tell whether it took the message", _LOOK) from error
            old = error.refusal.code == METHOD_NOT_FOUND
            reason = "this Codex is too old to take a message" if old else "Codex refused the message"
            raise CarryOnRejected(f"{reason} (error {error.refusal.code})", _BY_HAND) from error

    async def _require_loaded(self, thread_id: str) -> None:
        """Refuse to queue a message that nobody would run.

        For a thread that the daemon has not loaded, as one of `codex exec`, it keeps the message until somebody resumes
        the thread: seen on 0.163.0.
        """
        try:
            params = wire.read_params(thread_id)
            body = await self._client.request(wire.THREAD_READ, params, deadline=READ_DEADLINE)
            thread = wire.decode_thread(body, self._clock.now(), next(_ORDER), self._pays_plan)
        except Failed as error:
            raise CarryOnRejected(f"the message was not sent: {error.reason}", _BY_HAND) from error
        except (Refused, BadPayload) as error:
            raise CarryOnRejected("the message was not sent: the daemon does not know the session", _BY_HAND) from error
        if thread is None or thread.state is None:
            raise CarryOnRejected("the message was not sent: the session is not open in the daemon", _BY_HAND)

    def _hear(self, news: News) -> None:
        super()._hear(news)
        update = wire.decode_news(news, self._clock.now(), next(_ORDER), self._pays_plan)
        if update is None:
            return
        if len(self._heard) >= _MOST_WAITING:  # nobody listens, or a flood: each thread's last update is enough
            last = {waiting.thread_id: waiting for waiting in self._heard}
            self._heard = deque(last.values(), maxlen=_MOST_WAITING)
        if update.workspace is None and update.thread_id not in self._internal and len(self._unread) < _MOST_UNREAD:
            self._unread[update.thread_id] = update
            self._wants.set()
        else:
            self._tell(update)

    def _tell(self, update: SessionUpdate) -> None:
        if update.workspace is not None:
            if len(self._internal) >= _MOST_WAITING:
                self._internal.clear()
            self._internal[update.thread_id] = update.internal
        if update.workspace is not None or not self._internal.get(update.thread_id, False):
            self._heard.append(update)
            self._wake.set()

    def _line_broke(self) -> None:
        super()._line_broke()
        self._wake.set()

    async def _list_threads(self) -> list[SessionUpdate]:
        # What arrives while the lists are on their way is newer than they are.
        order = next(_ORDER)
        found: list[SessionUpdate] = []
        try:
            # A Codex that does not list its threads still reports their changes.
            with suppress(Refused, BadPayload):
                rows = await self._client.request(wire.THREAD_LIST, wire.list_params(), deadline=READ_DEADLINE)
                found = wire.decode_list(rows, self._clock.now(), order, self._pays_plan)
                self._internal.update((row.thread_id, row.internal) for row in found)
                for known in self._unread.keys() & self._internal.keys():
                    if (update := self._unread.pop(known)) is not None:
                        self._tell(update)
            with suppress(Refused, BadPayload):
                loaded = await self._client.request(wire.LOADED_LIST, {}, deadline=READ_DEADLINE)
                # A thread before its first turn has no rollout, and is in no list.
                for thread_id in wire.decode_loaded(loaded):
                    if thread_id not in self._internal:
                        self._unread.setdefault(thread_id)
        except Failed as error:
            raise SourceDown(error.reason) from error
        return found

    async def _read_rows(self) -> None:
        """Read the rows of threads of which only the state is known."""
        while True:
            while self._unread:
                thread_id, row = next(iter(self._unread)), None
                with suppress(Refused, Failed, BadPayload):
                    params, order = wire.read_params(thread_id), next(_ORDER)
                    body = await self._client.request(wire.THREAD_READ, params, deadline=READ_DEADLINE)
                    row = wire.decode_thread(body, self._clock.now(), order, self._pays_plan)
                waiting = self._unread.pop(thread_id)
                self._internal.setdefault(thread_id, row is not None and row.internal)
                for update in (row, waiting):
                    if update is not None:
                        self._tell(update)
            await self._wants.wait()
            self._wants.clear()


async def open_daemon(home: CodexHome, clock: Clock) -> DaemonSource:
    """Open the source `daemon`; raises as `connect_daemon` and `prove`."""
    return await DaemonSource(await connect_daemon(home.daemon_socket), clock, home.pays_plan).prove()
