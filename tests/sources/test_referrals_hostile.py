"""The referral endpoints against servers that misbehave: an e-mail surely did not go out, or nobody knows."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.sources.referring import ACCOUNT, INVITE, asking
from tests.sources.servers import Behaviour, Request, Server, answer, drop, flood, says, silence
from tests.sources.test_backend_hostile import endless_headers, gibberish, name, truncated
from tests.support.clocks import ManualClock
from tests.wire.referral_samples import ELIGIBILITY, FRIEND, INVITED, LINK, pack
from tui.domain.referral import InviteAnswer, OfferStatus
from tui.errors import (
    BadPayload,
    InviteRejected,
    InviteUnknown,
    RateLimited,
    ResetbankError,
    SignedOut,
    SourceDown,
    SourceError,
)
from tui.sources import referrals
from tui.sources.answers import LARGEST_ANSWER, Asker
from tui.sources.app_asker import AppAsker
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.sources.referrals import ReferralClient
from tui.stub.embedded import embedded_stub

Serve = Callable[[Behaviour], Awaitable[Server]]
SECRET = "hunter2-token"
LOGIN = Login(Token(SECRET), "acc1")
HTML = "content-type: text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><title>Welcome</title>"
CHALLENGE = b"<html><script src=/cdn-cgi/challenge-platform/x.js></script></html>"

REFUSALS = [
    (says(b"{}", "400 Bad"), "refused (400): status 400"),
    (says(pack({"failed_emails": [FRIEND], "message": "Not today."}), "400 Bad"), "refused (400): Not today"),
    (says(b"{}", "401 No"), "refused (401): the login is not accepted; run codex once"),
    (says(b"{}", "402 Pay"), "refused (402): status 402"),
    (says(b"{}", "403 No"), "refused (403): not for this client or account"),
    (says(pack({"detail": "Forbidden"}), "403 No"), "refused (403): Forbidden"),
    (says(PAGE, "403 No", HTML), "refused (403): not for this client or account"),
    (says(CHALLENGE, "403 No", HTML), "a Cloudflare check stands before"),
    (says(CHALLENGE, "429 No", HTML), "a Cloudflare check stands before"),
    (says(b"", "403 No", "cf-mitigated: challenge"), "a Cloudflare check stands before"),
    (says(b"", "503 No", "cf-mitigated: challenge"), "a Cloudflare check stands before"),
    (says(b"{}", "404 No"), "refused (404): there is no such invite or programme"),
    (says(b"{}", "409 Conflict"), "refused (409): it exists already"),
    (
        says(pack({"detail": {"message": "This person already has a referral sent to them"}}), "422 No"),
        "refused (422): This person already has a referral sent to them",
    ),
    (says(b"{}", "429 No"), "refused (429): too many invites just now; wait a while"),
    (says(b"{}", "451 No"), "refused (451): status 451"),
    (says(pack({"message": f"{FRIEND} is no friend"}), "422 No"), "refused (422): f…@example.com is no friend"),
    (
        says(pack({"invites": [], "failed_emails": [FRIEND], "message": f"{FRIEND} has one."})),
        "the service did not send it: f…@example.com has one",
    ),
]

IN_DOUBT = [
    *(says(b"{}", f"{status} X") for status in (200, 201, 202, 204, 206, 301, 302, 307, 408, 500, 502, 503, 504, 520)),
    *(says(body) for body in (b"", b"{", b"[]", b'"ok"', b"\xff\xfe", b"[" * 100_000, pack({"invites": []}))),
    says(pack({"invites": [{"referral_id": "x", "email": "other@example.com"}]})),
    says(PAGE, "200 OK", HTML),
    says(CHALLENGE, "200 OK", HTML),
    says(CHALLENGE, "502 Bad Gateway", HTML),
    says(CHALLENGE, "504 Gateway Timeout", HTML),
    says(b" " * (LARGEST_ANSWER + 1)),
    says(pack(INVITED), "200 OK", "content-encoding: gzip"),
    says(b"", "nonsense"),
    flood,
    endless_headers,
    gibberish,
    truncated,
    drop,
]


def clean(error: ResetbankError) -> str:
    """What a person, a log or a ledger could see of it."""
    shown = f"{error} {error!r} {error.__cause__!r}"
    assert SECRET not in shown
    assert FRIEND not in shown
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(("behave", "line"), REFUSALS)
async def test_a_refusal_is_certain_and_says_why(serve: Serve, behave: Behaviour, line: str) -> None:
    server = await serve(behave)
    async with asking(server, LOGIN) as client:
        with pytest.raises(InviteRejected) as caught:
            await client.invite(INVITE)
    assert line in clean(caught.value)
    assert len(server.requests) == 1, "an invite is sent once"


@pytest.mark.parametrize("behave", IN_DOUBT, ids=name)
async def test_anything_else_is_in_doubt(serve: Serve, behave: Behaviour) -> None:
    server = await serve(behave)
    async with asking(server, LOGIN) as client:
        with pytest.raises(InviteUnknown) as caught:
            await client.invite(INVITE)
    assert clean(caught.value).endswith("; the list of invites shows whether it arrived")
    assert len(server.requests) == 1, "an invite is sent once"


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted"])
async def test_an_invite_that_was_taken(serve: Serve, status: str) -> None:
    async with asking(await serve(says(pack(INVITED), status)), LOGIN) as client:
        assert await client.invite(INVITE) == InviteAnswer("ref-1", LINK)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_an_e_mail_that_went_out_again(serve: Serve, status: str) -> None:
    server = await serve(says(b"", status))
    async with asking(server, LOGIN) as client:
        await client.resend("ref-1", ACCOUNT)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        *((behave, InviteRejected) for behave, _ in REFUSALS[:-1]),
        *((says(b"{}", f"{status} X"), InviteUnknown) for status in (302, 408, 500, 503, 504)),
        (says(PAGE, "200 OK", HTML), InviteUnknown),
        (says(CHALLENGE, "504 X", HTML), InviteUnknown),
        (flood, InviteUnknown),
        (drop, InviteUnknown),
        (truncated, InviteUnknown),
    ],
    ids=name,
)
async def test_a_resend_is_refused_or_in_doubt_likewise(
    serve: Serve, behave: Behaviour, error: type[ResetbankError]
) -> None:
    server = await serve(behave)
    async with asking(server, LOGIN) as client:
        with pytest.raises(error) as caught:
            await client.resend("ref-1", ACCOUNT)
    clean(caught.value)
    assert len(server.requests) == 1


async def test_a_service_that_keeps_silent_leaves_it_in_doubt(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referrals, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(referrals, "READ_SECONDS", 0.2)
    server = await serve(silence)
    async with asking(server, LOGIN) as client:
        with pytest.raises(InviteUnknown, match=r"did not answer within 0\.2 s"):
            await client.invite(INVITE)
        with pytest.raises(SourceDown, match=r"did not answer within 0\.2 s"):
            await client.offer(ACCOUNT)
    assert len(server.requests) == 2


async def test_nobody_listens_so_nothing_went_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with asking(f"http://127.0.0.1:{taken.getsockname()[1]}", LOGIN) as client:
            with pytest.raises(InviteRejected, match="nothing was sent: no connection to"):
                await client.invite(INVITE)
            with pytest.raises(InviteRejected, match="nothing was sent: no connection to"):
                await client.resend("ref-1", ACCOUNT)
            with pytest.raises(SourceDown, match="no connection to"):
                await client.tracking(ACCOUNT)


async def test_a_server_that_speaks_no_tls_was_sent_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referrals, "SEND_SECONDS", 0.5)
    server = await serve(silence)
    async with asking(f"https://127.0.0.1:{server.port}", LOGIN) as client:
        with pytest.raises(InviteRejected, match="nothing was sent"):
            await client.invite(INVITE)
    assert server.requests == []


async def test_a_kept_connection_that_dies_is_not_tried_anew(serve: Serve) -> None:
    """The service closes the connection just as the next request goes out over it."""

    async def once(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.method == "POST":
            await drop(request, writer)
        writer.write(answer(pack(ELIGIBILITY)))
        await writer.drain()

    server = await serve(once)
    async with asking(server, LOGIN) as client:
        await client.offer(ACCOUNT)
        with pytest.raises(InviteUnknown):
            await client.invite(INVITE)
    assert [request.method for request in server.requests] == ["GET", "POST"]


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_nothing_crosses_a_redirect(serve: Serve, status: str) -> None:
    elsewhere = await serve(says(pack(INVITED)))
    server = await serve(says(b"", status, f"location: {elsewhere.url}/referrals/invite"))
    async with asking(server, LOGIN) as client:
        with pytest.raises(InviteUnknown):
            await client.invite(INVITE)
        with pytest.raises(InviteUnknown):
            await client.resend("ref-1", ACCOUNT)
        for reading in (client.offer, client.tracking):
            with pytest.raises(BadPayload, match="redirects elsewhere"):
                await reading(ACCOUNT)
    assert elsewhere.connections == 0


READ_FAILURES = [
    (says(b"{}", "401 No"), SignedOut, "refuses the login"),
    (says(b"{}", "429 No", "retry-after: 7"), RateLimited, "fewer requests"),
    (says(b"{}", "500 Oh"), SourceDown, "answers 500"),
    (says(CHALLENGE, "503 No", HTML), SourceDown, "Cloudflare check"),
    (says(PAGE, "200 OK", HTML), BadPayload, "web page"),
    (says(b""), BadPayload, "not valid JSON"),
    (says(b"[]"), BadPayload, "not a JSON object"),
    (says(b"[" * 100_000), BadPayload, "not valid JSON"),
    (says(b" " * (LARGEST_ANSWER + 1)), BadPayload, "more than 1 MiB"),
    (flood, BadPayload, "more than 1 MiB"),
    (endless_headers, SourceDown, "does not speak HTTP"),
    (gibberish, SourceDown, "does not speak HTTP"),
    (truncated, SourceDown, "broke off"),
    (drop, SourceDown, "bro"),
]


@pytest.mark.parametrize("reading", ["offer", "tracking"])
@pytest.mark.parametrize(("behave", "error", "line"), READ_FAILURES, ids=name)
async def test_a_reading_fails_in_one_clear_line(
    serve: Serve, behave: Behaviour, error: type[ResetbankError], line: str, reading: str
) -> None:
    server = await serve(behave)
    async with asking(server, LOGIN) as client:
        with pytest.raises(error, match=line) as caught:
            await getattr(client, reading)(ACCOUNT)
    assert isinstance(caught.value, SourceError)
    clean(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (says(pack({"detail": {"message": "Not for this client."}}), "403 No"), "Not for this client"),
        (says(pack({"detail": f"{FRIEND} may not"}), "403 No"), "f…@example.com may not"),
        (says(b"", "403 No"), "answers this client with a refusal (403)"),
        (says(PAGE, "403 No", HTML), "answers this client with a refusal (403)"),
        (says(CHALLENGE, "403 No", HTML, "cf-mitigated: challenge"), "answers this client with a refusal (403)"),
    ],
)
async def test_a_service_that_refuses_this_client_is_an_answer(serve: Serve, behave: Behaviour, reason: str) -> None:
    server = await serve(behave)
    async with asking(server, LOGIN) as client:
        told = await client.offer(ACCOUNT)
    assert (told.status, told.offer) == (OfferStatus.FORBIDDEN, None)
    assert reason in (told.reason or "")
    assert len(server.requests) == 1, "a refusal is not asked a second time in other words"


async def test_a_list_without_items_is_no_empty_list(serve: Serve) -> None:
    async with asking(await serve(says(b"{}")), LOGIN) as client:
        with pytest.raises(BadPayload, match="without its items"):
            await client.tracking(ACCOUNT)


async def test_a_cancelled_send_ends_at_once(serve: Serve) -> None:
    server = await serve(silence)
    async with asking(server, LOGIN) as client:
        sending = asyncio.create_task(client.invite(INVITE))
        while not server.requests:
            await asyncio.wait([sending], timeout=0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "garbage", "huge", "status:503"])
async def test_the_embedded_service_s_faults_read_like_the_network_s(kind: str) -> None:
    clock = ManualClock()
    stub = embedded_stub(clock)
    base_url = parse_base_url(stub.base_url)

    async def open_asker() -> Asker:
        return AppAsker(base_url, stub.app)

    login = fixed_login(Login(Token(stub.token), stub.account_id))
    client = ReferralClient(base_url, login, clock, open_asker)
    stub.faults.arm("", kind, 1)
    with pytest.raises(SourceError):
        await client.offer(ACCOUNT)
    stub.faults.arm("", kind, 1)
    request = type(INVITE)(FRIEND, INVITE.program, stub.account_id)
    with pytest.raises(InviteUnknown):
        await client.invite(request)
    await client.aclose()
    stub.close()
