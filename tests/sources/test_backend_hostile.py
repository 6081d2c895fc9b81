"""The source `http` against servers that misbehave: one clear line each, and never a wrong word about a spend."""

import asyncio
import gzip
import inspect
import socket
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.sources.servers import Behaviour, Request, Server, drip, drop, flood, says, silence
from tests.support.clocks import START, ManualClock
from tests.wire.samples import FULL_USAGE
from tui.domain.spend import ConsumeRequest
from tui.errors import BadPayload, ConsumeRejected, NotViable, OutcomeUnknown, ResetbankError, SignedOut, SourceDown
from tui.sources.answers import LARGEST_ANSWER
from tui.sources.backend import Backend, Deadlines, open_backend
from tui.sources.base_url import parse_base_url
from tui.sources.http_asker import failure_reason
from tui.sources.login import Login, Token, fixed_login
from tui.stub.embedded import embedded_stub

Serve = Callable[[Behaviour], Awaitable[Server]]
SECRET = "hunter2-token"
LOGIN = fixed_login(Login(Token(SECRET), "acc1"))
SPEND = ConsumeRequest("key-1", "credit-1", "acc1")
SHORT = Deadlines(0.2, 0.2, 0.2)

CHALLENGE = says(b"<html>challenge-platform</html>", "403 Forbidden", "content-type: text/html")
PAGE = says(b"<!DOCTYPE html><title>Welcome</title>", "200 OK", "content-type: text/html; charset=utf-8")
REDIRECT = says(b"", "302 Found", "location: http://127.0.0.1:1/elsewhere")
NOT_HTTP = says(b"", "nonsense")


async def gibberish(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")


async def truncated(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"code":"reset"')
    await writer.drain()
    await drop(request, writer)


async def endless_headers(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-filler: " + b"y" * 60_000 + b"\r\n")
        await writer.drain()


def bomb() -> bytes:
    return gzip.compress(b" " * (64 << 20))


READ_FAILURES = [
    (PAGE, BadPayload, "answers a web page instead of numbers"),
    (CHALLENGE, SourceDown, "Cloudflare check"),
    (REDIRECT, BadPayload, "redirects elsewhere"),
    (says(b"{}", "404 Not Found"), BadPayload, "no such endpoint"),
    (says(b"{}", "403 Forbidden"), SignedOut, "forbids"),
    (says(b"{}", "401 X"), SignedOut, "run codex once"),
    (says(b'{"error":{"code":"token_revoked"}}', "401 X"), SignedOut, "sign in again with `codex login`"),
    (says(b'{"error":{"code":"token_invalidated"},"status":401}', "401 X"), SignedOut, "sign in again"),
    (says(b'{"detail":{"code":"deactivated_workspace"}}', "402 X"), SignedOut, "choose another workspace"),
    (says(b'{"error":{"code":"account_deactivated"}}', "403 X"), SignedOut, "the account is deactivated"),
    (says(b"{}", "402 X"), SignedOut, "asks for payment"),
    (says(b"{}", "500 Oops"), SourceDown, "answers 500"),
    (says(b""), BadPayload, "not valid JSON"),
    (says(b"\x00\xff\xfe"), BadPayload, "not valid JSON"),
    (says(b"[" * 100_000), BadPayload, "not valid JSON"),
    (says(FULL_USAGE[:-10]), BadPayload, "not valid JSON"),
    (says(b'"text"'), BadPayload, "not a JSON object"),
    (says(b" " * (LARGEST_ANSWER + 1)), BadPayload, "answers more than 1 MiB"),
    (says(bomb(), "200 OK", "content-encoding: gzip"), BadPayload, "answers more than 1 MiB"),
    (flood, BadPayload, "answers more than 1 MiB"),
    (endless_headers, SourceDown, "does not speak HTTP"),
    (gibberish, SourceDown, "does not speak HTTP"),
    (NOT_HTTP, SourceDown, "does not speak HTTP"),
    (truncated, SourceDown, "broke off"),
    (drop, SourceDown, "bro"),
    (silence, SourceDown, "did not answer within 0.2 s"),
    (drip, SourceDown, "did not answer within 0.2 s"),
]


def name(value: object) -> str | None:
    return getattr(value, "__name__", None) if callable(value) and not inspect.isclass(value) else None


def open_(server: Server, deadlines: Deadlines) -> Backend:
    return Backend(parse_base_url(server.url), LOGIN, ManualClock(), deadlines=deadlines)


def patience(line: str) -> Deadlines:
    """Short only where the deadline is what is tried: elsewhere a busy machine must not matter."""
    return SHORT if "within" in line else Deadlines()


@pytest.mark.parametrize(("behave", "error", "line"), READ_FAILURES, ids=name)
async def test_a_reading_fails_in_one_clear_line(
    serve: Serve, behave: Behaviour, error: type[ResetbankError], line: str
) -> None:
    source = open_(await serve(behave), patience(line))
    with pytest.raises(error, match=line) as caught:
        await source.read(with_credits=True)
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert SECRET not in shown
    assert "\n" not in str(caught.value)
    await source.aclose()


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        *(
            (behave, OutcomeUnknown)
            for behave in (PAGE, REDIRECT, NOT_HTTP, gibberish, truncated, drop, flood, endless_headers)
        ),
        *((says(b"{}", f"{code} X"), OutcomeUnknown) for code in (201, 204, 301, 408, 409, 500, 502, 503, 504)),
        *((says(body), OutcomeUnknown) for body in (b"", b"{}", b"\xff", b'{"code":null}', b"[]")),
        *((says(b"{}", f"{code} X"), ConsumeRejected) for code in (400, 401, 402, 403, 404, 410, 422, 429, 451)),
        (CHALLENGE, ConsumeRejected),
    ],
)
async def test_a_spend_without_an_outcome_is_unknown_or_surely_refused(
    serve: Serve, behave: Behaviour, error: type[ResetbankError]
) -> None:
    server = await serve(behave)
    source = open_(server, Deadlines())
    with pytest.raises(error) as caught:
        await source.consume(SPEND)
    assert len(server.requests) == 1, "a spend is sent once"
    assert SECRET not in f"{caught.value!r} {caught.value}"
    await source.aclose()


@pytest.mark.parametrize("behave", [silence, drip], ids=name)
async def test_a_spend_that_takes_too_long_is_unknown(serve: Serve, behave: Behaviour) -> None:
    server = await serve(behave)
    source = open_(server, SHORT)
    with pytest.raises(OutcomeUnknown, match=r"did not answer within 0\.2 s"):
        await source.consume(SPEND)
    assert len(server.requests) == 1
    await source.aclose()


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        source = Backend(parse_base_url(f"http://127.0.0.1:{port}"), LOGIN, ManualClock())
        with pytest.raises(SourceDown, match="no connection to"):
            await source.read(with_credits=False)
        with pytest.raises(ConsumeRejected, match="nothing was sent: no connection to"):
            await source.consume(SPEND)
        await source.aclose()


async def test_a_connection_that_never_comes_to_be_sent_nothing() -> None:
    """The listener's queue is full: the kernel takes no more connections and says nothing."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        source = Backend(
            parse_base_url(f"http://127.0.0.1:{full.getsockname()[1]}"), LOGIN, ManualClock(), deadlines=SHORT
        )
        with pytest.raises(ConsumeRejected, match=r"nothing was sent: no connection to .* in time"):
            await source.consume(SPEND)
        await source.aclose()
        for one in crowd:
            one.close()


async def test_a_server_that_speaks_no_tls_was_sent_nothing(serve: Serve) -> None:
    server = await serve(silence)
    source = Backend(parse_base_url(f"https://127.0.0.1:{server.port}"), LOGIN, ManualClock(), deadlines=SHORT)
    with pytest.raises(ConsumeRejected, match="nothing was sent"):
        await source.consume(SPEND)
    assert server.requests == []
    await source.aclose()


@pytest.mark.parametrize("method", ["read", "consume"])
async def test_a_login_does_not_cross_a_redirect(serve: Serve, method: str) -> None:
    elsewhere = await serve(says(FULL_USAGE))
    for status in ("301 A", "302 B", "303 C", "307 D", "308 E"):
        server = await serve(says(b"", status, f"location: {elsewhere.url}/wham/usage"))
        source = open_(server, Deadlines())
        with pytest.raises(BadPayload if method == "read" else OutcomeUnknown):
            await (source.read(with_credits=True) if method == "read" else source.consume(SPEND))
        await source.aclose()
    assert elsewhere.connections == 0


async def test_a_flood_is_not_collected(serve: Serve) -> None:
    sent = 0

    async def counted(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            sent += 65_536

    source = open_(await serve(counted), Deadlines())
    with pytest.raises(BadPayload, match="more than 1 MiB"):
        await source.read(with_credits=False)
    assert sent < 64 << 20, "what the kernel's buffers take, and no more"
    await source.aclose()


async def test_slow_rows_do_not_hold_up_a_reading(serve: Serve) -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await (says(FULL_USAGE) if request.path.endswith("usage") else silence)(request, writer)

    source = open_(await serve(behave), Deadlines(rows=0.05))
    seen = await source.read(with_credits=True)
    assert seen.bank.credits is None
    assert "did not answer within 0.05 s" in seen.unknowns[-1]
    await source.aclose()


async def test_a_cancelled_reading_ends_at_once(serve: Serve) -> None:
    server = await serve(silence)
    source = open_(server, Deadlines())
    reading = asyncio.create_task(source.read(with_credits=False))
    while not server.requests:
        await asyncio.wait([reading], timeout=0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await source.aclose()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("drop_before", SourceDown),
        ("drop_after", SourceDown),
        ("garbage", BadPayload),
        ("html", SourceDown),
        ("huge", ResetbankError),
        ("status:503", SourceDown),
    ],
)
async def test_the_embedded_service_s_faults_read_like_the_network_s(kind: str, error: type[ResetbankError]) -> None:
    clock = ManualClock(START)
    stub = embedded_stub(clock)
    login = fixed_login(Login(Token(stub.token), stub.account_id))
    source = Backend(parse_base_url(stub.base_url), login, clock, app=stub.app)
    assert (await source.read(with_credits=True)).provenance.source == "stub"
    stub.faults.arm("usage", kind, 1)
    with pytest.raises(error):
        await source.read(with_credits=True)
    stub.faults.arm("consume", kind, 1)
    with pytest.raises(ConsumeRejected if kind == "html" else OutcomeUnknown):
        await source.consume(ConsumeRequest("key-1", None, stub.account_id))
    await source.aclose()
    stub.close()


def every_httpx_error() -> list[type[Exception]]:
    return [
        error
        for _, error in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(error, Exception) and not error.__name__.startswith("_")
    ]


@pytest.mark.parametrize("kind", every_httpx_error())
def test_every_error_of_httpx_is_a_clause_of_ours(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, f"{SECRET}\nAuthorization: Bearer {SECRET}")
    line = failure_reason(error, "127.0.0.1:1")
    assert "127.0.0.1:1" in line
    assert SECRET not in line
    assert line.isprintable()
    if issubclass(kind, httpx.TransportError):
        assert line != "the request to 127.0.0.1:1 failed", "every transport error has a clause of its own"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:9"),
        ("ALL_PROXY", "socks5h://user:hunter2@127.0.0.1:9"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9"),
        ("HTTPS_PROXY", "http://[::1"),
        ("SSL_CERT_FILE", "/nonexistent/certificates.pem"),
    ],
)
async def test_an_environment_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, clock: ManualClock
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        NotViable, match="settings for proxies or certificates cannot be used; set HTTPS_PROXY"
    ) as caught:
        await open_backend(parse_base_url("https://quota.example.com/backend-api"), LOGIN, clock)
    assert "hunter2" not in str(caught.value)
    Backend(parse_base_url("http://127.0.0.1:1"), LOGIN, clock)  # what is on this machine needs no proxy
