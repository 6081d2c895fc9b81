"""Asking a small server of the test's own for offers and invites."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from tests.sources.conftest import good_claims, jwt
from tests.sources.servers import Behaviour, Request, Server, answer
from tests.support.clocks import ManualClock
from tests.wire.referral_samples import ELIGIBILITY, FRIEND, INVITED, ITEM, pack
from tui.domain.referral import CONSUMER, InviteRequest
from tui.domain.snapshot import Account
from tui.sources.base_url import parse_base_url
from tui.sources.http_asker import HttpAsker
from tui.sources.login import Login, LoginProvider, Token, fixed_login
from tui.sources.referrals import ReferralClient

Serve = Callable[[Behaviour], Awaitable[Server]]
TOKEN = jwt(**good_claims())
LOGIN = Login(Token(TOKEN), "acc1")
ACCOUNT = Account("acc1", "plus")
INVITE = InviteRequest(FRIEND, CONSUMER, "acc1")
NOT_HERE = answer(b'{"detail":"Not Found"}', "404 Not Found")


def ok(payload: object) -> bytes:
    return answer(pack(payload))


def routed(routes: dict[str, bytes]) -> Behaviour:
    """An answer for each method and path, whatever the query; 404 for anything else."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(routes.get(f"{request.method} {urlsplit(request.path).path}", NOT_HERE))
        await writer.drain()

    return behave


CURRENT = routed(
    {
        "GET /backend-api/referrals/invite/eligibility": ok(ELIGIBILITY),
        "POST /backend-api/referrals/invite": ok(INVITED),
        "GET /backend-api/referrals/invite/tracking": ok({"items": [ITEM], "cursor": None}),
        "POST /backend-api/referrals/invite/ref-1/send-email": ok({}),
    }
)


@asynccontextmanager
async def asking(
    base: Server | str, login: Login | LoginProvider = LOGIN, clock: ManualClock | None = None
) -> AsyncIterator[ReferralClient]:
    base_url = parse_base_url(base if isinstance(base, str) else base.url)

    async def open_asker() -> HttpAsker:
        return HttpAsker(base_url)

    provider = fixed_login(login) if isinstance(login, Login) else login
    client = ReferralClient(base_url, provider, clock or ManualClock(), open_asker)
    yield client
    await client.aclose()


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query, keep_blank_values=True))


def asked(server: Server) -> list[str]:
    return [f"{request.method} {urlsplit(request.path).path}" for request in server.requests]
