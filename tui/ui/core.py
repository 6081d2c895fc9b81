"""The screen's application: paints first, connects then, and turns commands into calls of the companion."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from textual.app import App
from textual.driver import Driver
from textual.events import AppFocus, Event, Key, MouseDown, MouseScrollDown, MouseScrollUp
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tui.clock import Clock
from tui.companion.state import State
from tui.domain.question import Cause, Question
from tui.domain.snapshot import Snapshot
from tui.errors import ResetbankError
from tui.settings import Settings
from tui.ui.commands import BY_ID, CONSENTING, OF_THE_APP
from tui.ui.keymap import Keymap
from tui.ui.messages import Noted, StatePublished
from tui.ui.news import News
from tui.ui.screens.main import MainScreen
from tui.ui.screens.moving import place_below, place_of
from tui.ui.since import Since
from tui.ui.terminal import is_hung_up, leave_on_signals, outliving_its_terminal, title_sequence
from tui.ui.themes import OWN_THEMES, check_theme, fitting_theme, legible
from tui.ui.view.view_state import Note, ViewState
from tui.ui.welcome import Welcome

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.settings_file import Row
    from tui.ui.dialogs.dialog import Dialog
    from tui.ui.view.welcome import Found

_CLOSING_SECONDS: Final = 0.4
"""How long the companion may take to let go at exit."""


class CoreApp(App[int]):
    """Shows the companion's state and carries commands out; what opens over the main screen is added above it."""

    TITLE = "resetbank"
    AUTO_FOCUS = ""  # keys mean commands until a field is needed
    CSS_PATH = Path(__file__).with_name("styles.tcss")  # absolute, so that a subclass elsewhere finds it too
    settings_path: Path | None = None
    """The person's settings; None where there are none, as in a test."""
    around: "Callable[[], Sequence[Row]]" = tuple
    """What the command line and the environment decide beside the settings."""
    welcomes = False
    """Whether the first reading of a database opens the welcome page by itself."""
    look_around: "Callable[[], Found] | None" = None
    """Finds out what the welcome page tells beside the reading; may block. None where nothing is to be found."""

    def __init__(
        self,
        *,
        connect: "Callable[[], Awaitable[Companion]]",
        settings: Settings,
        clock: Clock,
        zone: tzinfo,
        letters: Callable[[int], str],
        demo: str | None = None,
        remembered: Snapshot | None = None,
        read_only: str | None = None,
        drive: bool = True,
    ) -> None:
        """Check keys and theme; nothing is connected before the first picture stands.

        Args:
            connect: Builds the companion; called after the first paint, since it imports much.
            settings: Theme and keys.
            clock: The time.
            zone: The reader's zone.
            letters: Gives so many distinct random capital letters.
            demo: The scenario of the embedded service, if that is the source.
            remembered: The last reading of the database, shown dimmed until a source has answered.
            read_only: The mark of Codex's agent, where one is set; nothing can be spent or sent then.
            drive: False starts neither the timer nor the polling: a test drives both.

        Raises:
            SettingsError: A theme or a key in the settings is not valid.
        """
        self._user_keys = Keymap(settings.keys)
        theme = check_theme(settings.theme)
        super().__init__()
        for own in OWN_THEMES:
            self.register_theme(own)
        self._dress(theme)
        self._connect = connect
        self._clock = clock
        self._letters = letters
        self._drive = drive
        self._companion: Companion | None = None
        self._unlisten: Callable[[], None] = lambda: None
        self._news = News(self, clock, rings=settings.ask.bell)
        self._since = Since(self, clock)
        self._welcome = Welcome(self)
        self._titles = 0
        self._remembered = remembered
        state = State(demo=demo, near_percent=settings.limits.near_percent)
        view = ViewState(
            clock.now(),
            zone,
            state,
            connecting=True,
            read_only=read_only,
            remind_after=timedelta(days=settings.invite.remind_after_days),
            before_lapse=settings.spend.before_lapse,
            codex=settings.codex.command,
            keys=self._user_keys.shown,
        )
        self.view = self._with_memory(view)
        """What the screens show now."""

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours, those of text moved until they can be read."""
        variables = super().get_css_variables()
        self.theme_variables = variables if self.current_theme.ansi else legible(variables)
        return self.theme_variables

    def get_driver_class(self) -> type[Driver]:
        """Textual's own driver for this terminal, which can be left also when that is gone."""
        return outliving_its_terminal(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen(self.view)

    def _dress(self, name: str) -> None:
        """Begin with a theme: where only colours differ from Textual's first one, no style sheet is read twice."""
        before, self._theme_name = self.current_theme, name
        theme = self.available_themes[self._fitting(name)]
        if (theme.dark, theme.ansi) == (before.dark, before.ansi):
            self.set_reactive(App.theme, theme.name)
            self.stylesheet.set_variables(self.get_css_variables())
        else:
            self.theme = theme.name

    def wear(self, name: str) -> None:
        """Show a theme, as the settings name it."""
        self._theme_name, self.theme = name, self._fitting(name)

    def _fitting(self, name: str) -> str:
        return fitting_theme(name, None if self.no_color else self.console.color_system)

    async def on_key(self, event: Key) -> None:
        """Carry out the command that the key means where the person is."""
        key = event.key
        if key.startswith("alt+"):  # what escape and a quick key behind it look like
            await self._carry_out("escape", None)
            key = event.character or ""
        if await self._carry_out(key, event.character):
            event.stop()
            event.prevent_default()

    async def _carry_out(self, key: str, character: str | None) -> bool:
        """Carry out a key's command; a capital only shows what it may have meant."""
        command, is_capital = self._user_keys.find(place_of(self.screen), key, character)
        if command is None:
            return False
        if is_capital:
            how = f"{self._user_keys.shown[command]} {BY_ID[command].title}"
            self.post_message(Noted(f"a capital opens nothing; is Caps Lock on? {how}"))
            return True
        return await self.perform(command)

    async def perform(self, command: str) -> bool:
        """Carry out a command, which ends the note of the one before; says whether it can be given here."""
        if self.view.note is not None:
            self.present(replace(self.view, note=None))
        press = getattr(self.screen, "press", None)
        if press is not None and press(command):
            return True
        if command not in OF_THE_APP:
            return False
        if self.view.is_read_only and command in CONSENTING | {"continue"}:
            self.post_message(Noted(f"read-only under Codex ({self.view.read_only} is set)"))
            return True
        return await self.run_action(f"app.{command}")

    async def action_give(self, command: str) -> None:
        """Carry out the command that was clicked, by the same rules as its key."""
        await self.perform(command)

    async def on_event(self, event: Event) -> None:
        """See that somebody is there, and handle the event."""
        if isinstance(event, Key | MouseDown | MouseScrollDown | MouseScrollUp | AppFocus):
            self._since.looked()
        await super().on_event(event)

    def do_later(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Do something beside the screen; what is under way under the same name ends.

        A failure of it ends in `on_worker_state_changed`; work that is never started leaves no coroutine.
        """
        self.run_worker(work, name=name, group=name, exclusive=True, exit_on_error=False)

    def on_mount(self) -> None:
        """Begin to tell the time."""
        if self._drive:
            self.set_interval(1, self._beat, name="clock")
            leave_on_signals(self.exit)
            # The terminal forgets what was shown while the shell had it; Textual paints only what differs.
            self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))

    def on_ready(self) -> None:
        """Connect, now that the first picture stands."""
        self.do_later(self._open, "connect")

    async def _open(self) -> None:
        try:
            companion = await self._connect()
        except ResetbankError as error:
            self.present(replace(self.view, connecting=False, problem=error))
            return
        self.begin(companion)

    def begin(self, companion: "Companion") -> None:
        """Follow the companion, and have it work, from now on."""
        self.follow(companion)
        self.do_later(partial(self._since.begin, companion), "absence")
        if self.welcomes:
            self.do_later(partial(self._welcome.begin, companion), "welcome")
        if self._drive:
            self.do_later((companion.accounts or companion).run, "poll")

    def follow(self, companion: "Companion") -> None:
        """Show how a companion stands, and follow it from now on."""
        self._unlisten()
        self._companion = companion
        self._unlisten = companion.listen(self._publish)
        self.present(replace(self.view, connecting=False, problem=None, state=companion.state))

    def _publish(self, state: State) -> None:
        self.post_message(StatePublished(state))

    def on_state_published(self, message: StatePublished) -> None:
        """Show the new state."""
        if self._companion is not None and message.state.account_name == self._companion.name:
            self.present(replace(self.view, state=message.state, now=self._clock.now()))

    def _beat(self) -> None:
        """Go on with the time; where the terminal is gone, leave as after its signal."""
        if is_hung_up():
            self.exit(None, 129)  # 128 and the number of SIGHUP
        else:
            self.tick()

    def tick(self) -> None:
        """Let ages and countdowns go on."""
        self.present(replace(self.view, now=self._clock.now()))

    def present(self, view: ViewState) -> None:
        """Give every open screen the scene; those that do not differ paint nothing."""
        outlook = self.view.state.outlook
        if view.note is not None and not view.note.is_true(view.state):
            view = replace(view, note=None)  # for good: true again later, it would say what is long over
        self.view = view = self._with_memory(view)
        if view.state.outlook is not outlook and self._companion is not None:
            self.do_later(self._sum_up, "pictures")
        self._redraw(view)
        self._news.show(view.state)
        self._since.follow(view.state)
        self._welcome.follow(view.state)

    def _redraw(self, view: ViewState) -> None:
        for screen in self.screen_stack:
            show = getattr(screen, "show", None)
            if show is not None and screen.is_mounted:
                show(view)

    async def _sum_up(self) -> None:
        """Have the readings of the last weeks summed up, where there is room to show them."""
        bottom = self.screen_stack[:1]  # empty once the application ends
        if self._companion is None or not bottom:
            return
        if isinstance(main := bottom[0], MainScreen) and main.has_room_for_pictures:
            pictures = await self._companion.history.pictures()
            self.present(replace(self.view, pictures=pictures))

    def ask(self, question: Question) -> bool:
        """Open a question; tells whether there is a companion that could answer it."""
        if self.view.is_read_only:
            return True  # nothing that consents opens
        if self._companion is None:
            return False
        if question.cause is Cause.EVENING:
            from tui.ui.dialogs.queue import QueueDialog

            self._open_dialog(QueueDialog(self._companion, self._clock, self.view, question=question))
            return True
        from tui.ui.dialogs.question import QuestionDialog

        self._open_dialog(QuestionDialog(self._companion, self._clock, question))
        return True

    def _open_dialog(self, dialog: "Dialog") -> None:
        from tui.ui.screens.consent import ConsentScreen

        self.push_screen(ConsentScreen(dialog, self.view, self._clock, self._letters))

    def entitle(self, title: str | None) -> None:
        """Set the terminal's own title; None from the last question gives the former one back."""
        first = self._titles == 0
        self._titles += 1 if title is not None else -1
        if self._driver is not None and (title is not None or self._titles == 0):  # Textual offers no public way
            self._driver.write(title_sequence(title, save=first))

    def _with_memory(self, view: ViewState) -> ViewState:
        """The last known numbers, until a source has answered; a demo has none."""
        if view.state.demo is not None or view.state.link.source is not None:
            self._remembered = None
        if self._remembered is not None and view.state.snapshot is None:
            view = replace(view, state=replace(view.state, snapshot=self._remembered))
        return view

    def on_noted(self, message: Noted) -> None:
        """Show for a while what was done."""
        now = self._clock.now()
        note = Note(message.text, now, place_below(self.screen_stack), message.holds)
        self.present(replace(self.view, now=now, note=note))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Put one line about a worker that failed unexpectedly on the screen."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        if isinstance(error, ResetbankError):
            text = str(error)
        else:
            from tui.ui.crash import unforeseen_text

            text = unforeseen_text(error, event.worker.name)
        if event.worker.name == "connect":
            problem = ResetbankError(text, "please report it")
            self.present(replace(self.view, connecting=False, problem=problem))
        else:
            self.present(replace(self.view, alarm=text))

    def _fatal_error(self) -> None:
        """Say where an unforeseen error arose; Textual's own way shows every local variable."""
        from tui.ui.crash import crash_report

        self.bell()
        self._exit_renderables.append(crash_report(self.console))
        self._close_messages_no_wait()

    def _free_companion(self) -> "Companion | None":
        """The companion, if nothing else lies over the main screen."""
        if not isinstance(self.screen, MainScreen):
            return None
        if self._companion is None:
            self.post_message(Noted("not connected yet"))
        return self._companion

    async def on_unmount(self) -> None:
        """Let everything go, quickly: an open spend is kept by its journal."""
        self._unlisten()
        self.workers.cancel_all()
        if self._companion is not None:
            with contextlib.suppress(TimeoutError, ResetbankError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await self._since.save()
                    await (self._companion.accounts or self._companion).aclose()
