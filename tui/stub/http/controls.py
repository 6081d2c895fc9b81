"""The controls that tests and demos drive the service by; for programs on this machine alone, and for no web page."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tui.domain.windows import WindowKind
from tui.errors import UsageError
from tui.stub.database.bank import Bank
from tui.stub.database.referrals import Tracked
from tui.stub.faults import CONTROLS, FaultState, parse_fault
from tui.stub.http.answers import Payload, json_answer, read_json, rfc3339
from tui.stub.http.exchange import Answer, Request, Response, Route
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


class _Accept(_Open):
    account: str


class _Reverse(_Body):
    referral_id: str


Act = Callable[[Any], Payload]


def control_routes(bank: Bank, faults: FaultState, sandboxes: Sandboxes | None) -> list[Route]:
    """The endpoints under `/stub/`; a control takes the body of its kind and answers what came of it."""
    controls = _Controls(bank, faults, sandboxes)
    posts: dict[str, tuple[type[_Body], Act]] = {
        "usage": (_Usage, controls.usage),
        "clock": (_Advance, controls.clock),
        "grant": (_Grant, controls.grant),
        "faults": (_Fault, controls.fault),
        "scenario": (_Begin, controls.scenario),
        "accounts": (_Account, controls.add_account),
        "plan": (_Plan, controls.plan),
        "purchase": (_Purchase, controls.purchase),
        "invites/open": (_Open, controls.open_invite),
        "invites/accept": (_Accept, controls.accept_invite),
        "invites/reverse": (_Reverse, controls.reverse_invite),
    }
    routes = [Route("POST", CONTROLS + name, _guarded(act, kind)) for name, (kind, act) in posts.items()]
    return [Route("GET", CONTROLS + "state", _guarded(lambda _: state(bank, faults))), *routes]


class _Controls:
    def __init__(self, bank: Bank, faults: FaultState, sandboxes: Sandboxes | None) -> None:
        self._bank = bank
        self._faults = faults
        self._sandboxes = sandboxes

    def usage(self, body: _Usage) -> Payload:
        self._bank.set_usage(body.account, body.kind, body.used_percent)
        return {"ok": True}

    def clock(self, body: _Advance) -> Payload:
        return {"now": rfc3339(self._bank.advance_clock(body.advance_seconds))}

    def grant(self, body: _Grant) -> Payload:
        return {"granted": self._bank.grant(body.account, body.count, body.expires_in_seconds)}

    def fault(self, body: _Fault) -> Payload:
        """Arm a fault, or with the kind `none` disarm those of the path, or all."""
        if body.kind == "none":
            self._faults.disarm(body.path)
            return {"ok": True}
        try:
            parse_fault(body.kind)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        self._faults.arm(body.path, body.kind, body.count)
        return {"ok": True}

    def scenario(self, body: _Begin) -> Payload:
        self._bank.begin(body.name)
        self._faults.restart(self._bank.scenario().faults)
        return {"ok": True}

    def add_account(self, body: _Account) -> Payload:
        """Make a further account, with a sandbox for the real Codex CLI where the service was started with one."""
        plan, email = _known_plan(body.plan), body.email or f"{body.id}@example.com"
        if not is_address(email):
            raise Refused(400, f"{email!r} is no e-mail address")
        used_ago = None if body.last_used_days_ago is None else body.last_used_days_ago * DAY
        # Inside, so that no account is left behind whose sandbox could not be written.
        with self._bank.adding_account(body.id, plan, email, used_ago):
            folder = self._sandboxes.write(body.id, plan.name, email) if self._sandboxes else None
        return {"id": body.id, "sandbox": str(folder) if folder else None}

    def plan(self, body: _Plan) -> Payload:
        reading = self._bank.change_plan(body.account, _known_plan(body.plan))
        return {"plan": reading.plan, "available": reading.spendable}

    def purchase(self, body: _Purchase) -> Payload:
        return {"credit_id": self._bank.buy(body.account, body.purchase_id)[0]}

    def open_invite(self, body: _Open) -> Payload:
        """The friend looks at the link."""
        return _came_to(self._bank.referrals.open(_token(body.link))[0])

    def accept_invite(self, body: _Accept) -> Payload:
        """The friend opens the link and joins with an account."""
        return _came_to(self._bank.referrals.accept(_token(body.link), body.account))

    def reverse_invite(self, body: _Reverse) -> Payload:
        """The service takes both rewards back, as far as they are still there."""
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


def _guarded(act: Act, kind: type[_Body] | None = None) -> Answer:
    """A control only for programs on this machine: a browser names its page's origin, or sends no JSON."""

    async def guarded(request: Request) -> Response:
        host = _HOST.fullmatch(request.headers.get("host", ""))
        names = request.client, host and host["name"].strip("[]")
        if not all(name and _is_loopback(name) for name in names):
            raise Refused(403, "the controls answer this machine alone, by a name of its own")
        if "origin" in request.headers:
            raise Refused(403, "the controls answer no web page")
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind is not None and sent != "application/json":
            raise Refused(415, "send the body as application/json, with curl: --json")
        try:
            return json_answer(act(await read_json(request, kind) if kind else None))
        except UsageError as error:
            raise Refused(400, str(error)) from error

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
