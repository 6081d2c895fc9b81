"""The keys and the signs."""

from collections.abc import Mapping

from tui.ui.commands import COMMANDS, PARTS, PLACES, commands_of, shown_key
from tui.ui.view.text import Level, Line, Span, fit, left, named, wrap
from tui.ui.view.words import LEGEND

_KEY_CELLS = 16

LETTER = "The letter that the dialog shows consents, pressed alone"


def all_keys(keys: str) -> str:
    """Every key of a command as a person reads them: `F5, ctrl+r`."""
    return ", ".join(shown_key(key) for key in keys.split(","))


def help_lines(table: Mapping[str, str], place: str, width: int) -> tuple[Line, ...]:
    """The keys of one place, the user's own laid over the defaults, then every sign."""
    lines: list[Line] = [(Span(f"Keys: {PLACES[place].title}", Level.STRONG),)]
    if PLACES[place].asks:
        lines += _entry("A … Z", LETTER, Level.KEY, width)
    for command in commands_of(place):
        lines += _entry(all_keys(table.get(command.id, command.key)), command.help, Level.KEY, width)
    lines += _entry("ctrl+p", "Everything by name", Level.KEY, width)
    lines += [(Span(" "),), (Span("Signs", Level.STRONG),)]
    for sign, meaning, level in LEGEND:
        lines += _entry(sign, meaning, level, width)
    lines += [(Span(" "),), (Span("Safety", Level.STRONG),)]
    for text in (
        "A reset is spent only by the capital letter that the dialog draws at random. It counts only if no other key is"
        " pressed in the 0.4 s before and after it; any other capital closes the dialog.",
        "One confirmed spend uses one key: whatever breaks, at most one reset is gone, and the ledger shows it.",
    ):
        lines += wrap((Span(text),), width)
    return tuple(lines)


def _entry(sign: str, text: str, level: Level, width: int) -> tuple[Line, ...]:
    rows = named(fit(sign, _KEY_CELLS - 1), Span(text), width=width - 2, level=level, name_cells=_KEY_CELLS)
    return tuple((Span("  "), *row) for row in rows)


def key_table(table: Mapping[str, str], width: int) -> tuple[Line, ...]:
    """The keys of every place for a terminal without a screen: keys, what they do, and the id for the settings."""
    rows: list[Line] = []
    for part, title in PARTS.items():
        rows += [(Span(" "),), (Span(title, Level.STRONG),)] if rows else [(Span(title, Level.STRONG),)]
        for command in COMMANDS:
            if command.place == part:
                start = "  " + left(all_keys(table.get(command.id, command.key)), _KEY_CELLS) + "  "
                rows += wrap((Span(start + command.help), Span(f"  [{command.id}]", Level.DIM)), width, len(start))
    rows += [(Span(" "),), (Span("Dialogs that spend or send", Level.STRONG),)]
    return (*rows, *_entry("A … Z", LETTER, Level.KEY, width))
