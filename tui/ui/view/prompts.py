"""The last lines of the dialogs, which say what each key does; and why something did not come about."""

from collections.abc import Iterable

from tui.ui.view.text import Level, Line, Span, clean, clip, line_width, wrap
from tui.ui.view.view_state import ViewState


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


def keys_prompt(keys: Iterable[tuple[str, str]], width: int) -> tuple[Line, ...]:
    """Several keys with what they do; a key is never parted from its words while they fit a line.

    Args:
        keys: The keys, each with its words.
        width: Columns to stay within.
    """
    lines: list[Line] = []
    current: tuple[Span, ...] = ()
    for key, words in keys:
        item = (Span(key, Level.KEY), Span(f" {words}"))
        if current and line_width((*current, Span("   "), *item)) <= width:
            current = (*current, Span("   "), *item)
            continue
        lines += [current] if current else []
        current = item
    return tuple(clip(line, width) for line in (*lines, current) if line)


def waiting_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """That a question waits until nobody types any more; nothing where none does."""
    if view.state.question is None:
        return ()
    return wrap((Span("! ", Level.NEAR), Span("a session needs an answer: esc shows the question")), width, indent=2)


def failure_lines(message: str, hint: str, width: int) -> tuple[Line, ...]:
    """Why something did not come about, and what to do."""
    lines = wrap((Span("! ", Level.NEAR), Span(clean(message))), width, indent=2)
    return (*lines, *wrap((Span("  "), Span(clean(hint), Level.DIM)), width, indent=2)) if hint else lines
