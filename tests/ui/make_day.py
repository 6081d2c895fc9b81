"""The README's day in a minute: the real program on its built-in service, while a clock of ours runs through a day.

`python -m tests.ui.make_day` plays it and writes `assets/day.svg`. The sessions are the demo's, the keys are pressed as
a person would press them, and everything in between happened by itself.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from textual.pilot import Pilot

from tests.e2e.stepped_svg import stepped
from tests.stub.demos import running_demo
from tests.support.clocks import ManualClock
from tests.support.waiting import Patience, rest
from tests.ui.make_assets import ASSETS, without_hosts
from tests.ui.showing import drawn, screen_text
from tui import STORY
from tui.companion.companion import Companion
from tui.settings import Settings
from tui.stub.sessions import PlayedSource
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen

SIZE: Final = (112, 30)
MORNING: Final = datetime(2026, 11, 23, 14, 7, 31, tzinfo=UTC)
_STEP: Final = 0.25


class Day:
    """A day of somebody who keeps resetbank open."""

    def __init__(self, pilot: Pilot[int], companion: Companion, clock: ManualClock) -> None:
        self.pilot = pilot
        self.companion = companion
        self.clock = clock
        self.pictures: list[str] = []

    @property
    def app(self) -> ResetbankApp:
        assert isinstance(self.pilot.app, ResetbankApp)
        return self.pilot.app

    async def settle(self) -> None:
        """Until only time brings anything new, and the screen shows it."""
        await rest()
        self.app.tick()
        await self.pilot.pause()
        await rest()
        await self.pilot.pause()

    async def until(self, holds: Callable[[str], bool]) -> str:
        """Let time pass in small steps until the screen's text is as wanted."""
        patience = Patience()
        while not holds(text := screen_text(self.app)):
            assert not patience.is_over, text
            self.clock.advance(_STEP)
            await self.settle()
        return text

    async def later(self, **span: float) -> None:
        """Let a longer time pass, in which nothing is at work."""
        ends = self.clock.now() + timedelta(**span)
        while (left := (ends - self.clock.now()).total_seconds()) > 0:
            self.clock.advance(min(left, 300.0))
            await self.settle()

    async def press(self, key: str) -> None:
        await self.pilot.press(key)
        await self.settle()

    async def consent(self, letter: str, done: str, caption: str) -> None:
        """Press the letter that is on the screen, alone as the screen wants it; keep what it did, and close that."""
        self.clock.advance(GUARD_SECONDS + _STEP)
        await self.settle()
        await self.pilot.press(letter)
        await self.until(lambda text: done in text)
        self.keep(caption)
        self.clock.advance(GUARD_SECONDS + _STEP)
        await self.press("enter")
        assert not isinstance(self.app.screen, ConsentScreen)

    def keep(self, caption: str) -> None:
        """Keep what stands on the screen."""
        title = f"{self.clock.now():%H:%M}  {caption}"
        self.pictures.append(without_hosts(self.app.export_screenshot(title=title)))

    async def work(self, threads: Iterable[str]) -> None:
        """Let each of them begin another turn, and wait until they have ended it, however that is."""
        source = await self.companion.connection.source()
        assert isinstance(source, PlayedSource)
        for thread in threads:
            await source.carry_on(thread, "", "")
        await self.until(lambda text: "running" in text)
        await self.until(lambda text: "running" not in text)

    async def play(self) -> list[str]:
        """The pictures of the day, in order."""
        await self.until(lambda text: "Queue one" in text)
        threads = tuple(self.companion.state.sessions)
        self.keep("two sessions work, and the forecast says when the limit comes")
        await self.until(lambda text: "spend and let go on" in text)
        self.keep("the limit: both are held before they fail, and one question is asked")
        await self.consent("H", "is at work", "one letter: one reset is spent, checked, and both go on")
        await self.until(lambda text: "18 %" in text)
        self.keep("what happened stands there until x dismisses it")
        await self.press("x")
        await self.later(hours=2)
        await self.press("h")
        self.keep("h: the weeks behind, and what each reset saved")
        await self.press("escape")
        await self.later(hours=6)
        await self.press("u")
        await self.consent("H", "queued", "u, for the night: one reset may be spent, at a real limit only")
        await self.later(hours=2)
        while "one reset was spent" not in screen_text(self.app):
            await self.work(threads)
        await self.later(hours=6)
        self.keep("the morning after: what the night brought, and nothing stood still")
        return self.pictures


async def play(folder: Path) -> list[str]:
    """Play the day; the pictures, in order."""
    clock = ManualClock(MORNING)
    async with running_demo(STORY, clock, folder) as companion:

        async def connect() -> Companion:
            return companion

        app = ResetbankApp(
            connect=connect,
            settings=Settings(),
            clock=clock,
            zone=UTC,
            letters=drawn("HKMPRTX"),
            demo=STORY,
            drive=False,
        )
        app.animation_level = "none"
        async with app.run_test(size=SIZE) as pilot:
            app.theme = "resetbank-dark"  # also where this terminal has only 16 colours
            await pilot.pause()
            return await Day(pilot, companion, clock).play()


def main() -> None:
    with TemporaryDirectory() as folder:
        pictures = asyncio.run(play(Path(folder)))
    (ASSETS / "day.svg").write_text(stepped(pictures), "utf-8")
    print(f"assets/day.svg: {len(pictures)} pictures")


if __name__ == "__main__":
    main()
