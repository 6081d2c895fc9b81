"""The one screen of every dialog: the frame, the guard against keys pressed blindly, and the letters that consent."""

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, cast

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Resize, ScreenResume
from textual.screen import ModalScreen
from textual.widgets import Input
from textual.worker import Worker

from tui.clock import Clock
from tui.errors import ResetbankError
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.dialog import Close, Dialog, Next, Open, Phase, Run
from tui.ui.messages import Noted
from tui.ui.screens.moving import scroll
from tui.ui.view.compact import is_compact
from tui.ui.view.prompts import dialog_prompt, enlarge_lines
from tui.ui.view.text import Line, plain
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

GUARD_SECONDS: Final = 0.4
"""A letter consents only if what is shown, and the last key, are older than this, and no key follows for so long."""

_TALL_ROWS: Final = 18
_WIDEST: Final = 90
"""Columns of a dialog, as the style sheet has it."""
_FRAME_CELLS: Final = 8
"""Columns of a title that the frame takes."""
_UNGUARDED: Final = frozenset(("previous", "next", "toggle"))
"""Commands that decide nothing."""
_ASKS: Final = frozenset(("typing", "reading", "asking"))
"""Phases that need a person to read what is shown."""
_DIGITS: Final = re.compile(r"\d+")

Letters = Callable[[int], str]
"""Gives so many distinct random capital letters."""


class TypedLine(Input):
    """One line of typed text without a frame."""


class ConsentScreen(ModalScreen[None]):
    """Shows one dialog over whatever is open."""

    CSS_PATH = Path(__file__).with_name("dialogs.tcss")

    def __init__(self, dialog: Dialog, view: ViewState, clock: Clock, letters: Letters) -> None:
        super().__init__()
        self.dialog = dialog
        self.view = view
        self.letters: tuple[str, ...] = ()
        self.hint = ""
        self._clock = clock
        self._random = letters
        self._last_letters: tuple[str, ...] = ()
        self._armed_at = math.inf
        self._last_key_at = -math.inf
        self._pending: Worker[None] | None = None
        self._title = ""
        self._shown = ""
        self._copied = False
        self._leaves = False
        self._is_entitled = False

    @property
    def place(self) -> str:
        """Which part of the command table holds here."""
        return self.dialog.place

    @property
    def phase(self) -> Phase:
        """How far the dialog is."""
        return self.dialog.phase

    @property
    def letter(self) -> str:
        """The first letter; empty while nothing is asked."""
        return self.letters[0] if self.letters else ""

    @property
    def available(self) -> tuple[str, ...]:
        """The commands that can be given now."""
        names = tuple(name for names, _ in self.dialog.keys(self.view) for name in names.split())
        return tuple(name for name in names if name == "close") if self.is_too_small else names

    @property
    def is_too_small(self) -> bool:
        """Whether there is no room for what is asked: nothing but closing it can be done then."""
        return self.phase in _ASKS and is_compact(*self.app.size)

    def compose(self) -> ComposeResult:
        """The question, which scrolls, and the keys, which always stay in sight."""
        with Vertical(id="dialog") as frame:
            self._name_frame(frame)
            with VerticalScroll(id="question", can_focus=False):
                yield Lines(lambda width: self.dialog.body(self.view, width), id="text")
            for field in self.dialog.fields:
                yield TypedLine(
                    id=field.id, placeholder=field.placeholder, max_length=field.longest, compact=True, classes="field"
                )
            yield Lines(self._draw_prompt, id="prompt")

    @property
    def _stands(self) -> bool:
        """Whether it is composed, and not on its way out again."""
        return bool(self.query("#prompt"))

    def _draw_prompt(self, width: int) -> tuple[Line, ...]:
        if self.is_too_small:
            return enlarge_lines(self.dialog, self.view, width)
        return dialog_prompt(self.dialog, self.view, self.letters, self.hint, width)

    def on_mount(self) -> None:
        """Fit the frame to a short terminal and begin."""
        self._adapt(self.app.size.height)
        self._name_terminal()
        self._go(self.dialog.begin(self.view))

    def on_unmount(self) -> None:
        """Give the terminal its title back."""
        if self._is_entitled:
            cast(ResetbankApp, self.app).entitle(None)

    def on_resize(self, event: Resize) -> None:
        """Fit the frame anew."""
        self._adapt(event.size.height)
        self._take_back()
        self.redraw()

    def _adapt(self, rows: int) -> None:
        """Let the question scroll so that the keys always stay in sight."""
        if not self._stands:
            return
        short = rows < _TALL_ROWS
        self.set_class(short, "-short")
        self.set_class(self.is_too_small, "-small")
        prompt = self.query_one("#prompt", Lines)
        fields = sum(field.display for field in self.query(".field"))
        room = max(3, rows - (2 if short else 5) - max(len(prompt.lines), 2) - fields)
        frame, question = self.query_one("#dialog"), self.query_one("#question")
        # Nobody should consent to half a question without knowing that there is more of it. Whether the bar is there is
        # decided here: it takes a column, so a text that just fits without it would not fit beside it, and stay there.
        width = frame.content_size.width
        hidden = width > 0 and len(self.dialog.body(self.view, width)) > room
        question.styles.max_height, question.styles.overflow_y = room, "scroll" if hidden else "hidden"
        more = self.view.keys.get("page_down", "pgdn")
        frame.border_subtitle = Content(f"{more} shows more") if hidden else ""

    def show(self, view: ViewState) -> None:
        """Follow the state."""
        self.view = view
        if not self._leaves:
            self._go(self.dialog.follow(view))

    def _go(self, following: Next) -> None:
        """Do what the dialog says comes next."""
        match following:
            case None:
                self.redraw()
            case Close():
                if following.note:
                    self.app.post_message(Noted(following.note, following.holds))
                if following.work is not None:
                    self.app.run_worker(following.work, name="answer", group="answer", exit_on_error=False)
                self._close()
            case Open():
                self.app.push_screen(ConsentScreen(following.dialog, self.view, self._clock, self._random))
            case Run():
                self._enter(following.phase)
                group = f"{following.name} {id(self)}"  # one dialog may open over another that still reads
                # Outside of this screen's life: leaving it must not cancel what was sent.
                self.app.run_worker(self._drive(following), name=following.name, group=group, exit_on_error=False)
            case phase:
                self._enter(phase)

    async def _drive(self, run: Run) -> None:
        following: Next = "over"
        try:
            following = await run.work
        except ResetbankError as error:
            self.dialog.failure = error
        except Exception:
            why = f"something unexpected went wrong; {run.unsure}"
            self.dialog.failure = ResetbankError(why, "the ledger shows what was done")
            raise
        finally:
            if self.is_attached or isinstance(following, Close):
                self._go(following)

    def _enter(self, phase: Phase) -> None:
        """Go on to a phase, with new letters if it asks."""
        self.dialog.phase = phase
        self._take_back()
        count = len(self.dialog.offers()) if phase == "asking" else 0
        drawn = [letter for letter in self._random(count + len(self._last_letters)) if letter not in self._last_letters]
        self.letters = tuple(drawn[:count])
        self._last_letters = self.letters or self._last_letters
        self.hint = ""
        fields = list(self.query(TypedLine))
        for field in fields:
            field.display, field.disabled = phase == "typing", phase != "typing"
        if phase == "typing" and fields and self.focused is None:
            fields[0].focus()
        self.redraw()
        self._guard()

    def redraw(self) -> None:
        """Draw anew; whatever differs in more than its figures restarts the guard."""
        if not self.is_mounted or not self._stands:
            return
        self._name_frame(self.query_one("#dialog", Vertical))
        self._name_terminal()
        text, prompt = self.query_one("#text", Lines), self.query_one("#prompt", Lines)
        if any([text.redraw(), prompt.redraw()]):  # both: `or` would leave the second one as it was
            self._adapt(self.app.size.height)
        if self._words() != self._shown:
            self._guard()
        if not self._copied and (copied := self.dialog.clipboard(self.view)) is not None:
            self._copied = True
            self.app.copy_to_clipboard(copied)

    def _name_frame(self, frame: Vertical) -> None:
        account = f"{self.view.state.account_name} · " if self.view.state.account_name else ""
        room = min(self.app.size.width, _WIDEST) - _FRAME_CELLS - len(account)
        title = account + self.dialog.title(self.view, room)
        if title != self._title:
            self._title = title
            frame.border_title = Content(title)  # a bare string would be read as markup

    def _name_terminal(self) -> None:
        title = self.dialog.terminal_title(self.view)
        if (title is not None) != self._is_entitled:
            self._is_entitled = title is not None
            cast(ResetbankApp, self.app).entitle(title)

    def _guard(self) -> None:
        self._armed_at = math.inf
        self.call_after_refresh(self._arm)

    def _words(self) -> str:
        """What is shown, without its figures."""
        lines = [line for part in self.query(Lines).results() for line in part.lines]
        return _DIGITS.sub("0", " ".join(plain(lines).split()))

    def _arm(self) -> None:
        self._shown = self._words()
        self._armed_at = self._clock.monotonic() + GUARD_SECONDS

    @property
    def is_armed(self) -> bool:
        """Whether what is shown has been there long enough to have been read."""
        return self._clock.monotonic() >= self._armed_at

    def on_screen_resume(self, event: ScreenResume) -> None:
        """What lay above is gone: keys that were meant for it must not consent."""
        if self._leaves:
            self.dismiss()
        elif self.phase == "typing" and self.focused is None:
            self.query(TypedLine).first().focus()
        else:
            self._take_back()
            self._guard()

    def _close(self) -> None:
        """Leave now, or as soon as what lies above is gone."""
        if self.is_active:
            self.dismiss()
        elif self.is_attached:
            self._leaves = True

    def on_key(self, event: Key) -> None:
        """Take a letter alone as consent; any other capital closes the dialog, and any key takes a letter back."""
        now = self._clock.monotonic()
        alone = now - self._last_key_at >= GUARD_SECONDS and self._pending is None and self.is_armed
        self._last_key_at, taken_back = now, self._take_back()
        character = "" if event.key.startswith(("alt+", "ctrl+")) else event.character or ""
        if self.phase != "asking" or not self.letters or not character.isupper() or not self.is_active:
            return
        event.stop()
        event.prevent_default()
        if self.is_too_small:
            return
        if character not in self.letters:
            self.app.post_message(Noted(f"{character} was not the letter: nothing is spent or sent. Is Caps Lock on?"))
            self._go(self.dialog.leave())
        elif alone:
            number = self.letters.index(character)
            work = partial(self._confirm, number)  # made when it runs: it may be taken back before that
            self._pending = self.run_worker(work, name="letter", exit_on_error=False)
        else:
            why = "two keys came close together" if taken_back else "that was too quick"
            self.hint = f"{why}: nothing happened; press {character} alone"
            self.redraw()

    async def _confirm(self, number: int) -> None:
        """Consent once no other key has followed for a while."""
        await self._clock.sleep(GUARD_SECONDS)
        if self.is_active and self.phase == "asking" and not self.is_too_small:
            self._pending = None
            self._go(self.dialog.consent(number))

    def _take_back(self) -> bool:
        """Take back a letter that has not counted yet; tells whether there was one."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
        return pending is not None

    def press(self, command: str) -> bool:
        """Carry out a command, if it can be given now; tells whether it could."""
        if not self._stands:
            return True
        if command not in self.available:
            return self.focused is None and scroll(self.query_one("#question", VerticalScroll), command)
        if command == "confirm" and self.phase == "typing":
            return False  # the field submits it
        if command not in _UNGUARDED and not self.is_armed and (command != "close" or self.phase == "over"):
            return True
        leaves = command == "close" or (command == "confirm" and self.phase == "over")
        self._go(self.dialog.leave() if leaves else self.dialog.do(command, self.view))
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the dialog what was typed."""
        event.stop()
        if self.phase != "typing" or self.is_too_small:
            return
        fields = list(self.query(TypedLine))
        following = self.dialog.submit(tuple(field.value.strip() for field in fields), fields.index(event.input))  # type: ignore[arg-type]
        if isinstance(following, int):
            fields[following].focus()
            self.redraw()
        else:
            self._go(following)
