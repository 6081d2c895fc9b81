"""The quota endpoint as an ASGI application: usage, credits, consume, accounts, referrals, and the fake model.

Every request is signed in, or answered 401; what is not served here is a 404 in JSON, which the real Codex CLI takes
calmly.
"""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tui.clock import Clock
from tui.errors import StoreError
from tui.stub.database.bank import Bank
from tui.stub.faults import CONTROLS, FaultMiddleware, FaultState
from tui.stub.http import payloads
from tui.stub.http.answers import NOT_STORED, json_answer, read_json, whole_number
from tui.stub.http.controls import control_routes
from tui.stub.http.exchange import App, NotServed, Request, Response, Route, application
from tui.stub.http.history import ThreadQuery, plan_limit_history, reset_history, thread_usage
from tui.stub.http.invites import InviteEndpoints
from tui.stub.http.logins import account_of
from tui.stub.model import LARGEST_REQUEST, next_tool_call, read_request, thread_of, turn_answer
from tui.stub.refused import Refused, UnknownAccount
from tui.stub.sandbox import Sandboxes

PREFIXES: Final = ("/backend-api/wham", "/api/codex")
"""Codex uses the one or the other, by its base URL."""

_MOST_DAYS: Final = 90
_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class _Consume(msgspec.Struct):
    """The body of a redemption: `credit_id` is left out, not null, where the service is to choose."""

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
        for prefix in PREFIXES:
            credits_path = f"{prefix}/rate-limit-reset-credits"
            routes += [
                Route("GET", f"{prefix}/usage", self.usage),
                Route("GET", f"{prefix}/usage/plan_limit_history", self.plan_limit_history),
                Route("POST", f"{prefix}/usage/thread_usage/query_v2", self.thread_usage),
                Route("GET", credits_path, self.credits),
                Route("POST", f"{credits_path}/consume", self.consume),
                Route("GET", f"{credits_path}/history", self.history),
                Route("GET", f"{prefix}/accounts/check", self.accounts_check),
                Route("GET", f"{prefix}/config/bundle", self.config_bundle),
            ]
        return [
            *routes,
            Route("POST", "/backend-api/codex/responses", self.responses),
            Route("POST", "/codex/responses", self.responses),
            *InviteEndpoints(self._bank.referrals, self._account).routes(),
        ]

    def _account(self, request: Request) -> str:
        return account_of(request.headers, self._clock.now())

    async def usage(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request))
        return json_answer(payloads.usage(reading), headers=NOT_STORED)

    async def credits(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request), all_credits=True)
        return json_answer(payloads.credits_list(reading), headers=NOT_STORED)

    async def history(self, request: Request) -> Response:
        reading = self._bank.read(self._account(request), all_credits=True)
        if not reading.scenario.has_history:
            raise NotServed
        return json_answer(reset_history(reading, request.query.get("cursor") or None), headers=NOT_STORED)

    async def plan_limit_history(self, request: Request) -> Response:
        account = self._account(request)
        days = whole_number(request.query.get("days", "7"), _MOST_DAYS, "the number of days")
        return json_answer(plan_limit_history(self._bank.read(account), days), headers=NOT_STORED)

    async def thread_usage(self, request: Request) -> Response:
        account = self._account(request)
        body = await read_json(request, _Threads)
        return json_answer(thread_usage(*self._bank.thread_requests(account), body.threads), headers=NOT_STORED)

    async def consume(self, request: Request) -> Response:
        account = self._account(request)
        body = await read_json(request, _Consume)
        credit_id = None if body.credit_id is UNSET else body.credit_id
        result = self._bank.consume(account, body.redeem_request_id, credit_id)
        return json_answer(payloads.consumed(result), headers=NOT_STORED)

    async def accounts_check(self, request: Request) -> Response:
        return json_answer(payloads.accounts_check(self._bank.read(self._account(request))))

    async def config_bundle(self, request: Request) -> Response:
        """What a workspace's administrator prescribes: nothing. Codex does not run for a Business plan without it."""
        self._account(request)
        return json_answer({"config_toml": None, "requirements_toml": None})

    async def responses(self, request: Request) -> Response:
        account = self._account(request)
        prompt = read_request(await request.body(LARGEST_REQUEST) or b"")
        reading, allowed = self._bank.take_turn(account, thread_of(prompt))
        return turn_answer(reading, allowed, next_tool_call(prompt))


def create_app(bank: Bank, clock: Clock, faults: FaultState | None = None, sandboxes: Sandboxes | None = None) -> App:
    """Build the service. Without `faults` it makes its own; without `sandboxes` further accounts get none."""
    faults = faults or FaultState(bank.scenario().faults)
    routes = [*_Quota(bank, clock).routes(), *control_routes(bank, faults, sandboxes)]
    return FaultMiddleware(application(routes, _failed), faults, clock)


def _failed(request: Request, error: Exception) -> Response:
    path = request.path
    match error:
        case NotServed():
            return json_answer({"detail": str(error)}, error.status)
        case StoreError():
            return json_answer({"detail": str(error)}, 503)
        case Refused():
            is_login = isinstance(error, UnknownAccount) and not path.startswith(CONTROLS)
            headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
            detail: object = str(error)
            if "/referrals/" in path:
                detail = {"message": error.reason, "failed_emails": []}
                headers |= NOT_STORED
            return json_answer({"detail": detail}, 401 if is_login else error.status, headers)
    raise error
