"""The fake model endpoint: one whole turn as server-sent events, with the meter in its headers (wire.md 11.3)."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from starlette.responses import Response

from tui.stub.answers import json_answer
from tui.stub.programme import blocking
from tui.stub.prompt import ToolCall
from tui.stub.reading import Reading

_TEXT = "This is the resetbank stub: no model was asked, one turn was metered."


def turn_answer(reading: Reading, allowed: bool, tool_call: ToolCall | None = None) -> Response:
    """Answer one request.

    Args:
        reading: The account after the request.
        allowed: Whether the request was metered; otherwise a limit stopped it.
        tool_call: What the model asks for before it goes on; None ends the turn with plain text.
    """
    headers = meter_headers(reading)
    if not allowed:
        return _limit_answer(reading, headers)
    events = "".join(
        f"event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}\n\n" for event in _turn_events(tool_call)
    )
    return Response(events, 200, headers, "text/event-stream")


def meter_headers(reading: Reading) -> dict[str, str]:
    """The meter as every model answer carries it (wire.md 7, 11.3)."""
    has_credits = reading.personal_credits > 0
    headers = {"x-codex-credits-has-credits": str(has_credits), "x-codex-credits-unlimited": "False"}
    if has_credits:
        headers["x-codex-credits-balance"] = str(reading.personal_credits)
    for slot, window in zip(("primary", "secondary"), reading.main_windows, strict=False):
        headers[f"x-codex-{slot}-used-percent"] = str(window.shown_percent)
        headers[f"x-codex-{slot}-window-minutes"] = str(window.rule.seconds // 60)
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
