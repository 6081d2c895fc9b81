"""The screens around sessions as plain text, at three sizes: asking, queueing, carrying on."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import Golden, at_every_size, press_alone, running, screen_text, settle
from tui.companion.state import State
from tui.domain.question import NoQuestionReason
from tui.domain.resuming import seen
from tui.errors import SourceDown

MAIN: Final[dict[str, Callable[[], State]]] = {
    "sessions": live_states.working,
    "sessions-stopped": live_states.one_stopped,
    "held": live_states.held_three,
    "question-held": live_states.held_question,
    "queued": live_states.queued,
    "queued-before-restart": live_states.queued_before_restart,
    "announced": live_states.announced,
    "waiting": live_states.waiting,
    "bank-empty": lambda: live_states.silent(NoQuestionReason.BANK_EMPTY),
    "question-lapsing": live_states.lapsing_question,
    "question-stopped": live_states.stopped_question,
    "question-about-to-stop": live_states.about_question,
    "question-several": live_states.several_question,
    "question-hostile": live_states.hostile_question,
}

Steps = Callable[[Pilot[int], ManualClock, Scene], Awaitable[None]]


@at_every_size
@pytest.mark.parametrize("name", MAIN)
async def test_screen(name: str, size: tuple[int, int], golden: Golden) -> None:
    async with running(MAIN[name](), size=size) as (_, app, _):
        golden(name, app)


async def spend(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    await press_alone(pilot, clock, "A")


async def spend_and_run(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    await spend(pilot, clock, companion)
    clock.advance(2)
    works = live_states.running(live_states.API, "/home/me/api-server", 0)
    works = replace(works, since=clock.now(), seen_at=clock.now())
    sessions = {**companion.state.sessions, live_states.API: works}
    carries = seen(companion.state.resumes, sessions, clock.now())
    companion.publish(replace(companion.state, sessions=sessions, resumes=carries))
    await settle(pilot)


async def spend_by_hand(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    companion.source.refuses = SourceDown("no Codex daemon takes messages here")
    await spend(pilot, clock, companion)


async def press_u(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    clock.advance(1)
    await pilot.press("u")
    await settle(pilot)


async def press_c(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    await pilot.press("c")
    await settle(pilot)


async def carry(pilot: Pilot[int], clock: ManualClock, companion: Scene) -> None:
    companion.source.refuses = SourceDown("no Codex daemon takes messages here")
    await press_c(pilot, clock, companion)
    clock.advance(1)
    await pilot.press("enter")
    await settle(pilot)


DIALOGS: Final[dict[str, tuple[Callable[[], State], Steps]]] = {
    "question-told": (live_states.stopped_question, spend),
    "question-carried-on": (live_states.stopped_question, spend_and_run),
    "question-command": (live_states.stopped_question, spend_by_hand),
    "question-queue": (live_states.about_question, press_u),
    "queue": (live_states.working, press_u),
    "queue-again": (live_states.queued_before_restart, press_u),
    "queue-nothing": (states.at_limit, press_u),
    "continue": (live_states.announced, press_c),
    "continue-nobody": (live_states.working, press_c),
    "continue-by-hand": (live_states.announced, carry),
}


@at_every_size
@pytest.mark.parametrize("name", DIALOGS)
async def test_dialog(name: str, size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    state, steps = DIALOGS[name]
    companion = Scene(state(), clock, after=states.reset_snapshot(five=3))
    async with running(companion, clock, size=size) as (pilot, app, _):
        await steps(pilot, clock, companion)
        golden(name, app)


async def test_a_dialog_is_as_tall_as_its_words_whatever_it_showed_before(clock: ManualClock) -> None:
    companion = Scene(live_states.stopped_question(), clock, after=states.reset_snapshot(five=3))
    async with running(companion, clock, size=(40, 12)) as (pilot, app, _):
        await spend(pilot, clock, companion)  # from more lines than fit, over as many as just fit, to more again
        shown = screen_text(app)
        await pilot.resize_terminal(40, 30)
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        assert screen_text(app) == shown
