"""Codex's own accounts as it lists them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import BadPayload
from tui.wire.codex_logins import CodexLogin, decode_logins

SEEN = {
    "activeSessionId": "user-1",
    "sessions": [
        {
            "sessionId": "user-1",
            "email": "me@example.com",
            "userId": "user-1",
            "displayName": None,
            "lastUsedAt": 1795660496,
            "isActive": True,
            "selectedWorkspaceAccountId": "acc2",
            "workspaces": [
                {"accountId": "acc1", "name": "Home", "kind": None},
                {"accountId": "acc2", "name": "Work", "kind": "business"},
            ],
        },
        {"sessionId": "user-2", "email": "lab@example.com", "displayName": "Lab"},
    ],
}
"""As codex 0.169.0 answers, with a second account and names."""


def test_each_account_says_whether_codex_works_with_it() -> None:
    assert decode_logins(json.dumps(SEEN).encode()) == (
        CodexLogin("me@example.com", None, True, ("Work", "Home")),
        CodexLogin("lab@example.com", "Lab", False, ()),
    )


def test_what_makes_no_sense_is_left_out_and_words_are_cleaned() -> None:
    rows = [7, None, {"sessionId": "a", "email": "x\x1b[31m@example.com", "workspaces": [None, {"name": 4}]}, {}]
    (one,) = decode_logins(json.dumps({"activeSessionId": "a", "sessions": rows}).encode())
    assert one.is_active
    assert "\x1b" not in (one.email or "")
    assert decode_logins(b"{}") == ()
    with pytest.raises(BadPayload):
        decode_logins(b"[]")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, _JSON)
def test_anything_is_read_without_an_error(sessions: object, active: object) -> None:
    for login in decode_logins(json.dumps({"sessions": sessions, "activeSessionId": active}).encode()):
        assert isinstance(login.is_active, bool)
