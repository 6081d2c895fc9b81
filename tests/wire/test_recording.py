import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.forecast import Forecast, Interval
from tui.domain.reading import CreditReading, Reading, WindowReading
from tui.errors import BadPayload
from tui.wire.recording import Ask, Head, decode_line, encode_line, forecast_line, moment, time_text

NINE = 1772442000.0
"""2026-03-02T09:00:00Z"""

READING: dict[str, Any] = {
    "type": "reading",
    "at": "2026-03-02T09:00:00+00:00",
    "source": "poll",
    "ordinary_usage_allowed": True,
    "windows": [{"minutes": 300, "used_percent": 41.0, "resets_at": "2026-03-02T11:00:00Z"}],
    "resets": {"available": 1, "credits": [{"id": "c0", "granted_at": None, "expires_at": "2026-03-03T09:00:00.5Z"}]},
    "sessions": [{"thread_id": "s0", "state": "running"}, {"thread_id": "s1", "state": "stopped_at_limit"}],
}


def decoded(**changes: Any) -> Head | Reading | Ask | None:
    return decode_line(json.dumps(READING | changes).encode())


def test_a_reading_is_understood() -> None:
    assert decoded() == Reading(
        NINE,
        (WindowReading(300, 41.0, NINE + 7200),),
        True,
        1,
        (CreditReading("c0", NINE + 86400.5),),
        1,
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"resets": None}, {"available": None, "credits": None}, id="no bank"),
        pytest.param({"resets": {"available": None, "credits": None}}, {"available": None, "credits": None}, id="null"),
        pytest.param({"resets": {"available": 2}}, {"available": 2, "credits": None}, id="the number alone"),
        pytest.param({"resets": {"available": -1}}, {"available": None, "credits": None}, id="a number below zero"),
        pytest.param({"ordinary_usage_allowed": None}, {"allowed": None}, id="no word"),
        pytest.param({"ordinary_usage_allowed": 1}, {"allowed": None}, id="a word of another kind"),
        pytest.param({"windows": None}, {"windows": ()}, id="no windows"),
        pytest.param({"windows": [None, 3, {}]}, {"windows": ()}, id="windows of another kind"),
        pytest.param({"windows": [{"minutes": 0, "used_percent": 3}]}, {"windows": ()}, id="a window of no length"),
        pytest.param(
            {"windows": [{"minutes": 300}]}, {"windows": (WindowReading(300, None, None),)}, id="unknown share"
        ),
        pytest.param({"sessions": None}, {"running": None}, id="sessions unknown"),
        pytest.param({"sessions": []}, {"running": 0}, id="no sessions"),
        pytest.param({"more": {"x": 1}}, {"at": NINE}, id="an unknown field"),
        pytest.param({"at": NINE}, {"at": NINE}, id="unix seconds"),
    ],
)
def test_what_is_missing_is_unknown(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = decoded(**changes)
    assert isinstance(found, Reading)
    assert {name: getattr(found, name) for name in expected} == expected


def test_of_two_windows_of_one_length_the_fuller_counts() -> None:
    windows = [{"minutes": 300, "used_percent": share} for share in (7, None, 50, 20)]
    found = decoded(windows=windows)
    assert isinstance(found, Reading)
    assert found.windows == (WindowReading(300, 50.0, None),)


def test_heads_and_questions_are_understood_and_other_lines_left_alone() -> None:
    assert decode_line(b'{"type":"recording","schema":1,"utc_offset_minutes":-480}') == Head(-480)
    assert decode_line(b'{"type":"recording"}') == Head(0)
    assert decode_line(b'{"type":"ask","at":"2026-03-02T09:00:00Z"}') == Ask(NINE, "2026-03-02T09:00:00Z")
    assert decode_line(b'{"type":"ask"}') == Ask(None, None)
    assert decode_line(b'{"type":"weather"}') is None
    assert decode_line(b"  \n") is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b"{}", "no type"),
        (b'{"type":"reading"}', "time"),
        (b'{"type":"reading","at":"yesterday"}', "time"),
        (b'{"type":"recording","schema":2}', "schema"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_few_words(line: bytes, why: str) -> None:
    with pytest.raises(BadPayload, match=why):
        decode_line(line)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
        lambda v: json.dumps({"type": "reading", "at": 5, "windows": v, "resets": v, "sessions": v}).encode()
    )
)
def test_nothing_from_outside_breaks_it(line: bytes) -> None:
    try:
        found = decode_line(line)
    except BadPayload:
        return
    assert found is None or isinstance(found, Head | Reading | Ask)


@given(st.floats(1, 2**33 - 1).map(lambda at: round(at, 6)))
def test_moments_survive_writing_and_reading(at: float) -> None:
    text = time_text(at)
    back = moment(text)
    assert back is not None
    assert back == pytest.approx(at, abs=2e-6)
    assert time_text(back) == text


def test_a_forecast_is_written_as_the_protocol_says() -> None:
    forecast = Forecast(NINE, 300, Interval(NINE + 60, None, NINE + 90), None, 0.4, NINE + 90, "rhythm of 5 weeks")
    assert json.loads(encode_line(forecast_line(forecast))) == {
        "type": "forecast",
        "at": "2026-03-02T09:00:00+00:00",
        "minutes": 300,
        "limit_at": {"p10": "2026-03-02T09:01:00+00:00", "p50": None, "p90": "2026-03-02T09:01:30+00:00"},
        "at_reset_percent": None,
        "basis": "rhythm of 5 weeks",
    }
