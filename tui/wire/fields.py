"""Reading outside data field by field: what makes no sense becomes unknown, with a reason, and never a crash or a 0."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tui.errors import BadPayload

LONGEST_TEXT: Final = 500
"""Characters of outside text that are kept where the caller names no other limit."""

_MOST_NOTES: Final = 12
_LARGEST_PERCENT: Final = 10_000.0
_LARGEST_COUNT: Final = 100_000
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,20})?", re.ASCII)
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Cn", "Co"))
_JOINERS: Final = frozenset("\u200c\u200d")
"""Hidden characters that scripts and emoji need."""


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Make outside text safe to show on one line.

    Control characters, lone surrogates and marks that hide or turn the text go; blanks run together; what is too
    long is cut and ends in `…`. Markup is not touched: text from outside never reaches it.
    """
    # Ten times the limit is looked at, so that a megabyte of blanks costs nothing.
    visible = (
        " " if character.isspace() else character
        for character in text[: longest * 10]
        if character.isspace() or character in _JOINERS or unicodedata.category(character) not in _HIDDEN
    )
    line = " ".join("".join(visible).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def load_object(body: bytes, what: str) -> dict[str, object]:
    """Decode a body that should be one JSON object; `what` is its name for the error line.

    Raises:
        BadPayload: No JSON, nested too deeply, or no object.
    """
    try:
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            # Slower and more tolerant: one NaN, endless number or lone surrogate spoils one field, not the answer.
            import json

            value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"{what} is not valid JSON", "check the base URL") from error
    if not isinstance(value, dict):
        raise BadPayload(f"{what} is not a JSON object", "check the base URL")
    return value


class FieldReader:
    """Reads single fields and collects what could not be understood.

    Every method takes the value as it was decoded and the field's name in plain words. It answers None for null or
    absent, and None with a note for anything else that it cannot take at its word.
    """

    def __init__(self, beside: "FieldReader | None" = None, answered_ahead: timedelta | None = None) -> None:
        """Begin.

        Args:
            beside: Another reader whose notes this one adds to, for fields that cannot stop ordinary use.
            answered_ahead: How far this machine's clock is ahead of the service's, by the date of its answer.
        """
        self._notes: dict[str, None] = {} if beside is None else beside._notes
        self.answered_ahead: timedelta | None = beside.answered_ahead if beside else answered_ahead
        self.unclear = False
        """Whether a word that could stop ordinary use made no sense."""
        self.clock_ahead: timedelta | None = None
        """How far this machine's clock is ahead of the service's, where a field shows that they disagree."""

    @property
    def unknowns(self) -> tuple[str, ...]:
        """One line a field that made no sense; a flood of them is cut."""
        notes = tuple(self._notes)
        if len(notes) <= _MOST_NOTES:
            return notes
        return (*notes[:_MOST_NOTES], f"and {len(notes) - _MOST_NOTES} more fields make no sense")

    def note(self, reason: str) -> None:
        """Add a line of one's own; the same line counts once."""
        self._notes[reason] = None

    def _odd(self, what: str) -> None:
        self.note(f"{what} makes no sense")

    def mapping(self, value: object, what: str, *, vital: bool = False) -> Mapping[str, object] | None:
        """An object; nonsense in the place of a vital one, which may stop ordinary use, leaves that unclear."""
        if value is None or isinstance(value, dict):
            return value
        self.unclear = self.unclear or vital
        self._odd(what)
        return None

    def items(self, value: object, what: str, most: int) -> list[object] | None:
        """A list, cut after `most` items."""
        if value is None:
            return None
        if not isinstance(value, list):
            self._odd(what)
            return None
        if len(value) > most:
            self.note(f"{what}: only the first {most} of {len(value)} are read")
        return value[:most]

    def rows(self, value: object, what: str, most: int, each: str) -> list[Mapping[str, object]]:
        """The objects of a list, cut after `most`; an item that is none is passed over."""
        found = (self.mapping(item, each) for item in self.items(value, what, most) or ())
        return [row for row in found if row is not None]

    def flag(self, value: object, what: str) -> bool | None:
        """True or false."""
        if value is None or isinstance(value, bool):
            return value
        self._odd(what)
        return None

    def word(self, value: object, what: str) -> bool | None:
        """True or false about what may stop ordinary use, however it is spelt; nonsense leaves that unclear."""
        spelt = value.strip().lower() if isinstance(value, str) else value
        if spelt in (True, "true", "1"):
            return True
        if spelt in (False, "false", "0"):
            return False
        self.unclear = self.unclear or value is not None
        return self.flag(value, what)

    def text(self, value: object, what: str, longest: int = LONGEST_TEXT) -> str | None:
        """Text, made safe to show; empty counts as absent."""
        if value is None:
            return None
        if not isinstance(value, str):
            self._odd(what)
            return None
        return clean_text(value, longest) or None

    def decimal(self, value: object, what: str) -> str | None:
        """A decimal in its own spelling, given as text or as a number."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = _number(value)
            if number is None:
                self._odd(what)
                return None
            return f"{number:.10g}"
        return self.text(value, what, 40)

    def number(self, value: object, what: str, largest: float) -> float | None:
        """A number from 0 to `largest`, given as a number or as decimal text."""
        if value is None:
            return None
        number = _number(value)
        if number is None or not 0 <= number <= largest:
            self._odd(what)
            return None
        return number + 0.0  # minus zero becomes zero

    def percent(self, value: object, what: str) -> float | None:
        """A share in per cent; fractions and more than 100 have been seen."""
        return self.number(value, what, _LARGEST_PERCENT)

    def count(self, value: object, what: str) -> int | None:
        """How many; a whole number from 0 up."""
        number = self.number(value, what, _LARGEST_COUNT)
        if number is not None and not number.is_integer():
            self._odd(what)
            return None
        return None if number is None else int(number)

    def moment(self, value: object, what: str) -> datetime | None:
        """A time: unix seconds, as a number or as text, or RFC 3339 with its offset; in UTC."""
        if value is None:
            return None
        moment = _moment(value)
        if moment is None:
            self._odd(what)
        return moment


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(value)
    return finite(value) if isinstance(value, int | float) else None


def finite(value: float) -> float | None:
    """A number as it is; None for one that is endless, or too large to be any."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> datetime | None:
    seconds = _number(value)
    if seconds is not None:
        return datetime.fromtimestamp(seconds, UTC) if _EARLIEST <= seconds <= _LATEST else None
    if not isinstance(value, str):
        return None
    try:
        moment = msgspec.convert(value.strip(), datetime)
        if moment.tzinfo is None or not _EARLIEST <= moment.timestamp() <= _LATEST:
            return None
        return moment.astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None
