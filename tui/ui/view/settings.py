"""The settings as lines: each with its value, where that comes from, and what it does."""

from collections.abc import Mapping, Sequence
from typing import Final

from tui.settings import Kind, Setting
from tui.settings_file import Row
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, left, wrap

_WIDE: Final = 72
"""From so many columns on, key, value and source stand in columns."""


def settings_lines(
    rows: Sequence[Row], around: Sequence[Row], cursor: int, hint: str, width: int
) -> tuple[tuple[Line, ...], range]:
    """Every setting with its help, the selected one with how it is changed, and what is decided around the file.

    The range says where the selected one stands in the lines.
    """
    lines: list[Line] = []
    selected = range(0)
    names = max((cells(row.key) for row in (*rows, *around)), default=0)
    for number, row in enumerate(rows):
        start = len(lines)
        lines += _row(row, names, width, is_selected=number == cursor)
        lines += _indented(row.help, Level.DIM, width)
        if number == cursor:
            lines += _indented(hint, Level.ACCENT, width)
            selected = range(start, len(lines))
    if around:
        lines += [(Span(" "),), (Span("Not from the settings file", Level.STRONG),)]
        for row in around:
            lines += _row(row, names, width, is_selected=False)
    return tuple(clip(line, width) for line in lines), selected


def _row(row: Row, names: int, width: int, *, is_selected: bool) -> list[Line]:
    hand = Span("▸ " if is_selected else "  ", Level.ACCENT)
    source = Span(clean(row.source), Level.DIM if row.source == "default" else Level.OK)
    key, value = Span(row.key, Level.STRONG), Span(clean(row.value))
    if width < _WIDE:
        return [clip((hand, key), width), *_indented(clean(row.value), Level.PLAIN, width, after=source)]
    return [
        *wrap((hand, Span(left(row.key, names + 2), Level.STRONG), value, Span("  "), source), width, indent=names + 4)
    ]


def _indented(text: str, level: Level, width: int, after: Span | None = None) -> tuple[Line, ...]:
    rest = (Span("  "), after) if after is not None else ()
    return wrap((Span("    "), Span(text, level), *rest), width, indent=4) if text or rest else ()


def how_to_change(setting: Setting | None, keys: Mapping[str, str]) -> str:
    """How the selected setting is changed: by key, or by the command that asks first."""
    if setting is None:
        return ""
    if setting.is_guarded:
        return f"could spend or run something: `resetbank config set {setting.key} VALUE` asks for a code first"
    if setting.kind in (Kind.WHOLE, Kind.NUMBER):
        return f"{keys['higher']} and {keys['lower']} change it ({setting.takes.partition(' number ')[2]})"
    if setting.kind is Kind.SWITCH or setting.key == "theme":
        return f"{keys['change']} changes it"
    return f"`resetbank config set {setting.key} VALUE` changes it"


def stepped(setting: Setting, value: object, step: int, themes: Sequence[str]) -> object | None:
    """The value after this one, or before it for -1; None where the setting has none that follow each other."""
    if setting.is_guarded:
        return None
    if setting.kind is Kind.SWITCH:
        return not value
    if setting.key == "theme":
        place = themes.index(value) if isinstance(value, str) and value in themes else -1
        return themes[(place + step) % len(themes)]
    if isinstance(value, int | float) and setting.least is not None and setting.most is not None:
        size = 5 if setting.most > 60 else 1
        following = min(max(value + step * size, setting.least + (1 if setting.above else 0)), setting.most)
        return int(following) if following == int(following) else following
    return None
