"""Spending one reset at the quota endpoint (README.md, "Spending"): the exact request, and the answer."""

import msgspec

from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest
from tui.errors import BadPayload
from tui.wire.fields import clean_text, load_object


class _ConsumeBody(msgspec.Struct, frozen=True, omit_defaults=True):
    redeem_request_id: str
    credit_id: str | None = None


def encode_consume(request: ConsumeRequest) -> bytes:
    """The request's body; without a credit id the service picks one."""
    return msgspec.json.encode(_ConsumeBody(request.key, request.credit_id))


def decode_consume(body: bytes) -> ConsumeAnswer:
    """Read the answer.

    Raises:
        BadPayload: It is no JSON object with a code in it; what the request did is then unknown.
    """
    payload = load_object(body, "the answer to the spend")
    code = payload.get("code")
    if not isinstance(code, str):
        raise BadPayload("the answer to the spend has no code")
    return ConsumeAnswer(recognise(code), raw_code=clean_text(code, 60))


def recognise(code: str) -> ConsumeCode:
    """The code in the domain's words; one that newer services add is not recognised."""
    try:
        return ConsumeCode(code)
    except ValueError:
        return ConsumeCode.UNRECOGNISED
