"""The referral endpoints against well-behaved answers: what is asked in either contract, by whom, and what it means."""

import json

import pytest

from tests.sources.conftest import CodexFolder
from tests.sources.referring import (
    ACCOUNT,
    CURRENT,
    INVITE,
    LOGIN,
    TOKEN,
    Serve,
    asked,
    asking,
    query,
)
from tests.sources.servers import says
from tests.support.clocks import ManualClock
from tests.wire.referral_samples import ELIGIBILITY, FRIEND, LINK, pack
from tui import __version__
from tui.domain.referral import CONSUMER, WORKSPACE, InviteAnswer, InviteRequest, OfferStatus
from tui.domain.snapshot import Account
from tui.errors import InviteRejected, NotViable, SignedOut, SourceError
from tui.sources.base_url import parse_base_url
from tui.sources.http_asker import HttpAsker
from tui.sources.login import Login, Token, fixed_login
from tui.sources.logins import Logins
from tui.sources.referrals import ReferralClient, open_referrals


async def test_the_programme_for_persons_is_asked(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        told = await client.offer(ACCOUNT)
    assert told.status is OfferStatus.OFFERED
    assert told.offer is not None
    assert told.offer.program == CONSUMER
    (request,) = server.requests
    assert asked(server) == ["GET /backend-api/referrals/invite/eligibility"]
    assert query(request) == {"program_id": "codex_referral_consumer", "entrypoint": "persistent"}
    assert request.body == b""


@pytest.mark.parametrize("plan", ["team", "business", "self_serve_business_prolite", "ent26", "enterprise", "edu_plus"])
async def test_members_of_a_workspace_have_a_programme_of_their_own(serve: Serve, plan: str) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        told = await client.offer(Account("acc1", plan))
        assert told.offer is not None
        await client.tracking(Account("acc1", plan))
        await client.invite(InviteRequest(FRIEND, told.offer.program, "acc1"))
    assert [query(request).get("program_id") for request in server.requests[:2]] == [WORKSPACE, WORKSPACE]
    assert json.loads(server.requests[2].body)["program_id"] == "codex_referral_workspace"


@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad Request"])
async def test_where_no_programme_is_served_nothing_is_offered(serve: Serve, status: str) -> None:
    server = await serve(says(b"{}", status))
    async with asking(server) as client:
        told = await client.offer(ACCOUNT)
    assert (told.status, told.offer) == (OfferStatus.NOT_OFFERED, None)
    assert told.reason == f"127.0.0.1:{server.port} has no referral programme"
    assert len(server.requests) == 1


async def test_the_other_path_style(serve: Serve) -> None:
    server = await serve(says(b"{}", "404 Not Found"))
    async with asking(server.url.removesuffix("/backend-api")) as client:
        await client.offer(ACCOUNT)
        with pytest.raises(InviteRejected):
            await client.invite(INVITE)
    assert asked(server) == ["GET /referrals/invite/eligibility", "POST /referrals/invite"]


async def test_an_invite_is_sent_once_and_exactly(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        assert await client.invite(INVITE) == InviteAnswer("ref-1", LINK)
    (request,) = server.requests
    assert asked(server) == ["POST /backend-api/referrals/invite"]
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "program_id": "codex_referral_consumer",
        "entrypoint": "persistent",
        "emails": [FRIEND],
    }


async def test_the_list_and_a_resend(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        tracking = await client.tracking(ACCOUNT)
        await client.resend("ref-1", ACCOUNT)
    assert [invite.id for invite in tracking.invites] == ["ref-1"]
    assert tracking.complete
    listing, resend = server.requests
    assert asked(server) == [
        "GET /backend-api/referrals/invite/tracking",
        "POST /backend-api/referrals/invite/ref-1/send-email",
    ]
    assert query(listing) == {"program_id": CONSUMER, "period": "past_90_days", "limit": "100"}
    assert resend.body == b"{}"


async def test_every_request_is_honest_about_who_asks(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        await client.offer(ACCOUNT)
        await client.tracking(ACCOUNT)
        await client.invite(INVITE)
        await client.resend("ref-1", ACCOUNT)
    assert len(server.requests) == 4
    for request in server.requests:
        assert request.headers["user-agent"] == f"resetbank/{__version__}"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["chatgpt-account-id"] == "acc1"
        assert set(request.headers) <= {
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "connection",
            "authorization",
            "chatgpt-account-id",
            "content-type",
            "content-length",
        }, "no cookie, no originator, no sku: nothing of another client's"


async def test_a_cookie_that_was_set_is_not_sent_back(serve: Serve) -> None:
    server = await serve(says(pack(ELIGIBILITY), "200 OK", "set-cookie: session=1; Path=/"))
    async with asking(server) as client:
        await client.offer(ACCOUNT)
        await client.offer(ACCOUNT)
    assert [("cookie" in request.headers) for request in server.requests] == [False, False]


async def test_another_account_s_login_is_refused_before_anything_is_sent(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server, Login(Token(TOKEN), "acc2")) as client:
        for reading in (client.offer, client.tracking):
            with pytest.raises(SignedOut, match="another account"):
                await reading(ACCOUNT)
        with pytest.raises(InviteRejected, match="nothing was sent: the login belongs to another account"):
            await client.invite(INVITE)
        with pytest.raises(InviteRejected, match="nothing was sent"):
            await client.resend("ref-1", ACCOUNT)
    assert (server.requests, server.connections) == ([], 0)


@pytest.mark.parametrize(("login_of", "consent_of"), [(None, "acc1"), ("acc1", None), (None, None)])
async def test_nothing_is_sent_where_it_is_not_known_for_whom(
    serve: Serve, login_of: str | None, consent_of: str | None
) -> None:
    server = await serve(CURRENT)
    async with asking(server, Login(Token("opaque"), login_of)) as client:
        with pytest.raises(InviteRejected, match="nothing was sent: the login is not known"):
            await client.invite(InviteRequest(FRIEND, CONSUMER, consent_of))
        with pytest.raises(InviteRejected, match="nothing was sent: the login is not known"):
            await client.resend("ref-1", Account(consent_of))
        assert (await client.offer(Account(consent_of))).status is OfferStatus.OFFERED, "reading is no sending"
    assert len(server.requests) == 1


async def test_without_a_login_nothing_is_sent(serve: Serve, codex: CodexFolder, clock: ManualClock) -> None:
    server = await serve(CURRENT)
    codex.config(f'chatgpt_base_url = "{server.url}"')
    login = Logins(codex.home, parse_base_url(server.url), False, clock)
    async with asking(server, login) as client:
        with pytest.raises(SignedOut, match="not signed in"):
            await client.offer(ACCOUNT)
        with pytest.raises(InviteRejected, match="nothing was sent: Codex is not signed in"):
            await client.invite(INVITE)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("referral_id", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a/../../x", "a%2F..%2F..%2Fx"),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("é", "%C3%A9"),
        ("a b", "a%20b"),
        ("a;b:c@d", "a%3Bb%3Ac%40d"),
    ],
)
async def test_an_id_stays_within_its_place_in_the_path(serve: Serve, referral_id: str, path: str) -> None:
    server = await serve(says(b"{}"))
    async with asking(server) as client:
        await client.resend(referral_id, ACCOUNT)
    (request,) = server.requests
    assert request.path == f"/backend-api/referrals/invite/{path}/send-email"


async def test_one_connection_serves_all_and_closes_twice(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        await client.offer(ACCOUNT)
        await client.tracking(ACCOUNT)
        await client.invite(INVITE)
        await client.aclose()
        await client.aclose()
    assert server.connections == 1


@pytest.mark.parametrize("trouble", [ImportError("socksio"), OSError("no certificates"), ValueError("proxy")])
async def test_what_cannot_even_be_set_up_has_sent_nothing(trouble: Exception) -> None:
    async def open_asker() -> HttpAsker:
        raise trouble

    client = ReferralClient(parse_base_url("http://127.0.0.1:9"), fixed_login(LOGIN), ManualClock(), open_asker)
    for reading in (client.offer, client.tracking):
        with pytest.raises(SourceError, match="cannot be asked from here"):
            await reading(ACCOUNT)
    for send in (client.invite(INVITE), client.resend("r1", ACCOUNT)):
        with pytest.raises(InviteRejected, match="nothing was sent"):
            await send
    await client.aclose()


async def test_settings_for_a_proxy_that_cannot_be_used_refuse_an_invite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")
    url = parse_base_url("https://quota.example.com/api")
    client = open_referrals(url, fixed_login(LOGIN), ManualClock(), asks_official=False)
    with pytest.raises(InviteRejected, match=r"nothing was sent: the environment's settings for proxies .*; set HTTPS"):
        await client.invite(INVITE)
    with pytest.raises(NotViable):
        await client.offer(ACCOUNT)
    await client.aclose()
