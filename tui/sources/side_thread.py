"""One thread for blocking work that may hang, as files on a dead network share do."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class SideThread:
    """Runs one piece of work after another; nobody waits for it at the exit.

    Args:
        name: The thread's name.
    """

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon: neither the loop's end nor the program's waits for a piece that is stuck.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, piece: Callable[[], T]) -> T:
        """Run a piece and wait for its result; a cancelled wait leaves the piece to itself."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = piece()
            except BaseException as error:  # handed to whoever waits
                _tell(loop, answer, error=error)
            else:
                _tell(loop, answer, result=result)

        self._work.put(work)
        return await answer

    def close(self) -> None:
        """Let the thread end after the piece it is at; does not wait for it. Fine to call twice."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _tell(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[T],
    result: T | None = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None is a T where the piece returns nothing

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle)
