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
from tests.ui.scene import Scene
from tests.ui.showing import drawn, frame, press_alone, running, screen_text, settle, top, until, words
from tui.domain.spend import Consent, ConsentKind
from tui.errors import OutcomeUnknown, SourceDown
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.spend import SpendDialog
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen
from tui.ui.screens.main import MainScreen


def companion_of(clock: ManualClock) -> Scene:
    return Scene(states.at_limit(), clock, after=states.reset_snapshot())


@asynccontextmanager
async def asking(
    companion: Scene, clock: ManualClock, *letters: str
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
        (spend,) = companion.spent
        assert spend.credit_id == "c1"
        assert spend.consent == Consent(ConsentKind.LETTER, clock.now())
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
        assert [request.credit_id for request in companion.spends] == ["c2"]


def chosen_in(app: ResetbankApp) -> str:
    dialog = top(app)
    assert isinstance(dialog, SpendDialog)
    assert dialog.proposal is not None
    assert dialog.proposal.credit is not None
    return dialog.proposal.credit.id


async def test_choosing_goes_round(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, _):
        chosen = [chosen_in(app)]
        for key in ("k", "j", "j", "up"):
            await pilot.press(key)
            await settle(pilot)
            chosen.append(chosen_in(app))
        assert chosen == ["c1", "c3", "c1", "c2", "c1"]
        assert companion.source.reads == [True] * 5  # each question rests on a reading of its own


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
        assert companion.source.reads == []
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
        assert len(companion.source.reads) == 2
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
    companion.source.held = asyncio.Event()
    async with asking(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await pilot.pause()
        assert "✓ sent" in screen_text(app)
        assert "▸ answered" in screen_text(app)
        clock.advance(1)
        await pilot.press("escape", "n", "enter", "r", "q")
        assert app.screen is dialog
        companion.source.held.set()
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
    async with asking(companion, clock) as (pilot, app, dialog):
        with companion.tables.locks.try_hold("acc1"):
            await press_alone(pilot, clock, dialog.letter)
        assert "a reset is being spent by another resetbank" in words(app)
        assert "wait until it is done" in words(app)
        assert (companion.spends, companion.spent) == ([], ())


async def test_a_reading_that_fails_is_explained(clock: ManualClock) -> None:
    companion = companion_of(clock)
    companion.source.reading = SourceDown("the service does not answer", "try again")
    async with asking(companion, clock) as (pilot, app, dialog):
        assert "the service does not answer" in screen_text(app)
        assert "try again" in screen_text(app)
        assert dialog.letters == ()
        await pilot.press(*"ABC")
        assert companion.spends == []


async def test_what_cannot_be_written_down_is_not_sent(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        companion.break_disk()
        await press_alone(pilot, clock, dialog.letter)
        assert "nothing was sent" in words(app)
        assert companion.spends == []


def broken() -> str:
    raise RuntimeError("Bearer secret-token")


async def test_the_unforeseen_is_a_line_and_no_crash(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asking(companion, clock) as (pilot, app, dialog):
        companion.new_key = broken
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await until(pilot, lambda: dialog.phase == "over")
        assert "never sent with another key" in words(app)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await until(pilot, lambda: "unexpected RuntimeError in spend" in screen_text(app))
        assert "secret-token" not in screen_text(app)


async def test_a_lost_answer_is_finished_with_its_own_key(clock: ManualClock) -> None:
    companion = companion_of(clock)
    shown = companion.source.reading
    companion.source.answers.append(OutcomeUnknown("the connection broke"))
    companion.source.after = SourceDown("the service does not answer")
    async with asking(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        assert "Outcome unknown" in screen_text(app)
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        companion.source.reading = shown
        companion.source.after = states.reset_snapshot()
        await pilot.press("f")
        await settle(pilot)
        assert "One reset was spent" in screen_text(app)
        first, second = companion.spends
        assert first == second  # the same key and the same reset, so that it is spent once
        (spend,) = companion.spent
        assert spend.closed_at is not None


async def test_an_old_open_spend_asks_before_it_goes_on(clock: ManualClock) -> None:
    companion = Scene(states.open_spend(), clock, after=states.reset_snapshot())
    clock.advance(3 * 3600)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, ConsentScreen)
        await pilot.press("enter", "f")
        assert companion.spends == []
        await press_alone(pilot, clock, app.screen.letter)
        assert [request.key for request in companion.spends] == [states.KEY]
        assert companion.state.open_spend is None


async def test_finish_without_an_open_spend_does_nothing(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert companion.source.reads == []


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
