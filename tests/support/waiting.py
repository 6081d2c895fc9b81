"""Waiting for a condition of another process, with a deadline."""

import threading
from collections.abc import Callable

DEADLINE = 30.0
_BETWEEN = 0.02


def wait_until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Ask until it holds; for conditions that no message announces."""
    pause = threading.Event()
    for _ in range(int(deadline / _BETWEEN)):
        if condition():
            return
        pause.wait(_BETWEEN)
    raise AssertionError(f"not within {deadline:g} s: {condition}")
