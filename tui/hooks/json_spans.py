"""Where things stand in a JSON text, so that one can be changed without touching any other byte."""

import json
from json import JSONDecoder
from typing import Any, Final

import msgspec

_BLANK: Final = " \t\r\n"
_DECODER: Final = JSONDecoder()


class Span(msgspec.Struct, frozen=True):
    """One value of an object or array."""

    key: str | None
    """Its name; None in an array."""
    item_start: int
    """Where it begins, with its name."""
    start: int
    """Where its value begins."""
    end: int
    """Where its value is over."""
    value: Any


def parse_strictly(text: str) -> Any:
    """Parse JSON as strictly as Codex does: `ValueError` too where a key stands twice, or it is nested too deeply."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def spans(text: str, start: int) -> list[Span]:
    """The values of the object or array that begins at `start`; the text is valid JSON."""
    found = []
    is_object = text[start] == "{"
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        item_start, key = at, None
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, end = _DECODER.raw_decode(text, at)
        found.append(Span(key, item_start, at, end, value))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def first_value(text: str) -> int:
    """Where a document's value begins."""
    return _skip(text, 0)


def append(text: str, start: int, item: str) -> str:
    """Put a further item at the end of the object or array at `start`, set apart as its siblings are."""
    found = spans(text, start)
    if not found:
        return text[: start + 1] + item + text[_skip(text, start + 1) :]
    last = found[-1]
    before = last.item_start
    while text[before - 1] in _BLANK:
        before -= 1
    apart = text[before : last.item_start]
    if not apart and len(found) == 1:
        apart = " "
    return f"{text[: last.end]},{apart}{item}{text[last.end :]}"


def remove(text: str, start: int, place: int) -> str:
    """Take out one item of the object or array at `start`, with one of the commas beside it."""
    found = spans(text, start)
    if place + 1 < len(found):
        return text[: found[place].item_start] + text[found[place + 1].item_start :]
    if place:
        return text[: found[place - 1].end] + text[found[place].end :]
    return text[: start + 1] + text[_skip(text, found[0].end) :]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
