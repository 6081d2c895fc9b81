"""A program of the person's own: the notice as JSON on its standard input."""

import msgspec

from tui.channels.base import Channel, Notice, run_program
from tui.errors import NoticeFailed
from tui.settings import NotifySettings


def open_channel(settings: NotifySettings) -> Channel:
    """The channel `command`."""

    async def tell(notice: Notice) -> None:
        if not settings.command:
            raise NoticeFailed("no program is named; set command under [notify]")
        await run_program(*settings.command, stdin=msgspec.json.encode(notice) + b"\n")

    return tell
