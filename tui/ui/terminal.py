"""What is said to the terminal itself, and how it is given back."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Final

from tui.ui.view.text import clean

if TYPE_CHECKING:
    from textual.driver import Driver

_SAVE: Final = "\x1b[22;2t"
_RESTORE: Final = "\x1b[23;2t"
"""The terminal's own stack of titles, as xterm, tmux and most others have it."""


def title_sequence(title: str | None, *, save: bool = True) -> str:
    """Save the terminal's title and set another, of which no control character gets through; None gives it back.

    A terminal without a stack of titles ignores both and is left with the program's name.
    """
    if title is None:
        return f"\x1b]2;resetbank\x07{_RESTORE}"
    return f"{_SAVE if save else ''}\x1b]2;{clean(title)}\x07"


def leave_on_signals(leave: Callable[[None, int], None]) -> None:
    """Leave in good order, and so give the terminal back whole, where something ends the program from outside."""
    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
            asyncio.get_running_loop().add_signal_handler(number, leave, None, 128 + number)


def is_hung_up() -> bool:
    """Whether the terminal is gone; no signal tells a program of it that the terminal does not control."""
    return sys.__stdin__ is not None and not os.isatty(sys.__stdin__.fileno())


class _LostWords:
    """A terminal's file: what it can no longer take, because the terminal is gone, is lost."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write what can be written."""
        with contextlib.suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Hand over what can be handed over."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def outliving_its_terminal(driver: "type[Driver]") -> "type[Driver]":
    """Textual's driver, so that it can still be ended once its terminal is gone.

    Textual writes to the driver's `_file` in a thread that dies of the first error. From then on its queue fills, and
    the program waits for room in it for ever, also where it only wants to leave.
    """

    class Outliving(driver):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.__dict__["_file"] = _LostWords(self.__dict__["_file"])

    return Outliving
