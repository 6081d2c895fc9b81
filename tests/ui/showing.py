"""Running the app headless on a companion over a scripted source, and reading its screen as text."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any, Final

import pytest
from textual.app import App
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui.scene import Scene
from tests.ui.states import ZONE
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.snapshot import Snapshot
from tui.settings import Settings
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen

SIZES: Final = ((40, 12), (80, 24), (120, 40))
at_every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")

Golden = Callable[[str, ResetbankApp], None]
"""Compares the screen with the kept one of that name and size."""


def drawn(*rounds: str) -> Callable[[int], str]:
    """Letters that are drawn in this order, again and again."""
    letters = cycle(rounds)
    return lambda count: next(letters)[:count]


def screen_text(app: ResetbankApp) -> str:
    """The screen as plain text; the only place that touches Textual's compositor."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips).rstrip() + "\n"


def make_app(
    companion: Scene | None,
    clock: ManualClock,
    *,
    settings: Settings | None = None,
    connect: Callable[[], Awaitable[Companion]] | None = None,
    demo: str | None = None,
    letters: Callable[[int], str] | None = None,
    remembered: Snapshot | None = None,
    read_only: str | None = None,
    kind: type[ResetbankApp] = ResetbankApp,
    drive: bool = False,
) -> ResetbankApp:
    async def connected() -> Companion:
        assert companion is not None
        return await companion.connected()

    app = kind(
        connect=connect or connected,
        settings=settings or Settings(),
        clock=clock,
        zone=ZONE,
        letters=letters or drawn("ABCDEFG"),
        demo=demo,
        remembered=remembered,
        read_only=read_only,
        drive=drive,
    )
    app.animation_level = "none"
    return app


@asynccontextmanager
async def running(
    shown: State | Scene,
    clock: ManualClock | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    settings: Settings | None = None,
    letters: Callable[[int], str] | None = None,
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp, Scene]]:
    """The app connected and at rest."""
    clock = clock or ManualClock()
    companion = shown if isinstance(shown, Scene) else Scene(shown, clock)
    app = make_app(companion, clock, settings=settings, letters=letters, demo=companion.state.demo)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app, companion


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Until something holds; for workers that fail, which cannot be waited for."""
    for _ in range(200):
        if condition():
            return
        await pilot.pause()
    raise AssertionError("it never came true")


def words(app: ResetbankApp) -> str:
    """The screen's words, whatever the line breaks."""
    return " ".join(screen_text(app).replace("│", " ").split())


async def settle(pilot: Pilot[int]) -> None:
    """Until no worker runs and every message is handled."""
    await pilot.pause()
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def top(app: App[Any]) -> Any:
    """The dialog in sight, or the screen where there is none."""
    return app.screen.dialog if isinstance(app.screen, ConsentScreen) else app.screen


def frame(app: App[Any]) -> ConsentScreen:
    """The screen of the dialog in sight."""
    assert isinstance(app.screen, ConsentScreen)
    return app.screen


async def press_alone(pilot: Pilot[int], clock: ManualClock, letter: str, *, ends: bool = True) -> None:
    """Press a letter as a person does who means it: nothing before it, nothing after it.

    Args:
        pilot: Presses it.
        clock: Lets the time pass.
        letter: The letter.
        ends: Whether what it begins comes to an end, which is waited for.
    """
    clock.advance(GUARD_SECONDS + 0.01)
    await pilot.press(letter)
    clock.advance(GUARD_SECONDS + 0.01)
    await (settle(pilot) if ends else pilot.pause())
