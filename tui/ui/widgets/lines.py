"""The one widget that the screens are made of: lines of levelled spans, drawn by a pure function."""

from collections.abc import Callable
from typing import ClassVar, Final

from textual.content import Content
from textual.content import Span as ContentSpan
from textual.events import Click
from textual.geometry import Size
from textual.widget import Widget

from tui.ui.view.text import Level, Line, cells

Draw = Callable[[int], tuple[Line, ...]]
"""Makes the lines for a number of columns."""

STYLES: Final = {
    Level.PLAIN: "",
    Level.DIM: "$foreground 62%",
    Level.STRONG: "bold",
    Level.OK: "$success",
    Level.NEAR: "bold $warning",
    Level.REACHED: "bold $error",
    Level.UNKNOWN: "$secondary",
    Level.ACCENT: "bold $accent",
    Level.KEY: "bold $accent",
    Level.FULL: "$error",
}
"""How a level looks in colour; the ANSI themes mean the terminal's own colours by the same names."""

STYLES_ANSI: Final = {**STYLES, Level.DIM: "dim"}
"""Where no shade between the terminal's foreground and background is known."""

STYLES_WITHOUT_COLOR: Final = {
    Level.PLAIN: "",
    Level.DIM: "dim",
    Level.STRONG: "bold",
    Level.OK: "",
    Level.NEAR: "bold",
    Level.REACHED: "bold reverse",
    Level.UNKNOWN: "italic",
    Level.ACCENT: "bold",
    Level.KEY: "bold underline",
    Level.FULL: "bold",
}
"""Where colour is not wanted, weight and reversal carry what it carried."""


class Lines(Widget):
    """Text that a pure function draws for the widget's width; repaints only what differs."""

    DEFAULT_CSS: ClassVar[str] = """
    Lines {
        height: auto;
        text-wrap: nowrap;
    }
    """

    def __init__(self, draw: Draw, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._draw = draw
        self._lines: tuple[Line, ...] = ()
        self._width = 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def redraw(self) -> bool:
        """Draw anew; tells whether anything differs."""
        width = self._width or self.content_size.width
        if not width:
            return False
        lines = self._draw(width)
        if lines == self._lines:
            return False
        resized = len(lines) != len(self._lines)
        self._lines = lines
        self.refresh(layout=resized)
        return True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        self._lines_for(width)
        return len(self._lines)

    def render(self) -> Content:
        """The lines as content, never as markup."""
        self._lines_for(self.content_size.width)
        theme_styles = STYLES_ANSI if self.app.current_theme.ansi else STYLES
        styles = STYLES_WITHOUT_COLOR if self.app.no_color else theme_styles
        text: list[str] = []
        spans: list[ContentSpan] = []
        position = 0
        for number, line in enumerate(self._lines):
            if number:
                text.append("\n")
                position += 1
            for span in line:
                end = position + len(span.text)
                if style := styles[span.level]:
                    spans.append(ContentSpan(position, end, style))
                text.append(span.text)
                position = end
        return Content("".join(text), spans)

    async def on_click(self, event: Click) -> None:
        """Run the command under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self._lines):
            return
        start = 0
        for span in self._lines[offset.y]:
            start += cells(span.text)
            if offset.x < start:
                if span.action is not None:
                    await self.run_action(span.action)
                return

    def _lines_for(self, width: int) -> None:
        if width and width != self._width:
            self._width = width
            self._lines = self._draw(width)
