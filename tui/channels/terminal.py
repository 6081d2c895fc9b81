"""The terminal's own notices: OSC 9, 777 or 99, by what the terminal knows."""

import os
from collections.abc import Mapping
from functools import partial

from tui.channels.base import Channel, Notice, in_time, one_line
from tui.errors import NoticeFailed
from tui.settings import NotifySettings

_OSC_9 = ("iTerm.app", "WezTerm", "ghostty", "WarpTerminal")


def open_channel(_settings: NotifySettings) -> Channel:
    """The channel `terminal`."""

    async def tell(notice: Notice) -> None:
        await write_to_terminal(sequence(notice, os.environ))

    return tell


def sequence(notice: Notice, environment: Mapping[str, str]) -> str:
    """What shows a notice in the terminal of this environment; no control and no `;` of the notice is in it."""
    title, text = (one_line(part).replace(";", ",") for part in (notice.title, notice.text))
    if "kitty" in environment.get("TERM", "") or "KITTY_WINDOW_ID" in environment:
        code = f"\x1b]99;i=resetbank:d=0;{title}\x1b\\\x1b]99;i=resetbank:p=body;{text}\x1b\\"
    elif environment.get("TERM_PROGRAM") in _OSC_9 or environment.get("LC_TERMINAL") == "iTerm2":
        code = f"\x1b]9;{title}: {text}\x07"
    else:
        code = f"\x1b]777;notify;{title};{text}\x07"
    if "TMUX" in environment:  # passed through to the terminal outside; tmux wants each escape twice
        doubled = code.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return code


async def write_to_terminal(code: str) -> None:
    """Write to the terminal of this process, in one piece, so that nothing of the screen comes in between.

    There may be none; or it takes nothing, as one that is stopped by Ctrl-S.
    """
    await in_time("the terminal", partial(_write, code))


def _write(code: str) -> None:
    try:
        terminal = os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY)
    except OSError as error:
        raise NoticeFailed("there is no terminal") from error
    try:
        os.write(terminal, code.encode())
    except OSError as error:
        raise NoticeFailed(f"the terminal takes nothing: {error.strerror}") from error
    finally:
        os.close(terminal)
