"""The source `http` against well-behaved answers: what it asks, what it makes of them, whose bank it touches."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta

import pytest

from tests.sources.conftest import CodexFolder, good_claims, jwt
from tests.sources.servers import Behaviour, Server, answer, by_path, says
from tests.support.clocks import ManualClock
from tests.wire.samples import CREDIT_ROWS, FULL_USAGE
from tui import __version__
from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest
from tui.errors import ConsumeRejected, NotViable, RateLimited, SignedOut, SourceDown
from tui.sources.backend import Backend, open_backend
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.sources.logins import Logins

Serve = Callable[[Behaviour], Awaitable[Server]]
TOKEN = jwt(**good_claims())
LOGIN = Login(Token(TOKEN), "acc1", email="claims@example.com", plan="from-claims")
SPEND = ConsumeRequest("key-1", "credit-1", "acc1")
RESET = answer(b'{"code":"reset","credit":{"id":"credit-1"},"windows_reset":2}')
HEALTHY = by_path(usage=answer(FULL_USAGE), rate_limit_reset_credits=answer(CREDIT_ROWS), consume=RESET)


def backend(server: Server, clock: ManualClock, login: Login = LOGIN) -> Backend:
    return Backend(parse_base_url(server.url), fixed_login(login), clock)


async def test_a_reading_with_rows(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    seen = await source.read(with_credits=True)
    assert [request.path for request in server.requests] == [
        "/backend-api/wham/usage",
        "/backend-api/wham/rate-limit-reset-credits",
    ]
    assert (seen.provenance.source, seen.provenance.observed_at) == ("http", clock.now())
    assert (seen.account.id, seen.account.plan, seen.account.email) == ("acc1", "plus", "me@example.com")
    assert seen.bank.credits is not None
    assert (seen.bank.available, len(seen.bank.credits), seen.bank.credits_observed_at) == (1, 1, clock.now())
    await source.aclose()


async def test_a_background_reading_leaves_the_credits_alone(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    seen = await source.read(with_credits=False)
    assert len(server.requests) == 1
    assert (seen.bank.available, seen.bank.credits) == (2, None)
    await source.aclose()


async def test_headers_are_those_of_a_plain_reader(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    await source.read(with_credits=False)
    headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["chatgpt-account-id"] == "acc1"
    assert headers["user-agent"] == f"resetbank/{__version__}"
    assert not {"x-openai-fedramp", "x-openai-codex-luna-reserve", "cookie"} & set(headers)
    await source.aclose()


async def test_fedramp_and_opaque_logins_differ_in_their_headers(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock, Login(Token("opaque"), None, fedramp=True))
    await source.read(with_credits=False)
    headers = server.requests[0].headers
    assert headers["x-openai-fedramp"] == "true"
    assert "chatgpt-account-id" not in headers
    await source.aclose()


async def test_the_other_path_style(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = Backend(parse_base_url(server.url.removesuffix("/backend-api")), fixed_login(LOGIN), clock)
    await source.read(with_credits=True)
    await source.consume(SPEND)
    assert [request.path for request in server.requests] == [
        "/api/codex/usage",
        "/api/codex/rate-limit-reset-credits",
        "/api/codex/rate-limit-reset-credits/consume",
    ]
    await source.aclose()


async def test_a_spend_is_sent_once_and_exactly(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    assert await source.consume(SPEND) == ConsumeAnswer(ConsumeCode.RESET, "reset")
    (request,) = server.requests
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert request.body == b'{"redeem_request_id":"key-1","credit_id":"credit-1"}'
    await source.aclose()


async def test_another_account_s_spend_is_never_sent(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    with pytest.raises(ConsumeRejected, match="another account"):
        await source.consume(ConsumeRequest("key-1", "credit-1", "acc2"))
    assert server.requests == []
    await source.aclose()


@pytest.mark.parametrize(
    ("email", "requests"), [("me@example.com", ["usage", "consume"]), ("you@example.com", ["usage"])]
)
async def test_where_no_id_is_known_the_address_says_whose_spend_it_is(
    serve: Serve, clock: ManualClock, email: str, requests: list[str]
) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock, Login(Token("opaque"), None))
    request = ConsumeRequest("key-1", None, None, email)
    with nullcontext() if len(requests) > 1 else pytest.raises(ConsumeRejected, match="another account"):
        await source.consume(request)
    assert [request.path.rpartition("/")[2] for request in server.requests] == requests
    await source.aclose()


@pytest.mark.parametrize(("account", "requests"), [("acc1", ["usage", "consume"]), ("acc2", ["usage"])])
async def test_an_opaque_login_s_account_is_learnt_before_a_spend(
    serve: Serve, clock: ManualClock, account: str, requests: list[str]
) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock, Login(Token("opaque"), None))
    request = ConsumeRequest("key-1", "credit-1", account)
    if account == "acc1":
        assert (await source.consume(request)).code is ConsumeCode.RESET
    else:
        with pytest.raises(ConsumeRejected, match="another account"):
            await source.consume(request)
    assert [r.path.rpartition("/")[2] for r in server.requests] == requests
    await source.aclose()


async def test_a_renewed_login_is_picked_up_after_a_401(serve: Serve, clock: ManualClock, codex: CodexFolder) -> None:
    codex.signed_in("stale")

    async def behave(request: object, writer: asyncio.StreamWriter) -> None:
        fresh = server.requests[-1].headers["authorization"] == "Bearer fresh"
        if not fresh:
            codex.signed_in("fresh")
        await says(FULL_USAGE if fresh else b"{}", "200 OK" if fresh else "401 Unauthorized")(
            server.requests[-1], writer
        )

    server = await serve(behave)
    base_url = parse_base_url(server.url)
    codex.config(f'chatgpt_base_url = "{server.url}"')
    source = await open_backend(base_url, Logins(codex.home, base_url, False, clock), clock)
    assert (await source.read(with_credits=False)).bank.available == 2
    assert [r.headers["authorization"] for r in server.requests] == ["Bearer stale", "Bearer fresh"]
    await source.aclose()


async def test_the_same_login_is_not_tried_twice(serve: Serve, clock: ManualClock) -> None:
    server = await serve(says(b"{}", "401 Unauthorized"))
    source = backend(server, clock)
    with pytest.raises(SignedOut, match="run codex once to refresh your login"):
        await source.read(with_credits=True)
    assert len(server.requests) == 1
    await source.aclose()


async def test_a_login_that_is_gone_signs_out(serve: Serve, clock: ManualClock, codex: CodexFolder) -> None:
    server = await serve(HEALTHY)
    base_url = parse_base_url(server.url)
    codex.config(f'chatgpt_base_url = "{server.url}"')
    codex.auth()
    source = await open_backend(base_url, Logins(codex.home, base_url, False, clock), clock)
    codex.home.auth_file.unlink()
    with pytest.raises(SignedOut, match="not signed in"):
        await source.read(with_credits=False)
    with pytest.raises(ConsumeRejected, match="nothing was sent: Codex is not signed in"):
        await source.consume(SPEND)
    assert server.requests == []
    await source.aclose()


async def test_without_a_login_it_is_not_viable(codex: CodexFolder, clock: ManualClock) -> None:
    base_url = parse_base_url("https://chatgpt.com")
    with pytest.raises(NotViable, match="not signed in"):
        await open_backend(base_url, Logins(codex.home, base_url, False, clock), clock)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 14:08:01 GMT", 30.0),
        ("Mon, 23 Nov 2020 14:08:01 GMT", 0.0),
        ("99999999", 86400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_a_429_says_how_long(serve: Serve, clock: ManualClock, told: str, seconds: float | None) -> None:
    server = await serve(says(b"{}", "429 Too Many Requests", f"retry-after: {told}"))
    source = backend(server, clock)
    with pytest.raises(RateLimited) as caught:
        await source.read(with_credits=True)
    assert caught.value.retry_after == seconds
    await source.aclose()


async def test_a_503_with_a_time_is_a_wish_to_be_left_alone(serve: Serve, clock: ManualClock) -> None:
    source = backend(await serve(says(b"", "503 Service Unavailable", "retry-after: 30")), clock)
    with pytest.raises(RateLimited) as caught:
        await source.read(with_credits=False)
    assert caught.value.retry_after == 30.0
    await source.aclose()


async def test_a_503_without_one_is_down(serve: Serve, clock: ManualClock) -> None:
    source = backend(await serve(says(b"", "503 Service Unavailable")), clock)
    with pytest.raises(SourceDown, match="answers 503"):
        await source.read(with_credits=False)
    await source.aclose()


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "429 Too Many Requests", "500 Oh"])
async def test_rows_that_fail_leave_the_rest(serve: Serve, clock: ManualClock, status: str) -> None:
    server = await serve(by_path(usage=answer(FULL_USAGE), rate_limit_reset_credits=answer(b"{}", status)))
    source = backend(server, clock)
    seen = await source.read(with_credits=True)
    assert (seen.bank.available, seen.bank.credits) == (2, None)
    assert status[:3] in seen.unknowns[-1]
    assert seen.unknowns[-1].startswith("the list of resets could not be read: ")
    await source.aclose()


@pytest.mark.parametrize(("header", "pause"), [((), 60), (("retry-after: 5",), 60), (("retry-after: 300",), 300)])
async def test_rows_are_left_alone_after_a_429(
    serve: Serve, clock: ManualClock, header: tuple[str, ...], pause: int
) -> None:
    busy = answer(b"{}", "429 Too Many Requests", *header)
    server = await serve(by_path(usage=answer(FULL_USAGE), rate_limit_reset_credits=busy))
    source = backend(server, clock)

    async def rows_asked() -> int:
        await source.read(with_credits=True)
        return sum(request.path.endswith("credits") for request in server.requests)

    assert await rows_asked() == 1
    clock.advance(pause - 1)
    assert await rows_asked() == 1
    clock.advance(1)
    assert await rows_asked() == 2
    await source.aclose()


async def test_a_proxy_never_sees_what_is_meant_for_this_machine(
    serve: Serve, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = await serve(HEALTHY), await serve(HEALTHY)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    source = backend(server, clock)
    await source.read(with_credits=False)
    assert (proxy.connections, len(server.requests)) == (0, 1)
    await source.aclose()


async def test_it_may_be_built_in_a_thread(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = await asyncio.to_thread(backend, server, clock)
    assert (await source.read(with_credits=False)).bank.available == 2
    await source.aclose()


async def test_one_connection_serves_many_readings(serve: Serve, clock: ManualClock) -> None:
    server = await serve(HEALTHY)
    source = backend(server, clock)
    for _ in range(3):
        await source.read(with_credits=True)
    assert (server.connections, len(server.requests)) == (1, 6)
    await source.aclose()


async def test_a_closed_source_is_down_and_closes_twice(serve: Serve, clock: ManualClock) -> None:
    source = backend(await serve(HEALTHY), clock)
    await source.aclose()
    await source.aclose()
    with pytest.raises(SourceDown):
        await source.read(with_credits=False)


async def test_an_expired_login_is_not_sent(serve: Serve, clock: ManualClock, codex: CodexFolder) -> None:
    server = await serve(HEALTHY)
    base_url = parse_base_url(server.url)
    codex.config(f'chatgpt_base_url = "{server.url}"')
    codex.signed_in(jwt(**good_claims(exp=(clock.now() + timedelta(hours=1)).timestamp())))
    source = await open_backend(base_url, Logins(codex.home, base_url, False, clock), clock)
    await source.read(with_credits=False)
    clock.advance(3600)
    with pytest.raises(SignedOut, match="the login expired at 2026-11-23 15:07 UTC; run codex once"):
        await source.read(with_credits=False)
    assert len(server.requests) == 1
    await source.aclose()


def test_answers_do_not_show_their_bodies() -> None:
    from tui.sources.answers import Answer

    assert "secret" not in repr(Answer("h", 200, {"set-cookie": "secret"}, json.dumps("secret").encode()))
