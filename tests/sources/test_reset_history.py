"""The service's own history of resets, page by page, against a stub and against answers that do not end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.sources.servers import Behaviour, Request, Server, answer
from tests.sources.test_backend import backend
from tests.support.clocks import ManualClock
from tests.wire.samples import CREDIT_ROWS, FULL_USAGE, NO_CREDITS
from tui.sources.backend import MOST_PAGES, Backend
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.stub.embedded import EmbeddedStub, embedded_stub
from tui.stub.http.history import PAGE

Serve = Callable[[Behaviour], Awaitable[Server]]


@asynccontextmanager
async def stubbed(clock: ManualClock, scenario: str, granted: int) -> AsyncIterator[tuple[Backend, EmbeddedStub]]:
    stub = embedded_stub(clock, scenario)
    stub.bank.grant("acc1", granted, None)
    login = fixed_login(Login(Token(stub.token), "acc1"))
    source = Backend(parse_base_url(stub.base_url), login, clock, app=stub.app)
    yield source, stub
    await source.aclose()
    stub.close()


def pages(cursor: Callable[[int], object], failing: int = 0, rows: bytes = CREDIT_ROWS) -> Behaviour:
    """A history that gives one event a page, and fails at one of them."""
    asked = 0

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        body, status = FULL_USAGE, "200 OK"
        if "/history" in request.path:
            asked += 1
            events = [{"id": f"e{asked}", "kind": "used", "occurred_at": "2026-11-23T14:01:00Z"}]
            body = json.dumps({"events": events, "next_cursor": cursor(asked)}).encode()
            status = "503 Down" if asked == failing else status
        elif request.path.endswith("credits"):
            body = rows
        writer.write(answer(body, status))
        await writer.drain()

    return behave


async def test_every_page_of_the_history_is_read(clock: ManualClock) -> None:
    async with stubbed(clock, "calm", 2 * PAGE) as (source, _):
        found = await source.reset_history()
    assert found is not None
    assert (len(found.granted), len(found.used)) == (2 * PAGE + 2, 0)


async def test_no_more_pages_are_asked_for_than_a_history_may_have(serve: Serve, clock: ManualClock) -> None:
    server = await serve(pages(lambda asked: f"to /{asked}"))
    source = backend(server, clock)
    found = await source.reset_history()
    assert found is not None
    assert len(found.used) == len(server.requests) == MOST_PAGES
    assert server.requests[1].path.endswith("/history?cursor=to%20%2F1")
    await source.aclose()


async def test_a_cursor_that_comes_again_ends_it(serve: Serve, clock: ManualClock) -> None:
    server = await serve(pages(lambda asked: "round"))
    source = backend(server, clock)
    found = await source.reset_history()
    assert found is not None
    assert list(found.used) == ["e1", "e2"]
    await source.aclose()


@pytest.mark.parametrize("cursor", [None, "", 7, ["x"], "x" * 2000])
async def test_what_is_no_cursor_ends_it(serve: Serve, clock: ManualClock, cursor: object) -> None:
    server = await serve(pages(lambda asked: cursor))
    source = backend(server, clock)
    found = await source.reset_history()
    assert found is not None
    assert list(found.used) == ["e1"]
    await source.aclose()


async def test_a_history_with_a_page_missing_is_none(serve: Serve, clock: ManualClock) -> None:
    server = await serve(pages(lambda asked: str(asked), failing=3))
    source = backend(server, clock)
    assert await source.reset_history() is None
    assert len(server.requests) == 3
    await source.aclose()


async def test_a_history_that_the_service_does_not_keep_is_not_asked_for(serve: Serve, clock: ManualClock) -> None:
    server = await serve(pages(lambda asked: None, rows=NO_CREDITS))
    source = backend(server, clock)
    await source.read(with_credits=True)
    before = len(server.requests)
    assert await source.reset_history() is None
    assert len(server.requests) == before
    await source.aclose()


async def test_a_history_that_begins_to_be_kept_is_asked_for(clock: ManualClock) -> None:
    async with stubbed(clock, "empty-bank", 0) as (source, stub):
        await source.read(with_credits=True)
        assert await source.reset_history() is None
        stub.bank.grant("acc1", 1, None)
        await source.read(with_credits=True)
        found = await source.reset_history()
    assert found is not None
    assert len(found.granted) == 1
    assert all(at is not None and clock.now() - at < timedelta(days=1) for at in found.granted.values())
