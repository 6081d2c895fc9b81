"""JSON in and out, for the endpoints and the controls."""

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tui.stub.refused import Refused

MAX_BODY: Final = 64 * 1024
"""Bytes; no request that is read here is anywhere near as long."""

NOT_STORED: Final = {"cache-control": "private, no-store"}

T = TypeVar("T")
Payload = dict[str, Any]


def rfc3339(moment: float | None) -> str | None:
    """Unix seconds as the service writes moments."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_answer(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(payload), status, headers, "application/json")


async def read_body(request: Request, longest: int) -> bytes | None:
    """Read a request's body; None where it is longer than so many bytes."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= longest:
            body += chunk
    return bytes(body) if len(body) <= longest else None


async def read_json(request: Request, kind: type[T]) -> T:
    """Read and check a body; `Refused` where it is too long, not JSON, or not of this kind."""
    body = await read_body(request, MAX_BODY)
    if body is None:
        raise Refused(413, "the body is too long")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(400, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "the body is not JSON") from error


def whole_number(text: str, largest: int, what: str) -> int:
    """Read a number from 1 on out of a query, or raise `Refused`."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= largest:
        return int(text)
    raise Refused(400, f"{what} is 1 to {largest}")
