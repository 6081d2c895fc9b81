"""The theme picker: every theme by name; the one that is selected is on the screen at once."""

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen

from tui.ui.commands import THEMES
from tui.ui.themes import theme_names
from tui.ui.view.chrome import command_spans
from tui.ui.view.text import Level, Line, Span
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import KeyLine, Lines

_FRAMED_ROWS = 6
"""From so many rows on there is room for a frame."""


class ThemeScreen(ModalScreen[None]):
    """Leaves what it lies over in sight, since that is what a theme is judged by."""

    CSS_PATH = Path(__file__).with_name("themes.tcss")
    place = THEMES

    def __init__(
        self, view: ViewState, name: str, wear: Callable[[str], None], keep: Callable[[str], None], *, is_coarse: bool
    ) -> None:
        super().__init__()
        self._view = view
        self._names = theme_names()
        self._before = name
        self._cursor = self._names.index(name)
        self._wear = wear
        self._keep = keep
        self._is_coarse = is_coarse

    def compose(self) -> ComposeResult:
        """The names, which scroll, and the keys."""
        with Vertical(id="themes") as frame:
            frame.border_title = "Theme"
            frame.border_subtitle = "16 colours: dark or light" if self._is_coarse else ""
            with VerticalScroll(id="names", can_focus=False):
                yield Lines(self._draw, id="text")
            yield KeyLine(lambda width: command_spans(self._view, ("keep", "back"), width))

    def _draw(self, width: int) -> tuple[Line, ...]:
        return tuple(
            (
                Span("▸ " if number == self._cursor else "  ", Level.ACCENT, f"screen.select({number})"),
                Span(
                    f"{name} (fits this terminal)" if name == self._names[0] and width >= 26 else name,
                    Level.STRONG if number == self._cursor else Level.PLAIN,
                    f"screen.select({number})",
                ),
                Span("  ✓" if name == self._before else "", Level.OK),
            )
            for number, name in enumerate(self._names)
        )

    def on_resize(self, event: Resize) -> None:
        """Leave the frame out where the names need its rows."""
        self.set_class(event.size.height < _FRAMED_ROWS, "-small")
        self.call_after_refresh(self._show_selected)

    def show(self, view: ViewState) -> None:
        """Nothing here changes with the time."""
        self._view = view

    def press(self, command: str) -> bool:
        """Select, keep or go back to the theme of before; tells whether the command does one of them."""
        rows = max(1, self.query_one("#names").size.height - 1)
        steps = {"previous": -1, "next": 1, "page_up": -rows, "page_down": rows}
        last = len(self._names) - 1
        if command in steps:
            self.action_select(self._cursor + steps[command])
        elif command in ("first", "last"):
            self.action_select(0 if command == "first" else last)
        elif command == "keep":
            self._keep(self._names[self._cursor])
            self.dismiss()
        elif command == "back":
            self._wear(self._before)
            self.dismiss()
        else:
            return False
        return True

    def action_select(self, number: int) -> None:
        """Put a theme on to look at it."""
        self._cursor = min(max(number, 0), len(self._names) - 1)
        self._wear(self._names[self._cursor])
        self.query_one("#text", Lines).redraw()
        self._show_selected()

    def _show_selected(self) -> None:
        names = self.query_one("#names", VerticalScroll)
        top, rows = round(names.scroll_y), names.size.height
        if not top <= self._cursor < top + rows:
            names.scroll_to(y=self._cursor - (rows - 1 if self._cursor >= top + rows else 0), animate=False)
