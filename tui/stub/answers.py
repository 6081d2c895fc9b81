"""JSON in and out, for the endpoints and the controls."""

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

MAX_BODY: Final = 64 * 1024
"""Bytes; no request that is read here is anywhere near as long."""

T = TypeVar("T")


class BadRequest(Exception):
    """The request cannot be carried out as sent.

    Args:
        reason: One clear line.
        status: The HTTP status to answer with.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def rfc3339(moment: float | None) -> str | None:
    """Unix seconds as the service writes moments."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_answer(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(payload), status, headers, "application/json")


async def read_json(request: Request, kind: type[T]) -> T:
    """Read and check a request's body.

    Raises:
        BadRequest: Too long, not JSON, or not of this kind.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadRequest("the body is too long", 413)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("the body is not JSON") from error
