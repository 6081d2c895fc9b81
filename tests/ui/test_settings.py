"""The page of the settings: what each is and where it comes from; the common ones are changed in place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import states
from tests.ui.scene import Scene
from tests.ui.showing import Golden, at_every_size, make_app, screen_text, settle, words
from tui.settings import Kind, Settings, every_setting, find_setting, load_settings
from tui.settings_file import Row, value_of
from tui.ui.app import ResetbankApp
from tui.ui.screens.settings import SettingsScreen
from tui.ui.themes import theme_names
from tui.ui.view.settings import how_to_change, settings_lines, stepped
from tui.ui.view.text import line_width, plain

MINE = "# mine\n[limits]\nnear_percent = 80  # strict\n"
AROUND = (Row("--source", "http", "command line"), Row("--codex-home", "/home/me/.codex", "environment: CODEX_HOME"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(MINE)
    return path


def text_of(path: Path) -> str:
    return path.read_text()


def put(path: Path, text: str) -> None:
    path.write_text(text)


@asynccontextmanager
async def page(
    path: Path, size: tuple[int, int] = (80, 24), settings: Settings | None = None
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp]]:
    clock = ManualClock()
    app = make_app(Scene(states.busy(), clock), clock, settings=settings)
    app.settings_path, app.around = path, lambda: AROUND
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("comma")
        await settle(pilot)
        assert isinstance(app.screen, SettingsScreen)
        yield pilot, app


async def select(pilot: Pilot[int], key: str) -> None:
    keys = [setting.key for setting in every_setting()]
    await pilot.press("g", *["j"] * keys.index(key))


@at_every_size
async def test_the_page(path: Path, size: tuple[int, int], golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    async with page(Path("settings.toml"), size) as (pilot, app):
        golden("settings", app)
        await select(pilot, "notify.webhook")
        await settle(pilot)
        golden("settings-guarded", app)


@at_every_size
async def test_every_setting_comes_in_sight_whole_with_its_keys(path: Path, size: tuple[int, int]) -> None:
    async with page(path, size) as (pilot, app):
        for setting in every_setting():
            text = words(app)
            assert f"▸ {setting.key}" in text
            assert setting.help.split()[0] in text
            assert screen_text(app).split()[-1] in ("Back", "Change", "Lower", "Default")
            await pilot.press("down")
            await settle(pilot)


async def test_a_switch_a_number_and_the_default(path: Path) -> None:
    async with page(path) as (pilot, app):
        await select(pilot, "limits.near_percent")
        await pilot.press("plus", "plus", "minus")
        await settle(pilot)
        assert text_of(path) == MINE.replace("80 ", "85 ")
        assert "limits.near_percent = 85, from the next start" in words(app)
        await pilot.press("backspace")
        await settle(pilot)
        assert text_of(path) == "# mine\n[limits]\n"
        await select(pilot, "ask.enabled")
        await pilot.press("space")
        await settle(pilot)
        assert not load_settings(path).ask.enabled
        assert "ask.enabled = false, from the next start" in words(app)
        assert "false file" in words(app)


async def test_what_can_hold_at_once_does(path: Path) -> None:
    async with page(path) as (pilot, app):
        for _ in range(2):  # from the one that fits the terminal over the dark one
            await pilot.press("space")
            await settle(pilot)
        assert (app.theme, load_settings(path).theme) == ("resetbank-light", "resetbank-light")
        assert "next start" not in words(app)
        await select(pilot, "ask.bell")
        await pilot.press("space")
        await select(pilot, "invite.remind_after_days")
        await pilot.press("plus")
        await settle(pilot)
        assert not app._news.rings
        assert app.view.remind_after.days == 4
        assert "invite.remind_after_days = 4" in words(app)


@pytest.mark.parametrize("key", [setting.key for setting in every_setting() if setting.is_guarded])
async def test_what_could_spend_or_run_something_is_not_changed_here(path: Path, key: str) -> None:
    async with page(path, (120, 40)) as (pilot, app):
        await select(pilot, key)
        await settle(pilot)
        assert f"`resetbank config set {key} VALUE` asks for a code first" in words(app)
        await pilot.press("space", "plus", "minus", "backspace")
        await settle(pilot)
        assert "could spend or run something" in words(app)
        assert text_of(path) == MINE


async def test_under_codex_nothing_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_THREAD_ID", "t")
    async with page(path) as (pilot, app):
        await pilot.press("space")
        await settle(pilot)
        assert "is refused under Codex" in words(app)
        assert text_of(path) == MINE


async def test_a_file_that_broke_meanwhile_is_said_and_left_alone(path: Path) -> None:
    async with page(path) as (pilot, app):
        put(path, "theme = \n")
        await pilot.press("space")
        await settle(pilot)
        assert "is not valid TOML" in words(app)
        assert text_of(path) == "theme = \n"
        put(path, MINE)
        await pilot.press("escape", "comma")
        await settle(pilot)
        assert "near_percent" in screen_text(app)


async def test_a_secret_is_shown_in_part(path: Path) -> None:
    put(path, '[notify]\nwebhook = "https://hooks.example.com/s3cret"\n')
    async with page(path, (120, 60)) as (_, app):
        assert "hooks.example.com" in screen_text(app)
        assert "s3cret" not in screen_text(app)


@given(st.sampled_from(every_setting()), st.lists(st.sampled_from([1, -1]), max_size=70))
def test_whatever_is_pressed_the_value_stays_valid(key_setting: object, steps: list[int]) -> None:
    setting = find_setting(key_setting.key)  # type: ignore[attr-defined]
    value: object = value_of(Settings(), setting.key)
    for step in steps:
        following = stepped(setting, value, step, theme_names())
        if following is None:
            assert setting.is_guarded or setting.kind in (Kind.TEXT, Kind.LIST)
            return
        value = following
    if setting.kind in (Kind.NUMBER, Kind.WHOLE):
        assert isinstance(value, int | float)
        assert setting.least is not None
        assert setting.most is not None
        assert setting.least <= value <= setting.most
        assert not (setting.above and value == setting.least)


@given(st.integers(20, 140), st.integers(0, 19))
def test_no_line_is_too_wide(width: int, cursor: int) -> None:
    rows = [Row(s.key, repr(s.default), "default", s.help) for s in every_setting()]
    keys = {"higher": "+", "lower": "-", "change": "space"}
    hint = how_to_change(find_setting(rows[cursor].key), keys)
    lines, selected = settings_lines(rows, AROUND, cursor, hint, width)
    assert all(line_width(line) <= width for line in lines)
    assert plain(lines[selected.start : selected.stop]).startswith(f"▸ {rows[cursor].key}"[: width - 2])
