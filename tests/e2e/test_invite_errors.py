"""Every way in which the service can refuse an invite, told as one clear line, and sent once at most."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.stub_process import StubProcess, start_stub
from tui.assembly import SourceOptions, open_companion
from tui.clock import LocalZone
from tui.companion.companion import Companion
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.referral import OfferStatus
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected
from tui.paths import resetbank_paths
from tui.settings import Settings
from tui.ui.view.inviting import sent_lines
from tui.ui.view.offer import offer_lines
from tui.ui.view.text import plain
from tui.ui.view.view_state import ViewState

INVITE = "/referrals/invite"


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[StubProcess]:
    with start_stub(scenario="pilot-start", sandbox=tmp_path / "sandbox") as process:
        yield process


@asynccontextmanager
async def inviting(stub: StubProcess) -> AsyncIterator[Companion]:
    options = SourceOptions("http", stub.codex_home, stub.url)
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="the test", invites=True)
    try:
        await companion.poller.poll()
        await companion.inviter.refresh()
        yield companion
    finally:
        await companion.aclose()


async def send(companion: Companion, address: str = "pal@example.com") -> InviteRecord:
    return await companion.inviter.invite(companion.inviter.propose(address), ConsentKind.LETTER)


def told(companion: Companion, record: InviteRecord) -> str:
    view = ViewState(companion.clock.now(), LocalZone(), companion.state)
    return plain(sent_lines(view, record, 200))


def offer_told(companion: Companion) -> str:
    return plain(offer_lines(ViewState(companion.clock.now(), LocalZone(), companion.state), 200))


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("status:400", "refused (400): fault: status 400"),
        ("status:401", "refused (401): fault: status 401; run codex once to refresh your login"),
        ("status:403", "refused (403): fault: status 403"),
        ("status:409", "refused (409): fault: status 409"),
        ("status:422", "refused (422): fault: status 422"),
        ("status:429", "refused (429): fault: status 429; wait a while and try again"),
        ("html", "a Cloudflare check stands before 127.0.0.1"),
    ],
)
async def test_a_refusal_is_certain(pilot: StubProcess, fault: str, line: str) -> None:
    async with inviting(pilot) as companion:
        pilot.fault(INVITE, fault)
        record = await send(companion)
        assert record.stage is SendStage.REFUSED
        shown = told(companion, record)
        assert line in shown
        assert shown.startswith("! no e-mail went to pal@example.com: ")
        assert shown.count("\n") == 0
        assert (pilot.invites(), pilot.requests(INVITE)) == ([], 1)
        assert (await send(companion)).stage is SendStage.SENT  # a refusal stands in nobody's way


@pytest.mark.parametrize("fault", ["drop_after", "garbage", "empty", "huge"])
async def test_a_lost_answer_is_found_in_the_list(pilot: StubProcess, fault: str) -> None:
    async with inviting(pilot) as companion:
        pilot.fault(INVITE, fault)
        record = await send(companion)
        assert record.stage is SendStage.SENT
        assert told(companion, record).startswith("✓ The service took the invite to pal@example.com")
        assert [entry["emails_sent"] for entry in pilot.invites()] == [1]
        assert pilot.requests(INVITE) == 1


@pytest.mark.parametrize("fault", ["drop_before", "status:500", "status:503", "redirect:http://127.0.0.1:9/"])
async def test_what_the_list_does_not_show_yet_is_unknown_and_not_sent_again(pilot: StubProcess, fault: str) -> None:
    async with inviting(pilot) as companion:
        pilot.fault(INVITE, fault)
        record = await send(companion)
        assert record.stage is SendStage.UNKNOWN
        shown = told(companion, record)
        assert shown.startswith("? Whether an e-mail went to pal@example.com is not known: ")
        assert "it is never sent twice" in shown
        with pytest.raises(Exception, match="never sent twice"):
            await send(companion)
        assert (pilot.invites(), pilot.requests(INVITE)) == ([], 1)


async def test_a_list_that_cannot_be_read_leaves_it_unknown(pilot: StubProcess) -> None:
    async with inviting(pilot) as companion:
        pilot.fault(INVITE, "drop_after")
        pilot.fault("/tracking", "status:503", 1)
        record = await send(companion)
        assert record.stage is SendStage.UNKNOWN
        assert companion.state.invites.unknowns[-1].startswith("the list of invites could not be read: ")
        await companion.inviter.refresh()
        (found,) = companion.state.invites.records
        assert (found.key, found.stage) == (record.key, SendStage.SENT)


async def test_the_contract_s_own_refusals(pilot: StubProcess) -> None:
    async with inviting(pilot) as companion:
        for name in ("one", "two", "three"):
            assert (await send(companion, f"{name}@example.com")).stage is SendStage.SENT
        with pytest.raises(InviteRejected, match="no invites are left"):
            await send(companion, "four@example.com")
        assert pilot.requests(INVITE) == 3


async def test_an_offer_that_has_ended_since_it_was_read(pilot: StubProcess) -> None:
    async with inviting(pilot) as companion:
        pilot.advance(15 * 86_400.0)
        with pytest.raises(InviteRejected, match=r"nothing was sent: .*ended"):
            await send(companion)
        assert companion.state.invites.status is OfferStatus.NOT_OFFERED
        assert (pilot.invites(), pilot.requests(INVITE)) == ([], 0)


async def test_an_address_that_somebody_else_has_invited(pilot: StubProcess) -> None:
    other = pilot.add_account("rival", email="rival@example.com")
    assert other is not None
    async with inviting(pilot) as companion:
        assert (await send(companion, "pal@example.com")).stage is SendStage.SENT
    options = SourceOptions("http", other / "codex-home", pilot.url)
    rival = open_companion(options, Settings(), resetbank_paths(), front_end="the test", invites=True)
    try:
        await rival.poller.poll()
        await rival.inviter.refresh()
        record = await send(rival, "pal@example.com")
        assert record.stage is SendStage.REFUSED
        assert "This person already has a referral sent to them" in told(rival, record)
    finally:
        await rival.aclose()


@pytest.mark.parametrize(
    ("fault", "status", "line"),
    [
        ("status:401", OfferStatus.UNREACHABLE, "refuses the login (401); run codex once to refresh your login"),
        ("status:403", OfferStatus.FORBIDDEN, "Not offered to this client; open the Codex app: fault: status 403"),
        ("html", OfferStatus.FORBIDDEN, "Not offered to this client; open the Codex app"),
        ("status:429", OfferStatus.UNREACHABLE, "asks for fewer requests (429)"),
        ("status:500", OfferStatus.UNREACHABLE, "answers 500"),
        ("garbage", OfferStatus.UNREACHABLE, "the invite offer is not valid JSON"),
        ("drop_before", OfferStatus.UNREACHABLE, "broke off or does not speak HTTP"),
        ("redirect:http://127.0.0.1:9/", OfferStatus.UNREACHABLE, "redirects elsewhere (302)"),
        ("huge", OfferStatus.UNREACHABLE, "answers more than 1 MiB"),
    ],
)
async def test_an_offer_that_cannot_be_read(pilot: StubProcess, fault: str, status: OfferStatus, line: str) -> None:
    pilot.fault("/eligibility", fault, 9)
    async with inviting(pilot) as companion:
        assert companion.state.invites.status is status
        assert line in offer_told(companion)
        assert companion.state.invites.offer is None


async def test_a_service_that_is_killed_keeps_what_was_known(pilot: StubProcess) -> None:
    async with inviting(pilot) as companion:
        assert (await send(companion)).stage is SendStage.SENT
        pilot.kill()
        await companion.inviter.refresh()
        book = companion.state.invites
        assert book.status is OfferStatus.UNREACHABLE
        assert [record.address for record in book.records] == ["pal@example.com"]
        assert "The offer could not be read: no connection to 127.0.0.1" in offer_told(companion)
        assert book.offer is not None  # dimmed, as it was last known
