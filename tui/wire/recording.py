"""Codec of recordings: what `resetbank replay` reads, and what it answers, one JSON object a line.

Schema 1. Lines in: `recording` (the head: schema, utc_offset_minutes), `reading` and `ask`. Lines out: `forecast`,
`warning`, `advice` and `answered`. Unknown fields and unknown kinds of lines are left alone; null means unknown.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from tui.domain.advice import Advice
from tui.domain.forecast import Forecast
from tui.domain.foresight import Warned
from tui.domain.reading import CreditReading, Reading, WindowReading
from tui.errors import BadPayload
from tui.wire.fields import finite

SCHEMA: Final = 1
_LONGEST_ID: Final = 200
_MOST_MINUTES: Final = 60 * 24 * 400
_MOST_WINDOWS: Final = 32
_MOST_CREDITS: Final = 1000
_MOST_OFFSET: Final = 24 * 60


class Head(msgspec.Struct, frozen=True):
    """The first line."""

    utc_offset_minutes: int


class Ask(msgspec.Struct, frozen=True):
    """A question: what is to be expected, and what to do?"""

    at: float | None
    """Unix seconds; None where the line did not say it usably."""
    at_text: str | None
    """As it was written."""


class _Line(msgspec.Struct, frozen=True):
    type: Any = None
    at: Any = None
    schema: Any = None
    utc_offset_minutes: Any = None
    ordinary_usage_allowed: Any = None
    windows: Any = None
    resets: Any = None
    sessions: Any = None


_decoder: Final = msgspec.json.Decoder(_Line)
_encoder: Final = msgspec.json.Encoder()


def decode_line(line: bytes) -> Head | Reading | Ask | None:
    """Understand one line.

    Returns:
        None for an empty line and for kinds of lines that this version does not know.

    Raises:
        BadPayload: The line cannot be understood; the message says why in a few words.
    """
    if not line.strip():
        return None
    try:
        fields = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadPayload("it is not a JSON object") from None
    if fields.type == "reading":
        return _reading(fields)
    if fields.type == "ask":
        return Ask(moment(fields.at), fields.at if isinstance(fields.at, str) else None)
    if fields.type == "recording":
        if fields.schema not in (None, SCHEMA):
            raise BadPayload(f"its schema is not {SCHEMA}")
        offset = number(fields.utc_offset_minutes)
        return Head(int(offset) if offset is not None and abs(offset) <= _MOST_OFFSET else 0)
    if not isinstance(fields.type, str):
        raise BadPayload("it has no type")
    return None


def _reading(fields: _Line) -> Reading:
    at = moment(fields.at)
    if at is None:
        raise BadPayload("its time is missing or makes no sense")
    windows: dict[int, WindowReading] = {}
    for window in _items(fields.windows)[:_MOST_WINDOWS]:
        minutes = number(window.get("minutes"))
        if minutes is None or not 1 <= minutes <= _MOST_MINUTES:
            continue
        used = number(window.get("used_percent"))
        found = WindowReading(int(minutes), used, moment(window.get("resets_at")))
        known = windows.get(found.minutes)
        if known is None or (known.used_percent or -1.0) < (used if used is not None else -1.0):
            windows[found.minutes] = found
    resets = fields.resets if isinstance(fields.resets, dict) else {}
    available = number(resets.get("available"))
    held = None
    if isinstance(resets.get("credits"), list):
        held = tuple(
            CreditReading(str(c["id"])[:_LONGEST_ID], moment(c.get("expires_at")))
            for c in _items(resets["credits"])[:_MOST_CREDITS]
            if isinstance(c.get("id"), str | int) and c.get("status", "available") == "available"
        )
    running = None
    if isinstance(fields.sessions, list):
        running = sum(session.get("state") == "running" for session in _items(fields.sessions))
    allowed = fields.ordinary_usage_allowed
    return Reading(
        at,
        tuple(windows.values()),
        allowed if isinstance(allowed, bool) else None,
        int(available) if available is not None and available >= 0 else None,
        held,
        running,
    )


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: object) -> float | None:
    """A finite number, also one in a string; anything else is unknown."""
    if isinstance(value, str):
        try:
            return finite(float(value))
        except ValueError:
            return None
    return finite(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def moment(value: object) -> float | None:
    """Unix seconds of an RFC 3339 time or of Unix seconds; anything else is unknown."""
    if isinstance(value, str):
        with suppress(ValueError):
            found = datetime.fromisoformat(value)
            value = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    seconds = number(value)
    return seconds if seconds is not None and 0 < seconds < 2**33 else None


def time_text(at: float | None) -> str | None:
    """A moment as RFC 3339 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def forecast_line(forecast: Forecast) -> dict[str, Any]:
    """One forecast as it is answered."""
    limit, share = forecast.limit_at, forecast.at_reset_percent
    return {
        "type": "forecast",
        "at": time_text(forecast.at),
        "minutes": forecast.minutes,
        "limit_at": None if limit is None else {name: time_text(q) for name, q in asdict(limit).items()},
        "at_reset_percent": None
        if share is None
        else {name: None if q is None else round(q, 1) for name, q in asdict(share).items()},
        "basis": forecast.basis,
    }


def warning_line(warned: Warned) -> dict[str, Any]:
    """One warning as it is answered."""
    return {"type": "warning", "at": time_text(warned.at), "minutes": warned.minutes}


def advice_line(advice: Advice) -> dict[str, Any]:
    """The advice as it is answered."""
    return {
        "type": "advice",
        "at": time_text(advice.at),
        "verdict": advice.verdict.value,
        "credit_id": advice.credit_id,
        "headline": advice.headline,
    }


def encode_line(line: dict[str, Any]) -> bytes:
    """One line of JSON with its end."""
    return _encoder.encode(line) + b"\n"
