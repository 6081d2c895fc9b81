"""The envelope of the app-server's JSON-RPC 2.0 without `"jsonrpc"`: one message a line or frame."""

import re
from contextlib import suppress
from itertools import islice
from typing import Final

import msgspec

from tui.errors import BadPayload

INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603


class _Request(msgspec.Struct, omit_defaults=True):
    id: int
    method: str
    params: object = msgspec.UNSET


class _Incoming(msgspec.Struct):
    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct):
    code: int = INTERNAL_ERROR
    message: str = ""


class Result(msgspec.Struct, frozen=True):
    """A request was answered."""

    id: int
    body: bytes


class Refusal(msgspec.Struct, frozen=True):
    """A request was answered with an error."""

    id: int
    code: int
    message: str
    """Never shown, since it may quote a response body; only its kind is read."""


class News(msgspec.Struct, frozen=True):
    """A notification."""

    method: str
    params: bytes = b""
    """Its parameters' JSON; empty where it has none."""


def encode_request(request_id: int, method: str, params: object = msgspec.UNSET) -> bytes:
    """One request without a line end; parameters may be left out, or be None for null."""
    return msgspec.json.encode(_Request(request_id, method, params))


def encode_notification(method: str) -> bytes:
    """One notification without a line end."""
    return msgspec.json.encode({"method": method})


def decode_message(line: bytes) -> Result | Refusal | News | None:
    """Read one message of the server.

    Returns:
        None for what does not concern us: its own requests, which are never answered, and odd messages.

    Raises:
        BadPayload: This is not JSON, so what speaks there is no app-server.
    """
    try:
        message = msgspec.json.decode(line, type=_Incoming)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadPayload("what answers there does not speak the app-server's protocol") from error
    if message.method is not None:
        return News(message.method, bytes(message.params)) if message.id is None else None
    if not isinstance(message.id, int):
        return None
    if bytes(message.error) not in (b"", b"null"):
        try:
            error_fields = msgspec.json.decode(message.error, type=_Error)
        except (msgspec.DecodeError, RecursionError):
            error_fields = _Error()
        return Refusal(message.id, error_fields.code, error_fields.message[:4000])
    return Result(message.id, bytes(message.result) or b"null")


def first_message(line: bytes) -> Result | Refusal | News | None:
    """The server's first message in a line, or None; a launcher may print text or escape codes before it."""
    for brace in islice(re.finditer(rb"\{", line), _MOST_TRIES):
        with suppress(BadPayload):
            if (message := decode_message(line[brace.start() :])) is not None:
                return message
    return None


_MOST_TRIES: Final = 50
