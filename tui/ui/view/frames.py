"""Panels drawn as text: one above the other in one frame, or under plain rules where room is scarce."""

from collections.abc import Iterable, Sequence

import msgspec

from tui.ui.view.text import Level, Line, Span, cells, clip, fit, line_width


class Panel(msgspec.Struct, frozen=True):
    """Some lines under a title."""

    title: str
    lines: tuple[Line, ...]

    @property
    def rows(self) -> int:
        """How many rows it takes with its title."""
        return len(self.lines) + 1


def framed(panels: Sequence[Panel], width: int, rows: int = 0) -> list[Line]:
    """Panels in one frame with shared borders, at least so many rows high: the last panel takes what is left."""
    inner = width - 4
    lines: list[Line] = []
    for number, panel in enumerate(panels):
        lines.append(_rule(panel.title, width, "╭╮" if number == 0 else "├┤"))
        lines += [_bordered(line, inner) for line in panel.lines]
    lines += [_bordered((), inner)] * (rows - 1 - len(lines))
    return [*lines, (Span(f"╰{'─' * (width - 2)}╯", Level.FRAME),)]


def ruled(panels: Iterable[Panel], width: int) -> list[Line]:
    """Panels under rules with their titles, without a frame."""
    lines: list[Line] = []
    for panel in panels:
        lines.append(_rule(panel.title, width, "──"))
        lines += [(Span(" "), *clip(line, width - 2)) if line else (Span(" "),) for line in panel.lines]
    return lines


def beside(left: Sequence[Line], right: Sequence[Line]) -> list[Line]:
    """Two columns of equally many full lines side by side."""
    return [(*first, *second) for first, second in zip(left, right, strict=True)]


def _rule(title: str, width: int, ends: str) -> Line:
    title = fit(title, width - 6)
    rest = "─" * (width - cells(title) - 5)
    return (Span(f"{ends[0]}─ ", Level.FRAME), Span(title, Level.TITLE), Span(f" {rest}{ends[1]}", Level.FRAME))


def _bordered(line: Line, inner: int) -> Line:
    line = clip(line, inner)
    fill = " " * (inner - line_width(line))
    return (Span("│ ", Level.FRAME), *line, Span(fill), Span(" │", Level.FRAME))
