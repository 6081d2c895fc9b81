"""Comparing a screen with the one that is kept, and the option that accepts a change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.drivers.headless_driver import HeadlessDriver

from tests.ui.showing import Golden, screen_text
from tui.ui.app import ResetbankApp

FOLDER: Final = Path(__file__).parent / "screens"


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
