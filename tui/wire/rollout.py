"""Codec of rollout files (README.md, "Rollouts"): finds the few lines that matter in bytes, then decodes those alone.

A marker in its quotes cannot occur inside of JSON text, where every quote is escaped, so that finding it is nearly
always right; what a line really is, is decided after decoding it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from tui.domain.windows import Limit
from tui.errors import BadPayload
from tui.wire.fields import FieldReader, load_object
from tui.wire.windows import LONGEST_ID, read_limit

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line that is decoded; the lines that matter are far shorter."""

TURN_MARKS: Final = (b'"task_started"', b'"turn_started"', b'"task_complete"', b'"turn_complete"', b'"turn_aborted"')
"""What a line holds that begins or ends a turn."""

_KINDS: Final = (b'"event_msg"', b'"turn_context"', b'"session_meta"')
_NAMES: Final = frozenset({b"user_message", b"thread_name_updated"})
_SUBTYPES: Final = frozenset((*(mark.strip(b'"') for mark in TURN_MARKS), b"token_count", b"error", *_NAMES))
_ITEM: Final = b"item_completed"
_USER_ITEM: Final = b'"type":"UserMessage"'
"""Since 0.163 a message of the person is an item; of all other items nothing is needed."""
_CONVERSATION: Final = b'"type":"response_item"'
LONGEST_START: Final = 1024
"""A line's marks stand within so many bytes."""
_START: Final = 120
"""A line's kind stands within so many bytes, as Codex writes it."""
_USUAL: Final = re.compile(rb'\{"timestamp":"[^"\\]*",(?:"ordinal":\d+,)?"type":"event_msg","payload":\{"type":"(\w+)"')
_SIGNS: Final = re.compile(b"|".join((*(b'"%b"' % name for name in sorted(_SUBTYPES)), *_KINDS[1:])))
_LONGEST_PATH: Final = 4096
LONGEST_NAME: Final = 80
"""Characters of a thread's name that are kept."""
_USUAL_MOMENT: Final = len("2026-10-05T12:58:43.771Z")
_UNKNOWN_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TurnEnd(StrEnum):
    """How a turn ended."""

    COMPLETED = "completed"
    SILENT = "silent"
    """It completed without a last message and without an error, as at a limit before August 2026."""
    ABORTED = "aborted"
    LIMIT = "limit"
    ERROR = "error"


class Opened(msgspec.Struct, frozen=True):
    """The first line: whose rollout it is."""

    thread_id: str | None
    workspace: str | None
    provider: str | None
    """Who answers its model requests, by the name in Codex's config.toml."""
    account_id: str | None
    internal: bool
    """Whether another thread or Codex itself started it."""
    forked_at: datetime | None
    """When it was forked, where it was and begins with a copy of its parent's lines."""


class Named(msgspec.Struct, frozen=True):
    """What the thread is called, or a message of the person."""

    title: str | None = None
    message: str | None = None


class TurnSet(msgspec.Struct, frozen=True):
    """What a turn runs with."""

    workspace: str | None
    model: str | None


class TurnBegan(msgspec.Struct, frozen=True):
    """A turn began."""

    began_at: datetime | None = None


class TurnEnded(msgspec.Struct, frozen=True):
    """A turn ended."""

    how: TurnEnd
    began_at: datetime | None = None


class LimitHit(msgspec.Struct, frozen=True):
    """A turn met the usage limit; its end is written separately."""


class Metered(msgspec.Struct, frozen=True):
    """The limits after a request to the model."""

    limit: Limit | None
    plan: str | None


Fact = Opened | Named | TurnSet | TurnBegan | TurnEnded | LimitHit | Metered


class Line(msgspec.Struct, frozen=True):
    """One line that matters."""

    at: datetime | None
    """When Codex wrote it."""
    fact: Fact


def relevant_lines(block: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
    """The lines worth decoding, without their ends, each with its place in the block.

    Whole lines stand in the block from `start` to `stop`, or to its end.
    """
    stop = len(block) if stop is None else stop
    find = block.find
    while start < stop:
        end = find(b"\n", start, stop)
        if end < 0:
            end = stop
        # Nearly all of a rollout is conversation, which the first bytes of a line show.
        conversation = find(_CONVERSATION, start, start + _START)
        if not 0 <= conversation < end and _matters(block, start, end):
            yield start, block[start:end]
        start = end + 1


def _matters(block: bytes, start: int, end: int) -> bool:
    if end - start > LONGEST_LINE:
        return False
    usual = _USUAL.match(block, start, end)
    if usual is not None:
        if usual[1] == _ITEM:
            return block.find(_USER_ITEM, start, min(end, start + LONGEST_START)) >= 0
        return usual[1] in _SUBTYPES
    if not any(block.find(kind, start, end) >= 0 for kind in _KINDS):
        return False
    return _SIGNS.search(block, start, end) is not None


def decode_line(line: bytes) -> Line | None:
    """Decode one line; None for what does not concern us or makes no sense."""
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
        return _opened(reader, payload, at)
    if kind == "turn_context":
        return TurnSet(
            reader.text(payload.get("cwd"), "the workspace", _LONGEST_PATH),
            reader.text(payload.get("model"), "the model", LONGEST_ID),
        )
    if kind != "event_msg":
        return None
    match payload.get("type"):
        case "task_started" | "turn_started":
            return TurnBegan(_began(reader, payload))
        case "task_complete" | "turn_complete":
            return TurnEnded(_how(payload), _began(reader, payload))
        case "turn_aborted":
            return TurnEnded(TurnEnd.ABORTED)
        case "error":
            return LimitHit() if is_plan_limit(payload) else None
        case "token_count":
            limits = reader.mapping(payload.get("rate_limits"), "the limits") or {}
            plan = reader.text(limits.get("plan_type"), "the plan", LONGEST_ID)
            limit = read_limit(reader, limits, at or _UNKNOWN_MOMENT)
            return Metered(limit if limit.windows or limit.reached_type else None, plan)
        case "thread_name_updated":
            return Named(title=reader.text(payload.get("thread_name"), "the title", LONGEST_NAME))
        case "user_message":
            return Named(message=reader.text(payload.get("message"), "a message", LONGEST_NAME))
        case "item_completed":
            return _user_item(reader, payload)
    return None


def _began(reader: FieldReader, payload: Mapping[str, object]) -> datetime | None:
    return reader.moment(payload.get("started_at"), "the begin of a turn")


def _user_item(reader: FieldReader, payload: Mapping[str, object]) -> Named | None:
    item = reader.mapping(payload.get("item"), "an item") or {}
    if item.get("type") != "UserMessage":
        return None
    parts = reader.rows(item.get("content"), "a message", 20, "a part of a message")
    texts = (reader.text(part.get("text"), "a message", LONGEST_NAME) for part in parts)
    return next((Named(message=text) for text in texts if text), None)


def _opened(reader: FieldReader, payload: Mapping[str, object], at: datetime | None) -> Opened:
    # Rollouts before autumn 2025 nest the metadata once more.
    nested = payload.get("meta")
    meta = nested if isinstance(nested, dict) else payload
    copied = isinstance(meta.get("forked_from_id"), str) and meta.get("history_mode") != "paginated"
    return Opened(
        reader.text(meta.get("id") or meta.get("session_id"), "the thread's id", LONGEST_ID),
        reader.text(meta.get("cwd"), "the workspace", _LONGEST_PATH),
        reader.text(meta.get("model_provider"), "the model provider", LONGEST_ID),
        reader.text(meta.get("creator_account_id"), "the account id", LONGEST_ID),
        meta.get("ephemeral") is True
        or is_internal(meta.get("source"), meta.get("thread_source"), meta.get("parent_thread_id")),
        (reader.moment(meta.get("timestamp"), "the begin of a thread") or at) if copied else None,
    )


def is_internal(source: object, thread_source: object, parent: object) -> bool:
    """Whether a thread was started by another thread or by Codex itself rather than by a person.

    `thread_source` is `user` for a person's own; others seen are `subagent`, `memory_consolidation`, `thread_title`.
    """
    if isinstance(parent, str) or (isinstance(thread_source, str) and thread_source not in ("", "user")):
        return True
    return isinstance(source, dict) and any(key in source for key in ("subagent", "subAgent", "internal"))


def is_plan_limit(error: Mapping[str, object]) -> bool:
    """Whether an error says that the plan's limit of ordinary use stopped a turn.

    Its code is `usage_limit_exceeded`, in any of Codex's spellings. The same code stands for what no reset helps with,
    which only the text shows: the bill of an API key, a login without Codex, and the limit of a single model.
    """
    code, message = error.get("codex_error_info"), error.get("message")
    names = [code] if isinstance(code, str) else list(code) if isinstance(code, dict) else []
    if not any(isinstance(name, str) and name.replace("_", "").lower() == "usagelimitexceeded" for name in names):
        return False
    return not (isinstance(message, str) and _NO_PLAN_LIMIT.search(message[:1000]))


_NO_PLAN_LIMIT: Final = re.compile(
    r"quota exceeded|billing details|insufficient.quota|to use codex with your chatgpt plan|hit your usage limit for ",
    re.IGNORECASE,
)


def _how(payload: Mapping[str, object]) -> TurnEnd:
    error = payload.get("error")
    if isinstance(error, dict):
        return TurnEnd.LIMIT if is_plan_limit(error) else TurnEnd.ERROR
    if error:
        return TurnEnd.ERROR
    return TurnEnd.SILENT if payload.get("last_agent_message") is None else TurnEnd.COMPLETED
