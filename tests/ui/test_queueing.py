"""Queueing for the limit, and carrying on: consent where something will be spent, one Enter where nothing is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.live_states import API, DOCS
from tests.ui.scene import Scene
from tests.ui.showing import frame, press_alone, running, screen_text, settle, top, until, words
from tui.companion.state import State
from tui.domain.resumes import ResumeStage
from tui.domain.snapshot import Account
from tui.errors import SourceDown
from tui.settings import Settings, SpendSettings
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.queue import QueueDialog
from tui.ui.dialogs.resume import ResumeDialog
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen
from tui.ui.screens.main import MainScreen
from tui.ui.view.queueing import queue_lines
from tui.ui.view.text import plain
from tui.ui.view.view_state import ViewState

Queueing = tuple[Pilot[int], ResetbankApp, ConsentScreen, Scene]


@asynccontextmanager
async def queueing(state: State, clock: ManualClock) -> AsyncIterator[Queueing]:
    async with running(Scene(state, clock), clock) as (pilot, app, companion):
        await pilot.press("u")
        await settle(pilot)
        assert isinstance(top(app), QueueDialog)
        clock.advance(GUARD_SECONDS)
        yield pilot, app, frame(app), companion


async def test_the_letter_queues_and_one_key_takes_it_out(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, dialog, companion):
        await press_alone(pilot, clock, dialog.letter)
        queued = companion.state.queued
        assert queued is not None
        assert queued.is_armed
        assert queued.credit_id == "c1"
        assert queued.whom is True
        assert "◷ 1 queued for the limit; u takes it out" in words(app)
        await pilot.press("u")
        await settle(pilot)
        assert companion.state.queued is None
        assert "the queued reset was taken out; nothing is spent" in words(app)
        assert companion.spends == []


async def test_another_number_is_another_question_and_its_letter_names_it(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, dialog, companion):
        old = dialog.letter
        await pilot.press("plus")
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        assert "up to 2 resets, one at a time, the soonest to lapse first" in words(app)
        assert "queue up to 2" in words(app)
        assert dialog.letter != old
        for _ in range(5):
            await pilot.press("plus")
            await settle(pilot)
            clock.advance(GUARD_SECONDS)
        assert "queue up to 3" in words(app)  # no more than the bank has
        await pilot.press("minus")
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letter)
        queued = companion.state.queued
        assert queued is not None
        assert queued.left == 2
        assert queued.until is not None
        assert (queued.until - clock.now()).total_seconds() <= 24 * 3600
        assert "up to 2, until" in words(app)
        await pilot.press("u")
        await settle(pilot)
        assert companion.state.queued is None


@pytest.mark.parametrize("keys", ["enter", "space", "u", "up enter", "y", "x"])
async def test_no_blind_key_queues(keys: str, clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, dialog, companion):
        await pilot.press(*keys.split())
        await settle(pilot)
        assert companion.state.queued is None
        assert app.screen is dialog


async def test_keys_typed_ahead_queue_nothing(clock: ManualClock) -> None:
    async with running(Scene(live_states.working(), clock), clock) as (pilot, _, companion):
        await pilot.press("u", *"ABCDEFG")
        await settle(pilot)
        assert companion.state.queued is None


async def test_another_reset_is_another_question(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, dialog, companion):
        old = dialog.letter
        snapshot = companion.state.snapshot
        assert snapshot is not None
        companion.publish(replace(companion.state, snapshot=replace(snapshot, bank=states.bank(*states.THREE[1:]))))
        await settle(pilot)
        assert "Thu 10 Dec 00:00" in screen_text(app)
        assert dialog.letter != old
        await pilot.press(old, dialog.letter)
        assert companion.state.queued is None


async def test_another_account_is_another_question(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, _, dialog, companion):
        old = dialog.letter
        snapshot = companion.state.snapshot
        assert snapshot is not None
        companion.publish(replace(companion.state, snapshot=replace(snapshot, account=Account("another"))))
        await settle(pilot)
        assert dialog.letter != old
        await press_alone(pilot, clock, old)
        assert companion.state.queued is None


async def test_a_yes_again_names_the_reset_that_was_queued_and_closes_where_another_was(clock: ManualClock) -> None:
    async with queueing(live_states.queued_before_restart(), clock) as (pilot, app, _, companion):
        queued, snapshot = companion.state.queued, companion.state.snapshot
        assert queued is not None
        assert snapshot is not None
        await pilot.press("escape")
        named = replace(queued, credit_id="c2")
        companion.publish(replace(companion.state, queued=named))
        await pilot.press("u")
        await settle(pilot)
        assert "Thu 10 Dec 00:00" in words(app)  # and not the one that lapses first
        several = replace(named, left=2, until=clock.now() + timedelta(hours=1))
        companion.publish(replace(companion.state, queued=several))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_what_is_refused_is_explained(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, dialog, companion):
        companion.break_disk()
        await press_alone(pilot, clock, dialog.letter)
        assert "cannot be written" in words(app)
        companion.break_disk(broken=False)
        assert companion.in_hand.queued is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (states.at_limit, "the limit is hit already"),
        (State, "nothing is known of the limits yet"),
    ],
)
async def test_nothing_to_queue_says_why(state: object, reason: str, clock: ManualClock) -> None:
    assert callable(state)
    async with queueing(state(), clock) as (pilot, app, dialog, _):
        assert reason in words(app)
        assert dialog.letters == ()
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_after_a_restart_a_letter_confirms(clock: ManualClock) -> None:
    async with queueing(live_states.queued_before_restart(), clock) as (pilot, app, dialog, companion):
        assert "before the restart: still wanted?" in words(app)
        await pilot.press("enter")
        await press_alone(pilot, clock, dialog.letter)
        queued = companion.state.queued
        assert queued is not None
        assert queued.is_armed
        assert queued.armed_at == clock.now()


async def test_after_a_restart_x_takes_it_out_and_escape_leaves_it(clock: ManualClock) -> None:
    async with queueing(live_states.queued_before_restart(), clock) as (pilot, app, _, companion):
        await pilot.press("escape")
        await settle(pilot)
        assert companion.state.queued is not None
        assert companion.state.queued.needs_fresh_yes
        await pilot.press("u")
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        await pilot.press("x")
        await settle(pilot)
        assert companion.state.queued is None
        assert isinstance(app.screen, MainScreen)


async def test_one_that_dies_meanwhile_closes_the_dialog(clock: ManualClock) -> None:
    async with queueing(live_states.queued_before_restart(), clock) as (pilot, app, _, companion):
        companion.publish(replace(companion.state, queued=None))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_a_queue_that_cannot_be_taken_out_is_said(clock: ManualClock) -> None:
    async with running(Scene(live_states.queued(), clock), clock) as (pilot, app, companion):
        companion.break_disk()
        await pilot.press("u")
        await until(pilot, lambda: "cannot be written" in words(app))
        assert companion.state.queued is not None


async def test_the_announcement_rings_once_and_can_be_dismissed(clock: ManualClock, written: list[str]) -> None:
    async with running(Scene(live_states.announced(), clock), clock) as (pilot, app, companion):
        assert "the 5-hour limit was reset at 14:06 (observed): c carries on 2 sessions, x dismisses" in words(app)
        companion.stir()
        await settle(pilot)
        assert written.count("\x07") == 1
        await pilot.press("x")
        await settle(pilot)
        assert companion.state.announcement is None
        assert "was reset" not in words(app)
        assert companion.spends == []


@asynccontextmanager
async def carrying(state: State, clock: ManualClock) -> AsyncIterator[tuple[Pilot[int], ResetbankApp, Scene]]:
    async with running(Scene(state, clock), clock) as (pilot, app, companion):
        await pilot.press("c")
        await settle(pilot)
        assert isinstance(top(app), ResumeDialog)
        clock.advance(GUARD_SECONDS)
        yield pilot, app, companion


async def test_enter_carries_on_everybody_once(clock: ManualClock) -> None:
    async with carrying(live_states.announced(), clock) as (pilot, app, companion):
        await pilot.press("enter")
        await settle(pilot)
        assert {carry.stop.thread_id for carry in companion.state.resumes.entries} == {API, DOCS}
        assert companion.state.announcement is None
        assert words(app).count("sent, waiting for it to run") == 2
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await settle(pilot)
        assert words(app).count("sent, waiting for it to run") == 2  # in the panel, which the dialog covered
        await pilot.press("c")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert len(companion.state.resumes.entries) == 2
        assert sorted(thread for thread, _ in companion.source.messages) == sorted((API, DOCS))
        assert companion.spends == []


async def test_only_the_chosen_ones_go_on(clock: ManualClock) -> None:
    async with carrying(live_states.announced(), clock) as (pilot, _, companion):
        await pilot.press("down", "space")
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await settle(pilot)
        assert [carry.stop.thread_id for carry in companion.state.resumes.entries] == [API]


async def test_leaving_carries_nobody_on_and_keeps_the_news(clock: ManualClock) -> None:
    async with carrying(live_states.announced(), clock) as (pilot, _, companion):
        await pilot.press("escape")
        await settle(pilot)
        assert companion.state.resumes.entries == ()
        assert companion.state.announcement is not None


async def test_an_enter_typed_ahead_carries_nobody_on(clock: ManualClock) -> None:
    async with running(Scene(live_states.announced(), clock), clock) as (pilot, _, companion):
        await pilot.press("c", "enter")
        await settle(pilot)
        assert companion.state.resumes.entries == ()


async def test_nobody_is_told_while_the_limit_stands(clock: ManualClock) -> None:
    async with carrying(live_states.one_stopped(), clock) as (pilot, app, companion):
        assert "the limit still stands" in words(app)
        await pilot.press("enter")
        await settle(pilot)
        assert companion.state.resumes.entries == ()


async def test_the_command_is_shown_again_and_copied(clock: ManualClock) -> None:
    async with carrying(live_states.announced(), clock) as (pilot, app, companion):
        companion.source.refuses = SourceDown("no Codex daemon takes messages here")
        await pilot.press("enter")
        await settle(pilot)
        assert {carry.stage for carry in companion.state.resumes.entries} == {ResumeStage.COMMAND}
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter", "c")
        await settle(pilot)
        assert f"codex resume {API}" in screen_text(app)
        assert app.clipboard in (f"codex resume {API}", f"codex resume {DOCS}")


async def test_a_failure_to_carry_on_is_said(clock: ManualClock) -> None:
    async with carrying(live_states.announced(), clock) as (pilot, app, companion):
        companion.break_disk()
        await pilot.press("enter")
        await settle(pilot)
        assert "cannot be written" in words(app)
        assert companion.state.announcement is not None
        assert companion.source.messages == []


def test_a_reset_that_lapses_within_minutes_is_said_to_be_spent_at_once() -> None:
    view = ViewState(states.NOW, states.ZONE, live_states.working())
    snapshot = view.state.snapshot
    assert snapshot is not None
    assert snapshot.bank.credits
    soon = replace(snapshot.bank.credits[0], expires_at=states.NOW + timedelta(minutes=8))
    text = plain(queue_lines(view, (snapshot.windows[0], soon), True, 78, before_lapse=50.0))
    assert "at once, since it lapses soon, if 50 % of a window is used by then" in " ".join(text.split())


async def test_one_is_queued_for_before_it_lapses_only_where_the_settings_offer_it(clock: ManualClock) -> None:
    async with queueing(live_states.working(), clock) as (pilot, app, _, companion):
        assert "before it lapses" not in words(app)
        await pilot.press("b")
        assert "before it lapses" not in words(app)
    settings = Settings(spend=SpendSettings(before_lapse=50))
    async with running(Scene(live_states.working(), clock), clock, settings=settings) as (pilot, app, companion):
        await pilot.press("u")
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        old = frame(app).letter
        await pilot.press("b")
        await settle(pilot)
        clock.advance(GUARD_SECONDS)
        assert "15 min before it lapses, if 50 % of a window is used by then" in words(app)
        assert frame(app).letter != old
        await press_alone(pilot, clock, frame(app).letter)
        queued = companion.state.queued
        assert queued is not None
        assert (queued.credit_id, queued.before_lapse) == ("c1", 50.0)
        assert "◷ 1 queued for the limit, or before it lapses from 50 % on; u takes it out" in words(app)
        await pilot.press("u")
        await settle(pilot)
        assert companion.state.queued is None
        assert companion.spends == []


async def test_the_evenings_question_is_answered_by_a_queue_for_the_night_or_by_leaving(clock: ManualClock) -> None:
    for key in ("", "escape"):
        companion = Scene(live_states.evening_question(), clock)
        async with running(companion, clock) as (pilot, app, _):
            assert isinstance(top(app), QueueDialog)
            text = words(app)
            assert "tonight's jobs will likely hit the limit at about" in text
            assert "expected, by the forecast" in text
            await press_alone(pilot, clock, key or frame(app).letter)
            assert companion.state.question is None
            queued = companion.state.queued
            assert (queued is None) == bool(key)
            if queued is not None:
                assert queued.left == 1
                assert queued.until is not None
                assert queued.until.astimezone(states.ZONE).hour == 7
            assert companion.spends == []
            assert isinstance(app.screen, MainScreen)
