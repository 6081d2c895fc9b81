"""The source `daemon` against a real socket whose server follows a script."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve

from tests.sources import scripted
from tests.sources.conftest import CodexFolder
from tests.support.clocks import ManualClock
from tests.support.waiting import deadline
from tui.domain.spend import ConsumeCode, ConsumeRequest
from tui.errors import NotViable, OutcomeUnknown, SourceDown
from tui.sources.codex_home import CodexHome
from tui.sources.daemon import open_daemon

SPEND = ConsumeRequest("key-1", "credit-1", "acc1")
Daemon = Callable[..., Awaitable[None]]


@pytest.fixture
async def daemon(socket_path: Path) -> AsyncIterator[Daemon]:
    """Serves a script where the daemon's socket belongs."""
    servers = []

    async def start(act: Callable[[ServerConnection], Awaitable[None]] | None = None, **script: list[Any]) -> None:
        told = json.loads(json.dumps(scripted.GOOD | {name.replace("__", "/"): s for name, s in script.items()}))

        async def speak(connection: ServerConnection) -> None:
            async for line in connection:
                assert isinstance(line, str), "text frames, as the daemon's other clients send"
                for word in scripted.answers(told, line.encode()):
                    if word == "exit":
                        connection.transport.abort()
                    elif word == "flood":
                        await connection.send("x" * (5 << 20))
                    else:
                        await connection.send(word)

        servers.append(await unix_serve(act or speak, str(socket_path)))

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_the_daemon_reads_and_spends(daemon: Daemon, codex: CodexFolder, clock: ManualClock) -> None:
    await daemon()
    source = await open_daemon(codex.home, clock)
    assert (await source.read(with_credits=True)).provenance.source == source.name == "daemon"
    assert (await source.consume(SPEND)).code is ConsumeCode.RESET
    await source.aclose()
    await source.aclose()


@pytest.mark.parametrize(("act", "reason"), [("exit", "is gone"), ("flood", "without end"), ("garbage", "protocol")])
async def test_a_daemon_that_breaks_off(
    daemon: Daemon, codex: CodexFolder, clock: ManualClock, act: str, reason: str
) -> None:
    await daemon(account__rateLimits__read=[act], account__rateLimitResetCredit__consume=[act])
    source = await open_daemon(codex.home, clock)
    with pytest.raises(SourceDown, match=reason):
        await source.read(with_credits=True)
    async with deadline():
        await source.changed()
    await source.aclose()
    source = await open_daemon(codex.home, clock)
    with pytest.raises(OutcomeUnknown):
        await source.consume(ConsumeRequest("key-1", None, None))
    await source.aclose()


async def test_a_deaf_daemon_does_not_hold_up_the_exit(daemon: Daemon, codex: CodexFolder, clock: ManualClock) -> None:
    async def deaf(connection: ServerConnection) -> None:
        for _ in range(3):
            message = json.loads(await connection.recv())
            for line in scripted.answers(scripted.GOOD, json.dumps(message).encode()):
                await connection.send(line)
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    over = asyncio.Event()
    await daemon(deaf)
    source = await open_daemon(codex.home, clock)
    async with deadline():
        await source.aclose()
    over.set()


async def test_no_socket(codex: CodexFolder, clock: ManualClock) -> None:
    with pytest.raises(NotViable, match="the Codex daemon is not running; start codex"):
        await open_daemon(codex.home, clock)


async def test_a_socket_file_without_a_listener(codex: CodexFolder, clock: ManualClock, socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))
    with pytest.raises(NotViable, match="nobody listens"):
        await open_daemon(codex.home, clock)


async def test_a_file_where_the_socket_belongs(codex: CodexFolder, clock: ManualClock) -> None:
    codex.home.daemon_socket.parent.mkdir()
    codex.home.daemon_socket.touch()
    with pytest.raises(NotViable, match="is not a socket"):
        await open_daemon(codex.home, clock)


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n", b""])
async def test_something_else_listens(
    codex: CodexFolder, clock: ManualClock, socket_path: Path, greeting: bytes
) -> None:

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(greeting)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_unix_server(greet, socket_path)
    with pytest.raises(NotViable, match=r"no Codex daemon|the connection broke"):
        await open_daemon(codex.home, clock)
    listener.close()
    await listener.wait_closed()


async def test_a_signed_out_daemon(daemon: Daemon, codex: CodexFolder, clock: ManualClock) -> None:
    await daemon(account__read=[{"result": {"account": None}}])
    with pytest.raises(NotViable, match="Codex is not signed in"):
        await open_daemon(codex.home, clock)


async def test_a_path_too_long_for_the_kernel_goes_by_its_link(
    daemon: Daemon, codex: CodexFolder, clock: ManualClock, tmp_path: Path
) -> None:
    await daemon()
    deep = CodexHome(tmp_path / ("x" * 60) / ("y" * 60))
    deep.daemon_socket.parent.mkdir(parents=True)
    deep.daemon_socket.symlink_to(codex.home.daemon_socket)
    source = await open_daemon(deep, clock)
    await source.aclose()
