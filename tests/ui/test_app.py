"""The application around the screens: commands, keys, connecting, failing, leaving."""

import gc
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ClassVar

import pytest
from msgspec.structs import replace
from textual.binding import Binding
from textual.widget import Widget

from tests.support.clocks import ManualClock
from tests.ui import states
from tests.ui.scene import Scene
from tests.ui.showing import make_app, running, screen_text, settle, until, words
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.errors import NotViable, SettingsError
from tui.settings import Settings
from tui.ui.app import ResetbankApp
from tui.ui.commands import MAIN, commands_of
from tui.ui.screens.ledger import LedgerScreen
from tui.ui.screens.main import MainScreen
from tui.ui.themes import theme_names
from tui.ui.view.text import Level
from tui.ui.widgets.lines import STYLES, STYLES_WITHOUT_COLOR, Lines


async def test_every_command_of_the_main_screen_is_in_palette_and_help() -> None:
    async with running(states.busy(), size=(100, 60)) as (pilot, app, _):
        palette = {command.title for command in app.get_system_commands(app.screen)}
        assert {command.title for command in commands_of(MAIN)} <= palette
        await pilot.press("question_mark")
        await settle(pilot)
        shown = " ".join(screen_text(app).split())
        for command in commands_of(MAIN):
            assert command.help in shown


async def test_the_palette_opens_a_screen() -> None:
    async with running(states.busy()) as (pilot, app, _):
        await pilot.press("ctrl+p")
        await pilot.press(*"ledger")
        await pilot.app.workers.wait_for_complete()
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LedgerScreen)


async def test_the_key_line_can_be_clicked() -> None:
    async with running(states.busy()) as (pilot, app, _):
        row = screen_text(app).split("\n")[23]
        await pilot.click("#keys", offset=(row.index("Ledger") + 2, 0))
        await settle(pilot)
        assert isinstance(app.screen, LedgerScreen)
        await pilot.click("#keys", offset=(2, 0))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_a_click_beside_the_keys_does_nothing() -> None:
    async with running(states.busy()) as (pilot, app, _):
        await pilot.click("#keys", offset=(75, 0))
        await pilot.click("#board", offset=(5, 1))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_the_keymap_of_the_settings_applies() -> None:
    async with running(states.busy(), settings=Settings(keys={"ledger": "e", "spend": "s"})) as (pilot, app, companion):
        assert "s Spend  u Queue  i Invite  h History  e Ledger" in screen_text(app)
        assert "s spends one" in screen_text(app)
        await pilot.press("l", "r")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        await pilot.press("e")
        await settle(pilot)
        assert isinstance(app.screen, LedgerScreen)
        assert companion.source.reads == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(keys={"spnd": "s"}), "did you mean 'spend'"),
        (Settings(theme="resetbank-drak"), "unknown theme 'resetbank-drak'; did you mean 'resetbank-dark'"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_painted(settings: Settings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_app(None, ManualClock(), settings=settings)


async def test_refresh_reads_now() -> None:
    async with running(states.busy()) as (pilot, _, companion):
        reads = companion.source.reads
        async with companion.polling():
            await until(pilot, lambda: len(reads) == 1)
            await pilot.press("f5")
            await until(pilot, lambda: len(reads) == 2)
            await pilot.press("ctrl+r")
            await until(pilot, lambda: len(reads) == 3)
        assert reads[1:] == [True, True]  # the single resets too


@pytest.mark.parametrize("theme", theme_names()[1:5])
async def test_every_theme_shows_the_same_text(theme: str) -> None:
    async with running(states.busy(), settings=Settings(theme=theme)) as (_, app, _):
        assert "! NEAR" in screen_text(app)
        assert app.current_theme.name == theme


async def test_without_colour_the_words_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(states.at_limit()) as (_, app, _):
        assert app.no_color
        text = screen_text(app)
        assert "✗ REACHED" in text
        assert "– blocked" in text
        line = app.screen.query_one("#board", Lines).render_line(1)
        looks = {segment.text.strip(): segment.style for segment in line}
        assert looks["✗ REACHED"] is not None
        assert looks["✗ REACHED"].reverse
        assert looks["✗ REACHED"].bold


def test_every_level_has_a_look_with_and_without_colour() -> None:
    assert set(STYLES) == set(STYLES_WITHOUT_COLOR) == set(Level)
    assert not any("$" in style for style in STYLES_WITHOUT_COLOR.values())


async def test_text_from_outside_is_never_markup() -> None:
    title = "[/bold] [link='x']y[/] [@click=app.quit]z[/]"
    evil = states.credit("c1", states.at(26, 9), title=title)
    shown = states.snapshot(states.main_limit(states.week(1)), banked=states.bank(evil))
    async with running(states.state(shown), size=(120, 40)) as (pilot, app, _):
        assert "[/bold]" in screen_text(app)
        await pilot.press("r")
        await settle(pilot)
        assert "[/bold] [link='x']" in screen_text(app)


async def test_ages_go_on_with_the_clock() -> None:
    clock = ManualClock()
    async with running(states.busy(), clock) as (pilot, app, _):
        assert "just now   14:07" in screen_text(app)
        clock.advance(60)
        app.tick()
        await pilot.pause()
        assert "1 min ago   14:08" in screen_text(app)
        assert "3 h 11 min" in screen_text(app)


async def test_a_second_draws_only_the_lines_that_count_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    painted: list[bool] = []
    redraw = Lines.redraw

    def noted(panel: Lines) -> bool:
        drawn.append(panel.id or "")
        painted.append(redraw(panel))
        return painted[-1]

    monkeypatch.setattr(Lines, "redraw", noted)
    clock, state = ManualClock(), states.busy()
    reading_often = replace(state, link=replace(state.link, interval=timedelta(seconds=30)))
    async with running(reading_often, clock) as (pilot, app, _):
        assert "read every 30 s" in screen_text(app)
        drawn.clear()
        painted.clear()
        for _ in range(4):
            clock.advance(1)
            app.tick()
        assert set(drawn) == {"header", "status"}
        assert not any(painted)  # a screen on which nothing happens stands still
        clock.advance(1)
        app.tick()
        assert "board" in drawn
        await pilot.pause()


async def test_a_published_state_is_shown() -> None:
    async with running(State()) as (pilot, app, companion):
        assert "No reading yet" in screen_text(app)
        companion.publish(states.busy())
        await pilot.pause()
        assert "93 %" in screen_text(app)


async def test_resizing_keeps_the_picture() -> None:
    async with running(states.busy(), size=(120, 40)) as (pilot, app, _):
        wide = screen_text(app)
        for size in ((80, 24), (40, 12), (20, 5), (200, 60), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert max(map(len, screen_text(app).split("\n"))) <= size[0]
        assert screen_text(app) == wide


async def test_resizing_under_a_dialog() -> None:
    clock = ManualClock()
    async with running(states.at_limit(), clock, size=(120, 40)) as (pilot, app, _):
        await pilot.press("r")
        await settle(pilot)
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert "(capital)" in screen_text(app)


@pytest.mark.parametrize("key", ["question_mark", "h", "i", "comma"])
async def test_resizing_under_a_page(key: str) -> None:
    async with running(states.at_limit(), size=(40, 12)) as (_, app, _):
        compact = screen_text(app)
    async with running(states.at_limit(), size=(80, 24)) as (pilot, app, _):
        await pilot.press(key)
        await settle(pilot)
        await pilot.resize_terminal(40, 12)
        await pilot.press("escape")
        await settle(pilot)
        assert screen_text(app) == compact


async def test_too_small_still_quits() -> None:
    async with running(states.busy(), size=(20, 5)) as (pilot, app, _):
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running or app._exit


async def test_leaving_lets_the_companion_go() -> None:
    companion = Scene(states.busy(), ManualClock())
    listeners = tuple(companion.companion.store._listeners)
    async with running(companion) as (pilot, app, _):
        await pilot.press("q")
    assert companion.is_closed
    assert tuple(companion.companion.store._listeners) == listeners
    assert (app.return_code or 0) == 0


def failing_once(companion: Scene) -> Callable[[], Awaitable[Companion]]:
    failures = [NotViable("no source can be used", "run `codex login`")]

    async def connect() -> Companion:
        if failures:
            raise failures.pop()
        return companion.companion

    return connect


async def test_a_failed_connection_is_a_calm_panel_and_refresh_tries_again() -> None:
    clock = ManualClock()
    companion = Scene(states.busy(), clock)
    app = make_app(None, clock, connect=failing_once(companion))
    async with app.run_test() as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert "Not connected: no source can be used" in text
        assert "run `codex login`" in text
        assert "resetbank doctor" in text
        await pilot.press("r")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("f5")
        await settle(pilot)
        assert "93 %" in screen_text(app)
    assert companion.is_closed


async def test_a_crash_while_connecting_is_shown_without_its_text() -> None:
    async def broken() -> Companion:
        raise ValueError("Bearer secret-token")

    app = make_app(None, ManualClock(), connect=broken)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "unexpected ValueError in connect (test_app.py:" in words(app))
        assert "secret-token" not in words(app)


async def test_polling_that_died_is_said_and_started_again() -> None:
    clock = ManualClock()
    companion = Scene(State(), clock)
    shown = states.reset_snapshot()
    companion.source.reading = shown
    last = companion.tables.observations.last

    def broken(name: str = "") -> None:
        raise RuntimeError("boom")

    companion.tables.observations.last = broken  # type: ignore[method-assign]

    app = make_app(companion, clock, drive=True)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "! unexpected RuntimeError in poll" in screen_text(app))
        companion.tables.observations.last = last  # type: ignore[method-assign]
        await pilot.press("f5")
        await until(pilot, lambda: companion.state.snapshot == shown and "Free to work" in words(app))
        assert "unexpected" not in screen_text(app)


async def test_a_crash_of_the_screen_itself_gives_a_failing_code() -> None:
    class Broken(ResetbankApp):
        BINDINGS: ClassVar = [Binding("z", "explode", "Explode")]

        def action_explode(self) -> None:
            raise RuntimeError

    clock = ManualClock()
    companion = Scene(states.busy(), clock)

    app = make_app(companion, clock, kind=Broken)

    async def crash() -> None:
        async with app.run_test() as pilot:
            await until(pilot, lambda: companion.companion.store._listeners != [])
            await pilot.press("z")

    with pytest.raises(RuntimeError):
        await crash()
    assert app.return_code == 1
    assert companion.is_closed


async def test_the_ledger_that_cannot_be_read_says_why() -> None:
    clock = ManualClock()
    companion = Scene(states.busy(), clock)
    async with running(companion, clock) as (pilot, app, _):
        with companion.tables.database.writing() as connection:
            connection.execute("DROP TABLE events")
        await pilot.press("l")
        await settle(pilot)
        assert "no such table" in words(app)


async def test_the_ledger_follows_new_events() -> None:
    clock = ManualClock()
    companion = Scene(replace(states.busy(), recent=()), clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("l")
        await settle(pilot)
        assert "The ledger is empty" in screen_text(app)
        await companion.companion.records.record(*states.EVENTS)
        await until(pilot, lambda: "a reset lapsed unused" in screen_text(app))


async def test_nothing_is_repainted_where_nothing_differs() -> None:
    async with running(states.busy()) as (_, app, _):
        painted = [panel.redraw() for panel in app.screen.query(Lines).results() if panel.display]
        assert painted
        assert not any(painted)


async def test_opening_and_closing_screens_keeps_no_widgets() -> None:
    clock = ManualClock()
    async with running(states.at_limit(), clock) as (pilot, app, _):

        async def once() -> None:
            await app.run_action("spend")
            await settle(pilot)
            await app.run_action("screen.leave")
            await settle(pilot)
            await app.run_action("help")
            await settle(pilot)
            await app.run_action("screen.back")
            await settle(pilot)

        await once()
        gc.collect()
        before = sum(isinstance(item, Widget) for item in gc.get_objects())
        for _ in range(8):
            await once()
        gc.collect()
        after = sum(isinstance(item, Widget) for item in gc.get_objects())
        assert after <= before + 4


async def test_the_last_reading_stands_dimmed_until_a_source_has_answered(clock: ManualClock) -> None:
    last = states.busy().snapshot
    companion = Scene(State(), clock)
    app = make_app(companion, clock, remembered=last)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "Last known: 5 hours 93 % used" in words(app)
        assert "○ daemon · just now" in words(app)
        board = app.screen.query_one("#board", Lines)
        shown = [span for line in board.lines for span in line if span.text.strip()]
        assert {span.level for span in shown} == {Level.DIM, Level.FRAME, Level.TITLE}
        companion.publish(states.calm())
        await settle(pilot)
        assert "Free to work" in words(app)
        assert "● daemon" in words(app)
        companion.publish(State())  # the last reading of the database never comes back
        await settle(pilot)
        assert "93 %" not in words(app)


async def test_a_demo_shows_no_last_reading_of_a_real_account(clock: ManualClock) -> None:
    app = make_app(Scene(State(demo="busy"), clock), clock, remembered=states.busy().snapshot)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "93 %" not in words(app)


async def test_a_paint_between_a_theme_and_its_colours_keeps_the_old_ones() -> None:
    async with running(states.busy()) as (pilot, app, _):
        for name in ("ansi-dark", "resetbank-light", "ansi-light", "nord"):
            app.theme = name
            assert "Limits" in app.export_screenshot()  # paints before the style sheet has followed
            await pilot.pause()
            assert app.theme_variables["background"] == app.get_css_variables()["background"]
