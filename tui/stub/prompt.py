"""What a prompt makes the fake model do: each line `run: COMMAND` or `call: TOOL {…}` is one tool call, in order.

A turn then has one request more than it has such lines, each metered, so that a limit can fill in its middle. Nothing
is remembered: how far a turn is, is read from the request itself.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

LARGEST_REQUEST: Final = 8 << 20
"""Bytes of a request that is read; a longer one is answered with plain text."""

_LONGEST_ID: Final = 200
_LINE: Final = re.compile(r"^(run|call): *(\S+)(.*)$", re.MULTILINE)


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
