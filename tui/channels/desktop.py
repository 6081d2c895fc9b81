"""The desktop's notices, by notify-send or osascript; text from outside reaches them as arguments alone."""

import sys
from html import escape

from tui.channels.base import Channel, Notice, one_line, run_program
from tui.settings import NotifySettings

_APPLE = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


def open_channel(_settings: NotifySettings) -> Channel:
    """The channel `desktop`."""

    async def tell(notice: Notice) -> None:
        title, text = one_line(notice.title), one_line(notice.text)
        if sys.platform == "darwin":
            script = (word for line in _APPLE for word in ("-e", line))
            await run_program("osascript", *script, title, text)
        else:
            # The body may be markup to the desktop.
            await run_program("notify-send", "--app-name=resetbank", "--", title, escape(text, quote=False))

    return tell
