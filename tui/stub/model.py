"""The fake model: one request as server-sent events, with the meter in its headers.

Each line `run: COMMAND` or `call: TOOL {…}` of a prompt is one tool call, in order: a turn then has one request more
than it has such lines, each metered, so that a limit can fill in its middle. Nothing is remembered: how far a turn is,
is read from the request itself.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec

from tui.stub.database.accounts import Reading
from tui.stub.http.answers import json_answer
from tui.stub.http.exchange import Response
from tui.stub.rules.windows import blocking

LARGEST_REQUEST: Final = 8 << 20
"""Bytes of a request that is read; a longer one is answered with plain text."""

_LONGEST_ID: Final = 200
_LINE: Final = re.compile(r"^(run|call): *(\S+)(.*)$", re.MULTILINE)
_TEXT: Final = "This is the resetbank stub: no model was asked, one turn was metered."


class ToolCall(msgspec.Struct, frozen=True):
    """One call that the model asks for."""

    name: str
    """As the model writes it, without the namespace."""
    arguments: str
    """A JSON object, as text."""
    namespace: str | None = None
    """The tool server's, `mcp__NAME`; None for Codex's own tools."""


def read_request(body: bytes) -> Mapping[str, Any]:
    """A request's body; empty where it makes no sense."""
    try:
        request = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return request if isinstance(request, dict) else {}


def thread_of(request: Mapping[str, Any]) -> str | None:
    """The thread that a request is part of; None where it names none."""
    thread = request.get("prompt_cache_key")
    return thread if isinstance(thread, str) and 0 < len(thread) <= _LONGEST_ID else None


def next_tool_call(request: Mapping[str, Any]) -> ToolCall | None:
    """The call to answer a request with; None where the turn ends with plain text."""
    items = request.get("input")
    if not isinstance(items, list):
        return None
    items = [item for item in items if isinstance(item, dict)]
    asked = max((place for place, item in enumerate(items) if item.get("role") == "user"), default=None)
    if asked is None:
        return None
    done = sum(str(item.get("type")).endswith("_call_output") for item in items[asked:])
    calls = _LINE.findall(_text(items[asked].get("content")))
    return _tool_call(*calls[done]) if done < len(calls) else None


def _text(content: Any) -> str:
    parts: Sequence[Any] = content if isinstance(content, list) else [{"text": content}]
    return "\n".join(str(part.get("text")) for part in parts if isinstance(part, dict))


def _tool_call(kind: str, first: str, rest: str) -> ToolCall:
    if kind == "run":
        return ToolCall("exec_command", msgspec.json.encode({"cmd": f"{first}{rest}"}).decode())
    server, _, tool = first.rpartition("__")
    return ToolCall(tool, rest.strip() or "{}", server or None)


def turn_answer(reading: Reading, allowed: bool, tool_call: ToolCall | None = None) -> Response:
    """Answer one request, with the meter: a refusal at a limit, a tool call, or plain text that ends the turn."""
    headers = meter_headers(reading)
    if not allowed:
        return _limit_answer(reading, headers)
    events = "".join(
        f"event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}\n\n" for event in _turn_events(tool_call)
    )
    return Response(events.encode(), 200, headers, "text/event-stream; charset=utf-8")


def meter_headers(reading: Reading) -> dict[str, str]:
    """The meter as every model answer carries it."""
    has_credits = reading.personal_credits > 0
    headers = {"x-codex-credits-has-credits": str(has_credits), "x-codex-credits-unlimited": "False"}
    if has_credits:
        headers["x-codex-credits-balance"] = str(reading.personal_credits)
    for slot, window in zip(("primary", "secondary"), reading.main_windows, strict=False):
        headers[f"x-codex-{slot}-used-percent"] = str(window.shown_percent)
        headers[f"x-codex-{slot}-window-minutes"] = str(window.seconds // 60)
        headers[f"x-codex-{slot}-reset-at"] = str(window.reset_at(reading.now))
    return headers


def _turn_events(tool_call: ToolCall | None) -> tuple[Mapping[str, Any], ...]:
    response_id = f"resp_{uuid4().hex}"
    item = _message() if tool_call is None else _function_call(tool_call)
    usage = {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1220,
    }
    return (
        {"type": "response.created", "response": {"id": response_id}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": response_id, "usage": usage}},
    )


def _message() -> Mapping[str, Any]:
    content = [{"type": "output_text", "text": _TEXT}]
    return {"type": "message", "role": "assistant", "id": f"msg_{uuid4().hex}", "content": content}


def _function_call(call: ToolCall) -> Mapping[str, Any]:
    namespace = {"namespace": call.namespace} if call.namespace else {}
    ids = {"id": f"fc_{uuid4().hex}", "call_id": f"call_{uuid4().hex}"}
    return {"type": "function_call", **ids, **namespace, "name": call.name, "arguments": call.arguments}


def _limit_answer(reading: Reading, headers: dict[str, str]) -> Response:
    wall = blocking(reading.windows)
    resets_at = wall.reset_at(reading.now) if wall else None
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": reading.plan,
        "resets_at": resets_at,
        "resets_in_seconds": None if resets_at is None else max(0, resets_at - int(reading.now)),
    }
    return json_answer({"error": error}, 429, headers)
