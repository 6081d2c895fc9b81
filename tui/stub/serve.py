"""The service as a process of its own: on loopback, one JSON line when it is ready, gone without a word on a signal."""

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tui.clock import Clock
from tui.errors import UsageError
from tui.stub.database.bank import Bank
from tui.stub.faults import FaultState
from tui.stub.http.app import create_app
from tui.stub.sandbox import Sandboxes
from tui.stub.scenarios import MAIN_ACCOUNT

HOST: Final = "127.0.0.1"
_LAST_ANSWERS: Final = 1
"""Seconds that requests under way are given when the service ends."""
_IDLE_CONNECTION: Final = 75
"""Seconds; longer than clients keep one, so that no request meets a connection that is just being closed."""


def serve(
    clock: Clock,
    announce: Callable[[dict[str, object]], None],
    *,
    port: int = 0,
    db: Path | None = None,
    scenario: str | None = None,
    sandbox: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        clock: The machine's clock.
        announce: Called once when it is ready, with what the one JSON line holds.
        port: 0 picks a free one.
        db: The SQLite file; None keeps the state in memory.
        scenario: The scenario to be in; None goes on with the database's, or the default.
        sandbox: A folder to write a sandbox for the real Codex CLI into.

    Raises:
        StoreError: The database cannot be used.
        UsageError: The port is taken, the sandbox cannot be written, or there is no such scenario.
    """
    bank = Bank.open(clock, db, scenario)
    try:
        with _listen(port) as listener:
            bound = listener.getsockname()[1]
            url = f"http://{HOST}:{bound}/backend-api"
            running = bank.scenario()
            sandboxes = Sandboxes(sandbox, url, clock) if sandbox else None
            folder = _write_all(sandboxes, bank) if sandboxes else None
            faults = FaultState(running.faults)
            # A client that goes away early is no news; an unhandled error still reaches stderr.
            logging.getLogger("asyncio").setLevel(logging.ERROR)
            config = uvicorn.Config(
                create_app(bank, clock, faults, sandboxes),
                http=_with_known_connections(faults),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_CONNECTION,
                timeout_graceful_shutdown=_LAST_ANSWERS,
            )
            ready = {"url": url, "port": bound, "scenario": running.name, "sandbox": str(folder) if folder else None}
            # uvicorn raises the signal that ended it once more, for the handlers that were there before.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
            asyncio.run(_Server(config, faults, lambda: announce(ready)).serve([listener]))
    finally:
        bank.close()


def _write_all(sandboxes: Sandboxes, bank: Bank) -> Path:
    """Write the main account's sandbox, and again those of the others: the port may be another one now."""
    readings, _ = bank.everything()
    return {
        reading.account: sandboxes.write(reading.account, reading.plan, reading.email)
        for reading in readings
        if reading.account == MAIN_ACCOUNT or sandboxes.holds(reading.account)
    }[MAIN_ACCOUNT]


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    # With the protocol named, asyncio switches Nagle's algorithm off; without it every answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError as error:
            reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise UsageError(f"cannot listen on port {port}: {reason}", "choose another with --port") from error
        yield listener


def _with_known_connections(faults: FaultState) -> Any:
    """Makes uvicorn's own protocol, and notes how to cut its connection, which the faults need."""

    def make(**given: Any) -> asyncio.Protocol:
        assert AutoHTTPProtocol is not None
        protocol = AutoHTTPProtocol(**given)
        made, lost = protocol.connection_made, protocol.connection_lost
        client: list[tuple[str, int]] = []

        def connection_made(transport: asyncio.Transport) -> None:
            client[:] = [transport.get_extra_info("peername")]
            faults.connections[client[0]] = transport.abort
            made(transport)

        def connection_lost(error: Exception | None) -> None:
            faults.connections.pop(client[0], None)
            lost(error)

        protocol.connection_made, protocol.connection_lost = connection_made, connection_lost  # type: ignore[method-assign, assignment]
        return protocol

    return make


class _Server(uvicorn.Server):
    """Says when it is ready, and lets no delayed answer hold up its end."""

    def __init__(self, config: uvicorn.Config, faults: FaultState, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._faults = faults
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._faults.closing.set()
        await super().shutdown(sockets)
