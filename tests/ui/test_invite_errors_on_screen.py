"""Every way in which the service can refuse, on the real screen over the embedded service: one clear line each."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui.showing import drawn, press_alone, settle, words
from tests.ui.states import ZONE
from tui.assembly import SourceOptions, open_companion
from tui.companion.companion import Companion
from tui.paths import resetbank_paths
from tui.settings import Settings
from tui.stub.chain import EmbeddedChain
from tui.stub.embedded import EmbeddedStub
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import GUARD_SECONDS

Open = tuple[Pilot[int], ResetbankApp, EmbeddedStub]


@asynccontextmanager
async def panel(clock: ManualClock, before: Callable[[EmbeddedStub], None] = lambda stub: None) -> AsyncIterator[Open]:
    """The invite panel of a demo; the service may be spoilt before anything is asked."""
    companion: Companion | None = None

    async def connected() -> Companion:
        assert companion is not None
        return companion

    options = SourceOptions("stub", demo="pilot-start")
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="t", clock=clock, invites=True)
    chain = companion.connection._chain
    assert isinstance(chain, EmbeddedChain)
    await companion.poller.poll()
    before(chain._stub)
    app = ResetbankApp(
        connect=connected, settings=Settings(), clock=clock, zone=ZONE, letters=drawn("ABCDEFG"), drive=False
    )
    app.animation_level = "none"
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("i")
        await settle(pilot)
        yield pilot, app, chain._stub


async def send(pilot: Pilot[int], clock: ManualClock, address: str = "pal@example.com") -> str:
    """Type an address, consent, and read the screen."""
    await pilot.press("a", *address, "enter")
    await settle(pilot)
    await press_alone(pilot, clock, "A")
    assert isinstance(pilot.app, ResetbankApp)
    return words(pilot.app)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("status:400", "! no e-mail went to pal@example.com: 127.0.0.1 refused (400): fault: status 400"),
        ("status:401", "refused (401): fault: status 401; run codex once to refresh your login"),
        ("status:403", "! no e-mail went to pal@example.com: 127.0.0.1 refused (403)"),
        ("status:409", "! no e-mail went to pal@example.com: 127.0.0.1 refused (409)"),
        ("status:422", "! no e-mail went to pal@example.com: 127.0.0.1 refused (422)"),
        ("status:429", "refused (429): fault: status 429; wait a while and try again"),
        ("html", "! no e-mail went to pal@example.com: a Cloudflare check stands before 127.0.0.1"),
        ("status:500", "? Whether an e-mail went to pal@example.com is not known: 127.0.0.1 answered with 500"),
        ("drop_before", "? Whether an e-mail went to pal@example.com is not known: the request was sent, but"),
        ("drop_after", "✓ The service took the invite to pal@example.com"),
        ("garbage", "✓ The service took the invite to pal@example.com"),
    ],
)
async def test_what_a_send_came_to_is_one_clear_line(fault: str, line: str, clock: ManualClock) -> None:
    async with panel(clock) as (pilot, _, stub):
        stub.faults.arm("/referrals/invite", fault, 1)
        shown = await send(pilot, clock)
        assert line in shown
        assert stub.faults.served["/backend-api/referrals/invite"] == 1
        assert ("b goes back to the address" in shown) is shown.__contains__("! no e-mail went")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("status:401", "The offer could not be read: 127.0.0.1 refuses the login (401); run codex once"),
        ("status:403", "Not offered to this client; open the Codex app: fault: status 403"),
        ("status:404", "Not offered to this account: 127.0.0.1 has no referral programme"),
        ("status:429", "The offer could not be read: 127.0.0.1 asks for fewer requests (429)"),
        ("status:503", "The offer could not be read: 127.0.0.1 answers 503"),
        ("html", "Not offered to this client; open the Codex app"),
        ("garbage", "The offer could not be read: the invite offer is not valid JSON"),
        ("drop_before", "The offer could not be read: the connection to 127.0.0.1 broke"),
    ],
)
async def test_an_offer_that_cannot_be_had_says_why(fault: str, line: str, clock: ManualClock) -> None:
    async with panel(clock, lambda stub: stub.faults.arm("/eligibility", fault, 9)) as (pilot, app, _):
        assert line in words(app)
        await pilot.press("a")
        await settle(pilot)
        assert "nothing is offered here, so nothing can be sent" in words(app)


async def test_a_list_that_cannot_be_read_says_so(clock: ManualClock) -> None:
    async with panel(clock, lambda stub: stub.faults.arm("/tracking", "status:503", 9)) as (_, app, _):
        assert "? the list of invites could not be read: 127.0.0.1 answers 503" in words(app)


async def test_the_fourth_is_refused_before_anything_is_asked(clock: ManualClock) -> None:
    async with panel(clock) as (pilot, app, stub):
        for name in ("one", "two", "three"):
            assert "✓ The service took the invite" in await send(pilot, clock, f"{name}@example.com")
            clock.advance(GUARD_SECONDS)
            await pilot.press("enter")
            await settle(pilot)
        assert "no invites left" in words(app)
        await pilot.press("a")
        await settle(pilot)
        assert "no invites are left; nothing was sent" in words(app)
        assert stub.faults.served["/backend-api/referrals/invite"] == 3


async def test_an_email_that_may_not_go_again_yet_says_from_when(clock: ManualClock) -> None:
    async with panel(clock) as (pilot, app, stub):
        await send(pilot, clock)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter", "e")
        await settle(pilot)
        assert "its e-mail cannot be sent again: it is too early can be sent again from" in words(app)
        clock.advance(61)
        await pilot.press("escape")
        await pilot.press("f5")
        await settle(pilot)
        stub.faults.arm("/send-email", "status:429", 1)
        await pilot.press("e")
        await settle(pilot)
        await press_alone(pilot, clock, app.screen.letter)  # type: ignore[attr-defined]
        assert "! no e-mail went to pal@example.com: 127.0.0.1 refused (429)" in words(app)
