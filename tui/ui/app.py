"""The whole application: what its keys open over the main screen. Each is loaded when its key is pressed."""

import math
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from textual.app import SystemCommand
from textual.screen import Screen

from tui.errors import ResetbankError
from tui.ui.messages import Noted
from tui.ui.screens.main import MainScreen
from tui.ui.screens.moving import place_of
from tui.ui.several import SeveralApp
from tui.ui.themes import is_coarse
from tui.ui.view.resuming import limit_stands
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from textual.command import Provider

    from tui.companion.companion import Companion
    from tui.settings import Settings

_HELP: Final = "Help"

_SECOND_INTERRUPT: Final = 3.0
"""Within so many seconds a second ctrl+c leaves."""


def _palette() -> "type[Provider]":
    from tui.ui.palette import PlaceCommands  # loaded when the palette is opened

    return PlaceCommands


class ResetbankApp(SeveralApp):
    """Opens pages and dialogs; none of them spends or sends anything without its letter."""

    COMMANDS = {lambda: _palette()}  # noqa: RUF012 - Textual's own
    _last_interrupt = -math.inf

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every command of the place, and a picture of the screen."""
        from tui.ui.palette import palette_commands

        yield from palette_commands(self, screen)
        if isinstance(screen, MainScreen):
            yield SystemCommand("Welcome", "What was found here, what can be turned on, and where", self.action_welcome)
        yield SystemCommand("Screenshot", "Save a picture of the screen as SVG", self.deliver_screenshot)

    def action_help_quit(self) -> None:
        """Ctrl+C: say how to leave; twice in a row leaves."""
        now = self._clock.monotonic()
        if now - self._last_interrupt <= _SECOND_INTERRUPT:
            self.exit()
        self._last_interrupt = now
        self.post_message(Noted(f"{self._user_keys.shown['quit']} leaves; so does a second ctrl+c"))

    def action_refresh(self) -> None:
        """Read now; connect or poll again where that had failed."""
        if self._companion is None:
            if not self.view.connecting:
                self.present(replace(self.view, connecting=True, problem=None, alarm=None))
                self.do_later(self._open, "connect")
            return
        self.present(replace(self.view, alarm=None))
        polling = any(worker.name == "poll" and not worker.is_finished for worker in self.workers)
        if self._drive and not polling:
            self.do_later((self._companion.accounts or self._companion).run, "poll")
        self._companion.refresh()
        if (look := getattr(self.screen, "refresh_now", None)) is not None:
            look()

    def action_ledger(self) -> None:
        """Show the ledger."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.ledger import LedgerScreen

            self.push_screen(LedgerScreen(self.view, companion))

    def action_history(self) -> None:
        """Show the history."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.history import HistoryScreen

            self.push_screen(HistoryScreen(self.view, companion))

    def action_invite(self) -> None:
        """Show the invite panel."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.invite import InviteScreen

            self.push_screen(InviteScreen(self.view, companion, self._clock, self._letters))

    def action_help(self) -> None:
        """Show the keys of this place, and the signs."""
        from tui.ui.screens.page import DrawnPage
        from tui.ui.view.help import help_lines

        table, where = self._user_keys.table, place_of(self.screen)
        if self.screen.title != _HELP:
            self.push_screen(DrawnPage(self.view, _HELP, lambda width, _: help_lines(table, where, width)))

    def action_welcome(self) -> None:
        """Show the page of the first start again."""
        if self._free_companion() is not None:
            self.do_later(self._welcome.show, "welcome")

    def action_settings(self) -> None:
        """Show the settings."""
        if self.settings_path is not None and self._free_companion() is not None:
            from tui.ui.screens.settings import SettingsScreen

            self.push_screen(SettingsScreen(self.view, self.settings_path, self.around, self.apply))

    def apply(self, key: str, settings: "Settings") -> bool:
        """Let a changed setting hold at once; tells whether it does, without another start."""
        match key:
            case "theme":
                self.wear(settings.theme)
            case "ask.bell":
                self._news.rings = settings.ask.bell
            case "invite.remind_after_days":
                self.present(replace(self.view, remind_after=timedelta(days=settings.invite.remind_after_days)))
            case _:
                return False
        return True

    def action_theme(self) -> None:
        """Choose a theme."""
        from tui.ui.screens.themes import ThemeScreen

        coarse = is_coarse(self.console.color_system)

        def keep(name: str) -> None:
            self.do_later(partial(self._write_theme, name), "theme")

        self.push_screen(ThemeScreen(self.view, self._theme_name, self.wear, keep, is_coarse=coarse))

    async def _write_theme(self, name: str) -> None:
        """Write the theme down; where that cannot be, it holds until the screen is left."""
        from tui.agent import refuse_under_codex
        from tui.concurrency import in_thread
        from tui.settings import find_setting
        from tui.settings_file import SettingsFile

        try:
            if self.settings_path is None:
                raise ResetbankError("there is no settings file")
            refuse_under_codex("changing a setting")
            file = SettingsFile(self.settings_path)
            await in_thread(lambda: file.write(file.plan(find_setting("theme"), name)))
        except ResetbankError as error:
            self.post_message(Noted(f"theme {name}, for this run only: {error}"))
        else:
            self.post_message(Noted(f"theme {name}, from now on"))

    def action_suspend(self) -> None:
        """Go back to the shell until it calls the program back."""
        self.action_suspend_process()

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """A picture of the screen as SVG; other people's addresses are masked in it."""
        seen = self.view
        try:
            self._redraw_all(replace(seen, masked=True))
            return super().export_screenshot(title=title, simplify=simplify)
        finally:
            self._redraw_all(seen)

    def _redraw_all(self, view: ViewState) -> None:
        """Draw every screen anew, also what of those below is kept by the ones above."""
        from textual.widgets import Input

        self._redraw(view)
        for screen in self.screen_stack:
            for typed in screen.query(Input):
                typed.password = view.masked
            screen.refresh()

    async def perform_in_panel(self, command: str) -> None:
        """Open the invite panel and carry out a command of it there."""
        await self.perform("invite")
        self.call_after_refresh(self.perform, command)

    def action_spend(self) -> None:
        """Ask whether to spend one reset."""
        companion = self._free_companion()
        if companion is not None and not self._asks_about_stopped(companion):
            from tui.ui.dialogs.spend import SpendDialog

            self._open_dialog(SpendDialog(companion, self._clock))

    def action_spend_one(self, credit_id: str) -> None:
        """Ask whether to spend the reset that was clicked."""
        if self.view.is_read_only:
            self.post_message(Noted(f"read-only under Codex ({self.view.read_only} is set)"))
        elif (companion := self._free_companion()) is not None:
            from tui.ui.dialogs.spend import SpendDialog

            self._open_dialog(SpendDialog(companion, self._clock, credit_id))

    def _asks_about_stopped(self, companion: "Companion") -> bool:
        """Open the question instead, where a session is stopped at the limit: it can go on with the spend."""
        stopped = limit_stands(self.view) and bool(companion.resumer.limit_stops())
        return stopped and companion.questions.reopen() is not None

    def action_finish(self) -> None:
        """Finish the open spend with its own key."""
        companion, spend = self._free_companion(), self.view.state.open_spend
        if companion is None:
            return
        if spend is None:
            self.post_message(Noted("no spend is open"))
            return
        from tui.ui.dialogs.spend import FinishDialog

        self._open_dialog(FinishDialog(companion, self._clock, spend))

    def action_queue(self) -> None:
        """Queue resets for the limit after asking; take what is queued out at once."""
        companion, queued = self._free_companion(), self.view.state.queued
        if companion is None:
            return
        if queued is not None and not queued.needs_fresh_yes:
            self.do_later(partial(self._take_out, companion), "queue")
            return
        from tui.ui.dialogs.queue import QueueDialog

        arm = None if queued is None else partial(companion.questions.confirm_queue, queued)
        whom = queued.whom if queued is not None else True
        self._open_dialog(QueueDialog(companion, self._clock, self.view, arm, whom))

    async def _take_out(self, companion: "Companion") -> None:
        from tui.ui.dialogs.queue import TAKEN_OUT

        await companion.questions.cancel_queue()
        self.post_message(Noted(TAKEN_OUT, lambda state: state.queued is None))

    def action_continue(self) -> None:
        """Carry on the sessions that a limit stopped, after showing which."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.dialogs.resume import ResumeDialog

            self._open_dialog(ResumeDialog(companion, self._clock, self.view))

    def action_answer(self) -> None:
        """Open the closed question again, while it is still true."""
        companion = self._free_companion()
        if companion is not None and companion.questions.reopen() is None:
            self.post_message(Noted("no question is open: nothing is stopped or about to stop"))

    def action_dismiss(self) -> None:
        """Dismiss the notice, or wait no longer."""
        if (companion := self._free_companion()) is not None:
            has_matters, notice, questions = bool(self.view.matters), companion.state.announcement, companion.questions
            if has_matters:
                self._since.dismiss()
            if notice is not None or not has_matters:
                self.do_later(questions.dismiss_notice if notice is not None else questions.cancel_wait, "dismiss")
