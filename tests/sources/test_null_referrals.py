"""Where nobody may be asked, and who says so."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.domain.worlds import snapshot
from tests.sources.conftest import CodexFolder
from tests.sources.referring import ACCOUNT, INVITE
from tests.sources.servers import Behaviour, Server
from tests.support.clocks import ManualClock
from tests.wire.referral_samples import FRIEND, LINK
from tui.assembly import SourceOptions, open_companion
from tui.domain.invites import InviteProposal
from tui.domain.referral import CONSUMER, Offer, OfferStatus
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected
from tui.paths import resetbank_paths
from tui.settings import InviteSettings, Settings
from tui.sources.base import Referrals
from tui.sources.null_referrals import NullReferrals
from tui.sources.referrals import ReferralClient

Serve = Callable[[Behaviour], Awaitable[Server]]


OFFICIAL = [
    None,
    "https://chatgpt.com/backend-api",
    "https://chatgpt.com",
    "https://CHATGPT.com:443/backend-api/",
    "https://chat.openai.com",
    "https://chatgpt.com:8443/backend-api",
    "https://www.chatgpt.com/backend-api",
    "https://api.openai.com/backend-api",
]


def referrals_of(base_url: str | None, settings: Settings) -> Referrals:
    companion = open_companion(
        SourceOptions("http", base_url=base_url), settings, resetbank_paths(), front_end="a test", invites=True
    )
    return companion.inviter._service


@pytest.mark.parametrize("base_url", OFFICIAL)
async def test_an_official_address_is_never_asked_unasked(base_url: str | None, codex: CodexFolder) -> None:
    codex.auth()
    service = referrals_of(base_url, Settings())
    assert isinstance(service, NullReferrals)
    told = await service.offer(ACCOUNT)
    assert (told.status, told.offer) == (OfferStatus.NOT_ASKED, None)
    assert not (await service.tracking(ACCOUNT)).complete
    for sending in (service.invite(INVITE), service.resend("ref-1", ACCOUNT)):
        with pytest.raises(InviteRejected, match=r"nothing was sent.*; invite in the Codex app"):
            await sending
    await service.aclose()


@pytest.mark.parametrize("base_url", OFFICIAL)
def test_an_official_address_is_asked_where_its_user_wants_it(base_url: str | None, codex: CodexFolder) -> None:
    codex.auth()
    assert isinstance(referrals_of(base_url, Settings(invite=InviteSettings(ask_official=True))), ReferralClient)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:9/backend-api", "https://quota.example", "https://chatgpt.com.quota.example"]
)
def test_an_address_of_one_s_own_is_asked(base_url: str) -> None:
    assert isinstance(referrals_of(base_url, Settings()), ReferralClient)


def test_a_command_that_takes_no_part_asks_nobody() -> None:
    companion = open_companion(
        SourceOptions("http", base_url="http://127.0.0.1:9"), Settings(), resetbank_paths(), front_end="a test"
    )
    assert isinstance(companion.inviter._service, NullReferrals)


def test_an_address_that_cannot_be_used_is_said(codex: CodexFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_HOME", str(codex.home.path))
    codex.config('chatgpt_base_url = "http://evil.example/backend-api"')
    service = referrals_of(None, Settings())
    assert isinstance(service, NullReferrals)
    told = asyncio.run(service.offer(Account()))
    assert told.status is OfferStatus.UNREACHABLE
    assert "evil.example" in (told.reason or "")


async def test_an_official_address_sees_no_socket(
    codex: CodexFolder, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, **more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setenv("CODEX_HOME", str(codex.home.path))
    codex.auth()
    companion = open_companion(
        SourceOptions("http"), Settings(), resetbank_paths(), front_end="t", clock=clock, invites=True
    )
    monkeypatch.setattr(socket, "socket", refuse)
    companion.store.update(snapshot=snapshot())
    await companion.inviter.refresh()
    assert companion.state.invites.status is OfferStatus.NOT_ASKED
    note = await companion.inviter.note(FRIEND, LINK)
    with pytest.raises(InviteRejected, match="nothing was sent"):
        await companion.inviter.invite(
            InviteProposal(snapshot().account, "other@example.com", Offer(None, CONSUMER)), ConsentKind.LETTER
        )
    await companion.inviter.refresh()
    assert companion.state.invites.records == (note,), "the local list of invites works all the same"
    await companion.aclose()
