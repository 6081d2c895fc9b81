"""The plain text of `resetbank status`."""

from typing import Final

from msgspec.structs import replace

from tui.ui.view.bank import bank_lines
from tui.ui.view.chrome import demo_line, header_line, status_line
from tui.ui.view.headline import headline
from tui.ui.view.limits import limits_lines
from tui.ui.view.outlook import advice_lines
from tui.ui.view.text import Line, Span, plain, wrap
from tui.ui.view.view_state import ViewState

_WIDTH: Final = 80
_UNCUT: Final = 10_000
"""Columns in which no note is cut: here it may take several rows."""


def status_text(view: ViewState) -> str:
    """The main screen without a screen: what stands, in words, ending without a newline."""
    inner = _WIDTH - 2
    lines: list[Line] = []
    if band := demo_line(view, _WIDTH):
        lines += [band, ()]
    lines += [header_line(view, _WIDTH), (), *wrap(headline(view), _WIDTH), ()]
    panels = (
        ("Limits", limits_lines(view, inner)),
        ("Advice", advice_lines(view, inner)),
        ("Bank", bank_lines(view, inner)),
    )
    for title, panel in panels:
        if panel:
            lines += [(Span(title),), *(((Span("  "), *row) if row else ()) for row in panel), ()]
    once = replace(view, state=replace(view.state, link=replace(view.state.link, interval=None)))  # it reads no more
    return plain((*lines, *wrap(status_line(once, _UNCUT), _WIDTH, indent=2))).rstrip()
