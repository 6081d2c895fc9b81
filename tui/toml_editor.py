"""A TOML text with one value set or taken out; the rest stays as it is, letter for letter.

The standard library reads TOML and does not write it. This finds where each value stands, puts another in its place,
and has the library read the result: a text that does not hold exactly the wanted values is never handed out.
"""

import json
import re
import tomllib
from typing import Any, Final

import msgspec

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'|#[^\n]*|[\[\]{}\n=]|[^\"'#\[\]{}\n=]+",
    re.DOTALL,
)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_FIRST_PARAGRAPH: Final = re.compile(r"(?:[ \t]*#[^\n]*\n)+[ \t\r]*\n")
"""The comment that a file opens with; one that is followed by a blank line is about the whole file."""

_NOT_IN_PLACE: Final = "it is written in a form that cannot be changed here"

_Path = tuple[str, ...]


class CannotEdit(ValueError):
    """The text cannot be changed in place; the message says why."""


class _Line(msgspec.Struct, frozen=True):
    """A header, or a key with its value; a value may run over several lines of the text."""

    start: int
    end: int
    """Behind the end of the line."""
    section: _Path | None
    """The table that it opens or stands in; None in an array of tables."""
    names: _Path = ()
    """The key, of several names where it is dotted; empty for a header."""
    value: tuple[int, int] = (0, 0)
    """Where the value begins and ends."""


def set_value(text: str, path: _Path, value: object) -> str:
    """Set one value in valid TOML: in its place, or else behind the others of its section; None takes its line out.

    Raises:
        CannotEdit: There is something on the way that is no table, or it cannot be done in place.
    """
    data = tomllib.loads(text)
    table = data
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            if value is None:
                return text
            raise CannotEdit(f"{name} is not a table")
    if value is not None:
        table[path[-1]] = value
    elif table.pop(path[-1], None) is None:
        return text
    lines = _lines(text)
    for line in lines:
        if line.section is not None and line.names:
            whole = line.section + line.names
            if whole == path and value is None:
                return _checked(text[: line.start] + text[line.end :], data)
            if whole == path[: len(whole)]:  # itself, or an inline table that holds it
                return _checked(_replaced(text, line, data, whole), data)
    if value is None:
        raise CannotEdit(_NOT_IN_PLACE)
    return _checked(_added(text, lines, path, inline(value)), data)


def _checked(text: str, wanted: dict[str, Any]) -> str:
    """The text, if it holds what is wanted; a section that has become empty makes no difference."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEdit(_NOT_IN_PLACE) from error
    if _without_empty(found) != _without_empty(wanted):
        raise CannotEdit(_NOT_IN_PLACE)
    return text


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in table.items()}
    return {name: value for name, value in kept.items() if value != {}}


def _replaced(text: str, line: _Line, data: dict[str, Any], path: _Path) -> str:
    """The text with what `data` holds at a path in the place of the line's value."""
    value: Any = data
    for name in path:
        value = value[name]
    start, end = line.value
    return text[:start] + inline(value) + text[end:]


def _added(text: str, lines: list[_Line], path: _Path, value: str) -> str:
    """Behind the last key of the section; else in a new section at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    section, name = path[:-1], path[-1:]
    inside = [line for line in lines if line.section == section]
    dotted = [line for line in lines if line.section is not None and _is_inside(line, section)]
    if inside:
        place, names = inside[-1].end, name
    elif dotted:
        place, names = dotted[-1].end, path[len(dotted[-1].section or ()) :]
    elif not section:
        opening = _FIRST_PARAGRAPH.match(text)
        place, names = opening.end() if opening else 0, name
    else:
        gap = newline if text.strip() else ""
        header = f"{gap}[{_key(section)}]{newline}{_key(name)} = {value}{newline}"
        return _with_end(text, newline) + header
    written = f"{_key(names)} = {value}{newline}"
    if not section and not inside and text[place:].lstrip(" \t")[:1] in ("[", "#"):
        written += newline  # what follows begins a section
    return _with_end(text[:place], newline) + written + text[place:]


def _is_inside(line: _Line, section: _Path) -> bool:
    """Whether a dotted key, written further out, defines a part of the section."""
    outer = line.section or ()
    return len(outer) < len(section) <= len(outer + line.names[:-1]) and (outer + line.names)[: len(section)] == section


def _with_end(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _lines(text: str) -> list[_Line]:
    """The headers and keys of valid TOML, with where they stand."""
    found: list[_Line] = []
    section: _Path | None = ()
    start = 0
    while start < len(text):
        equals, content_end, end = _extent(text, start)
        content = text[start:content_end]
        if content.strip() and equals is None:
            section = None if content.lstrip().startswith("[[") else _names(content)
            found.append(_Line(start, end, section))
        elif equals is not None:
            value_start = (
                equals + 1 + len(text[equals + 1 : content_end]) - len(text[equals + 1 : content_end].lstrip())
            )
            names = _names(f"{text[start:equals]} = 0")
            found.append(_Line(start, end, section, names, (value_start, content_end)))
        start = end
    return found


def _extent(text: str, start: int) -> tuple[int | None, int, int]:
    """Where the first `=` of a line stands, where its content ends before a comment, and where the line ends."""
    equals, content_end, depth = None, start, 0
    for token in _TOKEN.finditer(text, start):
        word = token[0]
        if word == "\n" and depth == 0:
            return equals, content_end, token.end()
        if word in ("[", "{"):
            depth += 1
        elif word in ("]", "}"):
            depth -= 1
        elif word == "=" and depth == 0 and equals is None:
            equals = token.start()
        if depth or not word.startswith("#"):
            content_end = token.start() + len(word.rstrip()) if word.strip() else content_end
    return equals, content_end, len(text)


def _names(line: str) -> _Path:
    """The names of a header or of a dotted key, as the library reads them."""
    table: Any = tomllib.loads(line)
    names: list[str] = []
    while isinstance(table, dict) and table:
        ((name, table),) = table.items()
        names.append(name)
    return tuple(names)


def _key(names: _Path) -> str:
    return ".".join(name if _BARE.fullmatch(name) else inline(name) for name in names)


def inline(value: object) -> str:
    """A value as TOML on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() if '"' in value and value.isprintable() and not {"'", "\\"} & set(value):
            return f"'{value}'"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return f"[{', '.join(inline(item) for item in value)}]"
        case dict():
            inner = ", ".join(f"{_key((name,))} = {inline(item)}" for name, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case int() | float():
            return repr(value)
    raise CannotEdit("it holds a date, which is no setting")
