"""Another client of the daemon, as the person's own Codex is one: it starts threads and runs turns."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from tests.support.waiting import deadline


class SecondClient:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.heard: list[dict[str, Any]] = []
        """Notifications, and what the server asks."""
        self._news = asyncio.Condition()

    async def request(self, method: str, params: dict[str, Any]) -> Any:
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        async with deadline():
            return await self._answers[number]

    async def answer(self, asked: dict[str, Any], result: Any) -> None:
        await self._connection.send(json.dumps({"id": asked["id"], "result": result}))

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message from the server."""

        def found() -> list[dict[str, Any]]:
            return [message for message in self.heard if condition(message)]

        async with deadline(), self._news:
            await self._news.wait_for(lambda: bool(found()))
        return found()[0]

    async def listen(self) -> None:
        async for text in self._connection:
            message = json.loads(text)
            if "method" in message:
                async with self._news:
                    self.heard.append(message)
                    self._news.notify_all()
            elif "result" in message:
                self._answers[message["id"]].set_result(message["result"])
            else:
                self._answers[message["id"]].set_exception(AssertionError(message))

    async def start_thread(self, workspace: Path, **more: Any) -> str:
        started = await self.request("thread/start", {"cwd": str(workspace)} | more)
        thread: str = started["thread"]["id"]
        return thread

    async def start_turn(self, thread: str, text: str = "hello") -> None:
        await self.request("turn/start", {"threadId": thread, "input": [{"type": "text", "text": text}]})


@asynccontextmanager
async def second_client(socket: Path) -> AsyncIterator[SecondClient]:
    place = os.path.realpath(socket)  # noqa: ASYNC240  # a link of the test's own
    async with unix_connect(place, "ws://localhost/", proxy=None, compression=None) as connection:
        client = SecondClient(connection)
        listening = asyncio.create_task(client.listen())
        about = {"name": "second", "title": "second", "version": "0"}
        await client.request("initialize", {"clientInfo": about, "capabilities": {"experimentalApi": True}})
        await connection.send(json.dumps({"method": "initialized"}))
        try:
            yield client
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await listening
