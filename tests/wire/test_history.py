import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from tests.wire.test_fields import ANY_JSON
from tui.domain.witness import ResetHistory
from tui.errors import BadPayload
from tui.wire.history import decode_history


def test_what_was_used_is_told_from_what_was_granted() -> None:
    events = [
        {"id": "e1", "kind": "granted", "occurred_at": "2026-11-23T14:00:00Z"},
        {"id": "e2", "kind": "used", "occurred_at": "2026-11-23T14:01:00Z"},
        {"id": "e2", "kind": "used", "occurred_at": "2026-11-23T14:01:00Z"},
        {"id": 7, "kind": "used"},
        "noise",
    ]
    assert decode_history(json.dumps({"events": events}).encode()) == ResetHistory(
        {"e2": datetime(2026, 11, 23, 14, 1, tzinfo=UTC)}, {"e1": datetime(2026, 11, 23, 14, 0, tzinfo=UTC)}
    )


@given(ANY_JSON)
def test_any_answer_is_a_history_or_none(body: object) -> None:
    with contextlib.suppress(BadPayload):
        assert isinstance(decode_history(json.dumps(body).encode()), ResetHistory)


def test_no_json_is_no_history() -> None:
    with pytest.raises(BadPayload):
        decode_history(b"<html>")
