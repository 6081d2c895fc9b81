"""The last lines of the spend dialog: which key does what."""

from tui.ui.view.text import Level, Line, Span, wrap


def ask_prompt(letter: str, what: str, width: int, *, choice: bool = False) -> tuple[Line, ...]:
    """How to consent, and how not to.

    Args:
        letter: The capital letter that consents to this question alone.
        what: What it does.
        width: Columns to stay within.
        choice: Whether another reset can be chosen.
    """
    consent = wrap((Span("press "), Span(f" {letter} ", Level.KEY), Span(f" (capital) to {what}")), width)
    others = [Span("esc", Level.KEY), Span(" or "), Span("n", Level.KEY), Span(" leaves")]
    if choice:
        others += [Span("   "), Span("↑ ↓", Level.KEY), Span(" another reset")]
    return (*consent, *wrap(others, width))


def leave_prompt(width: int) -> tuple[Line, ...]:
    """How to go back once nothing is at stake."""
    parts = [Span("enter", Level.KEY), Span(" or "), Span("esc", Level.KEY), Span(" goes back")]
    return wrap(parts, width)


def wait_prompt(text: str, width: int) -> tuple[Line, ...]:
    """Why no key does anything now."""
    return wrap((Span(text, Level.DIM),), width)
