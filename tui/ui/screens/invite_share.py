"""Handing an invite's link on: as a QR code, or in a message to paste."""

from typing import ClassVar

from textual.containers import VerticalScroll

from tui.domain.invites import InviteRecord
from tui.ui.screens.page import PageScreen
from tui.ui.view.inviting import message_lines, message_text
from tui.ui.view.qr import qr_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class InviteQrScreen(PageScreen):
    """The link as a QR code."""

    TITLE_TEXT: ClassVar[str] = "Invite link"

    def __init__(self, view: ViewState, link: str) -> None:
        super().__init__(view)
        self._link = link

    def draw(self, width: int) -> tuple[Line, ...]:
        """The code, or what room it needs."""
        return qr_lines(self._link, width, self.query_one("#page", VerticalScroll).size.height)


class InviteMessageScreen(PageScreen):
    """The message, copied as the page opens."""

    TITLE_TEXT: ClassVar[str] = "Message to paste"

    def __init__(self, view: ViewState, record: InviteRecord) -> None:
        super().__init__(view)
        self._text = message_text(record, view.state.invites.offer)

    def on_mount(self) -> None:
        """Put it on the clipboard."""
        self.app.copy_to_clipboard(self._text)

    def draw(self, width: int) -> tuple[Line, ...]:
        """The message."""
        return message_lines(self._text, width)
