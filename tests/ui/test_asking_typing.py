"""A question that comes while somebody types text."""

import pytest
from msgspec.structs import replace
from textual.command import CommandPalette
from textual.events import AppBlur, AppFocus

from tests.support.clocks import ManualClock
from tests.ui import invite_states, live_states
from tests.ui.asked import companion_of
from tests.ui.showing import running, settle, top
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.inviting import SendDialog
from tui.ui.dialogs.question import QuestionDialog
from tui.ui.screens.consent import GUARD_SECONDS, TypedLine


@pytest.mark.parametrize("keys", ["ctrl+p", "i a", "i p"])
async def test_it_waits_while_somebody_types(keys: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[bool] = []
    monkeypatch.setattr(ResetbankApp, "bell", lambda _: rings.append(True))
    offered = invite_states.offered().invites
    companion = companion_of(clock, replace(live_states.one_stopped(), invites=offered))
    async with running(companion, clock) as (pilot, app, _):
        for key in keys.split():
            await pilot.press(key)
            await settle(pilot)
        companion.publish(replace(live_states.stopped_question(), invites=offered))
        await settle(pilot)
        assert not isinstance(top(app), QuestionDialog)
        assert rings == [True]
        clock.advance(GUARD_SECONDS)
        await pilot.press(*"Anna B nutw")  # capitals and keys that would answer
        app.tick()
        await settle(pilot)
        assert (companion.spends, rings) == ([], [True])
        assert companion.state.question is not None
        await pilot.press("escape")
        app.tick()
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)


async def test_a_palette_that_was_left_open_does_not_hold_it_back_for_ever(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.one_stopped())
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("ctrl+p")
        await settle(pilot)
        companion.publish(live_states.stopped_question())
        await settle(pilot)
        clock.advance(59)
        app.tick()
        await settle(pilot)
        assert isinstance(app.screen, CommandPalette)
        clock.advance(1)
        app.tick()
        await settle(pilot)
        app.tick()
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)


async def test_it_waits_while_the_terminal_of_a_typing_person_is_not_in_front(clock: ManualClock) -> None:
    companion = companion_of(clock, replace(live_states.one_stopped(), invites=invite_states.offered().invites))
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("i", "a", *"ann")
        app.post_message(AppBlur())
        await settle(pilot)
        companion.publish(replace(live_states.stopped_question(), invites=companion.state.invites))
        await settle(pilot)
        app.post_message(AppFocus())
        await settle(pilot)
        await pilot.press(*"a@b")
        assert isinstance(top(app), SendDialog)
        assert app.screen.query_one(TypedLine).value == "anna@b"
