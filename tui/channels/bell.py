"""The terminal's bell."""

from tui.channels.base import Channel, Notice
from tui.channels.terminal import write_to_terminal
from tui.settings import NotifySettings


def open_channel(_settings: NotifySettings) -> Channel:
    """The channel `bell`."""

    async def ring(_notice: Notice) -> None:
        await write_to_terminal("\a")

    return ring
