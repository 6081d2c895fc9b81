"""The quota endpoint as an ASGI application: usage, credits, consume, accounts, referrals, and the fake model.

Both path styles of wire.md 1.1. Every request is signed in as in wire.md 11.2, or answered 401; what is not served
here is a 404 in JSON, which the real Codex CLI takes calmly.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tui.clock import Clock
from tui.errors import StoreError
from tui.stub import payloads
from tui.stub.account_history import (
    ThreadQuery,
    UnknownCursor,
    plan_limit_history,
    reset_history,
    thread_usage,
)
from tui.stub.answers import BadRequest, json_answer, read_json
from tui.stub.bank import Bank
from tui.stub.controls import Controls
from tui.stub.faults import FaultMiddleware
from tui.stub.invite_controls import InviteControls
from tui.stub.model import turn_answer
from tui.stub.prompt import LARGEST_REQUEST, next_tool_call, read_request, thread_of
from tui.stub.reading import UnknownAccount
from tui.stub.referral_http import ReferralEndpoints
from tui.stub.sandbox import Sandboxes
from tui.stub.tokens import LoginRefused, account_of
from tui.stub.traffic import FaultState

QUOTA_PREFIXES: Final = ("/backend-api/wham", "/api/codex")
_NOT_STORED: Final = {"cache-control": "private, no-store"}
_MOST_DAYS: Final = 90
_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class _Consume(msgspec.Struct):
    """The body of wire.md 3.1: `credit_id` is left out, not null, where the service is to choose."""

    redeem_request_id: _Text
    credit_id: _Text | UnsetType = UNSET


class _Threads(msgspec.Struct):
    threads: Annotated[list[ThreadQuery], Meta(max_length=200)]


class _Quota:
    """The endpoints of a signed-in client."""

    def __init__(self, bank: Bank, clock: Clock) -> None:
        self._bank = bank
        self._clock = clock

    def routes(self) -> list[Route]:
        routes = []
        for prefix in QUOTA_PREFIXES:
            credits_path = f"{prefix}/rate-limit-reset-credits"
            routes += [
                Route(f"{prefix}/usage", self.usage, methods=["GET"]),
                Route(f"{prefix}/usage/plan_limit_history", self.plan_limit_history, methods=["GET"]),
                Route(f"{prefix}/usage/thread_usage/query_v2", self.thread_usage, methods=["POST"]),
                Route(credits_path, self.credits, methods=["GET"]),
                Route(f"{credits_path}/consume", self.consume, methods=["POST"]),
                Route(f"{credits_path}/history", self.history, methods=["GET"]),
                Route(f"{prefix}/accounts/check", self.accounts_check, methods=["GET"]),
                Route(f"{prefix}/config/bundle", self.config_bundle, methods=["GET"]),
            ]
        return [
            *routes,
            Route("/backend-api/codex/responses", self.responses, methods=["POST"]),
            Route("/codex/responses", self.responses, methods=["POST"]),
            *ReferralEndpoints(self._bank.referrals, self._account, QUOTA_PREFIXES).routes(),
        ]

    def _account(self, request: Request) -> str:
        return account_of(request.headers, self._clock.now())

    async def usage(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request))
        return json_answer(payloads.usage(reading), headers=_NOT_STORED)

    async def credits(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request), all_credits=True)
        return json_answer(payloads.credits_list(reading), headers=_NOT_STORED)

    async def history(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request), all_credits=True)
        if not reading.scenario.has_history:
            raise HTTPException(404)
        try:
            return json_answer(reset_history(reading, request.query_params.get("cursor") or None), headers=_NOT_STORED)
        except UnknownCursor as error:
            raise BadRequest("the cursor is not one that was given here") from error

    async def plan_limit_history(self, request: Request) -> Response:
        account, days = self._account(request), request.query_params.get("days", "7")
        if not (days.isascii() and days.isdigit() and 1 <= int(days[:3]) <= _MOST_DAYS):
            raise BadRequest(f"the days are 1 to {_MOST_DAYS}")
        return json_answer(plan_limit_history(self._bank.read(account), int(days)), headers=_NOT_STORED)

    async def thread_usage(self, request: Request) -> Response:
        account = self._account(request)
        body = await read_json(request, _Threads)
        return json_answer(thread_usage(*self._bank.thread_requests(account), body.threads), headers=_NOT_STORED)

    async def consume(self, request: Request) -> Response:
        account = self._account(request)
        body = await read_json(request, _Consume)
        credit_id = None if body.credit_id is UNSET else body.credit_id
        result = self._bank.consume(account, body.redeem_request_id, credit_id)
        return json_answer(payloads.consumed(result), headers=_NOT_STORED)

    async def accounts_check(self, request: Request) -> Response:
        return json_answer(payloads.accounts_check(self._bank.read(self._account(request))))

    async def config_bundle(self, request: Request) -> Response:
        """What a workspace's administrator prescribes: nothing. Codex does not run for a Business plan without it."""
        self._account(request)
        return json_answer({"config_toml": None, "requirements_toml": None})

    async def responses(self, request: Request) -> Response:
        account = self._account(request)
        body = bytearray()
        async for chunk in request.stream():
            if len(body) <= LARGEST_REQUEST:
                body += chunk
        prompt = read_request(bytes(body)) if len(body) <= LARGEST_REQUEST else {}
        reading, allowed = self._bank.take_turn(account, thread_of(prompt))
        return turn_answer(reading, allowed, next_tool_call(prompt))


def create_app(
    bank: Bank, clock: Clock, traffic: FaultState | None = None, sandboxes: Sandboxes | None = None
) -> ASGIApp:
    """Build the service.

    Args:
        bank: Its state.
        clock: The machine's clock: for the logins' expiry and for delayed answers.
        traffic: Where requests are counted and faults armed; None makes one.
        sandboxes: Where further accounts get a sandbox of the real Codex CLI; None: nowhere.
    """
    traffic = traffic or FaultState(bank.scenario().faults)
    served = _Quota(bank, clock), Controls(bank, traffic, sandboxes), InviteControls(bank.referrals)
    app = Starlette(
        routes=[route for endpoints in served for route in endpoints.routes()],
        exception_handlers={
            HTTPException: _answer(lambda error: (error.status_code, error.detail)),
            BadRequest: _answer(lambda error: (error.status, error.reason)),
            LoginRefused: _answer(lambda error: (401, str(error))),
            UnknownAccount: _answer(lambda error: (401, "there is no such account")),
            StoreError: _answer(lambda error: (503, str(error))),
        },
    )
    # A path is served or it is not; Codex follows no redirect to another spelling of it.
    app.router.redirect_slashes = False
    return FaultMiddleware(app, traffic, clock)


def _answer(explain: Callable[..., tuple[int, str]]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        status, detail = explain(error)
        return json_answer({"detail": detail}, status)

    return handle
