"""A full screen of lines that scroll: the ledger, the help and others."""

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen

from tui.ui.commands import PAGE
from tui.ui.screens.moving import scroll
from tui.ui.view.chrome import key_spans, note_line
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import KeyLine, Lines


class PageScreen(Screen[None]):
    """Lines under a title; escape is not the only way back."""

    CSS_PATH = Path(__file__).with_name("pages.tcss")
    place = PAGE

    def __init__(self, view: ViewState) -> None:
        super().__init__()
        self._view = view
        self._failure: str | None = None
        """Why it could not be read."""

    def compose(self) -> ComposeResult:
        """The lines and the way back."""
        with VerticalScroll(id="page") as page:
            page.border_title = self.title
            yield Lines(self.draw, id="text")
        yield KeyLine(lambda width: note_line(self._view, width, self.place) or self.draw_keys(width))

    def draw(self, width: int) -> tuple[Line, ...]:
        """The page's lines."""
        raise NotImplementedError

    def draw_unread(self, width: int) -> tuple[Line, ...]:
        """Why there are none."""
        if self._failure is None:
            return ((Span("reading…", Level.DIM),),)
        return wrap((Span("! ", Level.NEAR), Span(self._failure)), width)

    def draw_keys(self, width: int) -> Line:
        """The page's keys."""
        back = key_spans([("esc", "Back", "app.give('back')")], width)
        return (*back, Span("   "), Span("↑ ↓", Level.KEY), Span(" Scroll"))

    def show(self, view: ViewState) -> None:
        """Show this scene from now on."""
        self._view = view
        for lines in self.query(Lines).results():
            lines.redraw()

    def press(self, command: str) -> bool:
        """Go back, or scroll; tells whether the command does either."""
        if command == "back":
            self.dismiss()
            return True
        return scroll(self.query_one("#page", VerticalScroll), command)


class DrawnPage(PageScreen):
    """A page that one function draws for the columns and the rows that there are."""

    def __init__(self, view: ViewState, title: str, draw: Callable[[int, int], tuple[Line, ...]]) -> None:
        super().__init__(view)
        self.title = title
        self._draw = draw

    def draw(self, width: int) -> tuple[Line, ...]:
        """The page's lines."""
        return self._draw(width, self.query_one("#page").size.height)
