"""The controls that tests and demos drive the service by; for clients on this machine alone."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui.domain.windows import WindowKind
from tui.errors import UsageError
from tui.stub.answers import BadRequest, json_answer, read_json
from tui.stub.bank import Bank
from tui.stub.faults import parse_fault
from tui.stub.payloads import rfc3339
from tui.stub.programme import CREDIT_LIFETIME, HeldCredit, MeteredWindow
from tui.stub.reading import Reading, UnknownAccount, UnknownWindow
from tui.stub.scenarios import MAIN_ACCOUNT
from tui.stub.traffic import Traffic

_MAX_ADVANCE: Final = 10 * 366 * 86_400


class _Usage(msgspec.Struct, forbid_unknown_fields=True):
    kind: WindowKind
    used_percent: Annotated[float, Meta(ge=0, le=1000)]
    account: str = MAIN_ACCOUNT


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: Annotated[float, Meta(ge=0, le=_MAX_ADVANCE)]


class _Grant(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1, le=1000)] = 1
    expires_in_seconds: Annotated[float, Meta(gt=0, le=_MAX_ADVANCE)] | None = CREDIT_LIFETIME
    account: str = MAIN_ACCOUNT


class _Fault(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    path: str = ""
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class _Begin(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Controls:
    """The endpoints under `/stub/`."""

    def __init__(self, bank: Bank, traffic: Traffic) -> None:
        self._bank = bank
        self._traffic = traffic

    def routes(self) -> list[Route]:
        """One route a control."""
        return [
            Route("/stub/state", _local(self.state), methods=["GET"]),
            Route("/stub/usage", _local(self.usage), methods=["POST"]),
            Route("/stub/clock", _local(self.clock), methods=["POST"]),
            Route("/stub/grant", _local(self.grant), methods=["POST"]),
            Route("/stub/faults", _local(self.faults), methods=["POST"]),
            Route("/stub/scenario", _local(self.scenario), methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Everything the service knows, for a test to count."""
        readings, records = self._bank.everything()
        scenario = readings[0].scenario
        return json_answer(
            {
                "scenario": scenario.name,
                "description": scenario.description,
                "now": rfc3339(readings[0].now),
                "accounts": [_account(reading) for reading in readings],
                "redemptions": records,
                "requests": dict(self._traffic.served),
                "faults": self._traffic.armed,
            }
        )

    async def usage(self, request: Request) -> Response:
        """Put a window to a share."""
        body = await read_json(request, _Usage)
        try:
            self._bank.set_usage(body.account, body.kind, body.used_percent)
        except UnknownWindow as error:
            raise BadRequest(f"{body.account} has no window of the kind {body.kind}") from error
        return json_answer({"ok": True})

    async def clock(self, request: Request) -> Response:
        """Let time pass for the service alone."""
        body = await read_json(request, _Advance)
        return json_answer({"now": rfc3339(self._bank.advance_clock(body.advance_seconds))})

    async def grant(self, request: Request) -> Response:
        """Grant credits."""
        body = await read_json(request, _Grant)
        return json_answer({"granted": self._bank.grant(body.account, body.count, body.expires_in_seconds)})

    async def faults(self, request: Request) -> Response:
        """Arm a fault, or with the kind `none` disarm those of the path, or all."""
        body = await read_json(request, _Fault)
        if body.kind == "none":
            self._traffic.disarm(body.path)
            return json_answer({"ok": True})
        try:
            parse_fault(body.kind)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        self._traffic.arm(body.path, body.kind, body.count)
        return json_answer({"ok": True})

    async def scenario(self, request: Request) -> Response:
        """Start a scenario."""
        body = await read_json(request, _Begin)
        try:
            self._bank.begin(body.name)
        except UsageError as error:
            raise BadRequest(str(error)) from error
        self._traffic.restart(self._bank.scenario().faults)
        return json_answer({"ok": True})


def _local(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            raise BadRequest("the controls answer this machine alone", 403)
        try:
            return await endpoint(request)
        except UnknownAccount as error:
            raise BadRequest(f"there is no account {error.args[0]!r}") from error

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _account(reading: Reading) -> dict[str, object]:
    return {
        "id": reading.account,
        "plan": reading.plan,
        "email": reading.email,
        "available": reading.spendable,
        "windows": [_window(window, reading.now) for window in reading.windows],
        "credits": [_credit(credit, reading.now) for credit in reading.credits],
    }


def _window(window: MeteredWindow, now: float) -> dict[str, object]:
    return {
        "limit_id": window.limit_id,
        "kind": window.kind,
        "used_percent": window.used_percent,
        "idle": window.resets_at is None,
        "resets_at": rfc3339(window.reset_at(now)),
    }


def _credit(credit: HeldCredit, now: float) -> dict[str, object]:
    return {
        "id": credit.id,
        "type": credit.reset_type,
        "status": credit.status_at(now),
        "granted_at": rfc3339(credit.granted_at),
        "expires_at": rfc3339(credit.expires_at),
        "redeemed_at": rfc3339(credit.redeemed_at),
    }
