"""The referral endpoints of both contracts (wire.md 4), and the page that an invite's link leads to.

The current one names a `program_id` and is served under `/referrals`; the former names a `referral_key` and is served
under both path styles of wire.md 1.1. They share the path of the eligibility. A campaign that a contract does not serve
is a 404 there.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui.stub import referral_payloads as payloads
from tui.stub.answers import BadRequest, json_answer, read_json, rfc3339
from tui.stub.invite_page import page_answer
from tui.stub.invites import UnknownInvite
from tui.stub.programme import DAY
from tui.stub.referral import PROGRAM_ID, REFERRAL_KEY, Refusal
from tui.stub.referrals import CoolingDown, NoOffer, NotPending, OfferReading, Referrals, Refused

CURRENT_PREFIXES: Final = ("/backend-api/referrals", "/referrals")
_NOT_STORED: Final = {"cache-control": "private, no-store"}
_MOST_AT_ONCE: Final = 5
_LARGEST_PAGE: Final = 100
_PERIODS: Final[Mapping[str, float | None]] = {"past_90_days": 90.0 * DAY, "this_month": None}

_Contract = Literal["program_id", "referral_key"]
_Emails = list[Annotated[str, Meta(max_length=1_000)]]
_Endpoint = Callable[[Request], Awaitable[Response]]


class _Invite(msgspec.Struct):
    emails: _Emails
    program_id: str
    entrypoint: str | None = None


class _FormerInvite(msgspec.Struct):
    emails: _Emails
    referral_key: str


class ReferralEndpoints:
    """What a signed-in client asks of the referral programme.

    Args:
        referrals: Its state.
        account_of: Tells the account that a request is signed in to, or raises.
        former_prefixes: Where the former contract is served.
    """

    def __init__(
        self, referrals: Referrals, account_of: Callable[[Request], str], former_prefixes: Sequence[str]
    ) -> None:
        self._referrals = referrals
        self._account_of = account_of
        self._former_prefixes = former_prefixes

    def routes(self) -> list[Route]:
        """One route an endpoint and contract."""
        routes = [Route(payloads.INVITE_PATH + "{token}", self.page, methods=["GET"])]
        for prefix in CURRENT_PREFIXES:
            routes += [
                Route(f"{prefix}/invite/eligibility", _explained(self.eligibility), methods=["GET"]),
                Route(f"{prefix}/invite", _explained(self.invite), methods=["POST"]),
                Route(f"{prefix}/invite/tracking", _explained(self.tracking), methods=["GET"]),
                Route(f"{prefix}/invite/{{referral_id}}/send-email", _explained(self.resend), methods=["POST"]),
            ]
        for prefix in self._former_prefixes:
            path = f"{prefix}/referrals"
            routes += [
                Route(f"{path}/invite/eligibility", _explained(self.eligibility), methods=["GET"]),
                Route(f"{path}/eligibility_rules", _explained(self.former_rules), methods=["GET"]),
                Route(f"{path}/invite", self.former_invite, methods=["POST"]),
                Route(f"{path}/invite/tracking", _explained(self.former_tracking), methods=["GET"]),
                Route(f"{path}/invite/{{referral_id}}/send-email", _explained(self.resend), methods=["POST"]),
            ]
        return routes

    async def eligibility(self, request: Request) -> Response:
        """The offer, in the contract that the request names."""
        account = self._account_of(request)
        former = "referral_key" in request.query_params
        reading = self._offer(account, request, "referral_key" if former else "program_id")
        return _answer(payloads.former_offer(reading) if former else payloads.offer(reading))

    async def former_rules(self, request: Request) -> Response:
        """The offer's rules, which the former contract tells apart."""
        return _answer(payloads.former_rules(self._offer(self._account_of(request), request, "referral_key")))

    async def invite(self, request: Request) -> Response:
        """Send invites."""
        account = self._account_of(request)
        body = await read_json(request, _Invite)
        _check_name("program_id", body.program_id)
        _check_count(body.emails)
        self._served(account, "program_id")
        sent, failed = self._referrals.send(account, body.emails)
        if sent:
            return _answer(payloads.invited(sent, failed, str(request.base_url)))
        return _answer({"detail": payloads.not_invited(failed)}, _status(failed))

    async def former_invite(self, request: Request) -> Response:
        """Send invites, with the former contract's one kind of refusal."""
        account = self._account_of(request)
        try:
            body = await read_json(request, _FormerInvite)
            _check_name("referral_key", body.referral_key)
            _check_count(body.emails)
        except BadRequest as error:
            return _answer({"failed_emails": [], "message": error.reason}, error.status)
        self._served(account, "referral_key")
        try:
            sent, failed = self._referrals.send(account, body.emails)
        except NoOffer as error:
            return _refuse(str(error), 403)
        if sent:
            return _answer(payloads.former_invited(sent, failed, str(request.base_url)))
        return _answer(payloads.not_invited(failed), 400)

    async def tracking(self, request: Request) -> Response:
        """A page of the account's invites."""
        account = self._account_of(request)
        _check_name("program_id", request.query_params.get("program_id"))
        return self._page(account, request, "program_id")

    async def former_tracking(self, request: Request) -> Response:
        """The same, where there is only one programme to name."""
        return self._page(self._account_of(request), request, "referral_key")

    async def resend(self, request: Request) -> Response:
        """Send an invite's e-mail once more."""
        until = self._referrals.resend(self._account_of(request), request.path_params["referral_id"])
        return _answer({"resend_available_at": rfc3339(until)})

    async def page(self, request: Request) -> Response:
        """What a friend sees who follows an invite's link; needs no login."""
        try:
            return page_answer(*self._referrals.open(request.path_params["token"]))
        except UnknownInvite:
            return page_answer(None, None)

    def _offer(self, account: str, request: Request, contract: _Contract) -> OfferReading:
        _check_name(contract, request.query_params.get(contract))
        return self._served(account, contract)

    def _served(self, account: str, contract: _Contract) -> OfferReading:
        reading = self._referrals.offer(account)
        if reading.campaign is not None and getattr(reading.campaign, contract) is None:
            raise HTTPException(404)
        return reading

    def _page(self, account: str, request: Request, contract: _Contract) -> Response:
        self._served(account, contract)
        query = request.query_params
        period = query.get("period", "past_90_days")
        if period not in _PERIODS:
            raise BadRequest(f"the period is one of: {', '.join(_PERIODS)}")
        page, following = self._referrals.tracking(
            account, past_seconds=_PERIODS[period], before=_place(query.get("cursor")), limit=_limit(query.get("limit"))
        )
        cursor = None if following is None else urlsafe_b64encode(f"before {following}".encode()).decode()
        return _answer(payloads.tracking(page, cursor, str(request.base_url)))


def _check_name(contract: _Contract, name: str | None) -> None:
    if name != {"program_id": PROGRAM_ID, "referral_key": REFERRAL_KEY}[contract]:
        raise BadRequest(f"there is no such {contract}")


def _check_count(emails: Sequence[str]) -> None:
    if not 1 <= len(emails) <= _MOST_AT_ONCE:
        raise BadRequest(f"1 to {_MOST_AT_ONCE} people can be invited at a time")


def _limit(text: str | None) -> int:
    if text is None:
        return _LARGEST_PAGE
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _LARGEST_PAGE:
        return int(text)
    raise BadRequest(f"the limit is 1 to {_LARGEST_PAGE}")


def _place(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        word, _, number = urlsafe_b64decode(cursor).decode().partition(" ")
        if word == "before" and number.isdigit() and len(number) < 19:
            return int(number)
    except ValueError:
        pass
    raise BadRequest("the cursor is not one that was given here")


def _status(failed: Sequence[Refused]) -> int:
    """How the current contract answers where no invite was sent at all."""
    return 409 if all(refused.why is Refusal.ALREADY_INVITED for refused in failed) else 422


def _answer(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return json_answer(payload, status, _NOT_STORED | dict(headers or {}))


def _refuse(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return _answer({"detail": {"message": message}}, status, headers)


def _explained(endpoint: _Endpoint) -> _Endpoint:
    """Answers what goes wrong in the shapes of wire.md 4.3."""

    async def explained(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BadRequest as error:
            return _answer({"detail": {"message": error.reason, "failed_emails": []}}, error.status)
        except NoOffer as error:
            return _refuse(str(error), 403)
        except UnknownInvite:
            return _refuse("There is no such invite.", 404)
        except NotPending:
            return _refuse("This invite is no longer pending.", 409)
        except CoolingDown as error:
            return _refuse(str(error), 429, {"retry-after": str(error.seconds)})

    return explained
