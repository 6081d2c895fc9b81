"""The referral endpoints against well-behaved answers: what is asked in either contract, by whom, and what it means."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from tests.sources.conftest import CodexFolder
from tests.sources.referring import (
    CURRENT,
    FORMER_INVITE,
    FORMER_ONLY,
    INVITE,
    LOGIN,
    NOT_HERE,
    TOKEN,
    Serve,
    asked,
    asking,
    by_contract,
    ok,
    query,
)
from tests.sources.servers import Behaviour, Request, answer, says
from tests.support.clocks import ManualClock
from tests.wire.referral_samples import ELIGIBILITY, FORMER, FRIEND, LINK, pack
from tui import __version__
from tui.domain.referral import InviteAnswer, InviteRequest, OfferStatus
from tui.errors import InviteRejected, SignedOut, SourceError
from tui.sources.backend import HttpAsker
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.sources.logins import Logins
from tui.sources.referrals import ReferralClient
from tui.wire.referral import PROGRAM_ID, REFERRAL_KEY


async def test_the_current_contract_is_asked_first(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        told = await client.offer("acc1")
    assert told.standing is OfferStatus.OFFERED
    assert told.offer is not None
    assert told.offer.program == PROGRAM_ID
    (request,) = server.requests
    assert asked(server) == ["GET /backend-api/referrals/invite/eligibility"]
    assert query(request) == {"program_id": "codex_referral_consumer", "entrypoint": "persistent"}
    assert request.body == b""


@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad Request"])
async def test_where_that_is_not_served_the_former_one_is_asked(serve: Serve, status: str) -> None:
    server = await serve(by_contract(answer(b'{"detail":"no"}', status), ok(FORMER)))
    async with asking(server) as client:
        told = await client.offer("acc1")
    assert told.offer is not None
    assert (told.standing, told.offer.program, told.offer.rules) == (
        OfferStatus.OFFERED,
        REFERRAL_KEY,
        ("One.", "Two."),
    )
    assert asked(server) == [
        "GET /backend-api/referrals/invite/eligibility",
        "GET /backend-api/referrals/invite/eligibility",
        "GET /backend-api/wham/referrals/eligibility_rules",
    ]
    assert query(server.requests[1]) == {
        "referral_key": "codex_referral_persistent_invite",
        "requested_referrals": "1",
        "supports_rewardless_invites": "false",
    }


async def test_where_neither_is_served_nothing_is_offered(serve: Serve) -> None:
    server = await serve(says(b"{}", "404 Not Found"))
    async with asking(server) as client:
        told = await client.offer("acc1")
    assert (told.standing, told.offer) == (OfferStatus.NOT_OFFERED, None)
    assert told.reason == f"127.0.0.1:{server.port} has no referral programme"
    assert len(server.requests) == 2


@pytest.mark.parametrize("rules", [NOT_HERE, answer(b"<html>"), answer(b"{}", "500 Oh"), answer(b"{}", "403 No"), b""])
async def test_an_offer_without_its_rules_is_still_an_offer(serve: Serve, rules: bytes) -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        if "eligibility_rules" not in request.path:
            await FORMER_ONLY(request, writer)
        elif rules:
            writer.write(rules)
        else:
            writer.transport.abort()
            raise ConnectionError

    async with asking(await serve(behave)) as client:
        told = await client.offer("acc1")
    assert told.offer is not None
    assert (told.standing, told.offer.rules) == (OfferStatus.OFFERED, ())


async def test_the_other_path_style(serve: Serve) -> None:
    server = await serve(says(b"{}", "404 Not Found"))
    async with asking(server.url.removesuffix("/backend-api")) as client:
        await client.offer("acc1")
        with pytest.raises(InviteRejected):
            await client.invite(FORMER_INVITE)
    assert asked(server) == ["GET /referrals/invite/eligibility"] * 2 + ["POST /api/codex/referrals/invite"]


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


async def test_an_invite_goes_where_its_own_offer_was_made(serve: Serve) -> None:
    """Whatever was asked last, and also by a client that has asked nothing yet."""
    server = await serve(FORMER_ONLY)
    async with asking(server) as client:
        assert await client.invite(FORMER_INVITE) == InviteAnswer("ref-1", LINK)
        await client.offer("acc1")
        with pytest.raises(InviteRejected, match="404"):
            await client.invite(INVITE)
    posts = [request for request in server.requests if request.method == "POST"]
    assert [urlsplit(request.path).path for request in posts] == [
        "/backend-api/wham/referrals/invite",
        "/backend-api/referrals/invite",
    ]
    assert json.loads(posts[0].body) == {"referral_key": "codex_referral_persistent_invite", "emails": [FRIEND]}
    assert "referral_key" not in json.loads(posts[1].body)


@pytest.mark.parametrize(("behave", "below"), [(CURRENT, "referrals"), (FORMER_ONLY, "wham/referrals")])
async def test_the_list_and_a_resend_in_the_contract_of_the_offer(serve: Serve, behave: Behaviour, below: str) -> None:
    server = await serve(behave)
    async with asking(server) as client:
        await client.offer("acc1")
        before = len(server.requests)
        tracking = await client.tracking("acc1")
        await client.resend("ref-1", "acc1")
    assert [invite.id for invite in tracking.invites] == ["ref-1"]
    assert tracking.complete
    listing, resend = server.requests[before:]
    assert asked(server)[before:] == [
        f"GET /backend-api/{below}/invite/tracking",
        f"POST /backend-api/{below}/invite/ref-1/send-email",
    ]
    named = {"program_id": PROGRAM_ID} if below == "referrals" else {"referral_key": REFERRAL_KEY}
    assert query(listing) == named | {"period": "past_90_days", "limit": "100"}
    assert resend.body == b"{}"


async def test_every_request_is_honest_about_who_asks(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        await client.offer("acc1")
        await client.tracking("acc1")
        await client.invite(INVITE)
        await client.resend("ref-1", "acc1")
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
        await client.offer("acc1")
        await client.offer("acc1")
    assert [("cookie" in request.headers) for request in server.requests] == [False, False]


async def test_another_account_s_login_is_refused_before_anything_is_sent(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server, Login(Token(TOKEN), "acc2")) as client:
        for reading in (client.offer, client.tracking):
            with pytest.raises(SignedOut, match="another account"):
                await reading("acc1")
        with pytest.raises(InviteRejected, match="nothing was sent: the login belongs to another account"):
            await client.invite(INVITE)
        with pytest.raises(InviteRejected, match="nothing was sent"):
            await client.resend("ref-1", "acc1")
    assert (server.requests, server.connections) == ([], 0)


@pytest.mark.parametrize(("login_of", "consent_of"), [(None, "acc1"), ("acc1", None), (None, None)])
async def test_nothing_is_sent_where_it_is_not_known_for_whom(
    serve: Serve, login_of: str | None, consent_of: str | None
) -> None:
    server = await serve(CURRENT)
    async with asking(server, Login(Token("opaque"), login_of)) as client:
        with pytest.raises(InviteRejected, match="nothing was sent: the login is not known"):
            await client.invite(InviteRequest(FRIEND, PROGRAM_ID, consent_of))
        with pytest.raises(InviteRejected, match="nothing was sent: the login is not known"):
            await client.resend("ref-1", consent_of)
        assert (await client.offer(consent_of)).standing is OfferStatus.OFFERED, "reading is no sending"
    assert len(server.requests) == 1


async def test_without_a_login_nothing_is_sent(serve: Serve, codex: CodexFolder, clock: ManualClock) -> None:
    server = await serve(CURRENT)
    codex.config(f'chatgpt_base_url = "{server.url}"')
    login = Logins(codex.home, parse_base_url(server.url), False, clock)
    async with asking(server, login) as client:
        with pytest.raises(SignedOut, match="not signed in"):
            await client.offer("acc1")
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
        await client.resend(referral_id, "acc1")
    (request,) = server.requests
    assert request.path == f"/backend-api/referrals/invite/{path}/send-email"


async def test_one_connection_serves_all_and_closes_twice(serve: Serve) -> None:
    server = await serve(CURRENT)
    async with asking(server) as client:
        await client.offer("acc1")
        await client.tracking("acc1")
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
            await reading("acc1")
    with pytest.raises(InviteRejected, match="nothing was sent"):
        await client.invite(INVITE)
    await client.aclose()
