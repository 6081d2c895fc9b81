"""Spending one reset (README.md, "Spending"): the exact request to the quota endpoint, and the answer of either one."""

import msgspec

from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest
from tui.errors import BadPayload
from tui.wire.fields import clean_text, load_object
from tui.wire.windows import snake_word


def encode_consume(request: ConsumeRequest) -> bytes:
    """The request's body; without a credit id the service picks one."""
    credit = {} if request.credit_id is None else {"credit_id": request.credit_id}
    return msgspec.json.encode({"redeem_request_id": request.key} | credit)


def decode_consume(body: bytes, key: str = "code") -> ConsumeAnswer:
    """Read the answer; a code that newer services add is not recognised.

    The code stands under `code`, or at the app-server under `outcome`. `BadPayload`, also for an answer without a code,
    leaves unknown what the request did.
    """
    code = load_object(body, "the answer to the spend").get(key)
    if not isinstance(code, str):
        raise BadPayload(f"the answer to the spend has no {key}")
    try:
        known = ConsumeCode(snake_word(code))
    except ValueError:
        known = ConsumeCode.UNRECOGNISED
    return ConsumeAnswer(known, raw_code=clean_text(code, 60))
