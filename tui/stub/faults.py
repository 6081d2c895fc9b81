"""Faults: what goes wrong between a client and the service, on demand.

in front of the service, so that it has no effect: status:503 · drop_before · html · redirect:URL
behind it, so that the effect happens and only the answer suffers: delay:2.5 · drop_after · garbage · empty · huge
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tui.clock import Clock
from tui.stub.http.answers import json_answer
from tui.stub.http.exchange import App, Message, Receive, Response, Send
from tui.stub.scenario import RecurringFault

CONTROLS: Final = "/stub/"
"""What begins so is never counted and never hit: the controls stay in reach."""

_PLAIN: Final = ("drop_before", "drop_after", "garbage", "html", "huge", "empty")
_WITH_VALUE: Final = {
    "status": re.compile(r"[45]\d\d", re.ASCII),
    "delay": re.compile(r"([0-2]?\d{1,3}|3[0-5]\d\d)(\.\d+)?|3600(\.0)?", re.ASCII),
    "redirect": re.compile(r"[!-~]+"),
}
KINDS: Final = ("status:CODE", "delay:SECONDS", "redirect:URL", *_PLAIN, "none")
_GARBAGE: Final = b"\x00\xff\xfe{]this is no JSON"
_CHUNK: Final = b" " * 65_536
_HUGE_CHUNKS: Final = 2**30 // len(_CHUNK)
_MAX_PATHS: Final = 1_000
"""So many different paths are counted one by one; what a port scanner asks beyond them is lumped together."""


class ConnectionDropped(ConnectionError):
    """The connection was cut without an answer; raised only in-process, where there is no connection to cut."""


class Fault(msgspec.Struct, frozen=True):
    """One kind of fault, parsed."""

    name: str
    value: str = ""
    """The status, the seconds or the URL."""


def parse_fault(kind: str) -> Fault:
    """Read a kind as the controls and the scenarios write it; `ValueError` says which there are."""
    name, _, value = kind.partition(":")
    if kind not in _PLAIN and not (name in _WITH_VALUE and _WITH_VALUE[name].fullmatch(value)):
        raise ValueError(f"there is no fault of the kind {kind!r}; valid are: {', '.join(KINDS)}")
    return Fault(name, value)


class ArmedFault(msgspec.Struct):
    """A fault that waits for its requests."""

    path: str
    """The end of the request's path; empty matches all."""
    kind: str
    remaining: int


class FaultState:
    """Counts per path and armed faults, for the life of one server."""

    def __init__(self, recurring: Iterable[RecurringFault] = ()) -> None:
        self.served: Counter[str] = Counter()
        self.armed: list[ArmedFault] = []
        self.closing = asyncio.Event()
        """Set when the server ends, so that no delayed answer holds it up."""
        self.connections: dict[tuple[str, int], Callable[[], None]] = {}
        """What cuts the connection of a client, by its address; empty where there is no server."""
        self._recurring: list[tuple[RecurringFault, int]] = []
        self.restart(recurring)

    def restart(self, recurring: Iterable[RecurringFault]) -> None:
        """Forget every armed fault and take up a scenario's own."""
        self.armed.clear()
        self._recurring = [(fault, 0) for fault in recurring]

    def arm(self, path: str, kind: str, count: int) -> None:
        """Let a fault hit the next so many requests of a path; several are worked off in their order."""
        self.armed.append(ArmedFault(path, kind, count))

    def disarm(self, path: str) -> None:
        """Forget the armed faults of a path; empty forgets all."""
        self.armed[:] = [fault for fault in self.armed if path and fault.path != path]

    def arrive(self, path: str) -> str | None:
        """Count a request; the kind of fault that hits it, or None."""
        known = path in self.served or len(self.served) < _MAX_PATHS
        self.served[path if known else "(other)"] += 1
        hit = self._recur(path)
        for fault in self.armed:
            if path.endswith(fault.path):
                fault.remaining -= 1
                if fault.remaining == 0:
                    self.armed.remove(fault)
                return fault.kind
        return hit

    def _recur(self, path: str) -> str | None:
        hit = None
        for index, (fault, seen) in enumerate(self._recurring):
            if path.endswith(fault.path):
                self._recurring[index] = (fault, seen + 1)
                if hit is None and (seen + 1) % fault.every == 0:
                    hit = fault.kind
        return hit


class FaultMiddleware:
    """Counts every request and lets armed faults hit it; outermost, so that nothing mends what it breaks."""

    def __init__(self, app: App, faults: FaultState, clock: Clock) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or keep it from being answered."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self._app(scope, receive, send)
            return
        kind = self._faults.arrive(scope["path"])
        if kind is None:
            await self._app(scope, receive, send)
            return
        fault = parse_fault(kind)
        if fault.name == "drop_before":
            await self._cut(scope, receive)
        elif fault.name in ("status", "html", "redirect"):
            await _front_answer(fault).send(send)
        else:
            await self._spoil(fault, scope, receive, send)

    async def _spoil(self, fault: Fault, scope: Message, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self._app(scope, receive, hold)
        if fault.name == "delay":
            await self._wait(float(fault.value))
            for message in held:
                await send(message)
        elif fault.name == "drop_after":
            await self._cut(scope, receive)
        elif fault.name == "huge":
            await send(Response(b"").head())
            for number in range(_HUGE_CHUNKS):
                await send({"type": "http.response.body", "body": _CHUNK, "more_body": number < _HUGE_CHUNKS - 1})
        else:
            await Response(_GARBAGE if fault.name == "garbage" else b"").send(send)

    async def _wait(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._faults.closing.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _cut(self, scope: Message, receive: Receive) -> None:
        abort = self._faults.connections.get(tuple(scope["client"] or ()))
        if abort is None:
            raise ConnectionDropped("the connection was cut by a fault")
        abort()
        # The server answers 500 for an application that returns before it has noticed that nobody is there any more.
        while (await receive())["type"] != "http.disconnect":
            pass


def _front_answer(fault: Fault) -> Response:
    if fault.name == "html":
        page = "<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
        return Response(page.encode(), 403, {"cf-mitigated": "challenge"}, "text/html; charset=utf-8")
    if fault.name == "redirect":
        return Response(b"", 302, {"location": fault.value})
    headers = {"retry-after": "1"} if fault.value == "429" else {}
    return json_answer({"detail": f"fault: status {fault.value}"}, int(fault.value), headers)
