"""The pages that the application opens over its main screen, their pictures, and the way back to the shell."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from textual.app import App

from tui.clock import Clock
from tui.errors import ResetbankError
from tui.ui.messages import Noted
from tui.ui.screens.moving import place_of
from tui.ui.themes import fitting_theme, is_coarse
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.settings import Settings
    from tui.settings_file import Row
    from tui.ui.keymap import Keymap
    from tui.ui.news import News
    from tui.ui.view.welcome import Found
    from tui.ui.welcome import Welcome

_HELP: Final = "Help"


class PagedApp(App[int]):
    """Opens pages; what a page draws with is loaded when its key is pressed."""

    _view: ViewState
    _clock: Clock
    _letters: Callable[[int], str]
    _user_keys: "Keymap"
    _news: "News"
    _theme_name: str
    _welcome: "Welcome"
    settings_path: Path | None = None
    """The person's settings; None where there are none, as in a test."""
    around: "Callable[[], Sequence[Row]]" = tuple
    """What the command line and the environment decide beside the settings."""
    welcomes = False
    """Whether the first reading of a database opens the welcome page by itself."""
    look_around: "Callable[[], Found] | None" = None
    """Finds out what the welcome page tells beside the reading; may block. None where nothing is to be found."""

    def present(self, view: ViewState) -> None:
        """Show another scene."""
        raise NotImplementedError

    def _work(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Start a worker."""
        raise NotImplementedError

    def _free_companion(self) -> "Companion | None":
        """The companion, where a page can be opened now."""
        raise NotImplementedError

    def action_ledger(self) -> None:
        """Show the ledger."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.ledger import LedgerScreen

            self.push_screen(LedgerScreen(self._view, companion))

    def action_history(self) -> None:
        """Show the history."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.history import HistoryScreen

            self.push_screen(HistoryScreen(self._view, companion))

    def action_invite(self) -> None:
        """Show the invite panel."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.invite import InviteScreen

            self.push_screen(InviteScreen(self._view, companion, self._clock, self._letters))

    def action_help(self) -> None:
        """Show the keys of this place, and the signs."""
        from tui.ui.screens.page import DrawnPage
        from tui.ui.view.help import help_lines

        table, where = self._user_keys.table, place_of(self.screen)
        if self.screen.title != _HELP:
            self.push_screen(DrawnPage(self._view, _HELP, lambda width, _: help_lines(table, where, width)))

    def action_welcome(self) -> None:
        """Show the page of the first start again."""
        if self._free_companion() is not None:
            self._work(self._welcome.show, "welcome")

    def action_settings(self) -> None:
        """Show the settings."""
        if self.settings_path is not None and self._free_companion() is not None:
            from tui.ui.screens.settings import SettingsScreen

            self.push_screen(SettingsScreen(self._view, self.settings_path, self.around, self.apply))

    def apply(self, key: str, settings: "Settings") -> bool:
        """Let a changed setting hold at once; tells whether it does, without another start."""
        match key:
            case "theme":
                self.wear(settings.theme)
            case "ask.bell":
                self._news.rings = settings.ask.bell
            case "invite.remind_after_days":
                self.present(replace(self._view, remind_after=timedelta(days=settings.invite.remind_after_days)))
            case _:
                return False
        return True

    def wear(self, name: str) -> None:
        """Show a theme, as the settings name it."""
        self._theme_name = name
        self.theme = fitting_theme(name, None if self.no_color else self.console.color_system)

    def action_theme(self) -> None:
        """Choose a theme."""
        from tui.ui.screens.themes import ThemeScreen

        coarse = is_coarse(self.console.color_system)
        self.push_screen(ThemeScreen(self._view, self._theme_name, self.wear, self._keep_theme, is_coarse=coarse))

    def _keep_theme(self, name: str) -> None:
        self._work(partial(self._write_theme, name), "theme")

    async def _write_theme(self, name: str) -> None:
        """Write the theme down; where that cannot be, it holds until the screen is left."""
        from tui.agent import refuse_under_codex
        from tui.concurrency import in_thread
        from tui.settings_file import SettingsFile, find_setting

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
        seen = self._view
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

    def _redraw(self, view: ViewState) -> None:
        for screen in self.screen_stack:
            show = getattr(screen, "show", None)
            if show is not None and screen.is_mounted:
                show(view)
