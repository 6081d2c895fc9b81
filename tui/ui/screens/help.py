"""The help: keys and signs."""

from collections.abc import Mapping
from typing import ClassVar

from tui.ui.screens.page import PageScreen
from tui.ui.view.help import help_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class HelpScreen(PageScreen):
    """What every key does and every sign means."""

    TITLE_TEXT: ClassVar[str] = "Help"

    def __init__(self, view: ViewState, table: Mapping[str, str], where: str) -> None:
        super().__init__(view)
        self._table = table
        self._where = where

    def draw(self, width: int) -> tuple[Line, ...]:
        """The keys and the signs."""
        return help_lines(self._table, self._where, width)
