"""The welcome: once for each database, when the first reading is there, behind every question."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import Golden, make_app, screen_text, settle, words
from tui.companion.state import State
from tui.domain.hooks import HookState, HookStatus
from tui.errors import StoreError
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import ConsentScreen
from tui.ui.screens.welcome import WelcomeScreen
from tui.ui.view.text import line_width, plain
from tui.ui.view.view_state import ViewState
from tui.ui.view.welcome import Found, welcome_lines

FOUND = Found("0.169.0", "~/.codex", "ChatGPT, in ~/.codex/auth.json", "~/.config/resetbank/settings.toml")


@asynccontextmanager
async def welcoming(
    scene: Scene, clock: ManualClock, size: tuple[int, int] = (100, 40), found: Found = FOUND
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp]]:
    app = make_app(scene, clock)
    app.welcomes, app.look_around = True, lambda: found
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20), (40, 12)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_welcome_screen(size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    async with welcoming(Scene(states.busy(), clock), clock, size) as (_, app):
        golden("welcome", app)


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_it_opens_once_for_a_database_and_closes_by_either_key(key: str, clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    async with welcoming(scene, clock) as (pilot, app):
        assert isinstance(app.screen, WelcomeScreen)
        await pilot.press(key)
        await settle(pilot)
        assert len(app.screen_stack) == 1
        scene.stir()
        await settle(pilot)
        assert len(app.screen_stack) == 1
        seen = scene.tables.remembered.get("welcomed")
    assert seen == states.NOW.isoformat()
    again = Scene(states.busy(), clock)
    again.tables.remembered.set("welcomed", seen)
    async with welcoming(again, clock) as (_, app):
        assert len(app.screen_stack) == 1


async def test_it_waits_for_the_first_reading(clock: ManualClock) -> None:
    scene = Scene(State(), clock)
    async with welcoming(scene, clock) as (pilot, app):
        assert len(app.screen_stack) == 1
        assert scene.tables.remembered.get("welcomed") is None
        scene.publish(states.busy())
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)


async def test_a_question_goes_before_it(clock: ManualClock) -> None:
    asking = live_states.stopped_question()
    scene = Scene(asking, clock)
    async with welcoming(scene, clock) as (pilot, app):
        assert isinstance(app.screen, ConsentScreen)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)
        assert len(app.screen_stack) == 2
    again = Scene(states.busy(), clock)
    async with welcoming(again, clock) as (pilot, app):
        assert isinstance(app.screen, WelcomeScreen)
        again.publish(asking)
        await settle(pilot)
        assert isinstance(app.screen, ConsentScreen)


async def test_nobody_is_welcomed_to_a_sandbox_or_without_a_database(clock: ManualClock) -> None:
    async with welcoming(Scene(states.busy(), clock), clock, found=replace(FOUND, is_real=False)) as (_, app):
        assert len(app.screen_stack) == 1
    scene = Scene(states.busy(), clock)
    scene.companion.records.tables = None
    with pytest.raises(StoreError):
        scene.companion.records.require()
    async with welcoming(scene, clock) as (_, app):
        assert len(app.screen_stack) == 1


async def test_a_thin_pane_is_not_covered(clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    async with welcoming(scene, clock, (120, 4)) as (pilot, app):
        assert len(app.screen_stack) == 1
        assert scene.tables.remembered.get("welcomed") is None
        await pilot.resize_terminal(120, 40)
        scene.stir()
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)


async def test_nobody_is_welcomed_to_a_demo(clock: ManualClock) -> None:
    scene = Scene(states.demo(), clock)
    async with welcoming(scene, clock) as (_, app):
        assert len(app.screen_stack) == 1
        assert scene.tables.remembered.get("welcomed") is None


async def test_the_palette_opens_it_again_also_where_it_never_opens_by_itself(clock: ManualClock) -> None:
    app = make_app(Scene(states.demo(), clock), clock, demo="busy")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p", *"welcome")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)
        assert "Codex 0" not in words(app)
        assert "Bank 3 resets" in words(app)
        await pilot.press("enter")
        await settle(pilot)
        assert "Welcome" not in screen_text(app)


def test_it_names_nobody_and_says_how_each_hook_stands() -> None:
    hooks = (HookStatus("hold", HookState.TRUSTED, True), HookStatus("guard", HookState.UNTRUSTED, True))
    view = ViewState(states.NOW, states.ZONE, replace(states.busy(), hooks=hooks))
    for width in (24, 36, 76, 116):
        lines = welcome_lines(view, FOUND, width)
        assert max(map(line_width, lines)) <= width
        assert "@" not in plain(lines)
    text = plain(welcome_lines(view, FOUND, 200))
    assert "on, `resetbank hold off` turns it off: at the limit" in text
    assert "untrusted, `resetbank guard status` says more: refuses" in text
    assert "ChatGPT, in ~/.codex/auth.json; read, never changed or renewed" in text
    unknown = plain(welcome_lines(ViewState(states.NOW, states.ZONE, states.unknown()), Found(), 100))
    assert "0 %" not in unknown
