"""The themes: each can be read, one fits the terminal, and the picker shows, keeps and gives back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.style import Style
from textual.theme import BUILTIN_THEMES

from tests.support.clocks import ManualClock
from tests.ui import invite_states, live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import Golden, make_app, running, screen_text, settle, words
from tui.agent import MARKS
from tui.companion.state import State
from tui.settings import Settings, load_settings
from tui.ui.app import ResetbankApp
from tui.ui.screens.main import MainScreen
from tui.ui.screens.themes import ThemeScreen
from tui.ui.themes import LEAST_CONTRAST, OWN_THEMES, contrast, fitting_theme, legible, theme_names
from tui.ui.view.text import Level
from tui.ui.widgets.lines import STYLES, STYLES_WITHOUT_COLOR

COLOURED = [theme for theme in (*OWN_THEMES, *BUILTIN_THEMES.values()) if not theme.ansi]
TEXTS = [level for level in Level if level is not Level.FRAME]  # a frame carries no word
NAMES = theme_names()


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_every_text_has_contrast_in_every_theme(theme: object) -> None:
    variables = legible(theme.to_color_system().generate())  # type: ignore[attr-defined]
    foreground = Color.parse(variables["foreground"])
    for name in ("background", "surface"):
        ground = Style(background=Color.parse(variables[name]), foreground=foreground)
        for level in TEXTS:
            style = ground + Style.parse(STYLES[level], variables)
            assert style.foreground is not None
            assert style.background is not None
            assert contrast(style.foreground, style.background) >= LEAST_CONTRAST - 0.02, (name, level)
    assert contrast(foreground, Color.parse(variables["panel"])) >= LEAST_CONTRAST - 0.02  # a line that is typed on
    band = contrast(Color.parse(variables["background"]), Color.parse(variables["warning"]))
    assert band >= LEAST_CONTRAST - 0.02


def test_our_dark_theme_is_shown_as_it_was_drawn() -> None:
    variables = OWN_THEMES[0].to_color_system().generate()
    assert {**variables, "dim": legible(variables)["dim"]} == legible(variables)


@pytest.mark.parametrize("theme", ["nord", "resetbank-dark", "resetbank-light", "ansi-light"])
async def test_a_theme_that_the_screen_begins_with_looks_as_one_chosen_later(theme: str) -> None:
    pictures = []
    for first in (theme, "dracula"):
        clock = ManualClock()
        app = make_app(Scene(states.busy(), clock), clock, settings=Settings(theme=first))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            app.wear(theme)
            await settle(pilot)
            pictures.append(app.export_screenshot())
    assert pictures[0] == pictures[1]


def test_states_differ_without_colour() -> None:
    told_apart = (Level.PLAIN, Level.NEAR, Level.REACHED, Level.UNKNOWN, Level.DIM)
    assert len({STYLES_WITHOUT_COLOR[level] for level in told_apart}) == len(told_apart)


@pytest.mark.parametrize(
    ("ground", "theme"),
    [
        (None, "resetbank-dark"),
        ("15;0", "resetbank-dark"),
        ("0;15", "resetbank-light"),
        ("0;default;15", "resetbank-light"),
        ("0;7", "resetbank-light"),
        ("7;8", "resetbank-dark"),
        ("0;default", "resetbank-dark"),
        ("nonsense", "resetbank-dark"),
    ],
)
def test_a_light_terminal_gets_the_light_theme(ground: str | None, theme: str) -> None:
    environment = {} if ground is None else {"COLORFGBG": ground}
    assert fitting_theme("auto", "truecolor", environment) == theme
    assert fitting_theme("auto", "standard", environment) == theme.replace("resetbank", "ansi")
    assert fitting_theme("nord", "truecolor", environment) == "nord"


@pytest.mark.parametrize("name", NAMES)
def test_sixteen_colours_are_the_terminals_own(name: str) -> None:
    shown = fitting_theme(name, "standard", {})
    assert BUILTIN_THEMES[shown].ansi
    known = {theme.name: theme for theme in (*OWN_THEMES, *BUILTIN_THEMES.values())}
    assert BUILTIN_THEMES[shown].dark == (known[name].dark if name in known else True)


@pytest.mark.parametrize("name", NAMES)
def test_without_colour_no_theme_is_the_terminals_own(name: str) -> None:
    shown = fitting_theme(name, None, {})
    assert not shown.startswith("ansi")
    assert shown == name or name in ("auto", "ansi-dark", "ansi-light")


@pytest.mark.parametrize("name", ["auto", "ansi-dark", "ansi-light", "nord"])
async def test_without_colour_the_greys_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    clock = ManualClock()
    app = make_app(Scene(states.busy(), clock), clock, settings=Settings(theme=name))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert not app.current_theme.ansi
        assert poor_texts(app) == set()


@asynccontextmanager
async def picker(
    path: Path | None, size: tuple[int, int] = (80, 24), settings: Settings | None = None
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp]]:
    clock = ManualClock()
    app = make_app(Scene(states.busy(), clock), clock, settings=settings)
    app.settings_path = path
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, ThemeScreen)
        yield pilot, app


async def test_moving_shows_each_theme_and_escape_gives_the_former_one_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    async with picker(path, settings=Settings(theme="nord")) as (pilot, app):
        await pilot.press("j")
        assert app.theme == NAMES[NAMES.index("nord") + 1]
        await pilot.press("G")
        assert app.theme == NAMES[-1]
        await pilot.press("escape")
        await settle(pilot)
        assert app.theme == "nord"
        assert isinstance(app.screen, MainScreen)
    assert not path.exists()


async def test_the_chosen_theme_is_kept_and_the_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n[limits]\nnear_percent = 80  # strict\n")
    async with picker(path) as (pilot, app):
        await pilot.press("j", "j", "enter")
        await settle(pilot)
        assert "theme resetbank-light, from now on" in words(app)
        assert app.theme == "resetbank-light"
    assert load_settings(path).theme == "resetbank-light"
    assert "# mine" in path.read_text()
    assert "near_percent = 80  # strict" in path.read_text()


async def test_without_a_file_one_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    async with picker(path) as (pilot, _):
        await pilot.press("G", "enter")
        await settle(pilot)
    assert path.read_text().strip() == f'theme = "{NAMES[-1]}"'


@pytest.mark.parametrize("hindrance", ["broken", "folder", "agent"])
async def test_what_cannot_be_written_holds_for_this_run(
    tmp_path: Path, hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    if hindrance == "broken":
        path.write_text("theme = \n")
    elif hindrance == "folder":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "settings.toml"
    else:
        monkeypatch.setenv(MARKS[0], "1")
    async with picker(path, (120, 40)) as (pilot, app):
        await pilot.press("G", "enter")
        await settle(pilot)
        assert f"theme {NAMES[-1]}, for this run only:" in words(app)
        assert app.theme == NAMES[-1]


async def test_the_mouse_chooses_too(tmp_path: Path) -> None:
    async with picker(tmp_path / "settings.toml") as (pilot, app):
        await pilot.click("#names", offset=(6, 3))
        await settle(pilot)
        assert app.theme == NAMES[3]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 5), (80, 3)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_picker_at_every_size(tmp_path: Path, size: tuple[int, int], golden: Golden) -> None:
    async with picker(tmp_path / "settings.toml", size) as (pilot, app):
        await pilot.press("G")
        await settle(pilot)
        golden("themes", app)


def poor_texts(app: ResetbankApp) -> set[str]:
    """Words that have too little contrast to what they stand on; what is dimmed behind a dialog is not for reading."""
    found = set()
    dialog = next(iter(app.screen.query("#dialog")), None)
    region = dialog.region if dialog is not None else app.screen.region
    for row in app.screen._compositor.render_strips()[region.y : region.bottom]:
        for segment in row.crop(region.x, region.right):
            style = segment.style
            if style is None or not any(character.isalnum() for character in segment.text):
                continue
            assert style.color is not None
            assert style.bgcolor is not None
            text, ground = (Color(*color.get_truecolor()) for color in (style.color, style.bgcolor))
            if contrast(text, ground) < LEAST_CONTRAST - 0.1:
                found.add(segment.text.strip())
    return found


@pytest.mark.parametrize(
    ("make", "keys"),
    [
        (states.many, ""),
        (states.demo, ""),
        (live_states.held_question, ""),
        (states.busy, ","),
        (invite_states.every, "i"),
        (invite_states.every, "ia"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_every_word_on_the_screen_can_be_read_in_every_theme(
    make: Callable[[], State], keys: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    app = make_app(Scene(make(), clock), clock)
    app.settings_path = tmp_path / "settings.toml"
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key in keys:
            await pilot.press("comma" if key == "," else key)
            await settle(pilot)
        poor = {}
        for theme in COLOURED:
            app.theme = theme.name
            await pilot.pause()
            await pilot.pause()
            poor[theme.name] = poor_texts(app)
        assert {name: words for name, words in poor.items() if words} == {}


@pytest.mark.parametrize("size", [(60, 8), (80, 24)])
@pytest.mark.parametrize(("page", "key"), [("", "q Quit"), ("l", "esc Back ↑ ↓ Scroll"), ("i", "a Invite")])
async def test_the_keys_of_what_lies_under_a_dialog_are_not_named(size: tuple[int, int], page: str, key: str) -> None:
    async with running(invite_states.every(), size=size) as (pilot, app, _):
        await pilot.press(*page)
        await settle(pilot)
        assert key in words(app)
        await pilot.press("t")
        await settle(pilot)
        assert screen_text(app).splitlines()[-1].strip(" ╰─╯") in ("", "enter Keep  esc Back")
        await pilot.press("escape")
        await settle(pilot)
        assert key in words(app)
