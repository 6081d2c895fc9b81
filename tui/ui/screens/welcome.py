"""The page of the first start with a login."""

from tui.ui.commands import WELCOME
from tui.ui.screens.page import PageScreen
from tui.ui.view.chrome import command_spans
from tui.ui.view.text import Level, Line, Span
from tui.ui.view.view_state import ViewState
from tui.ui.view.welcome import Found, welcome_lines


class WelcomeScreen(PageScreen):
    """What was found, what is shown, what can be turned on; it closes by enter too."""

    TITLE = "Welcome"
    place = WELCOME

    def __init__(self, view: ViewState, found: Found) -> None:
        super().__init__(view)
        self._found = found

    def draw(self, width: int) -> tuple[Line, ...]:
        """The page's lines."""
        return welcome_lines(self._view, self._found, width)

    def draw_keys(self, width: int) -> Line:
        """The ways on and back."""
        scrolls = (Span("  "), Span("↑ ↓", Level.KEY), Span(" Scroll"))
        return (*command_spans(self._view, ("done", "back"), width), *scrolls)

    def press(self, command: str) -> bool:
        """Close, or scroll; tells whether the command does either."""
        return super().press("back" if command == "done" else command)
