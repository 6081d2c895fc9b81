"""What is said to the terminal itself, and how it is given back."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

from tui.ui.view.text import clean

_SAVE: Final = "\x1b[22;2t"
_RESTORE: Final = "\x1b[23;2t"
"""The terminal's own stack of titles, as xterm, tmux and most others have it."""


def title_sequence(title: str | None, *, save: bool = True) -> str:
    """Save the terminal's title and set another; None gives the saved one back.

    A terminal without a stack of titles ignores both and is left with the program's name.

    Args:
        title: Text that may come from outside; no control character of it reaches the terminal.
        save: Whether the present title is the one to give back.
    """
    if title is None:
        return f"\x1b]2;resetbank\x07{_RESTORE}"
    return f"{_SAVE if save else ''}\x1b]2;{clean(title)}\x07"


def leave_on_signals(leave: Callable[[None, int], None]) -> None:
    """Leave in good order, and so give the terminal back whole, where something ends the program from outside.

    Args:
        leave: Leaves with a result and an exit code.
    """
    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
            asyncio.get_running_loop().add_signal_handler(number, leave, None, 128 + number)


def is_hung_up() -> bool:
    """Whether the terminal is gone; no signal tells a program of it that the terminal does not control."""
    return sys.__stdin__ is not None and not os.isatty(sys.__stdin__.fileno())
