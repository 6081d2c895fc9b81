"""The one widget that the screens are made of: lines of levelled spans, drawn by a pure function."""

from collections.abc import Callable
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.events import Click
from textual.geometry import Size
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from tui.ui.view.text import Level, Line, Span, cells, line_width

Draw = Callable[[int], tuple[Line, ...]]
"""Makes the lines for a number of columns."""

STYLES: Final = {
    Level.PLAIN: "",
    Level.DIM: "$dim",
    Level.STRONG: "bold",
    Level.OK: "$success",
    Level.NEAR: "bold $warning",
    Level.REACHED: "bold $error",
    Level.UNKNOWN: "$secondary",
    Level.ACCENT: "bold $accent",
    Level.KEY: "bold $accent",
    Level.FULL: "$error",
    Level.FRAME: "$panel",
    Level.TITLE: "bold $accent",
    Level.CODE: "#ffffff on #000000",
}
"""How a level looks in colour; the ANSI themes mean the terminal's own colours by the same names."""

STYLES_ANSI: Final = {**STYLES, Level.DIM: "dim", Level.FRAME: "dim", Level.CODE: "ansi_bright_white on ansi_black"}
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
    Level.FRAME: "dim",
    Level.TITLE: "bold",
    Level.CODE: "",
}
"""Where colour is not wanted, weight and reversal carry what it carried."""


class Lines(Widget):
    """Text that a pure function draws for the widget's width; repaints only what differs."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS: ClassVar[str] = """
    Lines {
        height: auto;
    }
    """

    def __init__(self, draw: Draw, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._draw = draw
        self.lines: tuple[Line, ...] = ()
        """What is shown."""
        self._width = 0
        self._looks: dict[Level, RichStyle] = {}
        self._looks_key: tuple[Style, bool] | None = None
        self._variables: dict[str, str] = {}

    def redraw(self) -> bool:
        """Draw anew; tells whether anything differs."""
        width = self._width or self.content_size.width
        if not width:
            return False
        lines = self._draw(width)
        if lines == self.lines:
            return False
        resized = len(lines) != len(self.lines)
        self.lines = lines
        self.refresh(layout=resized)
        return True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        self._lines_for(width)
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """One line as styled segments: no markup is ever parsed, and no text is kept in a cache."""
        width = self.content_size.width
        self._lines_for(width)
        base = self.visual_style
        if y >= len(self.lines):
            return Strip.blank(width, base.rich_style)
        looks = self._looks_on(base)
        line = self.lines[y]
        segments = [Segment(span.text, looks[span.level]) for span in line if span.text]
        return Strip(segments, line_width(line)).adjust_cell_length(width, base.rich_style)

    def _looks_on(self, base: Style) -> dict[Level, RichStyle]:
        """Every level's style on this ground, kept until colours or ground change.

        A theme just chosen brings its colours a moment later: what is painted before that stays in the old ones.
        """
        variables = self.app.theme_variables
        key = (base, self.app.no_color)
        if key != self._looks_key or variables is not self._variables:
            self._variables = variables
            colored = STYLES if "dim" in variables else STYLES_ANSI
            styles = STYLES_WITHOUT_COLOR if self.app.no_color else colored
            parsed = {level: Style.parse(style, variables) for level, style in styles.items()}
            self._looks = {level: (base + style).rich_style for level, style in parsed.items()}
            self._looks_key = key
        return self._looks

    async def on_click(self, event: Click) -> None:
        """Run the command under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self.lines):
            return
        start = 0
        for span in self.lines[offset.y]:
            start += cells(span.text)
            if offset.x < start:
                if span.action is not None:
                    await self.run_action(span.action)
                return

    def _lines_for(self, width: int) -> None:
        if width and width != self._width:
            self._width = width
            self.lines = self._draw(width)


class KeyLine(Lines):
    """The keys of a screen while they work: a dialog over it takes them all, and names its own."""

    def __init__(self, keys: Callable[[int], Line]) -> None:
        super().__init__(lambda width: (keys(width) if self.screen.is_active else (Span(" "),),), id="keys")

    def on_mount(self) -> None:
        """Follow which screen is on top."""
        self.app.screen_change_signal.subscribe(self, lambda _: self.redraw())
