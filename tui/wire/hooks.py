"""Codec of Codex's words about hooks: `hooks/list`, the reload, and how it marks trust in config.toml."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from tui.wire.fields import FieldReader, load_object

LIST: Final = "hooks/list"
WRITE_CONFIG: Final = "config/batchWrite"
RELOAD: Final = {"edits": [], "reloadUserConfig": True}
"""Parameters of `config/batchWrite` that change nothing, and make a server read the hooks of its threads anew."""

_MOST_HOOKS: Final = 1000
_EVENTS: Final = {
    "preModelRequest": "PreModelRequest",
    "preCompact": "PreCompact",
    "preToolUse": "PreToolUse",
}


class ListedHook(msgspec.Struct, frozen=True):
    """One hook, as a running Codex knows it."""

    event: str
    """As hooks.json spells it."""
    command: str
    key: str | None
    """By what Codex keeps trust in it: file, event and position."""
    current_hash: str | None
    trust: str
    """`managed`, `untrusted`, `trusted` or `modified`."""
    enabled: bool


def list_params(workspace: str) -> dict[str, object]:
    """The parameters of `hooks/list`."""
    return {"cwds": [workspace]}


def decode_hooks(body: bytes) -> tuple[ListedHook, ...]:
    """Read the result of `hooks/list`."""
    reader = FieldReader()
    data = load_object(body, "the list of hooks").get("data")
    found = [
        _hook(reader, row)
        for folder in reader.rows(data, "the list of hooks", 10, "a folder's hooks")
        for row in reader.rows(folder.get("hooks"), "the hooks", _MOST_HOOKS, "a hook")
    ]
    return tuple(hook for hook in found if hook is not None)


def _hook(reader: FieldReader, fields: Mapping[str, object]) -> ListedHook | None:
    event, command = fields.get("eventName"), fields.get("command")
    if not isinstance(event, str) or not isinstance(command, str):
        return None
    key = fields.get("key")
    return ListedHook(
        _EVENTS.get(event, event),
        command,
        key if isinstance(key, str) else None,
        reader.text(fields.get("currentHash"), "the hash", 200),
        reader.text(fields.get("trustStatus"), "the trust", 40) or "untrusted",
        reader.flag(fields.get("enabled"), "whether it is on") is not False,
    )


def trust_key(hooks_file: str, event: str, place: int) -> str:
    """By what Codex keeps trust in the only hook of a group: the file, the event and the group's position."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in event).lstrip("_")
    return f"{hooks_file}:{snake}:{place}:0"


def definition_hash(event: str, group: Mapping[str, Any]) -> str:
    """The hash that Codex 0.163 and 0.169 trust a group of one hook by: of its definition, not of the script behind."""
    (hook,) = group["hooks"]
    handler = {"type": "command", "timeout": 600, "async": False, **hook}
    identity = {"event_name": trust_key("", event, 0).split(":")[1], "hooks": [handler]}
    if group.get("matcher") is not None:
        identity["matcher"] = group["matcher"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{sha256(text.encode()).hexdigest()}"
