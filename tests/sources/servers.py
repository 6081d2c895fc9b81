"""HTTP servers that misbehave, byte by byte, on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    port: int
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/backend-api"


@asynccontextmanager
async def running(behave: Behaviour) -> AsyncIterator[Server]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    request = await _read(reader)
                    server.requests.append(request)
                    await behave(request, writer)
        finally:
            tasks.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def answer(body: bytes, status: str = "200 OK", *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def says(body: bytes, status: str = "200 OK", *lines: str) -> Behaviour:
    """Always this one answer."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body, status, *lines))
        await writer.drain()

    return behave


def by_path(**answers: bytes) -> Behaviour:
    """One raw answer for each end of a path, with `_` for `-`."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        name = request.path.rpartition("/")[2].replace("-", "_")
        writer.write(answers.get(name, answer(b"{}", "404 Not Found")))
        await writer.drain()

    return behave


async def silence(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.get_running_loop().create_future()


async def drop(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    raise ConnectionError


async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
    """A byte at a time, for ever: each byte comes well within any pause between two of them."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    tick = asyncio.Event()
    loop = asyncio.get_running_loop()
    while True:
        writer.write(b" ")
        await writer.drain()
        loop.call_later(0.01, tick.set)
        await tick.wait()
        tick.clear()


async def flood(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()
