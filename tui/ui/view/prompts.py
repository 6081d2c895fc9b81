"""The last lines of the dialogs, which say what each key does; and why something did not come about."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.ui.commands import BY_ID, shown_key
from tui.ui.view.text import Level, Line, Span, clean, clip, line_width, wrap
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.ui.dialogs.dialog import Dialog

_LONG_PROMPT = 60
"""Columns from which on a key is explained with all its words."""


_ENLARGE = ": make this pane at least 40x12 to answer"


def enlarge_lines(dialog: "Dialog", view: ViewState, width: int) -> tuple[Line, ...]:
    """What is asked, and how large the terminal must be before it can be answered."""
    return wrap((Span(dialog.title(view, max(width - len(_ENLARGE), 20)) + _ENLARGE, Level.NEAR),), width)


def dialog_prompt(
    dialog: "Dialog", view: ViewState, letters: tuple[str, ...], hint: str, width: int
) -> tuple[Line, ...]:
    """How to consent by the letters, what the other keys do, and why the last key did nothing."""
    lines: list[Line] = []
    if dialog.phase == "typing" and view.state.question is not None:
        text = f"a session needs an answer: {view.keys.get('close', 'esc')} shows the question"
        lines += wrap((Span("! ", Level.NEAR), Span(text)), width, indent=2)
    lines += _letter_lines(letters, dialog.offers() if letters else (), width)
    if hint:
        lines += wrap((Span("! ", Level.NEAR), Span(hint)), width, indent=2)
    keys = dialog.keys(view)
    if not keys:
        lines += wrap((Span(dialog.waits, Level.DIM),), width)
    which = 0 if width >= _LONG_PROMPT else -1
    items = [(_keys_of(view, names, dialog.phase), words.split("|")[which], names) for names, words in keys]
    return (*lines, *keys_prompt(items, width))


def _letter_lines(letters: tuple[str, ...], offers: tuple[str, ...], width: int) -> tuple[Line, ...]:
    parts = [
        (Span("press "), Span(f" {letter} ", Level.KEY), Span(f" {'(capital) to ' if len(letters) == 1 else ''}{what}"))
        for letter, what in zip(letters, offers, strict=True)
    ]
    if len(parts) == 2 and line_width((*parts[0], *parts[1])) + 5 <= width:
        return ((*parts[0], Span("     "), *parts[1]),)
    return tuple(line for part in parts for line in wrap(part, width))


def _keys_of(view: ViewState, names: str, phase: str) -> str:
    """The keys of some commands: `esc or n` for one, `↑ ↓ space` for several."""
    ids = names.split()
    first = [view.keys.get(name) or shown_key(BY_ID[name].key) for name in ids]
    if ids == ["close"]:
        return "esc or n" if first == ["esc"] and phase != "typing" else first[0]
    return " or ".join(first) if ids == ["confirm", "close"] else " ".join(first)


def keys_prompt(keys: Iterable[tuple[str, str, str]], width: int) -> tuple[Line, ...]:
    """Several keys with what they do, each a button; a key is never parted from its words while they fit a line."""
    lines: list[Line] = []
    current: tuple[Span, ...] = ()
    for key, words, names in keys:
        action = f"app.give({names.split()[0]!r})"
        item = (Span(key, Level.KEY, action), Span(f" {words}", action=action))
        if current and line_width((*current, Span("   "), *item)) <= width:
            current = (*current, Span("   "), *item)
            continue
        lines += [current] if current else []
        current = item
    return tuple(clip(line, width) for line in (*lines, current) if line)


def failure_lines(message: str, hint: str, width: int) -> tuple[Line, ...]:
    """Why something did not come about, and what to do."""
    lines = wrap((Span("! ", Level.NEAR), Span(clean(message))), width, indent=2)
    return (*lines, *wrap((Span("  "), Span(clean(hint), Level.DIM)), width, indent=2)) if hint else lines
