"""The controls that tests and demos drive the service by; for clients on this machine alone."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui.domain.windows import WindowKind
from tui.errors import UsageError
from tui.stub.answers import BadRequest, json_answer, read_json, rfc3339
from tui.stub.bank import Bank
from tui.stub.faults import parse_fault
from tui.stub.local import known_plan, local
from tui.stub.programme import CREDIT_LIFETIME, DAY
from tui.stub.reading import AccountExists, NotForSale, UnknownWindow
from tui.stub.referral import is_address
from tui.stub.sandbox import Sandboxes
from tui.stub.scenarios import MAIN_ACCOUNT
from tui.stub.state import state
from tui.stub.traffic import FaultState

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


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
    plan: str = "plus"
    email: str | None = None
    last_used_days_ago: Annotated[float, Meta(ge=0, le=36_600)] | None = None


class _Plan(msgspec.Struct, forbid_unknown_fields=True):
    plan: str
    account: str = MAIN_ACCOUNT


class _Purchase(msgspec.Struct, forbid_unknown_fields=True):
    purchase_id: Annotated[str, Meta(min_length=1, max_length=200)]
    account: str = MAIN_ACCOUNT


class Controls:
    """The endpoints under `/stub/`."""

    def __init__(self, bank: Bank, traffic: FaultState, sandboxes: Sandboxes | None) -> None:
        self._bank = bank
        self._traffic = traffic
        self._sandboxes = sandboxes

    def routes(self) -> list[Route]:
        """One route a control."""
        return [
            Route("/stub/state", local(self.state), methods=["GET"]),
            Route("/stub/usage", local(self.usage), methods=["POST"]),
            Route("/stub/clock", local(self.clock), methods=["POST"]),
            Route("/stub/grant", local(self.grant), methods=["POST"]),
            Route("/stub/faults", local(self.faults), methods=["POST"]),
            Route("/stub/scenario", local(self.scenario), methods=["POST"]),
            Route("/stub/accounts", local(self.accounts), methods=["POST"]),
            Route("/stub/plan", local(self.plan), methods=["POST"]),
            Route("/stub/purchase", local(self.purchase), methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Everything the service knows, for a test to count."""
        readings, records = self._bank.everything()
        grants, invites = self._bank.grants(), self._bank.referrals.everything()
        return json_answer(state(readings, records, grants, invites, self._traffic))

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

    async def accounts(self, request: Request) -> Response:
        """Make a further account, with a sandbox for the real Codex CLI where the service was started with one."""
        body = await read_json(request, _Account)
        plan, email = known_plan(body.plan), body.email or f"{body.id}@example.com"
        if not is_address(email):
            raise BadRequest(f"{email!r} is no e-mail address")
        used_ago = None if body.last_used_days_ago is None else body.last_used_days_ago * DAY
        try:
            # Inside, so that no account is left behind whose sandbox could not be written.
            with self._bank.adding_account(body.id, plan, email, used_ago):
                folder = self._sandboxes.write(body.id, plan.name, email) if self._sandboxes else None
        except AccountExists as error:
            raise BadRequest(f"there is an account {body.id!r} already") from error
        except UsageError as error:
            raise BadRequest(error.message) from error
        return json_answer({"id": body.id, "sandbox": str(folder) if folder else None})

    async def plan(self, request: Request) -> Response:
        """Give an account another plan."""
        body = await read_json(request, _Plan)
        reading = self._bank.change_plan(body.account, known_plan(body.plan))
        return json_answer({"plan": reading.plan, "available": reading.spendable})

    async def purchase(self, request: Request) -> Response:
        """Buy a single reset, once for a purchase."""
        body = await read_json(request, _Purchase)
        try:
            bought = self._bank.buy(body.account, body.purchase_id)
        except NotForSale as error:
            raise BadRequest(f"no single reset is sold to {body.account}") from error
        return json_answer({"credit_id": bought[0]})
