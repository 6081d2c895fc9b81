import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_fields import ANY_JSON
from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest
from tui.errors import BadPayload
from tui.wire.consume import decode_consume, encode_consume


def test_the_request_is_exact() -> None:
    assert encode_consume(ConsumeRequest("k-1", "c-1", "acc")) == b'{"redeem_request_id":"k-1","credit_id":"c-1"}'


def test_without_a_credit_its_key_is_omitted() -> None:
    assert encode_consume(ConsumeRequest("k-1", None, None)) == b'{"redeem_request_id":"k-1"}'


@given(st.uuids(), st.none() | st.text())
def test_a_request_says_what_it_was_given(key: object, credit_id: str | None) -> None:
    try:
        body = encode_consume(ConsumeRequest(str(key), credit_id, None))
    except UnicodeEncodeError:
        return  # a lone surrogate; no codec lets one in
    assert json.loads(body) == {"redeem_request_id": str(key)} | (
        {"credit_id": credit_id} if credit_id is not None else {}
    )


def test_a_full_answer() -> None:
    credit = b'{"id":"c-1","status":"redeemed","redeemed_at":"2026-11-23T14:00:00Z"}'
    body = b'{"code":"reset","credit":' + credit + b',"windows_reset":2}'
    assert decode_consume(body) == ConsumeAnswer(ConsumeCode.RESET, "reset")


@pytest.mark.parametrize("code", ["reset", "nothing_to_reset", "no_credit", "already_redeemed"])
def test_each_known_code(code: str) -> None:
    answer = decode_consume(json.dumps({"code": code, "credit": None, "windows_reset": 0}).encode())
    assert answer.code is ConsumeCode(code)


def test_a_new_code_is_not_recognised_and_kept_raw() -> None:
    answer = decode_consume(b'{"code":"half_\\u001breset"}')
    assert (answer.code, answer.raw_code) == (ConsumeCode.UNRECOGNISED, "half_reset")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"code":null}', b'{"code":1}', b"<html>", b'{"code":'])
def test_an_answer_without_a_code_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        decode_consume(body)


@given(ANY_JSON, ANY_JSON)
def test_odd_extras_never_spoil_the_code(credit: object, windows: object) -> None:
    answer = decode_consume(json.dumps({"code": "reset", "credit": credit, "windows_reset": windows}).encode())
    assert answer.code is ConsumeCode.RESET
