"""The controls that tests and demos drive the service by; for programs on this machine alone, and for no web page."""

import re
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
from tui.stub.database.bank import Bank
from tui.stub.database.referrals import Tracked
from tui.stub.faults import CONTROLS, FaultState, parse_fault
from tui.stub.http.answers import Payload, json_answer, read_json, rfc3339
from tui.stub.http.state import state
from tui.stub.refused import Refused
from tui.stub.rules.invites import is_address
from tui.stub.rules.plans import PLANS, Plan
from tui.stub.rules.resets import CREDIT_LIFETIME
from tui.stub.rules.windows import DAY
from tui.stub.sandbox import Sandboxes
from tui.stub.scenarios import MAIN_ACCOUNT

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-fA-F:]+\]|[^:@/\[\]]+)(:\d+)?")
_MAX_ADVANCE: Final = 10 * 366 * 86_400


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """What a control is given."""


class _Usage(_Body):
    kind: WindowKind
    used_percent: Annotated[float, Meta(ge=0, le=1000)]
    account: str = MAIN_ACCOUNT


class _Advance(_Body):
    advance_seconds: Annotated[float, Meta(ge=0, le=_MAX_ADVANCE)]


class _Grant(_Body):
    count: Annotated[int, Meta(ge=1, le=1000)] = 1
    expires_in_seconds: Annotated[float, Meta(gt=0, le=_MAX_ADVANCE)] | None = CREDIT_LIFETIME
    account: str = MAIN_ACCOUNT


class _Fault(_Body):
    kind: str
    path: str = ""
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class _Begin(_Body):
    name: str


class _Account(_Body):
    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
    plan: str = "plus"
    email: str | None = None
    last_used_days_ago: Annotated[float, Meta(ge=0, le=36_600)] | None = None


class _Plan(_Body):
    plan: str
    account: str = MAIN_ACCOUNT


class _Purchase(_Body):
    purchase_id: Annotated[str, Meta(min_length=1, max_length=200)]
    account: str = MAIN_ACCOUNT


class _Open(_Body):
    link: str


class _Accept(_Body):
    link: str
    account: str


class _Reverse(_Body):
    referral_id: str


Control = Callable[[Request], Awaitable[Payload]]


class Controls:
    """The endpoints under `/stub/`."""

    def __init__(self, bank: Bank, faults: FaultState, sandboxes: Sandboxes | None) -> None:
        self._bank = bank
        self._faults = faults
        self._sandboxes = sandboxes

    def routes(self) -> list[Route]:
        """One route per control."""
        posts = {
            "usage": self.usage,
            "clock": self.clock,
            "grant": self.grant,
            "faults": self.faults,
            "scenario": self.scenario,
            "accounts": self.accounts,
            "plan": self.plan,
            "purchase": self.purchase,
            "invites/open": self.open_invite,
            "invites/accept": self.accept_invite,
            "invites/reverse": self.reverse_invite,
        }
        routes = [Route(CONTROLS + name, _guarded(control), methods=["POST"]) for name, control in posts.items()]
        return [Route(CONTROLS + "state", _guarded(self.state), methods=["GET"]), *routes]

    async def state(self, request: Request) -> Payload:
        """Everything the service knows, for a test to count."""
        return state(self._bank, self._faults)

    async def usage(self, request: Request) -> Payload:
        """Put a window to a share."""
        body = await read_json(request, _Usage)
        self._bank.set_usage(body.account, body.kind, body.used_percent)
        return {"ok": True}

    async def clock(self, request: Request) -> Payload:
        """Let time pass for the service alone."""
        body = await read_json(request, _Advance)
        return {"now": rfc3339(self._bank.advance_clock(body.advance_seconds))}

    async def grant(self, request: Request) -> Payload:
        """Grant credits."""
        body = await read_json(request, _Grant)
        return {"granted": self._bank.grant(body.account, body.count, body.expires_in_seconds)}

    async def faults(self, request: Request) -> Payload:
        """Arm a fault, or with the kind `none` disarm those of the path, or all."""
        body = await read_json(request, _Fault)
        if body.kind == "none":
            self._faults.disarm(body.path)
            return {"ok": True}
        try:
            parse_fault(body.kind)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        self._faults.arm(body.path, body.kind, body.count)
        return {"ok": True}

    async def scenario(self, request: Request) -> Payload:
        """Start a scenario."""
        body = await read_json(request, _Begin)
        self._bank.begin(body.name)
        self._faults.restart(self._bank.scenario().faults)
        return {"ok": True}

    async def accounts(self, request: Request) -> Payload:
        """Make a further account, with a sandbox for the real Codex CLI where the service was started with one."""
        body = await read_json(request, _Account)
        plan, email = _known_plan(body.plan), body.email or f"{body.id}@example.com"
        if not is_address(email):
            raise Refused(400, f"{email!r} is no e-mail address")
        used_ago = None if body.last_used_days_ago is None else body.last_used_days_ago * DAY
        # Inside, so that no account is left behind whose sandbox could not be written.
        with self._bank.adding_account(body.id, plan, email, used_ago):
            folder = self._sandboxes.write(body.id, plan.name, email) if self._sandboxes else None
        return {"id": body.id, "sandbox": str(folder) if folder else None}

    async def plan(self, request: Request) -> Payload:
        """Give an account another plan."""
        body = await read_json(request, _Plan)
        reading = self._bank.change_plan(body.account, _known_plan(body.plan))
        return {"plan": reading.plan, "available": reading.spendable}

    async def purchase(self, request: Request) -> Payload:
        """Buy a single reset, once for a purchase."""
        body = await read_json(request, _Purchase)
        return {"credit_id": self._bank.buy(body.account, body.purchase_id)[0]}

    async def open_invite(self, request: Request) -> Payload:
        """The friend looks at the link."""
        body = await read_json(request, _Open)
        return _came_to(self._bank.referrals.open(_token(body.link))[0])

    async def accept_invite(self, request: Request) -> Payload:
        """The friend opens the link and joins with an account."""
        body = await read_json(request, _Accept)
        return _came_to(self._bank.referrals.accept(_token(body.link), body.account))

    async def reverse_invite(self, request: Request) -> Payload:
        """The service takes both rewards back, as far as they are still there."""
        body = await read_json(request, _Reverse)
        tracked, revoked = self._bank.referrals.reverse(body.referral_id)
        return _came_to(tracked) | {"revoked": revoked}


def _known_plan(name: str) -> Plan:
    if name not in PLANS:
        raise Refused(400, f"there is no plan {name!r}; there are: {', '.join(PLANS)}")
    return PLANS[name]


def _token(link: str) -> str:
    """The token of a link, which may also be given as a path or by itself."""
    return link.strip().rstrip("/").rpartition("/")[2]


def _came_to(tracked: Tracked) -> Payload:
    return {"referral_id": tracked.invite.id, "status": tracked.state, "reason": tracked.reason}


def _guarded(control: Control) -> Callable[[Request], Awaitable[Response]]:
    """A control only for programs on this machine: a browser names its page's origin, or sends no JSON."""

    async def guarded(request: Request) -> Response:
        host = _HOST.fullmatch(request.headers.get("host", ""))
        if request.client is None or host is None or not _is_loopback(request.client.host):
            raise Refused(403, "the controls answer this machine alone")
        if not _is_loopback(host["name"].strip("[]")):
            raise Refused(403, "the controls answer no other name than that of this machine")
        if "origin" in request.headers:
            raise Refused(403, "the controls answer no web page")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            raise Refused(415, "send the body as application/json, with curl: --json")
        try:
            return json_answer(await control(request))
        except UsageError as error:
            raise Refused(400, str(error)) from error

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
