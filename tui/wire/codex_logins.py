"""Codec of `accountSession/list` (wire/README.md, "App-server"): the accounts that Codex keeps signed in itself."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tui.wire.fields import FieldReader, load_object

LIST: Final = "accountSession/list"

_MOST: Final = 100


class CodexLogin(msgspec.Struct, frozen=True):
    """One account that Codex can switch to."""

    email: str | None
    name: str | None
    is_active: bool
    workspaces: tuple[str, ...]
    """The names of its workspaces, the one in use first."""


def decode_logins(body: bytes) -> tuple[CodexLogin, ...]:
    """Read the result of `accountSession/list`; an entry that makes no sense is left out."""
    reader = FieldReader()
    fields = load_object(body, "Codex's accounts")
    active = reader.text(fields.get("activeSessionId"), "the active session", 200)
    rows = reader.rows(fields.get("sessions"), "Codex's accounts", _MOST, "an account")
    return tuple(_login(reader, row, active) for row in rows if row)


def _login(reader: FieldReader, row: Mapping[str, object], active: str | None) -> CodexLogin:
    session = reader.text(row.get("sessionId"), "the session", 200)
    marked = reader.flag(row.get("isActive"), "whether it is active")
    chosen = row.get("selectedWorkspaceAccountId")
    named = []
    for workspace in reader.rows(row.get("workspaces"), "the workspaces", _MOST, "a workspace"):
        name = reader.text(workspace.get("name"), "the workspace's name", 200)
        if name:
            named.append((chosen is None or workspace.get("accountId") != chosen, name))
    return CodexLogin(
        reader.text(row.get("email"), "the address", 320),
        reader.text(row.get("displayName"), "the name", 200),
        (session is not None and session == active) if marked is None else marked,
        tuple(name for _, name in sorted(named, key=lambda one: one[0])),
    )
