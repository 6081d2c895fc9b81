"""Inviting by keys: consent where an e-mail goes out, links that are handed on, addresses that stay private."""

import asyncio
import base64
import re

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import invite_states
from tests.ui.invite_panel import panel, type_and_show
from tests.ui.invite_states import LINK, OFFER, offered
from tests.ui.showing import press_alone, screen_text, settle, until, words
from tui.companion.state import State
from tui.domain.invites import SendStage
from tui.domain.referral import OfferAnswer, OfferStatus
from tui.domain.spend import ConsentKind
from tui.errors import SourceDown
from tui.settings import Settings
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import GUARD_SECONDS
from tui.ui.screens.invite import REFRESH_EVERY, SECOND_PRESS, InviteScreen
from tui.ui.screens.main import MainScreen
from tui.ui.screens.page import DrawnPage
from tui.ui.view.offer import CODEX_PAGE


async def test_an_invite_is_shown_once_more_and_sent_on_its_letter(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        dialog = await type_and_show(pilot, "New@Example.com")
        assert "An e-mail goes to New@example.com" in words(app)
        assert companion.service.requests == []
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letter)
        assert companion.service.mails == ["New@example.com"]
        assert companion.invites[0].consent is ConsentKind.LETTER
        assert "✓ The service took the invite to New@example.com" in words(app)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert "▸ New@example.com ○ sent" in words(app)


@pytest.mark.parametrize("keys", ["enter", "space", "a", "up enter", "y"])
async def test_no_blind_key_sends(keys: str, clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        clock.advance(GUARD_SECONDS)
        await pilot.press(*keys.split())
        await settle(pilot)
        assert companion.service.requests == []
        assert app.screen is dialog


async def test_keys_typed_ahead_send_nothing(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, _, companion):
        await pilot.press("a", *"new@example.com", "enter", *"ABCDEFG")
        await settle(pilot)
        assert companion.service.requests == []


async def test_the_address_can_be_changed_and_the_letter_is_another(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        first = dialog.letter
        clock.advance(GUARD_SECONDS)
        await pilot.press("b", "end", "m", "enter")
        await settle(pilot)
        assert "An e-mail goes to new@example.comm" in words(app)
        assert dialog.letter != first
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, first)
        assert companion.service.requests == []


async def test_another_offer_is_another_question(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        first = dialog.letter
        clock.advance(GUARD_SECONDS)
        changed = replace(OFFER, rules=("Nobody gets anything.",))
        companion.publish(offered(offer=changed))
        await settle(pilot)
        assert dialog.letter != first
        assert companion.service.requests == []
        await press_alone(pilot, clock, dialog.letter)
        assert companion.service.mails == ["new@example.com"]
        assert app.screen is dialog


async def test_another_account_closes_the_question(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        snapshot = companion.state.snapshot
        assert snapshot is not None
        other = replace(snapshot, account=replace(snapshot.account, id="acc2"))
        companion.publish(replace(companion.state, snapshot=other))
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        clock.advance(GUARD_SECONDS)
        await pilot.press(dialog.letter or "A")
        await settle(pilot)
        assert companion.service.requests == []


async def test_an_address_that_was_refused_can_be_mended(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        companion.service.offered = SourceDown("no connection to 127.0.0.1:8899")
        dialog = await type_and_show(pilot, "new@example.com")
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letter)
        assert "b goes back to the address" in words(app)
        companion.service.offered = OfferAnswer(OfferStatus.OFFERED, OFFER)
        clock.advance(GUARD_SECONDS)
        await pilot.press("b", "enter")
        await settle(pilot)
        assert "An e-mail goes to new@example.com" in words(app)
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letter)
        assert "✓ The service took the invite to new@example.com" in words(app)


async def test_leaving_sends_nothing_but_not_while_it_is_on_its_way(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        answers = asyncio.Event()

        async def held() -> None:
            await answers.wait()

        companion.service.meanwhile = held
        dialog = await type_and_show(pilot, "new@example.com")
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await until(pilot, lambda: bool(companion.service.mails))
        await pilot.press("escape", "n")
        assert app.screen is dialog
        answers.set()
        await settle(pilot)
        assert "✓ The service took the invite" in words(app)
        await type_again(pilot, clock)
        assert companion.service.mails == ["new@example.com"]


async def type_again(pilot: Pilot[int], clock: ManualClock) -> None:
    clock.advance(GUARD_SECONDS)
    await pilot.press("escape", "a", *"other@example.com", "enter")
    await settle(pilot)
    await pilot.press("escape")
    await settle(pilot)


async def test_an_address_that_is_invited_already_is_refused_before_anything_is_asked(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, companion):
        await type_and_show(pilot, "BEA@example.com")
        assert "that address is invited already (sent)" in words(app)
        assert companion.service.requests == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (invite_states.not_asked(), "nothing is offered here, so nothing can be sent"),
        (invite_states.forbidden(), "nothing is offered here, so nothing can be sent"),
        (invite_states.unreachable(), "nothing is offered here, so nothing can be sent"),
        (offered(offer=replace(OFFER, sends_left=0)), "no invites are left; nothing was sent"),
    ],
)
async def test_where_nothing_is_offered_nothing_can_be_sent(state: State, told: str, clock: ManualClock) -> None:
    async with panel(state, clock) as (pilot, app, companion):
        await pilot.press("a")
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert told in words(app)
        assert companion.service.requests == []


async def test_an_email_goes_again_on_its_letter(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, companion):
        await pilot.press("down", "e")
        await settle(pilot)
        assert "An e-mail goes once more to dan@example.com" in words(app)
        await pilot.press("A")  # too early
        await settle(pilot)
        assert companion.service.requests == []
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, "A")
        assert companion.service.requests == ["ref-k3"]
        assert "✓ The e-mail to dan@example.com was sent again" in words(app)


def clipboard(written: list[str]) -> list[str]:
    found = re.findall(r"\x1b\]52;c;([^\x07]*)\x07", "".join(written))
    return [base64.b64decode(text).decode() for text in found]


async def test_link_and_message_are_copied(clock: ManualClock, written: list[str]) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, _):
        await pilot.press("c")
        await settle(pilot)
        assert clipboard(written) == [LINK]
        assert "the link was copied" in words(app)
        await pilot.press("m")
        await settle(pilot)
        message = clipboard(written)[1]
        assert LINK in message
        assert f'What the offer says: "{OFFER.description}"' in message
        assert "bea@example.com" not in message


@pytest.mark.parametrize("key", ["c", "s", "m"])
async def test_an_invite_that_is_over_has_nothing_to_hand_on(key: str, clock: ManualClock, written: list[str]) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, _):
        await pilot.press("down", "down", key)
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert "there is no link to hand on: nothing can come of it any more" in words(app)
        assert clipboard(written) == []


@pytest.mark.parametrize("key", ["c", "s", "m", "e", "d"])
async def test_without_an_invite_its_keys_do_nothing(key: str, clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, _):
        await pilot.press("down", "up", key)
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert "there is no invite yet" in words(app)


async def test_an_invite_made_elsewhere_is_written_down_and_forgotten(clock: ManualClock) -> None:
    async with panel(invite_states.not_asked(), clock) as (pilot, app, companion):
        await pilot.press("p", *"pal@example.com", "enter")
        await settle(pilot)
        await pilot.press(*LINK, "enter")
        await settle(pilot)
        record = companion.state.invites.records[0]
        assert (record.address, record.link, record.stage) == ("pal@example.com", LINK, SendStage.NOTED)
        assert "the invite was written down; nothing was sent" in words(app)
        await pilot.press("d")
        await settle(pilot)
        assert companion.state.invites.shown
        assert "d once more within 10 s forgets the chosen invite" in words(app)
        await pilot.press("d")  # a key that is held down
        await settle(pilot)
        assert companion.state.invites.shown
        clock.advance(SECOND_PRESS + 1)
        await pilot.press("d")  # too late: that is a first press again
        await settle(pilot)
        assert companion.state.invites.shown
        clock.advance(GUARD_SECONDS)
        await pilot.press("d")
        await settle(pilot)
        assert companion.state.invites.records == ()
        assert "the invite was forgotten, with its address" in words(app)


async def test_what_cannot_be_written_down_is_said_in_the_dialog(clock: ManualClock) -> None:
    async with panel(invite_states.not_asked(), clock) as (pilot, app, companion):
        companion.break_disk()
        await pilot.press("p", *"pal@example.com", "enter", "enter")
        await settle(pilot)
        assert "cannot be written" in words(app)


async def test_what_the_service_lists_cannot_be_forgotten(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, companion):
        await pilot.press("d")
        await settle(pilot)
        assert len(companion.state.invites.records) == 3
        assert "the service knows of that invite; it cannot be forgotten here" in words(app)


async def test_the_panel_looks_when_it_opens_on_request_and_now_and_then(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        assert companion.service.offers == 1
        async with companion.polling():
            await until(pilot, lambda: len(companion.source.reads) == 1)
            await pilot.press("f5")
            await until(pilot, lambda: companion.source.reads[1:] == [True])
        assert companion.service.offers == 2
        clock.advance(REFRESH_EVERY.total_seconds())
        app.tick()
        await settle(pilot)
        assert companion.service.offers == 3
        app.tick()
        await settle(pilot)
        assert companion.service.offers == 3


async def test_ages_go_on_while_the_panel_stays_open(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, _):
        assert "sent 5 h 07 min ago" in words(app)
        clock.advance(3)
        app.tick()
        await settle(pilot)
        assert "list read 3 s ago" in words(app)
        clock.advance(56)  # it looks again after a minute
        app.tick()
        await settle(pilot)
        assert "list read 59 s ago" in words(app)
        assert "sent 5 h 08 min ago" in words(app)


async def test_where_nobody_may_be_asked_the_panel_asks_once(clock: ManualClock) -> None:
    async with panel(invite_states.not_asked(), clock) as (pilot, app, companion):
        clock.advance(REFRESH_EVERY.total_seconds() * 5)
        app.tick()
        await settle(pilot)
        assert companion.service.offers == 1


async def test_codex_s_own_page_is_opened_or_copied(
    clock: ManualClock, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(ResetbankApp, "open_url", lambda _, url: opened.append(url))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with panel(invite_states.not_asked(), clock) as (pilot, app, _):
        await pilot.press("o")
        await settle(pilot)
        assert (opened, clipboard(written)) == ([], [CODEX_PAGE])
        assert f"no browser here; copied: {CODEX_PAGE}" in words(app)
        monkeypatch.setenv("DISPLAY", ":0")
        await pilot.press("o")
        await settle(pilot)
        assert opened == [CODEX_PAGE]


async def test_the_hand_stays_on_its_invite_while_the_list_moves(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, companion):
        await pilot.press("down")
        companion.publish(invite_states.every())
        await settle(pilot)
        assert "▸ dan@example.com" in screen_text(app)
        await pilot.press("up", "up", "up", "up", "up", "up")
        await settle(pilot)
        assert "▸ fay@example.org" in screen_text(app)  # round the end, and in sight


async def test_help_and_palette_know_the_panel_s_keys(clock: ManualClock) -> None:
    async with panel(invite_states.two(), clock) as (pilot, app, _):
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert {"Copy", "QR code", "Message", "E-mail again", "Put down", "Forget", "Codex app"} <= set(titles)
        assert not {"Spend", "Queue", "Ledger"} & set(titles)  # they need the main screen
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, DrawnPage)
        assert "Keys: Invite panel" in "".join(span.text for line in app.screen.draw(80) for span in line)
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_the_panel_s_keys_can_be_changed(clock: ManualClock, written: list[str]) -> None:
    async with panel(invite_states.two(), clock, Settings(keys={"invite_copy": "y"})) as (pilot, app, _):
        assert "y Copy" in words(app)
        await pilot.press("y")
        await settle(pilot)
        assert clipboard(written) == [LINK]


@pytest.mark.parametrize("status", list(OfferStatus))
async def test_every_status_can_be_shown(status: OfferStatus, clock: ManualClock) -> None:
    state = offered(status=status, offer=None, reason=None)
    async with panel(state, clock) as (pilot, app, companion):
        companion.publish(state)  # as it was before the panel looked, too
        await pilot.press("a", "down", "o")
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
