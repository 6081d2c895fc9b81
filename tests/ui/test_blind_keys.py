"""Keys that nobody meant: streams typed into another window spend nothing and send nothing."""

import random
import string
from collections.abc import Callable

import pytest
from textual.events import Key

from tests.support.budget import budget, random_runs
from tests.support.clocks import ManualClock
from tests.ui import invite_states, live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import drawn, frame, press_alone, running, settle
from tui.companion.state import State
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import GUARD_SECONDS

STREAMS = 1_000
KEYS = (*string.ascii_letters, "enter", "space", "up", "down", "escape", "tab", "question_mark")


def letters(rng: random.Random) -> Callable[[int], str]:
    return lambda count: "".join(rng.sample(string.ascii_uppercase, count))


def key(name: str) -> Key:
    return Key(name, name if len(name) == 1 else None)


async def opened(app: ResetbankApp, place: str) -> None:
    """Back on the main screen, and then in a dialog that consents."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
    await app.perform(place)


@pytest.mark.parametrize(
    ("state", "place"),
    [(states.at_limit, "spend"), (live_states.working, "queue"), (live_states.stopped_question, "answer")],
)
async def test_a_thousand_streams_with_short_gaps_spend_nothing(
    state: Callable[[], State], place: str, clock: ManualClock
) -> None:
    rng = random.Random(place)
    companion = Scene(state(), clock, after=states.reset_snapshot())
    async with running(companion, clock, letters=letters(rng)) as (pilot, app, _):
        for number in range(STREAMS):
            if number % 25 == 0:  # each stream goes on where the one before has led
                await opened(app, place)
                await settle(pilot)
                clock.advance(1)
            for _ in range(rng.randint(1, 12)):
                app.post_message(key(rng.choice(KEYS[:-7]) if rng.random() < 0.9 else rng.choice(KEYS)))
                clock.advance(rng.uniform(0.0, GUARD_SECONDS - 0.01))
            await pilot.pause()
            if not app.is_running or app._exit:
                break  # `q` leaves, as it should
        assert companion.spends == []
        assert companion.state.queued is None


@random_runs
async def test_slow_capitals_hit_no_more_often_than_chance(clock: ManualClock) -> None:
    """One letter of 26 for each letter on offer, and a wrong one closes the dialog: about four hits in a hundred."""
    rng = random.Random(7)
    companion = Scene(states.at_limit(), clock, after=states.reset_snapshot())
    hits = 0
    async with running(companion, clock, letters=letters(rng)) as (pilot, app, _):
        for _ in range(budget(100)):
            companion.publish(states.at_limit())
            await opened(app, "spend")
            await settle(pilot)
            before, drawn_now = len(companion.spends), frame(app).letter
            pressed = rng.choice(string.ascii_uppercase)
            await press_alone(pilot, clock, pressed)
            spent = len(companion.spends) > before
            assert spent == (pressed == drawn_now)
            hits += spent
    assert hits <= 10  # 3.8 expected; more than ten would be one chance in five hundred


async def test_blind_keys_on_the_invite_panel_send_nothing(clock: ManualClock) -> None:
    rng = random.Random(3)
    companion = Scene(invite_states.two(), clock)
    async with running(companion, clock, letters=drawn("ABCDEFG")) as (pilot, app, _):
        for _ in range(40):
            while len(app.screen_stack) > 1:
                app.pop_screen()
            await app.perform("invite")
            await settle(pilot)
            for _ in range(20):
                app.post_message(key(rng.choice(KEYS)))
                clock.advance(rng.uniform(0.0, GUARD_SECONDS - 0.01))
            await pilot.pause()
            if app._exit:
                break
        assert companion.service.requests == []
