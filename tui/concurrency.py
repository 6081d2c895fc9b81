"""Blocking work beside the event loop, and waiting for whichever of several things comes first.

Each piece runs in a daemon thread of its own, so that neither the loop's end nor the program's waits for a dead disk
or a keyring that wants to be unlocked.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work in a thread and wait for its end, even if the waiting is cancelled.

    A transaction that was begun is then over, one way or the other, before anything else happens.
    """
    future = _start(partial(work, *args, **kwargs))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        future.exception()  # nobody else asks for it
        raise


async def in_loose_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work in a thread; if the waiting is cancelled, the work is left to itself."""
    return await _start(partial(work, *args, **kwargs))


async def first_of(*waits: Awaitable[T]) -> set[asyncio.Future[T]]:
    """Return what is over first, however it ended; the others are cancelled."""
    tasks: list[asyncio.Future[T]] = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _start(work: Callable[[], T]) -> asyncio.Future[T]:
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()  # whoever stops waiting cannot take it back

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # handed to whoever waits
            answer.set_exception(error)

    threading.Thread(target=run, name="resetbank", daemon=True).start()
    return asyncio.wrap_future(answer)
