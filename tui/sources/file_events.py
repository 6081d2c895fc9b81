"""The only importer of watchfiles: which files below a folder change, as the kernel tells it."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_STEP: Final = 50
"""Milliseconds between two looks at what the kernel told, and so half of what a change waits at most; also how quickly
the watching ends. Each look costs about 80 µs, also when nothing happens."""


class FileEvents:
    """Watches a folder in a thread of its own.

    Importing watchfiles takes 25 ms, which that thread pays too.

    Args:
        folder: What to watch, with everything below it.
        take_in: Called in that thread with the paths that changed.
        wake: Called in the event loop afterwards, also after the watching began or failed.
    """

    def __init__(self, folder: Path, take_in: Callable[[set[str]], None], wake: Callable[[], None]) -> None:
        self._folder = str(folder)
        self._take_in = take_in
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self.watching = False
        """Whether changes are being told."""
        self.failed = False
        """Whether watching is impossible here, or broke off."""
        threading.Thread(target=self._watch, name="rollout-events", daemon=True).start()

    def close(self) -> None:
        """End the watching; does not wait for it."""
        self._stop.set()

    def _watch(self) -> None:
        try:
            # The public `watchfiles.watch` does not tell when the kernel's watches stand, and what happens before
            # that would be missed.
            from watchfiles._rust_notify import RustNotify

            with RustNotify([self._folder], False, False, 0, True, True) as watcher:
                self.watching = True
                self._tell()
                while not self._stop.is_set():
                    changes = watcher.watch(_STEP, _STEP, 0, self._stop)
                    if not isinstance(changes, set):
                        break
                    self._take_in({path for _, path in changes})
                    self._tell()
        except Exception:  # no inotify watches left, no such file system, no wheel: poll instead
            self.failed = True
        self.watching = False
        self._tell()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake)
