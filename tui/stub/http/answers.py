"""JSON in and out, for the endpoints and the controls."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from tui.stub.http.exchange import NO_HEADERS, Request, Response
from tui.stub.refused import Refused

MAX_BODY: Final = 64 * 1024
"""Bytes; no request that is read here is anywhere near as long."""

NOT_STORED: Final = {"cache-control": "private, no-store"}

T = TypeVar("T")
Payload = dict[str, Any]


def rfc3339(moment: float | None) -> str | None:
    """Unix seconds as the service writes moments."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_answer(payload: object, status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(payload), status, headers)


async def read_json(request: Request, kind: type[T]) -> T:
    """Read and check a body; `Refused` where it is too long, not JSON, or not of this kind."""
    body = await request.body(MAX_BODY)
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
