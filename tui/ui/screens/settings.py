"""The settings: what each is, where it comes from, and the common ones changed in place."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from textual.containers import VerticalScroll

from tui.agent import refuse_under_codex
from tui.concurrency import in_thread
from tui.errors import ResetbankError
from tui.settings import Setting, Settings, find_setting
from tui.settings_file import Row, SettingsFile, shown, value_of
from tui.ui.commands import SETTINGS, commands_of
from tui.ui.messages import Noted
from tui.ui.screens.page import PageScreen
from tui.ui.themes import theme_names
from tui.ui.view.chrome import command_spans
from tui.ui.view.settings import how_to_change, settings_lines, stepped
from tui.ui.view.text import Level, Line, Span, clean, wrap
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

_STEPS = {"change": 1, "higher": 1, "lower": -1}


class SettingsScreen(PageScreen):
    """Reads the file when it opens and after each change; what could spend or run something is only shown."""

    TITLE = "Settings"
    place = SETTINGS

    def __init__(
        self,
        view: ViewState,
        path: Path,
        around: Callable[[], Sequence[Row]],
        apply: Callable[[str, Settings], bool],
    ) -> None:
        super().__init__(view)
        self._file = SettingsFile(path)
        self._read_around = around
        self._apply = apply
        self._rows: tuple[Row, ...] = ()
        self._around: tuple[Row, ...] = ()
        self._cursor = 0
        self._selected = range(0)
        self._writing = asyncio.Lock()

    def on_mount(self) -> None:
        """Begin to read."""
        self._start(self._load)

    def draw(self, width: int) -> tuple[Line, ...]:
        """The settings, or why they cannot be read."""
        if self._failure is not None or not self._rows:
            return self.draw_unread(width)
        hint = how_to_change(self._setting, self._view.keys)
        path = wrap((Span(clean(str(self._file.path)), Level.DIM),), width)
        lines, selected = settings_lines(self._rows, self._around, self._cursor, hint, width)
        self._selected = range(selected.start + len(path), selected.stop + len(path)) if self._cursor else range(1)
        return (*path, *lines)

    def press(self, command: str) -> bool:
        """Select, change, go back or scroll; tells whether the command does one of them."""
        if command in ("previous", "next", "first", "last") and self._rows:
            last = len(self._rows) - 1
            step = {"previous": self._cursor - 1, "next": self._cursor + 1, "first": 0, "last": last}[command]
            self._cursor = min(max(step, 0), last)
            self._show_selected()
            return True
        if command in (*_STEPS, "default"):
            self._start(partial(self._change, _STEPS.get(command, 0)))
            return True
        return super().press(command)

    def draw_keys(self, width: int) -> Line:
        """What can be done with the selected one."""
        setting = self._setting
        is_written = setting is not None and self._rows[self._cursor].source == "file"
        can = {"back", *(("default",) if is_written else ())}
        if setting is not None and stepped(setting, setting.default, 1, theme_names()) is not None:
            can |= {"higher", "lower"} if setting.least is not None else {"change"}
        names = [command.id for command in commands_of(self.place) if command.id in can]
        return command_spans(self._view, names, width, dropped=("lower", "higher", "change"))  # which are said above

    @property
    def _setting(self) -> Setting | None:
        return find_setting(self._rows[self._cursor].key) if self._rows else None

    def _start(self, work: "Callable[[], object]") -> None:
        self.app.run_worker(work, name="settings", group="settings", exit_on_error=False)

    async def _load(self) -> None:
        try:
            self._rows, self._around = await in_thread(self._read)
            self._failure = None
            self._cursor = min(self._cursor, len(self._rows) - 1)
        except ResetbankError as error:
            self._failure = clean(str(error))
        if self.is_mounted:
            self._show_selected()

    def _read(self) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        return self._file.rows(), tuple(self._read_around())

    async def _change(self, step: int) -> None:
        """Write the value after this one, or the default where there is no step; one after the other."""
        async with self._writing:
            await self._write(step)
            await self._load()

    async def _write(self, step: int) -> None:
        setting = self._setting
        if setting is None:
            return
        try:
            if setting.is_guarded:
                raise ResetbankError(how_to_change(setting, self._view.keys))
            refuse_under_codex("changing a setting")
            value = None
            if step:
                value = stepped(setting, value_of(self._file.written()[0], setting.key), step, theme_names())
                if value is None:
                    raise ResetbankError(how_to_change(setting, self._view.keys))
            settings = await in_thread(lambda: self._file.write(self._file.plan(setting, value)))
            at_once = self._apply(setting.key, settings)
            written = shown(setting.key, value_of(settings, setting.key))
            self.post_message(Noted(f"{setting.key} = {written}{'' if at_once else ', from the next start'}"))
        except ResetbankError as error:
            self.post_message(Noted(str(error)))

    def _show_selected(self) -> None:
        """Draw anew with the selected one in sight."""
        for lines in self.query(Lines).results():
            lines.redraw()
        page = self.query_one("#page", VerticalScroll)
        if not self._selected:
            return
        top, rows = round(page.scroll_y), page.size.height
        if self._selected.start < top or len(self._selected) > rows:
            self.call_after_refresh(page.scroll_to, y=self._selected.start, animate=False)
        elif self._selected.stop > top + rows:
            self.call_after_refresh(page.scroll_to, y=self._selected.stop - rows, animate=False)
