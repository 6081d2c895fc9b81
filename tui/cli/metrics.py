"""`resetbank metrics`: limits, bank, sessions and spends as OpenMetrics, once or for Prometheus to scrape."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from tui.cli.oneshot import open_each, run_with_accounts
from tui.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion
    from tui.companion.state import State

TOKEN_VARIABLE = "RESETBANK_METRICS_TOKEN"  # noqa: S105 - the name of a variable, not a token
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_READS = frozenset({"limits", "upgrades", "rollouts", "sessions", "history"})
"""The long tasks that only read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument(
        "--serve",
        metavar="[ADDRESS:]PORT",
        help=f"serve it on this machine; on other addresses only with a token in {TOKEN_VARIABLE}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print once, or serve until interrupted."""
    where = None if arguments.serve is None else _address(arguments.serve)
    return run_with_accounts(arguments, lambda a: _of_all(a, where), lambda c: _of_one(c, where))


async def _of_one(companion: "Companion", where: tuple[str, int] | None) -> int:
    if where is None:
        await companion.scan_once()
        print((await _document((companion.state,), companion)).decode(), end="")
        return 0 if companion.state.snapshot is not None else 1
    return await _serve(lambda: companion.run(only=_READS), lambda: _document((companion.state,), companion), *where)


async def _of_all(accounts: "Accounts", where: tuple[str, int] | None) -> int:
    import asyncio

    companion = accounts.first()
    if where is not None:
        return await _serve(lambda: accounts.run(only=_READS), lambda: _document(accounts.states, companion), *where)
    await asyncio.gather(*(one.scan_once() for one in open_each(accounts)))
    print((await _document(accounts.states, companion)).decode(), end="")
    return 0 if all(state.snapshot is not None for state in accounts.states) else 1


async def _document(states: "Sequence[State]", companion: "Companion") -> bytes:
    from tui.cli.openmetrics import openmetrics
    from tui.concurrency import in_thread

    spends = {}
    for account in {state.snapshot.account.key for state in states if state.snapshot is not None}:
        try:
            spends[account] = await in_thread(companion.records.require().spends.every, account)
        except StoreError:
            break  # the limits are known all the same
    return openmetrics(states, spends, companion.clock.now())


async def _serve(
    work: "Callable[[], Coroutine[Any, Any, None]]", document: "Callable[[], Awaitable[bytes]]", address: str, port: int
) -> int:
    import asyncio
    import signal
    import socket

    import uvicorn

    token = os.environ.get(TOKEN_VARIABLE) or None
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen()
        except OSError as error:
            raise UsageError(f"cannot listen on {address}:{port}: {error.strerror}", "choose another port") from error
        app = _app(document, token)
        settings: dict[str, Any] = {"lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
        server = uvicorn.Server(uvicorn.Config(app, ws="none", loop="asyncio", **settings))
        # uvicorn raises the signal that ended it once more, for the handlers that were there before.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        running = asyncio.ensure_future(work())
        try:
            print(f"http://{address}:{listener.getsockname()[1]}/metrics", flush=True)
            await server.serve([listener])
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return 0


def _app(document: "Callable[[], Awaitable[bytes]]", token: str | None) -> Any:
    """The page /metrics, as an ASGI application.

    Who has the token may ask from anywhere. Without one it answers only who asks for this machine by a loopback name,
    so that no page in a browser gets an answer through a name of its own.
    """
    import hmac

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        body, status, kind = b"", 404, "text/plain"
        if token is not None:
            allowed = hmac.compare_digest(
                headers.get(b"authorization", b""), f"Bearer {token}".encode(errors="surrogateescape")
            )
        else:
            host = headers.get(b"host", b"").decode("latin-1")
            allowed = _without_port(host) in _LOOPBACK and b"origin" not in headers
        if not allowed:
            status, body = 403, b"only for this machine, or with the token\n"
        elif scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD"):
            from tui.cli.openmetrics import CONTENT_TYPE

            status, body, kind = 200, await document(), CONTENT_TYPE
        size = str(len(body)).encode()
        answer = [(b"content-type", kind.encode()), (b"content-length", size)]
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _address(text: str) -> tuple[str, int]:
    """What --serve says.

    Raises:
        UsageError: It is no port, or another address than this machine's and there is no token.
    """
    address, _, port = text.rpartition(":")
    address = address.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"{text!r} names no port", "write --serve 9464 or --serve ADDRESS:9464")
    if address not in ("127.0.0.1", "::1", "localhost") and not os.environ.get(TOKEN_VARIABLE):
        raise UsageError(
            f"others can reach {address}, so it takes a token",
            f"set {TOKEN_VARIABLE} and give it to Prometheus",
        )
    return address, int(port)
