"""The controls that play the friend's part in an invite; for clients on this machine alone."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui.stub.answers import BadRequest, json_answer, read_json
from tui.stub.invites import InviteTaken, NotRewarded, UnknownInvite
from tui.stub.local import Endpoint, local
from tui.stub.referrals import Referrals, Tracked


class _Open(msgspec.Struct, forbid_unknown_fields=True):
    link: str


class _Accept(msgspec.Struct, forbid_unknown_fields=True):
    link: str
    account: str


class _Reverse(msgspec.Struct, forbid_unknown_fields=True):
    referral_id: str


class InviteControls:
    """The endpoints under `/stub/invites/`."""

    def __init__(self, referrals: Referrals) -> None:
        self._referrals = referrals

    def routes(self) -> list[Route]:
        """One route a control."""
        return [
            Route("/stub/invites/open", local(_explained(self.open)), methods=["POST"]),
            Route("/stub/invites/accept", local(_explained(self.accept)), methods=["POST"]),
            Route("/stub/invites/reverse", local(_explained(self.reverse)), methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """The friend looks at the link."""
        body = await read_json(request, _Open)
        tracked, _ = self._referrals.open(_token(body.link))
        return json_answer(_told(tracked))

    async def accept(self, request: Request) -> Response:
        """The friend opens the link and joins with an account."""
        body = await read_json(request, _Accept)
        return json_answer(_told(self._referrals.accept(_token(body.link), body.account)))

    async def reverse(self, request: Request) -> Response:
        """The service takes both rewards back, as far as they are still there."""
        body = await read_json(request, _Reverse)
        tracked, revoked = self._referrals.reverse(body.referral_id)
        return json_answer(_told(tracked) | {"revoked": revoked})


def _token(link: str) -> str:
    """The token of a link, which may also be given as a path or by itself."""
    return link.strip().rstrip("/").rpartition("/")[2]


def _told(tracked: Tracked) -> dict[str, object]:
    return {"referral_id": tracked.invite.id, "status": tracked.state, "reason": tracked.reason}


def _explained(endpoint: Endpoint) -> Endpoint:
    async def explained(request: Request) -> Response:
        try:
            return await endpoint(request)
        except UnknownInvite as error:
            raise BadRequest("there is no such invite", 404) from error
        except InviteTaken as error:
            raise BadRequest("another account has come through this invite", 409) from error
        except NotRewarded as error:
            raise BadRequest("this invite has earned nothing", 409) from error

    return explained
