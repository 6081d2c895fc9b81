"""Asking a service that runs in this process: no network, no socket, and the library for them is not loaded."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from tui.sources.answers import LARGEST_ANSWER, Answer, Failed, TooLarge, request_headers
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login


class AppAsker:
    """Sends single requests to an ASGI application, each within its deadline and up to a size."""

    def __init__(self, base_url: BaseUrl, app: Callable[..., Any]) -> None:
        self._host = base_url.host
        self._app = app

    async def ask(self, method: str, url: str, login: Login, deadline: float, body: bytes | None = None) -> Answer:
        """Send one request and read its whole answer; see `Asker.ask`."""
        exchange = _Exchange(body or b"")
        headers = {"Host": self._host, **request_headers(login, body)}
        host = self._host
        try:
            async with asyncio.timeout(deadline):
                await self._app(_scope(method, url, headers), exchange.receive, exchange.send)
        except TooLarge as error:
            raise error.failed(host) from error
        except TimeoutError as error:
            raise Failed(f"{host} did not answer within {deadline:g} s", sent=True) from error
        except Exception as error:  # whatever an application raises in place of an answer
            broke = isinstance(error, OSError)
            reason = f"the connection to {host} broke" if broke else f"the request to {host} failed"
            raise Failed(reason, sent=True) from None
        return Answer(host, exchange.status, exchange.headers, bytes(exchange.body))

    async def aclose(self) -> None:
        """Nothing is open."""


class _Exchange:
    """One request and its answer."""

    def __init__(self, sent: bytes) -> None:
        self._sent: bytes | None = sent
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    async def receive(self) -> dict[str, Any]:
        """The request's body, in one piece; after it nothing comes, for whoever asks is still there."""
        sent, self._sent = self._sent, None
        if sent is None:
            await asyncio.get_running_loop().create_future()
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        self.body += message.get("body", b"")
        if len(self.body) > LARGEST_ANSWER:
            raise TooLarge


def _scope(method: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
    """A request as ASGI describes it."""
    parts = urlsplit(url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "server": (parts.hostname, parts.port or 80),
        "client": ("127.0.0.1", 0),
    }
