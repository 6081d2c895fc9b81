"""The invite panel beside what changes under it: another account, an offer with less to win."""

import pytest
from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.ui.invite_panel import panel, type_and_show
from tests.ui.invite_states import OFFER, offered
from tests.ui.showing import press_alone, settle, top, until, words
from tui.companion.state import State
from tui.domain.invites import InviteState
from tui.ui.dialogs.inviting import NoteDialog
from tui.ui.screens.consent import GUARD_SECONDS
from tui.ui.screens.invite import InviteScreen


def of_account(state: State, account: str, **changes: object) -> State:
    """The state with another account in use."""
    assert state.snapshot is not None
    snapshot = replace(state.snapshot, account=replace(state.snapshot.account, id=account))
    return replace(state, snapshot=snapshot, **changes)


async def test_the_last_reward_that_goes_makes_it_another_question(clock: ManualClock) -> None:
    async with panel(offered(offer=replace(OFFER, rewards_left=1)), clock) as (pilot, _, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        first = dialog.letter
        clock.advance(GUARD_SECONDS)
        companion.publish(offered(offer=replace(OFFER, rewards_left=0)))
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        assert dialog.letter != first
        assert companion.service.requests == []
        await press_alone(pilot, clock, dialog.letter)
        assert companion.service.mails == ["new@example.com"]


async def test_fewer_rewards_are_the_same_question(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, _, companion):
        dialog = await type_and_show(pilot, "new@example.com")
        first = dialog.letter
        companion.publish(offered(offer=replace(OFFER, rewards_left=1)))
        await settle(pilot)
        assert dialog.letter == first


async def test_another_account_is_asked_about_at_once(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        assert companion.service.offers == 1
        companion.publish(of_account(companion.state, "acc2", invites=InviteState(account="acc2")))
        await settle(pilot)
        assert companion.service.offers == 2
        app.tick()
        await settle(pilot)
        assert companion.service.offers == 2


async def test_the_first_reading_is_reason_enough_to_ask(clock: ManualClock) -> None:
    known = offered()
    async with panel(replace(known, snapshot=None, invites=InviteState()), clock) as (pilot, _, companion):
        assert companion.service.offers == 0
        companion.publish(known)
        await settle(pilot)
        assert companion.service.offers == 1


@pytest.mark.parametrize(("account", "stays"), [("acc1", True), ("acc2", False)])
async def test_a_note_is_begun_for_the_account_in_sight(account: str, stays: bool, clock: ManualClock) -> None:
    recalled = replace(offered(account="acc1"), snapshot=None)
    async with panel(recalled, clock) as (pilot, app, companion):
        await pilot.press("p", *"new@example.com")
        companion.publish(of_account(offered(account=account), account))
        await settle(pilot)
        assert isinstance(top(app), NoteDialog if stays else InviteScreen)


async def test_what_went_wrong_unforeseen_is_not_tried_again_from_the_same_place(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, companion):
        companion.service.weather.append(RuntimeError("a bug"))
        dialog = await type_and_show(pilot, "new@example.com")
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await until(pilot, lambda: dialog.phase == "over")
        clock.advance(GUARD_SECONDS)
        await pilot.press("b")
        assert dialog.phase == "over"
        assert "b goes back to the address" not in words(app)
