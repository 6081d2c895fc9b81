"""Codec of rollout files (wire.md 7 and 11.5): finds the few lines that matter in bytes, then decodes those alone.

A marker in its quotes cannot occur inside of JSON text, where every quote is escaped, so that finding it is nearly
always right; what a line really is, is decided after decoding it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from tui.domain.windows import MAIN_LIMIT, Limit, Window
from tui.errors import BadPayload
from tui.wire.fields import FieldReader, load_object
from tui.wire.windows import LONGEST_ID, arrange_windows, read_reached_type, read_window

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line that is decoded; the lines that matter are far shorter."""

TURN_MARKS: Final = (b'"task_started"', b'"turn_started"', b'"task_complete"', b'"turn_complete"', b'"turn_aborted"')
"""What a line holds that begins or ends a turn."""

_KINDS: Final = (b'"event_msg"', b'"turn_context"', b'"session_meta"')
_SUBTYPES: Final = frozenset((*(mark.strip(b'"') for mark in TURN_MARKS), b"token_count", b"error"))
_CONVERSATION: Final = b'"type":"response_item"'
_START: Final = 120
"""A line's kind stands within so many bytes, as Codex writes it."""
_USUAL: Final = re.compile(rb'\{"timestamp":"[^"\\]*",(?:"ordinal":\d+,)?"type":"event_msg","payload":\{"type":"(\w+)"')
_SIGNS: Final = re.compile(b"|".join((*(b'"%b"' % name for name in sorted(_SUBTYPES)), *_KINDS[1:])))
_LONGEST_PATH: Final = 4096
_USUAL_MOMENT: Final = len("2026-10-05T12:58:43.771Z")
_MOST_TOKENS: Final = 1e15
_UNKNOWN_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TurnEnd(StrEnum):
    """How a turn ended."""

    COMPLETED = "completed"
    SILENT = "silent"
    """It completed without a last message and without a word about an error, as before August 2026 at a limit."""
    ABORTED = "aborted"
    LIMIT = "limit"
    ERROR = "error"


class Opened(msgspec.Struct, frozen=True):
    """The first line: whose rollout it is."""

    thread_id: str | None
    workspace: str | None
    originator: str | None
    cli_version: str | None
    subagent: bool


class TurnSet(msgspec.Struct, frozen=True):
    """What a turn runs with."""

    workspace: str | None
    model: str | None


class TurnBegan(msgspec.Struct, frozen=True):
    """A turn began."""


class TurnEnded(msgspec.Struct, frozen=True):
    """A turn ended."""

    how: TurnEnd


class LimitTold(msgspec.Struct, frozen=True):
    """A turn met the usage limit; its end is written separately."""


class Metered(msgspec.Struct, frozen=True):
    """What a request to the model used, and the limits after it."""

    total_tokens: int | None
    """Of the whole thread."""
    request_tokens: int | None
    """Of the last request."""
    limit: Limit | None
    plan: str | None


Fact = Opened | TurnSet | TurnBegan | TurnEnded | LimitTold | Metered


class Line(msgspec.Struct, frozen=True):
    """One line that matters."""

    at: datetime | None
    """When Codex wrote it."""
    fact: Fact


def relevant_lines(block: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Find the lines worth decoding.

    Args:
        block: Bytes with whole lines from `start` to `stop`.
        start: Where the first line begins.
        stop: Where the last line is over; None means the end of the block.

    Yields:
        The place of a line in the block, and the line without its end; in the order of the block.
    """
    stop = len(block) if stop is None else stop
    find = block.find
    while start < stop:
        end = find(b"\n", start, stop)
        if end < 0:
            end = stop
        # Nearly all of a rollout is conversation, told apart by the first bytes of a line.
        conversation = find(_CONVERSATION, start, start + _START)
        if not 0 <= conversation < end and _matters(block, start, end):
            yield start, block[start:end]
        start = end + 1


def _matters(block: bytes, start: int, end: int) -> bool:
    if end - start > LONGEST_LINE:
        return False
    usual = _USUAL.match(block, start, end)
    if usual is not None:
        return usual[1] in _SUBTYPES
    if not any(block.find(kind, start, end) >= 0 for kind in _KINDS):
        return False
    return _SIGNS.search(block, start, end) is not None


def decode_line(line: bytes) -> Line | None:
    """Decode one line; None for what is none of our business or makes no sense."""
    try:
        fields = _load(line)
    except BadPayload:
        return None
    reader = FieldReader()
    payload = reader.mapping(fields.get("payload"), "the payload")
    if payload is None:
        return None
    at = _moment(reader, fields.get("timestamp"))
    fact = _fact(reader, fields.get("type"), payload, at)
    return None if fact is None else Line(at, fact)


def _moment(reader: FieldReader, value: object) -> datetime | None:
    if isinstance(value, str) and len(value) == _USUAL_MOMENT and value.endswith("Z"):
        try:
            return datetime.fromisoformat(value)  # ten times as fast as what takes any shape
        except ValueError:
            return None
    return reader.moment(value, "the time of a line")


def _load(line: bytes) -> dict[str, object]:
    try:
        return load_object(line, "a rollout line")
    except BadPayload:
        # One byte that is no UTF-8, in a message perhaps, spoils only itself.
        return load_object(line.decode("utf-8", "replace").encode(), "a rollout line")


def _fact(reader: FieldReader, kind: object, payload: Mapping[str, object], at: datetime | None) -> Fact | None:
    if kind == "session_meta":
        return _opened(reader, payload)
    if kind == "turn_context":
        return TurnSet(
            reader.text(payload.get("cwd"), "the workspace", _LONGEST_PATH),
            reader.text(payload.get("model"), "the model", LONGEST_ID),
        )
    if kind != "event_msg":
        return None
    match payload.get("type"):
        case "task_started" | "turn_started":
            return TurnBegan()
        case "task_complete" | "turn_complete":
            return TurnEnded(_how(payload))
        case "turn_aborted":
            return TurnEnded(TurnEnd.ABORTED)
        case "error":
            return LimitTold() if is_usage_limit(payload.get("codex_error_info")) else None
        case "token_count":
            return _metered(reader, payload, at)
    return None


def _opened(reader: FieldReader, payload: Mapping[str, object]) -> Opened:
    # Rollouts before autumn 2025 nest the metadata once more.
    nested = payload.get("meta")
    meta = nested if isinstance(nested, dict) else payload
    source = meta.get("source")
    works_for_another = (
        isinstance(meta.get("parent_thread_id"), str)
        or meta.get("thread_source") == "subagent"
        or (isinstance(source, dict) and ("subagent" in source or "subAgent" in source))
    )
    return Opened(
        reader.text(meta.get("id") or meta.get("session_id"), "the thread's id", LONGEST_ID),
        reader.text(meta.get("cwd"), "the workspace", _LONGEST_PATH),
        reader.text(meta.get("originator"), "the originator", LONGEST_ID),
        reader.text(meta.get("cli_version"), "the version", LONGEST_ID),
        works_for_another,
    )


def is_usage_limit(code: object) -> bool:
    """Whether an error code means the usage limit: `usage_limit_exceeded`, in any of Codex's spellings."""
    names = [code] if isinstance(code, str) else list(code) if isinstance(code, dict) else []
    return any(isinstance(name, str) and name.replace("_", "").lower() == "usagelimitexceeded" for name in names)


def _how(payload: Mapping[str, object]) -> TurnEnd:
    error = payload.get("error")
    if isinstance(error, dict):
        return TurnEnd.LIMIT if is_usage_limit(error.get("codex_error_info")) else TurnEnd.ERROR
    if error:
        return TurnEnd.ERROR
    return TurnEnd.SILENT if payload.get("last_agent_message") is None else TurnEnd.COMPLETED


def _metered(reader: FieldReader, payload: Mapping[str, object], at: datetime | None) -> Metered:
    info = reader.mapping(payload.get("info"), "the tokens") or {}
    limits = reader.mapping(payload.get("rate_limits"), "the limits") or {}
    return Metered(
        _tokens(reader, info.get("total_token_usage")),
        _tokens(reader, info.get("last_token_usage")),
        _limit(reader, limits, at) if limits else None,
        reader.text(limits.get("plan_type"), "the plan", LONGEST_ID),
    )


def _tokens(reader: FieldReader, value: object) -> int | None:
    usage = reader.mapping(value, "a count of tokens") or {}
    tokens = reader.number(usage.get("total_tokens"), "a count of tokens", _MOST_TOKENS)
    return None if tokens is None else int(tokens)


def _limit(reader: FieldReader, fields: Mapping[str, object], at: datetime | None) -> Limit | None:
    limit_id = reader.text(fields.get("limit_id"), "the id of a limit", LONGEST_ID) or MAIN_LIMIT  # null when old
    name = reader.text(fields.get("limit_name"), "the name of a limit", LONGEST_ID)

    def window(slot: str) -> Window | None:
        return read_window(
            reader,
            fields.get(slot),
            f"the {slot} window of {limit_id}",
            limit_id=limit_id,
            limit_name=name,
            length=("window_minutes", 1.0),
            used="used_percent",
            resets="resets_at",
            resets_after=None if at is None else "resets_in_seconds",  # before autumn 2025
            observed_at=at or _UNKNOWN_MOMENT,
        )

    windows = arrange_windows(window("primary"), window("secondary"))
    reached = read_reached_type(reader, fields.get("rate_limit_reached_type"))
    return Limit(limit_id, name, None, windows, reached) if windows or reached else None
