"""Comparing a screen with the one that is kept, and the option that accepts a change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import textual.app
import textual.pilot
from textual._context import active_app
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.drivers.headless_driver import HeadlessDriver
from textual.screen import Screen

from tests.support.waiting import rest
from tests.ui.showing import Golden, screen_text
from tui.ui.app import ResetbankApp

FOLDER: Final = Path(__file__).parent / "screens"
MOST_FRAMES: Final = 50
"""Frames until a screen counts as one that never rests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-screens", action="store_true", help="write the screens of tests/ui/screens anew")


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Textual parses a style sheet once for all the apps of a run, as it does for one app, and not for each anew."""
    parse, known = Stylesheet._parse_rules, {}

    def parsed(sheet: Stylesheet, *of: Any, **named: Any) -> list[RuleSet]:
        key = (of, *sorted(named.items()), *sorted(sheet._variables.items()))
        if key not in known:
            known[key] = parse(sheet, *of, **named)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed)
        yield


@pytest.fixture(scope="session", autouse=True)
def idle_is_rest() -> Iterator[None]:
    """The pilot waits until nothing is left to be done, not for a fiftieth of a second in which little was done.

    What Textual puts off for a hundredth of a second, the next frame and a new size, is done at once.
    """

    def is_due(screen: Screen[Any]) -> bool:
        return screen._update_timer._active.is_set()

    async def at_rest(*_seconds: float) -> None:
        await rest()
        app = active_app.get()
        for _ in range(MOST_FRAMES):
            if app._resize_timer is not None:
                app._check_resize()
            elif due := list(filter(is_due, app.screen_stack)):
                due[0]._on_timer_update()
            else:
                return
            await rest()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textual.app, "wait_for_idle", at_rest)
        patch.setattr(textual.pilot, "wait_for_idle", at_rest)
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    update = bool(request.config.getoption("--update-screens", default=False))

    def compare(name: str, app: ResetbankApp) -> None:
        path = FOLDER / f"{name}-{app.size.width}x{app.size.height}.txt"
        shown = screen_text(app)
        if update:
            path.write_text(shown, "utf-8")
        assert path.exists(), f"{path.name} is missing; --update-screens writes it"
        assert shown == path.read_text("utf-8")

    return compare


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the terminal of a headless screen, in order."""
    data: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "is_headless", False)
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, text: data.append(text))
    return data
