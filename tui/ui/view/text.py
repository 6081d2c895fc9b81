"""Spans of text with a meaning, and the handling of cells: cleaning, measuring, fitting, wrapping."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace


class Level(StrEnum):
    """What a piece of text means; the widgets turn it into a style, words and signs carry it without one."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    OK = "ok"
    NEAR = "near"
    REACHED = "reached"
    UNKNOWN = "unknown"
    ACCENT = "accent"
    KEY = "key"
    FULL = "full"
    """The cells of a full bar: reversed they would look empty."""
    FRAME = "frame"
    """Borders and rules."""
    TITLE = "title"
    CODE = "code"
    """A QR code, which a camera reads: as much contrast as there is."""


class Span(msgspec.Struct, frozen=True):
    """A piece of one line."""

    text: str
    level: Level = Level.PLAIN
    action: str | None = None
    """What a click on it runs: `app.` and a command id, or `screen.` and an action of the screen."""


Line = tuple[Span, ...]

NAME_CELLS = 11
"""Columns of the names on the left of a dialog."""

_JOINERS = "\u200c\u200d"
"""Hidden characters that scripts and emoji need between two others."""
_TOGETHER = re.compile(
    r"(?<=\d) (?=(?:d|h|min|s|%|hours?|days?|weeks?|points?|resets?)(?!\w))"  # 3 h, 5 hours, 2 resets
    r"|(?<=\d [dh]) (?=\d+ (?:h|min|s)(?!\w))"  # 3 d 17 h
    r"|(?<=Week) (?=\d)"  # Week 41 %
    r"|(?<=Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d)"  # Sun 29
    r"|(?<=\d) (?=(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?!\w))"  # 29 Nov
    r"|(?<=Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?=\d\d:\d\d)"  # Nov 18:47
)
"""Spaces inside a duration or a date, at which no line is broken."""
_NARROW = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u2013-\u2026\u2190-\u2199\u2248\u2500-\u25e6\u2713\u2717\u2800-\u28ff]*"
)
"""Text of characters that take one cell each and never join: our own words, signs, frames and charts."""
_MOST_MARKS = 6
"""Marks on one letter; more are a tower that hides the lines above and below."""


def clean(text: str) -> str:
    """Make text from outside fit for one line: no control or format characters, single spaces; marks stay.

    It is composed, as macOS does not write its names: terminals measure letters with their marks apart in many ways.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept: list[str] = []
    marks = _MOST_MARKS  # a mark needs a letter before it
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        if character.isspace():
            kept.append(" ")
            marks = _MOST_MARKS
        elif kind[0] == "M" or character in _JOINERS:
            marks += 1
            if marks <= _MOST_MARKS:
                kept.append(character)
        elif kind[0] != "C":
            kept.append(character)
            marks = 0
    return " ".join("".join(kept).split())


def cells(text: str) -> int:
    """How many columns of a terminal a cleaned text takes."""
    if text.isascii() or _NARROW.fullmatch(text):
        return len(text)
    return sum(_cluster_cells(cluster) for cluster in _clusters(text))


def _clusters(text: str) -> list[str]:
    """The text in pieces that are shown as one: a letter with its marks, emoji that are joined."""
    found: list[str] = []
    for character in text:
        follows = (
            unicodedata.category(character)[0] == "M"
            or character in _JOINERS
            or ("\U0001f3fb" <= character <= "\U0001f3ff" and found and found[-1][0] > "\u2000")  # an emoji's skin
            or "\u1160" <= character <= "\u11ff"  # the rest of a Korean syllable
            or (found and found[-1][-1] == "\u200d" and character > "\u2000")
        )
        if found and follows:
            found[-1] += character
        else:
            found.append(character)
    return found


def _cluster_cells(cluster: str) -> int:
    first = cluster[0]
    if unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff" or first in _JOINERS:
        return 0
    shown_as_emoji = "\ufe0f" in cluster and first > "\u2000" and not "\U0001f1e6" <= first <= "\U0001f1ff"
    return 2 if shown_as_emoji or unicodedata.east_asian_width(first) in "WF" else 1


def fit(text: str, width: int) -> str:
    """Cut to at most `width` columns, with an ellipsis where something is left out."""
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for cluster in _clusters(text):
        used += _cluster_cells(cluster)
        if used > width - 1:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


def left(text: str, width: int) -> str:
    """Fit and fill on the right to exactly `width` columns."""
    text = fit(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """Fit and fill on the left to exactly `width` columns."""
    text = fit(text, width)
    return " " * (width - cells(text)) + text


def line_width(spans: Line) -> int:
    """How many columns a line takes."""
    return sum(cells(span.text) for span in spans)


def clip(spans: Line, width: int) -> Line:
    """Cut a line to `width` columns."""
    if line_width(spans) <= width:
        return spans
    kept: list[Span] = []
    for span in spans:
        room = width - line_width(tuple(kept))
        if cells(span.text) > room:
            kept.append(replace(span, text=fit(span.text, room)))
            break
        kept.append(span)
    return tuple(kept)


def spread(start: Line, end: Line, width: int) -> Line:
    """One line with a left and a right part; the right part is kept, the left one cut."""
    start = clip(start, max(0, width - line_width(end) - 1))
    gap = max(0, width - line_width(start) - line_width(end))
    return clip((*start, Span(" " * gap), *end), width)


def wrap(spans: Iterable[Span], width: int, indent: int = 0) -> tuple[Line, ...]:
    """Break a line at spaces, but inside a duration or a date only where it is wider than the line.

    Lines after the first are moved in by `indent`.
    """
    width = max(width, indent + 4)
    lines: list[list[Span]] = [[]]
    used = 0
    for span in spans:
        for number, word in enumerate(_words(span.text, width - indent)):
            gap = " " if number else ""
            if not word and used >= width:
                continue  # spaces at the end of a full line
            if used and used + len(gap) + cells(word) > width and word:
                lines.append([Span(" " * indent)] if indent else [])
                used, gap = indent, ""
            piece = gap + fit(word, width - used - len(gap))
            if piece:
                lines[-1].append(replace(span, text=piece))
                used += cells(piece)
    return tuple(_joined(parts) for parts in lines if parts)


def named(
    name: str, *parts: Span, width: int, level: Level = Level.DIM, name_cells: int = NAME_CELLS
) -> tuple[Line, ...]:
    """A name and its text, which wraps beside the name."""
    start = Span(name + " " * max(1, name_cells - cells(name)), level)
    return tuple(
        (start if number == 0 else Span(" " * name_cells), *text)
        for number, text in enumerate(wrap(parts, width - name_cells))
    )


def _words(text: str, width: int) -> list[str]:
    """The text split at its spaces; a duration or a date that fits into `width` is one word."""
    words: list[str] = []
    for group in _TOGETHER.sub("\0", text).split(" "):
        parts = group.replace("\0", " ")
        words += [parts] if cells(parts) <= width else parts.split(" ")
    return words


def _joined(parts: list[Span]) -> Line:
    joined: list[Span] = []
    for part in parts:
        if joined and (joined[-1].level, joined[-1].action) == (part.level, part.action):
            joined[-1] = replace(part, text=joined[-1].text + part.text)
        else:
            joined.append(part)
    return tuple(joined)


def dimmed(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The same text, all of it dim: it was true once and may not be now."""
    return tuple(tuple(replace(span, level=Level.DIM) for span in spans) for spans in lines)


def plain(lines: Iterable[Line]) -> str:
    """The text alone, for a terminal without styles or a pipe."""
    return "\n".join("".join(span.text for span in spans).rstrip() for spans in lines)
