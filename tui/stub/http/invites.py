"""The referral endpoints, and the page that an invite's link leads to.

`plans`, `starts_at`, `ends_at` and `status_reason` are the stub's own.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tui.domain.referral import CONSUMER, WORKSPACE, InviteStatus
from tui.stub.database.referrals import OfferReading, Referrals, Tracked
from tui.stub.http.answers import NOT_STORED, Payload, json_answer, read_json, rfc3339, whole_number
from tui.stub.http.exchange import Request, Response, Route
from tui.stub.refused import Refused
from tui.stub.rules.invites import FRIEND, AddressRefusal, Campaign
from tui.stub.rules.windows import DAY

PREFIXES: Final = ("/backend-api/referrals", "/referrals")
INVITE_PATH: Final = "/invite/"
"""Where an invite's link leads, on the service itself."""

_MOST_AT_ONCE: Final = 5
_LARGEST_PAGE: Final = 100
_PERIOD: Final = "past_90_days"


class _Invite(msgspec.Struct):
    emails: list[Annotated[str, Meta(max_length=1_000)]]
    program_id: str
    entrypoint: str | None = None


class InviteEndpoints:
    """What a signed-in client asks of the referral programme."""

    def __init__(self, referrals: Referrals, account_of: Callable[[Request], str]) -> None:
        self._referrals = referrals
        self._account_of = account_of

    def routes(self) -> list[Route]:
        """One route per endpoint and path style."""
        routes = [Route("GET", INVITE_PATH + "{}", self.page)]
        for prefix in PREFIXES:
            routes += [
                Route("GET", f"{prefix}/invite/eligibility", self.eligibility),
                Route("POST", f"{prefix}/invite", self.invite),
                Route("GET", f"{prefix}/invite/tracking", self.tracking),
                Route("POST", f"{prefix}/invite/{{}}/send-email", self.resend),
            ]
        return routes

    async def eligibility(self, request: Request) -> Response:
        """The offer."""
        account, program = self._account_of(request), _program(request.query.get("program_id"))
        return json_answer(_offer(self._referrals.offer(account, program)), headers=NOT_STORED)

    async def invite(self, request: Request) -> Response:
        """Send invites."""
        account, body = self._account_of(request), await read_json(request, _Invite)
        program = _program(body.program_id)
        if not 1 <= len(body.emails) <= _MOST_AT_ONCE:
            raise Refused(400, f"1 to {_MOST_AT_ONCE} people can be invited at a time")
        sent, failed = self._referrals.send(account, body.emails, program)
        message: Payload = {"message": next(iter(failed.values()), None), "failed_emails": list(failed)}
        if not sent:
            status = 409 if set(failed.values()) == {AddressRefusal.ALREADY_INVITED} else 422
            return json_answer({"detail": message}, status, NOT_STORED)
        invites = [_link(tracked, request) for tracked in sent]
        return json_answer({"invites": invites, **message, "grants": sent[0].rewards}, headers=NOT_STORED)

    async def tracking(self, request: Request) -> Response:
        """A page of the account's invites."""
        account, query = self._account_of(request), request.query
        program = _program(query.get("program_id"))
        if query.get("period", _PERIOD) != _PERIOD:
            raise Refused(400, f"the period is {_PERIOD}")
        page, following = self._referrals.tracking(
            account,
            past_seconds=90.0 * DAY,
            before=_place(query.get("cursor")),
            limit=whole_number(query.get("limit", str(_LARGEST_PAGE)), _LARGEST_PAGE, "the limit"),
            program=program,
        )
        cursor = None if following is None else urlsafe_b64encode(f"before {following}".encode()).decode()
        items = [_item(tracked, request) for tracked in page]
        return json_answer({"items": items, "cursor": cursor}, headers=NOT_STORED)

    async def resend(self, request: Request) -> Response:
        """Send an invite's e-mail once more."""
        until = self._referrals.resend(self._account_of(request), request.value)
        return json_answer({"resend_available_at": rfc3339(until)}, headers=NOT_STORED)

    async def page(self, request: Request) -> Response:
        """What a friend sees who follows an invite's link; needs no login."""
        tracked, campaign = self._referrals.open(request.value)
        lines = [campaign.title, "", *_lines(tracked, campaign)]
        headers = NOT_STORED | {"referrer-policy": "no-referrer"}
        return Response(("\n".join(lines) + "\n").encode(), 200, headers, "text/plain; charset=utf-8")


def _program(name: str | None) -> str:
    if name not in (CONSUMER, WORKSPACE):
        raise Refused(400, "there is no such program_id")
    return name


def _place(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        word, _, number = urlsafe_b64decode(cursor).decode().partition(" ")
        if word == "before" and number.isdigit() and len(number) < 19:
            return int(number)
    except ValueError:
        pass
    raise Refused(400, "the cursor is not one that was given here")


def _offer(reading: OfferReading) -> Payload:
    campaign, refused, began = reading.campaign, reading.refused, reading.began
    capacity = campaign.send_capacity if campaign else None
    limit = {"invites_sent": reading.sent, "invites_total": capacity, "time_frame": "campaign", "type": "user"}
    return {
        "should_show": refused is None,
        "ineligible_reason": refused,
        "ineligible_reason_code": refused.name.lower() if refused else None,
        "title": campaign.title if campaign else None,
        "description": campaign.description if campaign else None,
        "plans": list(campaign.plans) if campaign else [],
        "starts_at": rfc3339(campaign.starts_at(began)) if campaign else None,
        "ends_at": rfc3339(campaign.ends_at(began)) if campaign else None,
        "offer_id": campaign.id if campaign else None,
        "grants": campaign.rewards if campaign else [],
        "remaining_send_capacity": reading.sends_left,
        "remaining_reward_capacity": reading.rewards_left,
        "requires_explicit_confirmation": True,
        "rules": list(campaign.rules) if campaign else [],
        "time_frame_rules": [] if capacity is None else [limit | {"capacity_type": "send"}],
    }


def _link(tracked: Tracked, request: Request) -> Payload:
    invite, link = tracked.invite, f"{request.origin}{INVITE_PATH}{tracked.invite.token}"
    return {"referral_id": invite.id, "email": invite.email, "invite_url": link}


def _item(tracked: Tracked, request: Request) -> Payload:
    invite = tracked.invite
    return _link(tracked, request) | {
        "status": tracked.state,
        "status_reason": tracked.reason,
        "can_resend": tracked.can_resend,
        "resend_available_at": rfc3339(invite.resend_at),
        "grants": tracked.rewards,
        "created_at": rfc3339(invite.sent_at),
        "expires_at": rfc3339(invite.expires_at),
    }


def _lines(tracked: Tracked, campaign: Campaign) -> Sequence[str]:
    if tracked.state in (InviteStatus.SENT, InviteStatus.OPENED):
        promised = campaign.reward_of(FRIEND) is not None
        return [
            f"{tracked.invite.referrer} invites you to Codex.",
            campaign.description,
            "Sign in, and send your first message." if promised else "The one who invites you gets the reward.",
            "This is the resetbank stub: join with POST /stub/invites/accept and this link.",
        ]
    if tracked.state is InviteStatus.JOINED:
        return ["You have joined. Send your first Codex message now."]
    return [tracked.reason or "This invite has been used."]
