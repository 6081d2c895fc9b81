"""A full screen of lines that scroll: the ledger and the help."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen

from tui.ui.commands import PAGE
from tui.ui.screens.moving import scroll
from tui.ui.view.chrome import note_line
from tui.ui.view.text import Level, Line, Span
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines


class PageScreen(Screen[None]):
    """Lines under a title; escape is not the only way back."""

    TITLE_TEXT: ClassVar[str] = ""
    CSS_PATH = Path(__file__).with_name("pages.tcss")
    AUTO_FOCUS: ClassVar[str | None] = ""
    place = PAGE

    def __init__(self, view: ViewState) -> None:
        super().__init__()
        self._view = view

    def compose(self) -> ComposeResult:
        """The lines and the way back."""
        with VerticalScroll(id="page") as page:
            page.border_title = self.TITLE_TEXT
            yield Lines(self.draw, id="text")
        yield Lines(lambda width: (self._keys(width),), id="keys")

    def draw(self, width: int) -> tuple[Line, ...]:
        """The page's lines."""
        raise NotImplementedError

    def show(self, view: ViewState) -> None:
        """Show this scene from now on."""
        self._view = view
        for lines in self.query(Lines).results():
            lines.redraw()

    def _keys(self, width: int) -> Line:
        return note_line(self._view, width, self.place) or (
            Span("esc", Level.KEY, "screen.press('back')"),
            Span(" Back", action="screen.press('back')"),
            Span("   "),
            Span("↑ ↓", Level.KEY),
            Span(" Scroll"),
        )

    def press(self, command: str) -> bool:
        """Go back, or scroll; tells whether the command does either."""
        if command == "back":
            self.dismiss()
            return True
        return scroll(self.query_one("#page", VerticalScroll), command)

    def action_press(self, command: str) -> None:
        """Carry out the command that was clicked."""
        self.press(command)
