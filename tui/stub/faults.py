"""Faults: what goes wrong between a client and the service, on demand.

in front of the service, so that it has no effect: status:503 · drop_before · html · redirect:URL
behind it, so that the effect happens and only the answer suffers: delay:2.5 · drop_after · garbage · empty · huge
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.clock import Clock
from tui.stub.answers import json_answer
from tui.stub.traffic import FaultState

ABORT: Final = "resetbank.abort"
"""The key in the scope's state under which the server hands over the means to cut a connection."""

CONTROLS: Final = "/stub/"
"""What begins so is never counted and never hit: the controls stay in reach."""

_PLAIN: Final = ("drop_before", "drop_after", "garbage", "html", "huge", "empty")
KINDS: Final = ("status:CODE", "delay:SECONDS", "redirect:URL", *_PLAIN, "none")
_GARBAGE: Final = b"\x00\xff\xfe{]this is no JSON"
_CHUNK: Final = b" " * 65_536
_HUGE_CHUNKS: Final = 2**30 // len(_CHUNK)


class ConnectionDropped(ConnectionError):
    """The connection was cut without an answer; raised only in-process, where there is no connection to cut."""


class Fault(msgspec.Struct, frozen=True):
    """One kind of fault, parsed."""

    name: str
    status: int = 0
    seconds: float = 0.0
    url: str = ""


def parse_fault(kind: str) -> Fault:
    """Read a kind as the controls and the scenarios write it.

    Raises:
        ValueError: There is no such kind; the text says which there are.
    """
    name, _, value = kind.partition(":")
    if kind in _PLAIN:
        return Fault(kind)
    if name == "status" and value.isascii() and value.isdigit() and 400 <= int(value) <= 599:
        return Fault(name, status=int(value))
    if name == "redirect" and value.isascii() and value.isprintable() and value:
        return Fault(name, url=value)
    if name == "delay":
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if 0 <= seconds <= 3600:
            return Fault(name, seconds=seconds)
    raise ValueError(f"there is no fault of the kind {kind!r}; valid are: {', '.join(KINDS)}")


class FaultMiddleware:
    """Counts every request and lets armed faults hit it; outermost, so that nothing mends what it breaks."""

    def __init__(self, app: ASGIApp, traffic: FaultState, clock: Clock) -> None:
        self._app = app
        self._traffic = traffic
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or keep it from being answered."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self._app(scope, receive, send)
            return
        kind = self._traffic.arrive(scope["path"])
        if kind is None:
            await self._app(scope, receive, send)
        else:
            await self._break(parse_fault(kind), scope, receive, send)

    async def _break(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.name == "drop_before":
            await _cut(scope, receive)
        elif fault.name in ("status", "html", "redirect"):
            await _front_answer(fault)(scope, receive, send)
        elif fault.name == "delay":
            held: list[Message] = []
            await self._app(scope, receive, _keep(held))
            await self._wait(fault.seconds)
            for message in held:
                await send(message)
        else:
            await self._app(scope, receive, _keep([]))
            if fault.name == "drop_after":
                await _cut(scope, receive)
            else:
                await _spoilt_answer(fault)(scope, receive, send)

    async def _wait(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._traffic.closing.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _keep(held: list[Message]) -> Send:
    async def send(message: Message) -> None:
        held.append(message)

    return send


async def _cut(scope: Scope, receive: Receive) -> None:
    abort: Callable[[], None] | None = scope.get("state", {}).get(ABORT)
    if abort is None:
        raise ConnectionDropped("the connection was cut by a fault")
    abort()
    # The server answers 500 for an application that returns before it has noticed that nobody is there any more.
    while (await receive())["type"] != "http.disconnect":
        pass


def _front_answer(fault: Fault) -> Response:
    if fault.name == "html":
        page = "<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
        return HTMLResponse(page, 403, {"cf-mitigated": "challenge"})
    if fault.name == "redirect":
        return Response(b"", 302, {"location": fault.url})
    headers = {"retry-after": "1"} if fault.status == 429 else None
    return json_answer({"detail": f"fault: status {fault.status}"}, fault.status, headers)


def _spoilt_answer(fault: Fault) -> Response:
    if fault.name == "huge":
        return StreamingResponse((_CHUNK for _ in range(_HUGE_CHUNKS)), 200, media_type="application/json")
    return Response(_GARBAGE if fault.name == "garbage" else b"", 200, media_type="application/json")
