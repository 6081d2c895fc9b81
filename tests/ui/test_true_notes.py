"""What is said while it is true, where it was done; keys of other layouts; screens that an agent opened."""

import os
import shutil
import signal
import sys
from contextlib import suppress
from functools import partial
from operator import is_
from typing import Any, cast

import pytest
from msgspec.structs import replace
from textual.driver import Driver
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.events import Key

from tests.support.clocks import ManualClock
from tests.support.pty import raw_terminal, terminal
from tests.support.waiting import DEADLINE
from tests.ui import invite_states, live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import make_app, press_alone, running, screen_text, settle, top, until, words
from tui.domain.referral import OfferStatus
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.question import QuestionDialog
from tui.ui.screens.invite import InviteScreen
from tui.ui.screens.ledger import LedgerScreen
from tui.ui.screens.main import MainScreen
from tui.ui.terminal import outliving_its_terminal
from tui.ui.view.text import plain
from tui.ui.widgets.lines import Lines


async def test_under_codex_nothing_that_consents_opens(clock: ManualClock) -> None:
    companion = Scene(live_states.stopped_question(), clock)
    app = make_app(companion, clock, read_only="CODEX_THREAD_ID")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "READ-ONLY · Codex started this screen (CODEX_THREAD_ID is set)" in words(app)
        for key in ("r", "u", "c", "f", "a"):
            await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "read-only under Codex" in words(app)
        await pilot.press("i")
        await settle(pilot)
        assert companion.state.invites.status is OfferStatus.OFFERED
        await pilot.press("a", "e")
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert "read-only under Codex" in words(app)
        assert companion.source.reads == []


@pytest.mark.parametrize("key", ["a", "e"])
async def test_under_codex_the_invite_panel_sends_nothing(clock: ManualClock, key: str) -> None:
    app = make_app(Scene(invite_states.every(), clock), clock, read_only="CODEX_THREAD_ID")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("i")
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        assert "read-only under Codex" in words(app)


async def test_spending_at_a_limit_opens_the_question_where_a_session_is_stopped(clock: ManualClock) -> None:
    companion = Scene(live_states.one_stopped(), clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog)
        assert "spend and continue" in words(app)


@pytest.mark.parametrize(("closed", "note"), [(True, ""), (False, "no question is open")])
async def test_a_closed_question_opens_again_by_one_key(closed: bool, note: str, clock: ManualClock) -> None:
    companion = Scene(live_states.one_stopped() if closed else states.busy(), clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("a")
        await settle(pilot)
        assert isinstance(top(app), QuestionDialog) is closed
        assert note in words(app)


async def test_a_note_ends_with_what_it_says(clock: ManualClock) -> None:
    companion = Scene(live_states.working(), clock)
    async with running(companion, clock) as (pilot, app, _):
        await pilot.press("u")
        await settle(pilot)
        await press_alone(pilot, clock, "A")
        assert "one reset is queued for the limit" in words(app)
        await pilot.press("l")
        await settle(pilot)
        assert "one reset is queued for the limit" not in words(app)  # said where it was done
        await pilot.press("escape")
        await settle(pilot)
        companion.publish(live_states.working())  # it was spent
        await settle(pilot)
        assert "one reset is queued for the limit" not in words(app)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
async def test_the_ledger_stays_where_the_reader_is(size: tuple[int, int], clock: ManualClock) -> None:
    many = tuple(states.event(states.EVENTS[0].kind, f"grant number {n}", states.NOW) for n in range(100))
    companion = Scene(states.busy(), clock, ledger=many)
    async with running(companion, clock, size=size) as (pilot, app, _):
        await pilot.press("l")
        await until(pilot, lambda: "grant number 99" in screen_text(app))  # read, laid out, and scrolled to
        await pilot.press("g")
        await pilot.pause()
        await companion.companion.records.record(states.event(states.EVENTS[0].kind, "the newest one", states.NOW))
        await settle(pilot)
        assert "grant number 0" in screen_text(app)
        await pilot.press("G")
        await pilot.pause()
        assert "the newest one" in screen_text(app)


def _shows(app: ResetbankApp, text: str) -> bool:
    return text in screen_text(app)


async def test_the_top_of_the_ledger_brings_older_lines_and_keeps_the_place(clock: ManualClock) -> None:
    many = tuple(states.event(states.EVENTS[0].kind, f"grant number {n}", states.NOW) for n in range(1100))
    async with running(Scene(states.busy(), clock, ledger=many), clock, size=(80, 24)) as (pilot, app, _):
        await pilot.press("l")
        await until(pilot, lambda: "grant number 1099" in screen_text(app))
        for top in (600, 100):
            await pilot.press("g")
            older = f"grant number {top - 1}  "
            await until(pilot, partial(_shows, app, older))
            assert f"grant number {top}  " in screen_text(app)
            assert f"grant number {top - 2}  " not in screen_text(app)
        await pilot.press("g")
        await until(pilot, lambda: "grant number 0  " in screen_text(app))
        assert "reads older" not in screen_text(app)
        await pilot.press("G")
        await pilot.pause()
        assert "grant number 1099" in screen_text(app)


async def test_only_the_lines_that_come_into_the_ledger_are_drawn(clock: ManualClock) -> None:
    many = tuple(states.event(states.EVENTS[0].kind, f"grant number {n}", states.NOW) for n in range(1100))
    companion = Scene(states.busy(), clock, ledger=many)
    async with running(companion, clock, size=(80, 24)) as (pilot, app, _):
        await pilot.press("l")
        await until(pilot, lambda: "grant number 1099" in screen_text(app))
        shown = app.screen.query_one("#text", Lines)
        _, *newest = shown.lines
        await pilot.press("g")
        await until(pilot, partial(_shows, app, "grant number 599  "))
        assert all(map(is_, shown.lines[-len(newest) :], newest))
        _, *older = shown.lines
        await companion.companion.records.record(states.event(states.EVENTS[0].kind, "the newest one", states.NOW))
        await until(pilot, lambda: len(shown.lines) > len(older) + 1)
        assert all(map(is_, shown.lines[1:], older))
        assert "the newest one" in plain(shown.lines[-1:])
        assert "grant number 599  " in screen_text(app)


@pytest.mark.parametrize(("key", "opens"), [("д", True), ("L", False), ("Д", False)])
async def test_other_layouts_work_and_capitals_say_why_not(key: str, opens: bool, clock: ManualClock) -> None:
    async with running(states.busy()) as (pilot, app, _):
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, LedgerScreen) is opens
        assert ("is Caps Lock on? l Ledger" in words(app)) is not opens


async def test_a_note_ends_with_the_next_command_and_stays_on_its_page(clock: ManualClock) -> None:
    async with running(Scene(states.busy(), clock), clock) as (pilot, app, _):
        for after in ("j", "escape"):
            await pilot.press("question_mark", "J")
            await settle(pilot)
            assert "is Caps Lock on?" in words(app)
            await pilot.press(after)
            await settle(pilot)
            assert "is Caps Lock on?" not in words(app)
        await pilot.press("l")
        await settle(pilot)
        assert "is Caps Lock on?" not in words(app)
        assert "esc Back" in words(app)


async def test_a_question_that_another_follows_is_not_said_to_be_settled(clock: ManualClock) -> None:
    scene = Scene(live_states.about_question(), clock)
    async with running(scene, clock) as (pilot, app, _):
        await until(pilot, lambda: isinstance(top(app), QuestionDialog))
        scene.publish(replace(scene.state, question=None))
        await settle(pilot)
        assert "the question is settled" in words(app)
        scene.publish(live_states.stopped_question())
        await settle(pilot)
        assert "the question is settled" not in words(app)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "the question is settled" not in words(app)


async def test_a_ledger_that_cannot_be_read_is_not_called_empty(clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    scene.companion.records.tables = None
    async with running(scene, clock) as (pilot, app, _):
        for key in ("l", "h"):
            await pilot.press(key)
            await settle(pilot)
            assert "! the database cannot be used" in words(app)
            assert "empty" not in words(app)
            assert "none was granted" not in words(app)
            await pilot.press("escape")
            await settle(pilot)


async def test_ctrl_c_names_the_key_and_leaves_the_second_time(clock: ManualClock) -> None:
    async with running(Scene(states.busy(), clock), clock) as (pilot, app, _):
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert "q leaves; so does a second ctrl+c" in words(app)
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert app._exit


@pytest.mark.skipif(shutil.which("setsid") is None, reason="needs util-linux")
def test_ctrl_z_goes_back_to_the_shell_and_fg_comes_back() -> None:
    shell = f"{sys.executable} -m tui --demo; echo SUSPEN''DED; read -r _; fg; echo LE''FT"
    with terminal("setsid", "--ctty", "--wait", "bash", "-mc", shell) as shown:
        shown.wait_for("banked")
        shown.type("\x1a")
        shown.wait_for("SUSPENDED")
        leaves, enters = b"\x1b[?1049l", b"\x1b[?1049h"
        assert (shown.raw.count(enters), shown.raw.count(leaves)) == (1, 1)
        shown.type("\n")
        shown.wait_for(lambda _: shown.raw.count(enters) == 2)
        shown.wait_for(lambda text: "banked" in text and "SUSPENDED" not in text)  # all of it is painted anew
        shown.type("q")
        shown.wait_for("LEFT")
        assert shown.raw.count(leaves) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_terminal_back(number: signal.Signals) -> None:
    with raw_terminal(sys.executable, "-m", "tui", "--demo", environment={**os.environ, "TERM": "xterm"}) as terminal:
        terminal.time_of(b"banked")
        terminal.process.send_signal(number)
        terminal.wait_for_end()
        assert b"\x1b[?1049l" in bytes(terminal.raw)
        assert terminal.process.wait() == 128 + number


def test_a_screen_whose_terminal_is_gone_ends_without_a_signal() -> None:
    with raw_terminal(sys.executable, "-m", "tui", "--demo", environment={**os.environ, "TERM": "xterm"}) as terminal:
        terminal.time_of(b"banked")
        terminal.hang_up()
        assert terminal.process.wait(DEADLINE) == 129


def test_a_terminal_that_is_closed_ends_its_screen_though_it_is_woken_too() -> None:
    """As the kernel tells it to a session whose leader is gone: Textual writes to the lost terminal in both cases."""
    with raw_terminal(sys.executable, "-m", "tui", "--demo", environment={**os.environ, "TERM": "xterm"}) as terminal:
        terminal.time_of(b"banked")
        terminal.hang_up()
        for number in (signal.SIGHUP, signal.SIGCONT):
            terminal.process.send_signal(number)
        assert terminal.process.wait(DEADLINE) == 129


def test_what_a_lost_terminal_can_no_longer_take_ends_no_thread_that_writes() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    lost = os.fdopen(writing, "w")

    class Base:
        def __init__(self) -> None:
            self._file = lost

    driver: Any = outliving_its_terminal(cast(type[Driver], Base))
    writer = WriterThread(driver()._file)
    writer.start()
    for _ in range(2 * MAX_QUEUED_WRITES):
        writer.write("a frame")
    writer.stop()
    assert not writer.is_alive()
    with suppress(BrokenPipeError):
        lost.close()


async def test_escape_and_a_quick_key_behind_it_are_two_keys(clock: ManualClock) -> None:
    async with running(states.at_limit(), clock) as (pilot, app, companion):
        await pilot.press("l")
        await settle(pilot)
        app.post_message(Key("alt+shift+l", "L"))
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert "is Caps Lock on? l Ledger" in words(app)
        await pilot.press("r")
        await settle(pilot)
        clock.advance(1)
        app.post_message(Key("alt+shift+a", "A"))  # never the letter that consents
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert companion.spends == []
