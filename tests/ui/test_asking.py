"""The question: two letters spend, everything else spends nothing, and it comes and goes by itself."""

import asyncio
import gc
from datetime import timedelta
from typing import Literal

import pytest
from msgspec.structs import replace
from textual.widget import Widget

from tests.support.budget import budget
from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.asked import asked, companion_of
from tests.ui.live_states import API, TOOLS
from tests.ui.showing import frame, press_alone, running, screen_text, settle, top, words
from tui.domain.account_state import AccountState
from tui.domain.ask_memory import AskMemory, answered
from tui.domain.question import Choice
from tui.domain.spend import ConsentKind
from tui.errors import SourceDown
from tui.ui.dialogs.question import QuestionDialog
from tui.ui.dialogs.queue import QueueDialog
from tui.ui.dialogs.spend import SpendDialog
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen
from tui.ui.screens.ledger import LedgerScreen
from tui.ui.screens.main import MainScreen
from tui.ui.screens.page import DrawnPage


@pytest.mark.parametrize(
    ("number", "whom"),
    [(0, (API,)), (1, False)],
)
async def test_each_letter_does_its_own_once(
    number: int, whom: tuple[str, ...] | Literal[False], clock: ManualClock
) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letters[number])
        await press_alone(pilot, clock, "A")
        assert len(companion.spends) == 1
        (spend,) = companion.spent
        assert spend.consent.kind is ConsentKind.LETTER
        assert (spend.resume.whom if spend.resume is not None else False) == whom
        assert [thread for thread, _ in companion.source.messages] == list(whom or ())
        assert companion.state.question is None
        assert "One reset was spent" in screen_text(app)


BLIND = ("enter", "space", "up enter", "down enter", "y", "a b", "tab enter", "j space enter", "pagedown enter", "r")


@pytest.mark.parametrize("state", [live_states.stopped_question, live_states.several_question])
@pytest.mark.parametrize("keys", BLIND)
async def test_no_blind_key_spends_or_answers(keys: str, state: object, clock: ManualClock) -> None:
    assert callable(state)
    companion = companion_of(clock, state())
    async with asked(companion, clock) as (pilot, app, dialog):
        await pilot.press(*keys.split())
        clock.advance(GUARD_SECONDS)
        await settle(pilot)
        assert companion.spends == []
        assert companion.state.question is not None
        assert app.screen is dialog


@pytest.mark.parametrize("key", ["A", "B", "w", "5", "1", "0"])
async def test_what_was_typed_ahead_means_nothing(key: str, clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with running(companion, clock) as (pilot, app, _):
        assert isinstance(top(app), QuestionDialog)
        clock.advance(GUARD_SECONDS - 0.01)
        await pilot.press(key)
        await settle(pilot)
        assert companion.spends == []
        assert companion.state.question is not None
        await press_alone(pilot, clock, key)
        assert companion.state.question is None


@pytest.mark.parametrize(
    ("key", "choice", "note"),
    [
        ("w", Choice.WAIT, "work goes on by itself when the 5-hour limit is reset"),
        ("5", Choice.LATER_5, "asked again in 5 min"),
        ("1", Choice.LATER_15, "asked again in 15 min"),
        ("0", Choice.NOT_UNTIL_RESET, "no more questions until the 5-hour limit is reset"),
    ],
)
async def test_an_answer_closes_it_and_spends_nothing(key: str, choice: Choice, note: str, clock: ManualClock) -> None:
    companion = companion_of(clock)
    question = companion.state.question
    assert question is not None
    async with asked(companion, clock) as (pilot, app, _):
        await pilot.press(key)
        await settle(pilot)
        in_hand = companion.in_hand
        assert (in_hand.waiting is not None) is (choice is Choice.WAIT)
        assert in_hand.memory == answered(AskMemory(), question, choice, clock.now())
        assert companion.spends == []
        assert isinstance(app.screen, MainScreen)
        assert note in words(app)
        clock.advance(61)
        app.present(replace(app.view, now=clock.now()))
        await pilot.pause()
        assert note not in words(app)


async def test_escape_answers_nothing_and_it_is_not_opened_again(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        await pilot.press("escape")
        await settle(pilot)
        assert companion.state.question is None
        assert companion.in_hand == AccountState()
        assert companion.spends == []
        assert isinstance(app.screen, MainScreen)
        companion.publish(replace(companion.state, near_percent=80.0))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_chosen_sessions_alone_go_on(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.several_question())
    async with asked(companion, clock) as (pilot, app, dialog):
        await pilot.press("down", "space", "up", "space", "space")
        assert "▸ [x] api-server" in screen_text(app)
        assert "[ ] docs" in screen_text(app)
        assert "spend and continue 2 of 3" in screen_text(app)
        await press_alone(pilot, clock, dialog.letters[0])
        carried = {carry.stop.thread_id for carry in companion.state.resumes.entries}
        assert carried == {API, TOOLS}
        assert {thread for thread, _ in companion.source.messages} == {API, TOOLS}


async def test_nobody_chosen_is_a_spend_alone(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.several_question())
    async with asked(companion, clock) as (pilot, _, dialog):
        await pilot.press("space", "down", "space", "down", "space")
        await press_alone(pilot, clock, dialog.letters[0])
        (spend,) = companion.spent
        assert spend.resume is None
        assert companion.source.messages == []


async def test_who_stops_meanwhile_joins(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        late = live_states.stopped(TOOLS, "/home/me/tools", 0)
        companion.publish(replace(companion.state, sessions={**companion.state.sessions, TOOLS: late}))
        await settle(pilot)
        assert top(app).selection.chosen == (API, TOOLS)
        assert "2 sessions stopped" in screen_text(app)


@pytest.mark.parametrize(
    ("key", "screen"), [("question_mark", DrawnPage), ("l", LedgerScreen), ("r", SpendDialog), ("u", QueueDialog)]
)
async def test_it_opens_over_whatever_is_open(key: str, screen: type, clock: ManualClock) -> None:
    calm = replace(live_states.about_question(), question=None)
    companion = companion_of(clock, calm)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(top(app), screen)
        companion.publish(live_states.about_question())
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)
        clock.advance(GUARD_SECONDS)
        await pilot.press("5")
        await settle(pilot)
        assert isinstance(top(app), screen)


async def test_a_dialog_that_still_reads_below_it_goes_on(clock: ManualClock) -> None:
    companion = companion_of(clock, states.at_limit())
    async with running(companion, clock) as (pilot, app, _):
        app.action_spend()
        companion.publish(live_states.stopped_question())
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)
        below = app.screen_stack[-2]
        assert isinstance(below, ConsentScreen)
        assert below.phase == "asking"


async def test_it_waits_for_a_spend_that_is_under_way(clock: ManualClock) -> None:
    companion = companion_of(clock, states.at_limit())
    companion.source.held = asyncio.Event()
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("r")
        await settle(pilot)
        dialog = frame(app)
        assert isinstance(dialog.dialog, SpendDialog)
        await press_alone(pilot, clock, dialog.letter, ends=False)
        await pilot.pause()
        companion.publish(replace(companion.state, question=live_states.stopped_question().question))
        await pilot.pause()
        assert app.screen is dialog
        companion.source.held.set()
        await settle(pilot)
        app.present(app.view)
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)


async def test_a_question_that_is_settled_elsewhere_closes(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        companion.publish(replace(companion.state, question=None))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "the question is settled: it was answered elsewhere" in words(app)
        assert companion.in_hand == AccountState()


async def test_a_window_that_started_afresh_settles_it(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        fresh = states.snapshot(states.main_limit(states.five_hours(1), states.week(43)))
        fresh = replace(fresh, provenance=replace(fresh.provenance, observed_at=clock.now() + timedelta(seconds=1)))
        clock.advance(1)
        companion.publish(replace(companion.state, snapshot=fresh, question=None))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "the question is settled: the 5-hour limit was reset" in words(app)


async def test_one_that_is_settled_under_the_palette_closes_after_it(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        await pilot.press("ctrl+p")
        await pilot.pause()
        companion.publish(replace(companion.state, question=None))
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_another_question_takes_its_place(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.about_question())
    async with asked(companion, clock) as (pilot, app, first):
        companion.publish(live_states.several_question())
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)
        assert app.screen is not first
        assert "3 sessions stopped" in screen_text(app)
        assert len(app.screen_stack) == 2


async def test_the_result_stays_though_the_question_is_gone(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        assert companion.state.question is None
        assert app.screen is dialog
        await pilot.press("enter", "n", "escape")
        assert app.screen is dialog
        clock.advance(GUARD_SECONDS)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_a_reading_that_fails_leaves_every_other_answer(clock: ManualClock) -> None:
    companion = companion_of(clock)
    shown = companion.source.reading
    companion.source.reading = SourceDown("the service does not answer", "try again")
    async with asked(companion, clock) as (pilot, app, dialog):
        assert "the service does not answer" in screen_text(app)
        assert dialog.letters == ()
        companion.source.reading = shown
        await pilot.press("f5")
        await settle(pilot)
        assert dialog.letters
        clock.advance(GUARD_SECONDS)
        await pilot.press("w")
        await settle(pilot)
        assert companion.in_hand.waiting is not None


async def test_an_answer_that_cannot_be_written_down_spends_nothing(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, dialog):
        companion.break_disk()
        await press_alone(pilot, clock, dialog.letter)
        assert companion.spends == []
        assert "cannot be written" in screen_text(app)


async def test_an_answer_that_failed_can_be_given_again(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, _):
        companion.break_disk()
        await pilot.press("w")
        await settle(pilot)
        assert "cannot be written" in screen_text(app)
        companion.break_disk(broken=False)
        clock.advance(GUARD_SECONDS)
        await pilot.press("w")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_queueing_from_the_question_needs_its_own_letter(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.about_question())
    async with asked(companion, clock) as (pilot, app, _):
        await pilot.press("u")
        await settle(pilot)
        dialog = frame(app)
        assert isinstance(dialog.dialog, QueueDialog)
        await pilot.press("enter", "space", "u", dialog.letter)
        assert companion.state.queued is None
        await press_alone(pilot, clock, dialog.letter)
        assert companion.state.question is None
        assert companion.state.queued is not None
        assert companion.state.queued.whom == (API, TOOLS)
        assert isinstance(app.screen, MainScreen)
        assert companion.spends == []
        assert "one reset is queued for the limit" in words(app)


async def test_leaving_the_queue_leads_back_to_the_question(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.about_question())
    async with asked(companion, clock) as (pilot, app, dialog):
        await pilot.press("u")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is dialog
        await pilot.press(dialog.letter)  # the guard was restarted
        assert companion.spends == []


async def test_nothing_is_queued_at_a_limit_that_is_hit(clock: ManualClock) -> None:
    async with asked(companion_of(clock), clock) as (pilot, app, dialog):
        assert "queue" not in screen_text(app)
        await pilot.press("u")
        await settle(pilot)
        assert app.screen is dialog


async def test_done_is_said_only_when_it_is_seen_at_work(clock: ManualClock) -> None:
    companion = companion_of(clock)
    async with asked(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        assert "sent, waiting for it to run" in screen_text(app)
        assert "running again" not in screen_text(app)


async def test_thousands_of_states_in_a_row_do_no_harm(clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.one_stopped())
    async with running(companion, clock) as (pilot, app, _):

        async def storm() -> None:
            for number in range(budget(2_000)):
                one = live_states.running(f"{API[:-4]}{number % 7:04d}", f"/home/me/work-{number % 7}", number % 50)
                sessions = {**live_states.ONE, one.thread_id: one}
                shown = live_states.stopped_question() if number % 100 < 50 else live_states.one_stopped()
                companion.publish(replace(shown, sessions=sessions))
                if number % 25 == 0:
                    await pilot.pause()
            companion.publish(live_states.one_stopped())
            await settle(pilot)

        await storm()
        gc.collect()
        before = sum(isinstance(item, Widget) for item in gc.get_objects())
        await storm()
        gc.collect()
        assert isinstance(app.screen, MainScreen)
        assert sum(isinstance(item, Widget) for item in gc.get_objects()) <= before + 4
        assert companion.spends == []


async def test_a_reset_that_lapses_is_spent_by_the_one_letter_and_nobody_is_carried_on(clock: ManualClock) -> None:
    state = live_states.lapsing_question()
    companion = companion_of(clock, state)
    async with asked(companion, clock, "AB") as (pilot, app, dialog):
        text = words(app)
        assert "one reset lapses in 52 min: use it?" in text
        assert "after that it is lost" in text
        assert "Spend: it is lost unless it is spent before, but you may give" in text
        assert dialog.letters == ("A",)
        await press_alone(pilot, clock, "A")
        (spend,) = companion.spent
        assert state.question is not None
        assert state.question.credit is not None
        assert (spend.credit_id, spend.resume) == (state.question.credit.id, None)
        assert companion.state.question is None
        assert "One reset was spent" in screen_text(app)


@pytest.mark.parametrize(
    ("key", "note"),
    [("5", "asked again in 5 min"), ("0", "no more questions about this reset"), ("escape", "")],
)
async def test_a_lapse_is_answered_without_spending(key: str, note: str, clock: ManualClock) -> None:
    companion = companion_of(clock, live_states.lapsing_question())
    async with asked(companion, clock) as (pilot, app, _):
        for other in ("w", "u", "v"):  # nobody waits, nothing is queued or held
            await pilot.press(other)
        assert isinstance(top(app), QuestionDialog)
        await press_alone(pilot, clock, key)
        assert companion.state.question is None
        assert companion.spends == []
        assert note in words(app)
        remembered = companion.in_hand.memory.lapses
        assert [(entry.muted, entry.snooze is not None) for entry in remembered] == (
            [(key == "0", key == "5")] if note else []
        )
