"""What keeps the controls on this machine, and tells their mistakes in one line."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from tui.stub.answers import BadRequest
from tui.stub.plans import PLANS, Plan
from tui.stub.reading import UnknownAccount

Endpoint = Callable[[Request], Awaitable[Response]]


def local(endpoint: Endpoint) -> Endpoint:
    """A control: only for clients on this machine."""

    async def guarded(request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            raise BadRequest("the controls answer this machine alone", 403)
        try:
            return await endpoint(request)
        except UnknownAccount as error:
            raise BadRequest(f"there is no account {error.args[0]!r}") from error

    return guarded


def known_plan(name: str) -> Plan:
    """The plan of this name.

    Raises:
        BadRequest: There is none.
    """
    if name not in PLANS:
        raise BadRequest(f"there is no plan {name!r}; there are: {', '.join(PLANS)}")
    return PLANS[name]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
