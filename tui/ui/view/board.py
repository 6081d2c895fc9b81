"""The body of the main screen at every size: which panels, where, and what fills the room that is left."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from tui.ui.view.bank import bank_lines
from tui.ui.view.ledger import recent_lines
from tui.ui.view.limits import limits_lines
from tui.ui.view.outlook import advice_lines
from tui.ui.view.sessions import sessions_lines
from tui.ui.view.text import Level, Line, Span, cells, clip, fit, line_width
from tui.ui.view.view_state import ViewState

WIDE_COLUMNS: Final = 100
"""From here on there are two columns."""

TALL_ROWS: Final = 18
"""Rows of a terminal below which every panel is brief and has no title."""

_CHART_ROWS: Final = (8, 6, 4)
_LEAST_FILLER: Final = 4


class Panel(msgspec.Struct, frozen=True):
    """Some lines under a title."""

    title: str
    lines: tuple[Line, ...]

    @property
    def rows(self) -> int:
        """How many rows it takes with its title."""
        return len(self.lines) + 1


def board_lines(view: ViewState, width: int, rows: int, *, short: bool = False) -> tuple[Line, ...]:
    """The whole body; more lines than there are rows scroll. Where the room is short it is brief lines alone."""
    if short:
        parts = (
            limits_lines(view, width - 2, short=True),
            bank_lines(view, width - 2, short=True),
            sessions_lines(view, width - 2, short=True),
        )
        return tuple((Span(" "), *line) for part in parts for line in part)
    if width >= WIDE_COLUMNS:
        return tuple(_two_columns(view, width, rows))
    return tuple(_one_column(view, width, rows))


def _limits(view: ViewState, inner: int) -> Iterator[Panel]:
    yield Panel("Limits", limits_lines(view, inner))
    if advice := advice_lines(view, inner):
        yield Panel("Advice", advice)


def _since(view: ViewState, inner: int) -> Iterator[Panel]:
    if not view.matters:
        return
    from tui.ui.view.since import since_lines

    key = view.keys.get("dismiss")
    title = f"Since you looked · {key} dismisses" if key else "Since you looked"
    yield Panel(title, since_lines(view, inner))


def _sessions(view: ViewState, inner: int) -> Iterator[Panel]:
    if lines := sessions_lines(view, inner):
        yield Panel("Sessions", lines)


def _two_columns(view: ViewState, width: int, rows: int) -> list[Line]:
    first = round(width * 4 / 7)
    second = width - first
    left = [*_limits(view, first - 4), *_since(view, first - 4)]
    right = [Panel("Bank", bank_lines(view, second - 4)), *_sessions(view, second - 4)]
    height = max(rows, _rows(left) + 1, _rows(right) + 1)
    left += _charts(view, first - 4, height - 1 - _rows(left))
    left += _newest(view, first - 4, height - 1 - _rows(left))
    right += _sums(view, second - 4, height - 1 - _rows(right))
    sides = zip(_framed(left, first, height), _framed(right, second, height), strict=True)
    return [(*one, *other) for one, other in sides]


def _one_column(view: ViewState, width: int, rows: int) -> list[Line]:
    inner = width - 2
    above = [*_limits(view, inner), *_since(view, inner)]
    sessions = list(_sessions(view, inner))
    bank = Panel("Bank", bank_lines(view, inner))
    if _rows([*above, *sessions, bank]) > rows:
        (brief, *rest) = bank_lines(view, inner, short=True)
        bank = Panel("Bank", (brief[1:] or brief, *rest))  # its title has said what it is
    panels = [*above, *sessions, bank] if sessions else [*above, bank]
    for more in (_charts, _sums, _newest):
        panels += more(view, inner, rows - _rows(panels))
    return _ruled(panels, width)


def _rows(panels: Sequence[Panel]) -> int:
    return sum(panel.rows for panel in panels)


def _charts(view: ViewState, inner: int, room: int) -> list[Panel]:
    """How the windows fill, as many as there is room for, the one that ends first on top."""
    if view.pictures is None or room <= _CHART_ROWS[-1] + 4:
        return []
    from tui.ui.view.history import AXIS_ROWS, burn_up_chart, burn_up_title

    burn_ups = sorted(view.pictures.burn_ups, key=lambda burn_up: burn_up.minutes)
    while burn_ups:
        for chart_rows in _CHART_ROWS:
            if len(burn_ups) * (chart_rows + AXIS_ROWS + 1) <= room:
                return [
                    Panel(burn_up_title(view, one), tuple(burn_up_chart(view, one, inner, chart_rows)))
                    for one in burn_ups
                ]
        burn_ups.pop(0)
    return []


def _sums(view: ViewState, inner: int, room: int) -> list[Panel]:
    """The last four weeks and the hours of the week, as far as there is room."""
    if view.pictures is None:
        return []
    from tui.ui.view.history import days_lines, heat_lines, knows_days

    if not knows_days(view.pictures):
        return []

    panels: list[Panel] = []
    for title, draw in (("The last four weeks", days_lines), ("Hours of the week", heat_lines)):
        panel = Panel(title, tuple(draw(view.pictures, inner)))
        if panel.rows <= room - _rows(panels):
            panels.append(panel)
    return panels


def _newest(view: ViewState, inner: int, room: int) -> list[Panel]:
    """The ledger's newest lines, where there is room for some."""
    if room < _LEAST_FILLER or not view.state.recent:
        return []
    return [Panel("Ledger, newest first", recent_lines(view, inner)[: room - 1])]


def _framed(panels: Sequence[Panel], width: int, rows: int) -> list[Line]:
    """Panels in one frame with shared borders, at least so many rows high: the last panel takes what is left."""
    inner = width - 4
    lines: list[Line] = []
    for number, panel in enumerate(panels):
        lines.append(_rule(panel.title, width, "╭╮" if number == 0 else "├┤"))
        lines += [_bordered(line, inner) for line in panel.lines]
    lines += [_bordered((), inner)] * (rows - 1 - len(lines))
    return [*lines, (Span(f"╰{'─' * (width - 2)}╯", Level.FRAME),)]


def _ruled(panels: Iterable[Panel], width: int) -> list[Line]:
    """Panels under rules with their titles, without a frame."""
    lines: list[Line] = []
    for panel in panels:
        lines.append(_rule(panel.title, width, "──"))
        lines += [(Span(" "), *clip(line, width - 2)) if line else (Span(" "),) for line in panel.lines]
    return lines


def _rule(title: str, width: int, ends: str) -> Line:
    title = fit(title, width - 6)
    rest = "─" * (width - cells(title) - 5)
    return (Span(f"{ends[0]}─ ", Level.FRAME), Span(title, Level.TITLE), Span(f" {rest}{ends[1]}", Level.FRAME))


def _bordered(line: Line, inner: int) -> Line:
    line = clip(line, inner)
    fill = " " * (inner - line_width(line))
    return (Span("│ ", Level.FRAME), *line, Span(fill), Span(" │", Level.FRAME))
