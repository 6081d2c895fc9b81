"""The spend dialog: one letter, one spend, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import states
from tests.ui.scripted import ScriptedCompanion
from tests.ui.showing import drawn, frame, press_alone, running, screen_text, settle, top, until, words
from tui.domain.spend import ConsentKind, lose_answer
from tui.errors import SpendHeld
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.spend import SpendDialog
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen
from tui.ui.screens.main import MainScreen


def companion_of(clock: ManualClock) -> ScriptedCompanion:
    return ScriptedCompanion(states.at_limit(), clock, after=states.reset_snapshot())


@asynccontextmanager
async def asking(
    companion: ScriptedCompanion, clock: ManualClock, *letters: str
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp, ConsentScreen]]:
    async with running(companion, clock, letters=drawn(*letters) if letters else None) as (pilot, app, _):
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(top(app), SpendDialog)
        yield pilot, app, frame(app)


async def test_the_letter_spends_exactly_once(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letter)
        await settle(pilot)
        assert len(companion.spends) == 1
        proposal, consent = companion.spends[0]
        assert proposal.credit == states.THREE[0]
        assert consent.kind is ConsentKind.LETTER
        assert consent.given_at == clock.now()
        assert "One reset was spent" in screen_text(app)


BLIND = ("enter", "space", "y", "Y", "a", "up enter", "down enter", "B", "tab enter", "shift+tab space")


@pytest.mark.parametrize("keys", BLIND)
async def test_no_other_key_spends(keys: str, clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, _, _):
        clock.advance(GUARD_SECONDS)
        await pilot.press(*keys.split())
        clock.advance(GUARD_SECONDS)
        await settle(pilot)
        assert companion.spends == []


async def test_small_letters_are_ignored(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, _, dialog):
        clock.advance(GUARD_SECONDS)
        await pilot.press(*"abcdefghiloprstvwxz")
        assert companion.spends == []
        assert dialog.phase == "asking"


async def test_keys_typed_ahead_never_spend(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, _, dialog):
        clock.advance(GUARD_SECONDS - 0.01)
        await pilot.press(dialog.letter)
        assert companion.spends == []
        await press_alone(pilot, clock, dialog.letter)
        assert len(companion.spends) == 1


async def test_a_burst_of_keys_before_the_question_stands_never_spends(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with running(companion, clock) as (pilot, _, _):
        clock.advance(10)
        await pilot.press("r", *"ABCDEFGHILMOPRSTUVWXZ")
        await settle(pilot)
        assert companion.spends == []


async def test_another_reset_asks_again_with_another_letter(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock, "ABCDEFG") as (pilot, app, dialog):
        clock.advance(GUARD_SECONDS)
        assert dialog.letter == "A"
        await pilot.press("down")
        await settle(pilot)
        assert "Thu 10 Dec 00:00" in screen_text(app)
        assert dialog.letter == "B"
        await pilot.press("B")  # too early
        await settle(pilot)
        assert companion.spends == []
        await press_alone(pilot, clock, "B")
        assert [proposal.credit for proposal, _ in companion.spends] == [states.THREE[1]]


async def test_choosing_goes_round(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, _, _):
        for key in ("k", "j", "j", "up"):
            await pilot.press(key)
            await settle(pilot)
        assert companion.proposals == [None, "c3", "c1", "c2", "c1"]


@pytest.mark.parametrize("second", ["A", "b", "enter", "down", "escape"])
async def test_a_key_behind_the_letter_takes_it_back(second: str, clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, _, dialog):
        clock.advance(GUARD_SECONDS)
        await pilot.press(dialog.letter, second)
        clock.advance(GUARD_SECONDS)
        await settle(pilot)
        assert companion.spends == []


async def test_a_key_before_the_letter_makes_it_count_for_nothing(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        clock.advance(GUARD_SECONDS)
        await pilot.press("x")
        clock.advance(GUARD_SECONDS - 0.01)
        await pilot.press(dialog.letter)
        clock.advance(GUARD_SECONDS)
        await settle(pilot)
        assert companion.spends == []
        assert "that was too quick: nothing happened; press A alone" in words(app)
        await press_alone(pilot, clock, dialog.letter)
        assert len(companion.spends) == 1


async def test_a_wrong_capital_closes_the_dialog(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, _):
        await press_alone(pilot, clock, "T")
        assert isinstance(app.screen, MainScreen)
        assert "T was not the letter: nothing is spent or sent. Is Caps Lock on?" in words(app)
        assert companion.spends == []


async def test_a_capital_never_opens_the_dialog(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with running(companion, clock) as (pilot, app, _):
        for key in ("R", "U", "F", "A"):
            await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert companion.proposals == []
        assert "a capital opens nothing; is Caps Lock on?" in words(app)


@pytest.mark.parametrize("key", ["escape", "n"])
async def test_leaving_spends_nothing(key: str, clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, _):
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert companion.spends == []


async def test_an_old_question_is_asked_again(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        clock.advance(301)
        await press_alone(pilot, clock, dialog.letter)
        assert companion.spends == []
        assert len(companion.proposals) == 2
        assert "Asked again: the question was too old" in screen_text(app)
        await press_alone(pilot, clock, dialog.letter)
        assert len(companion.spends) == 1


async def test_a_window_that_fell_meanwhile_asks_again(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, _):
        fallen = states.snapshot(states.main_limit(states.five_hours(2), states.week(43)))
        observed = replace(fallen.provenance, observed_at=clock.now() + timedelta(seconds=1))
        clock.advance(1)
        companion.publish(states.state(replace(fallen, provenance=observed)))
        await settle(pilot)
        assert "Asked again: 5 hours fell to 2 %" in screen_text(app)
        assert companion.spends == []


async def test_the_steps_are_shown_and_cannot_be_dismissed(clock: ManualClock) -> None:
    companion = companion_of(clock)
    companion.held = asyncio.Event()
    async with asking(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await pilot.pause()
        assert "✓ sent" in screen_text(app)
        assert "▸ answered" in screen_text(app)
        clock.advance(1)
        await pilot.press("escape", "n", "enter", "r", "q")
        assert app.screen is dialog
        companion.held.set()
        await settle(pilot)
        assert "One reset was spent" in screen_text(app)


async def test_a_result_is_not_dismissed_by_keys_typed_ahead(clock: ManualClock) -> None:
    async with asking(companion_of(clock), clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        await pilot.press("enter", "escape")
        assert app.screen is dialog
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)


async def test_what_is_refused_is_explained(clock: ManualClock) -> None:
    companion = companion_of(clock)
    companion.failure = SpendHeld("another resetbank drives a spend", "wait for it")
    async with asking(companion, clock) as (_, app, _):
        assert "another resetbank drives a spend" in screen_text(app)
        assert "wait for it" in screen_text(app)


async def test_the_unforeseen_is_a_line_and_no_crash(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        companion.failure = RuntimeError("Bearer secret-token")
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await until(pilot, lambda: dialog.phase == "over")
        assert "never sent with another key" in words(app)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await until(pilot, lambda: "unexpected RuntimeError in spend" in screen_text(app))
        assert "secret-token" not in screen_text(app)


async def test_a_lost_answer_is_finished_with_its_own_key(clock: ManualClock) -> None:
    companion = companion_of(clock)
    companion.ends = lambda spend: lose_answer(spend, "the connection broke")
    async with asking(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        assert "Outcome unknown" in screen_text(app)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        companion.ends = None
        await pilot.press("f")
        await settle(pilot)
        assert "One reset was spent" in screen_text(app)
        assert (len(companion.spends), companion.finished, len(companion.proposals)) == (1, 1, 1)


async def test_an_old_open_spend_asks_before_it_goes_on(clock: ManualClock) -> None:
    companion = ScriptedCompanion(states.open_spend(), clock, after=states.reset_snapshot())
    clock.advance(3 * 3600)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("f")
        await settle(pilot)
        assert companion.finished == 0
        assert isinstance(app.screen, ConsentScreen)
        await pilot.press("enter", "f")
        assert companion.finished == 0
        await press_alone(pilot, clock, app.screen.letter)
        assert companion.finished == 1


async def test_finish_without_an_open_spend_does_nothing(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert companion.finished == 0


async def test_the_palette_over_the_question_restarts_the_guard(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        clock.advance(GUARD_SECONDS)
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert app.screen is not dialog
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is dialog
        await pilot.press(dialog.letter)
        assert companion.spends == []
