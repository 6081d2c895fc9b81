import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from tests.wire.test_fields import ANY_JSON
from tui.domain.witness import ResetHistory
from tui.errors import BadPayload
from tui.wire.history import HistoryPage, decode_history, decode_periods, decode_thread_usage, encode_thread_query


def test_what_was_used_is_told_from_what_was_granted() -> None:
    events = [
        {"id": "e1", "kind": "granted", "occurred_at": "2026-11-23T14:00:00Z"},
        {"id": "e2", "kind": "used", "occurred_at": "2026-11-23T14:01:00Z"},
        {"id": "e2", "kind": "used", "occurred_at": "2026-11-23T14:01:00Z"},
        {"id": 7, "kind": "used"},
        "noise",
    ]
    assert decode_history(json.dumps({"events": events}).encode()).history == ResetHistory(
        {"e2": datetime(2026, 11, 23, 14, 1, tzinfo=UTC)}, {"e1": datetime(2026, 11, 23, 14, 0, tzinfo=UTC)}
    )


@given(ANY_JSON)
def test_any_answer_is_a_history_or_none(body: object) -> None:
    with contextlib.suppress(BadPayload):
        assert isinstance(decode_history(json.dumps(body).encode()), HistoryPage)


def test_no_json_is_no_history() -> None:
    with pytest.raises(BadPayload):
        decode_history(b"<html>")


def test_past_windows_are_read_and_unfinished_ones_passed_over() -> None:
    period = {
        "window_minutes": 300,
        "starts_at": "2026-11-20T09:00:00Z",
        "ends_at": "2026-11-20T14:00:00Z",
        "accounting_complete": True,
        "used_basis_points": 6250,
    }
    odd = [
        period | {"accounting_complete": False},
        period | {"used_basis_points": None},
        period | {"ends_at": "2026-11-20T09:00:00Z"},
        period | {"window_minutes": 0},
        "noise",
    ]
    earlier = period | {"starts_at": "2026-11-19T09:00:00Z", "ends_at": "2026-11-19T14:00:00Z"}
    found = decode_periods(json.dumps({"periods": [period, *odd, earlier]}).encode())
    assert [(one.minutes, one.used_percent) for one in found] == [(300, 62.5), (300, 62.5)]
    assert found[1].ends_at - found[0].ends_at == 86400
    assert found[1].ends_at - found[1].starts_at == 5 * 3600


@given(ANY_JSON)
def test_any_answer_has_past_windows_or_none(body: object) -> None:
    with contextlib.suppress(BadPayload):
        decode_periods(json.dumps({"periods": body}).encode())
        decode_periods(json.dumps(body).encode())


def test_threads_are_asked_about_with_the_moment_in_their_id() -> None:
    query = json.loads(encode_thread_query(["0199a213-81c0-7800-8aa1-bbab2a035a53", "0a7d5b1e-0000-4000-8000-1", "x"]))
    assert [thread["created_at"] for thread in query["threads"]] == ["2025-10-01T23:20:11Z", None, None]


@given(ANY_JSON)
def test_any_answer_has_shares_of_threads_or_none(body: object) -> None:
    with contextlib.suppress(BadPayload):
        decode_thread_usage(json.dumps({"threads": body}).encode())
        decode_thread_usage(json.dumps({"threads": [body, {"thread_id": "t", "weekly_limit_percent": body}]}).encode())
