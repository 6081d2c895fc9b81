"""The page of the first start with a login."""

from typing import ClassVar

from tui.ui.commands import BY_ID, WELCOME
from tui.ui.screens.page import PageScreen
from tui.ui.view.chrome import key_spans, note_line
from tui.ui.view.text import Level, Line, Span
from tui.ui.view.view_state import ViewState
from tui.ui.view.welcome import Found, welcome_lines


class WelcomeScreen(PageScreen):
    """What was found, what is shown, what can be turned on; it closes by enter too."""

    TITLE_TEXT: ClassVar[str] = "Welcome"
    place = WELCOME

    def __init__(self, view: ViewState, found: Found) -> None:
        super().__init__(view)
        self._found = found

    def draw(self, width: int) -> tuple[Line, ...]:
        """The page's lines."""
        return welcome_lines(self._view, self._found, width)

    def _keys(self, width: int) -> Line:
        keys = [(self._view.keys[name], BY_ID[name].title, f"screen.press({name!r})") for name in ("done", "back")]
        scrolls = (Span("  "), Span("↑ ↓", Level.KEY), Span(" Scroll"))
        return note_line(self._view, width, self.place) or (*key_spans(keys, width), *scrolls)

    def press(self, command: str) -> bool:
        """Close, or scroll; tells whether the command does either."""
        return super().press("back" if command == "done" else command)
