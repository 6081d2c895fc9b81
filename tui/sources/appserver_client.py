"""One JSON-RPC client for the app-server, over either transport.

It asks and listens, no more: it subscribes to no thread, and the server's own requests, approvals among them, are for
the person's own Codex to answer and are ignored.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from tui import __version__
from tui.errors import BadPayload
from tui.sources.answers import Failed
from tui.sources.appserver_transports import Transport, TransportClosed
from tui.wire.appserver import INITIALIZE, INITIALIZED, initialize_params
from tui.wire.jsonrpc import News, Refusal, Result, decode_message, encode_notification, encode_request, first_message

_ANOTHER_PROTOCOL: Final = "what answers there does not speak the app-server's protocol"
_MOST_NOISE: Final = 64 << 10
"""Bytes before the first message that are put up with."""


class Refused(Exception):
    """The server answered with an error; what its refusal says is never to be shown."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"error {refusal.code}")
        self.refusal = refusal


class AppServerClient:
    """Matches answers to requests, hands on each notification, and calls `on_end` once when the line breaks.

    It closes the transport that it is given.
    """

    def __init__(self, transport: Transport, on_news: Callable[[News], None], on_end: Callable[[], None]) -> None:
        self._transport = transport
        self._on_news = on_news
        self._on_end = on_end
        self._pending: dict[int, asyncio.Future[Result | Refusal]] = {}
        self._next_id = 0
        self.ended: str | None = None
        """Why the line is broken; None while it holds."""
        self._noise = 0
        self._spoke = False
        self._listener = asyncio.create_task(self._listen())

    async def request(self, method: str, params: object = msgspec.UNSET, *, deadline: float) -> bytes:
        """Ask, and wait so many seconds for the result's JSON; parameters that are not given are left out.

        Raises:
            Refused: The server answered with an error.
            Failed: The line broke, or the time was over.
        """
        if self.ended is not None:
            raise Failed(self.ended, sent=False)
        request_id, self._next_id = self._next_id, self._next_id + 1
        message = encode_request(request_id, method, params)
        answer: asyncio.Future[Result | Refusal] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = answer
        try:
            async with asyncio.timeout(deadline):
                await self._transport.send(message)
                found = await answer
        except TransportClosed as error:
            raise Failed(str(error), sent=True) from error
        except TimeoutError as error:
            reason = f"Codex did not answer within {deadline:g} s"
            raise Failed(_ANOTHER_PROTOCOL if self._noise and not self._spoke else reason, sent=True) from error
        finally:
            self._pending.pop(request_id, None)
        if isinstance(found, Refusal):
            raise Refused(found)
        return found.body

    async def greet(self, deadline: float, *, experimental: bool = False) -> None:
        """Exchange the first messages; raises as `request`. Methods such as `thread/queue/add` are experimental."""
        await self.request(INITIALIZE, initialize_params(__version__, experimental=experimental), deadline=deadline)
        try:
            await self._transport.send(encode_notification(INITIALIZED))
        except TransportClosed as error:
            raise Failed(str(error), sent=True) from error

    async def aclose(self) -> None:
        """Close the line within half a second; fine to call twice."""
        self._end("the connection to Codex was closed")
        self._listener.cancel()
        with suppress(asyncio.CancelledError):
            await self._listener
        await self._transport.aclose()

    async def _listen(self) -> None:
        try:
            while True:
                line = await self._transport.receive()
                if self._spoke or not self._transport.may_chatter:
                    message = decode_message(line)
                elif (message := first_message(line)) is None:
                    self._noise += len(line)
                    if self._noise > _MOST_NOISE:
                        break
                    continue
                self._spoke = True
                if isinstance(message, News):
                    self._on_news(message)
                elif message is not None:
                    waiting = self._pending.get(message.id)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
        except TransportClosed as error:
            self._end(str(error))
        except BadPayload:
            pass
        self._end(_ANOTHER_PROTOCOL)

    def _end(self, reason: str) -> None:
        if self.ended is not None:
            return
        self.ended = reason
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(Failed(reason, sent=True))
        self._on_end()
