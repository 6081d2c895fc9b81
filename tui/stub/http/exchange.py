"""Requests, answers and routes, as an ASGI application.

The service needs little of a framework; loading one took a tenth of the demo's start.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NO_HEADERS: Final[Mapping[str, str]] = {}


class Request:
    """One request, as ASGI describes it."""

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.value = ""
        """The part of the path that the route leaves open."""
        names = reversed(scope["headers"])  # of one that comes twice the first counts
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in names}
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.client: str | None = scope["client"][0] if scope["client"] else None
        self.origin = f"{scope['scheme']}://{self.headers.get('host', '')}"
        self._receive = receive

    async def body(self, longest: int) -> bytes | None:
        """Read the whole body; None where it is longer than so many bytes."""
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            if len(body) <= longest:
                body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body) if len(body) <= longest else None


class Response(msgspec.Struct, frozen=True):
    """One answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = NO_HEADERS
    kind: str = "application/json"
    """The media type."""

    async def send(self, send: Send) -> None:
        """Send it whole."""
        await send(self.head(str(len(self.body))))
        await send({"type": "http.response.body", "body": self.body})

    def head(self, length: str | None = None) -> Message:
        """What goes before the body; without a length it has no end that is known before."""
        known = {"content-type": self.kind, **self.headers, **({"content-length": length} if length else {})}
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in known.items()]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


class NotServed(Exception):
    """There is no such path; or, with 405, not by this method."""

    def __init__(self, status: int = 404) -> None:
        super().__init__("Not Found" if status == 404 else "Method Not Allowed")
        self.status = status


Answer = Callable[[Request], Awaitable[Response]]


class Route(msgspec.Struct, frozen=True):
    """An endpoint."""

    method: str
    path: str
    """With `{}` for the one part that it leaves open, or without."""
    answer: Answer

    def value_of(self, path: str) -> str | None:
        """What stands in the open part; empty where none is open, None where the path is another one."""
        before, has_open_part, after = self.path.partition("{}")
        if not has_open_part:
            return "" if path == before else None
        value = path.removeprefix(before).removesuffix(after)
        return value if value and "/" not in value and path == before + value + after else None


def application(routes: Iterable[Route], failed: Callable[[Request, Exception], Response]) -> App:
    """Serve these routes, of several that fit the first; `failed` answers for an error of one, or raises it again."""
    served = tuple(routes)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _route(served, request)(request)
        except Exception as error:
            response = failed(request, error)
        await response.send(send)

    return app


def _route(served: tuple[Route, ...], request: Request) -> Answer:
    method = "GET" if request.method == "HEAD" else request.method
    found = [(route, value) for route in served if (value := route.value_of(request.path)) is not None]
    for route, value in found:
        if route.method == method:
            request.value = value
            return route.answer
    raise NotServed(405 if found else 404)
