"""The list of invites, page by page."""

import asyncio

import pytest

from tests.sources.referring import ACCOUNT, Serve, asking, ok, query
from tests.sources.servers import Behaviour, Request, answer
from tests.wire.referral_samples import ITEM
from tui.errors import SourceDown
from tui.sources.referrals import MOST_PAGES


def paged(pages: dict[str | None, object]) -> Behaviour:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(ok(pages[query(request).get("cursor")]))
        await writer.drain()

    return behave


def page(*names: str, cursor: object = None) -> object:
    return {"items": [ITEM | {"referral_id": name} for name in names], "cursor": cursor}


async def test_the_list_is_read_to_its_end(serve: Serve) -> None:
    server = await serve(
        paged({None: page("a", "b", cursor="x&y= z"), "x&y= z": page("c", cursor="2"), "2": page("d")})
    )
    async with asking(server) as client:
        tracking = await client.tracking(ACCOUNT)
    assert [invite.id for invite in tracking.invites] == ["a", "b", "c", "d"]
    assert tracking.complete
    assert [query(request).get("cursor") for request in server.requests] == [None, "x&y= z", "2"]


async def test_an_invite_on_two_pages_is_one(serve: Serve) -> None:
    async with asking(await serve(paged({None: page("a", "b", cursor="2"), "2": page("b", "c")}))) as client:
        tracking = await client.tracking(ACCOUNT)
    assert [invite.id for invite in tracking.invites] == ["a", "b", "c"]


async def test_a_list_that_leads_in_a_circle_is_not_whole(serve: Serve) -> None:
    server = await serve(paged({None: page("a", cursor="2"), "2": page("b", cursor="3"), "3": page("c", cursor="2")}))
    async with asking(server) as client:
        tracking = await client.tracking(ACCOUNT)
    assert [invite.id for invite in tracking.invites] == ["a", "b", "c"]
    assert not tracking.complete
    assert len(server.requests) == 3


async def test_a_list_that_never_ends_is_not_whole(serve: Serve) -> None:
    async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
        number = int(query(request).get("cursor", "0"))
        writer.write(ok(page(f"ref-{number}", cursor=str(number + 1))))
        await writer.drain()

    server = await serve(endless)
    async with asking(server) as client:
        tracking = await client.tracking(ACCOUNT)
    assert (len(tracking.invites), tracking.complete) == (MOST_PAGES, False)
    assert len(server.requests) == MOST_PAGES


@pytest.mark.parametrize("odd", [page("a", cursor=7), {"items": [ITEM, 7]}, {"items": [{}]}])
async def test_a_page_that_is_not_understood_makes_the_list_incomplete(serve: Serve, odd: object) -> None:
    async with asking(await serve(paged({None: odd}))) as client:
        tracking = await client.tracking(ACCOUNT)
    assert not tracking.complete
    assert tracking.unknowns


async def test_a_second_page_that_fails_is_no_list_at_all(serve: Serve) -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        first = "cursor" not in query(request)
        writer.write(ok(page("a", cursor="2")) if first else answer(b"{}", "500 Oh"))
        await writer.drain()

    async with asking(await serve(behave)) as client:
        with pytest.raises(SourceDown, match="500"):
            await client.tracking(ACCOUNT)
