"""Running the long tasks: an error in one is shown with its place, the others go on, and it starts again."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tui.clock import Clock
from tui.companion.state import Problem, StateStore

FIRST_PAUSE: Final = 1.0
"""Seconds before a task that failed starts again; doubled with each failure in a row."""

LONGEST_PAUSE: Final = 60.0

WELL_AFTER: Final = 60.0
"""A task that has run for so many seconds since its last failure is well again."""


class Supervisor:
    """Runs every long task by name."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a task until it ends or `aclose`; a second one of the same name is not started while the first runs.

        The name is shown when it fails; the work is begun again then.
        """
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(self._run(name, work), name=name)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            running = asyncio.ensure_future(work())
            has_failed = any(problem.task == name for problem in self._store.state.problems)
            well = asyncio.ensure_future(self._clock.sleep(WELL_AFTER)) if has_failed else None
            try:
                if well is not None:
                    await asyncio.wait([running, well], return_when=asyncio.FIRST_COMPLETED)
                    if not running.done():
                        pause = FIRST_PAUSE
                        self._store.report(name, None)
                await running
            except Exception as error:
                self._show(name, error)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._show(name, error)  # not this task was cancelled, but something that it waited for
            else:
                self._store.report(name, None)
                return
            finally:
                for future in (running, well):
                    if future is not None:
                        future.cancel()
                await asyncio.gather(*(future for future in (running, well) if future), return_exceptions=True)
            await self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _show(self, name: str, error: BaseException) -> None:
        self._store.report(name, Problem(name, type(first_error(error)).__name__, place_of(error)))

    async def aclose(self) -> None:
        """End every task and wait for them."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


def first_error(error: BaseException) -> BaseException:
    """The error itself; of a group the first one in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def place_of(error: BaseException) -> str:
    """File and line where an error was raised, `rollouts.py:120`; of a group, its first error's."""
    frames = traceback.extract_tb(first_error(error).__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
