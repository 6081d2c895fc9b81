from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import BadPayload
from tui.wire.fields import FieldReader, clean_text, load_object

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "share"),
    [(0, 0.0), (-0.0, 0.0), ("0", 0.0), (42, 42.0), (41.5, 41.5), ("93", 93.0), (" 7.25 ", 7.25), (140, 140.0)],
)
def test_a_share_in_any_usual_spelling_is_read(value: object, share: float) -> None:
    reader = FieldReader()
    assert reader.percent(value, "the use") == share
    assert reader.unknowns == ()


@pytest.mark.parametrize(
    "value",
    [True, False, -1, "-1", "", "NaN", "1e3", "٣", "1_000", [], {}, [0], 1e300, 10**400, float("nan"), float("inf")],
)
def test_an_odd_share_is_unknown_and_said_so(value: object) -> None:
    reader = FieldReader()
    assert reader.percent(value, "the use") is None
    assert reader.unknowns == ("the use makes no sense",)


@given(ANY_JSON)
def test_no_value_that_is_not_zero_is_read_as_zero(value: object) -> None:
    reader = FieldReader()
    for number in (reader.percent(value, "a"), reader.count(value, "b")):
        if number == 0:
            assert not isinstance(value, bool)
            assert isinstance(value, int | float | str)
            assert float(value) == 0


@given(ANY_JSON)
def test_every_field_is_the_value_or_unknown_with_a_note(value: object) -> None:
    for read in (
        FieldReader.percent,
        FieldReader.count,
        FieldReader.moment,
        FieldReader.flag,
        FieldReader.mapping,
    ):
        reader = FieldReader()
        if read(reader, value, "it") is None:
            assert reader.unknowns == (() if value is None else ("it makes no sense",))
        else:
            assert reader.unknowns == ()


@pytest.mark.parametrize(
    "value",
    [
        1790102050,
        1790102050.0,
        "1790102050",
        "2026-09-22T18:34:10Z",
        "2026-09-22T20:34:10+02:00",
        "2026-09-22 18:34:10.000000000Z",
    ],
)
def test_a_moment_in_seconds_or_rfc_3339_is_read(value: object) -> None:
    assert FieldReader().moment(value, "it") == datetime(2026, 9, 22, 18, 34, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [0, -1, True, "soon", "2026-09-22", "2026-09-22T18:34:10", "0001-01-01T00:00:00+14:00", 1790102050000, "9" * 400],
)
def test_an_odd_moment_is_unknown(value: object) -> None:
    reader = FieldReader()
    assert reader.moment(value, "it") is None
    assert reader.unknowns == ("it makes no sense",)


@given(st.timedeltas(timedelta(0), timedelta(days=200 * 365)))
def test_moments_survive_a_round_trip(since_2000: timedelta) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + since_2000
    assert FieldReader().moment(moment.isoformat().replace("+00:00", "Z"), "it") == moment


@given(st.text(), st.integers(1, 80))
def test_clean_text_is_one_short_harmless_line(text: str, longest: int) -> None:
    line = clean_text(text, longest)
    assert len(line) <= longest
    assert line == line.strip()
    assert not set(line) & set("\x00\x07\x1b\x9b\n\r\t\u202e\u2066\ufeff")
    line.encode()  # no lone surrogate is left


def test_clean_text_keeps_what_people_write() -> None:
    assert clean_text("完全重置 (每周)  é 👩‍💻\n[b]") == "完全重置 (每周) é 👩‍💻 [b]"


def test_clean_text_drops_escape_sequences_and_direction_marks() -> None:
    assert clean_text("a\x1b[31mb\u202ec\x9bd\ud800e") == "a[31mbcde"


def test_a_flood_of_odd_fields_is_cut() -> None:
    reader = FieldReader()
    for number in range(1000):
        reader.note(f"field {number}")
    assert len(reader.unknowns) == 13
    assert reader.unknowns[-1] == "and 988 more fields make no sense"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"1", b'"x"', b"<html>", b"{", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 200_000, b"1" * 5000],
)
def test_a_body_that_is_no_object_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        load_object(body, "the answer")


@pytest.mark.parametrize("odd", [b"NaN", b"Infinity", b"1e999", b'"\\ud800"'])
def test_one_impossible_value_does_not_spoil_the_rest(odd: bytes) -> None:
    assert load_object(b'{"odd":' + odd + b',"good":7}', "the answer")["good"] == 7


@given(st.binary())
def test_no_bytes_crash_the_decoder(body: bytes) -> None:
    with suppress(BadPayload):
        assert isinstance(load_object(body, "the answer"), dict)
