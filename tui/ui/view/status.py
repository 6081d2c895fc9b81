"""The plain text of `resetbank status` and of the question of `resetbank spend`."""

from datetime import datetime, tzinfo

from tui.domain.spend import Proposal
from tui.ui.view.bank import bank_lines
from tui.ui.view.chrome import demo_line, header_line, status_line
from tui.ui.view.headline import headline
from tui.ui.view.limits import limits_lines
from tui.ui.view.outlook import advice_lines
from tui.ui.view.spending import proposal_lines
from tui.ui.view.text import Line, Span, plain, wrap
from tui.ui.view.view_state import ViewState


def status_text(view: ViewState, width: int = 80) -> str:
    """The main screen without a screen: what stands, in words, ending without a newline."""
    inner = width - 2
    lines: list[Line] = []
    if band := demo_line(view, width):
        lines += [band, ()]
    lines += [header_line(view, width), (), *wrap(headline(view), width), ()]
    panels = (
        ("Limits", limits_lines(view, inner)),
        ("Advice", advice_lines(view, inner)),
        ("Bank", bank_lines(view, inner)),
    )
    for title, panel in panels:
        if panel:
            lines += [(Span(title),), *(((Span("  "), *row) if row else ()) for row in panel), ()]
    note = status_line(view, width)
    text = plain((*lines, note))
    return text.rstrip()


def proposal_text(proposal: Proposal, now: datetime, zone: tzinfo, width: int = 80) -> str:
    """The question of a spend as plain text, ending without a newline."""
    return plain(proposal_lines(proposal, now, zone, width))
