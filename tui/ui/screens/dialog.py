"""The frame of a dialog, the guard against keys pressed blindly, and the random letters that consent."""

import math
from collections.abc import Callable
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Resize, ScreenResume
from textual.screen import ModalScreen

from tui.clock import Clock
from tui.ui.companion_port import CompanionPort
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

GUARD_SECONDS: Final = 0.4
"""After anything new is shown, no key consents for so long: what was typed ahead meant something else."""

NEVER_DRAWN: Final = frozenset("JKNQY")
"""Letters whose small form is a key of the dialog, or the habit of saying yes."""

_TALL_ROWS: Final = 18

Phase = Literal["typing", "reading", "asking", "working", "over"]


class Dialog(ModalScreen[None]):
    """Reads, asks, works, and shows what came of it; over whatever is open."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "leave", "Leave", id="dialog.leave", tooltip="Leave; nothing is spent or sent"),
        Binding("enter", "acknowledge", "Back", id="dialog.acknowledge", tooltip="Go back once the result was shown"),
        Binding("pageup", "scroll(-1)", "Up", id="dialog.up", tooltip="Scroll up"),
        Binding("pagedown", "scroll(1)", "Down", id="dialog.down", tooltip="Scroll down"),
    ]

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock) -> None:
        """Prepare; nothing is read before it is shown.

        Args:
            view: What the main screen shows now.
            companion: What reads and spends.
            clock: Measures the guard.
        """
        super().__init__()
        self.view = view
        self.companion = companion
        self.clock = clock
        self.phase: Phase = "reading"
        self._armed_at = math.inf
        self._title = ""
        self._leaves = False

    def compose(self) -> ComposeResult:
        """The question, which scrolls, and the keys, which always stay in sight."""
        with Vertical(id="dialog") as frame:
            self._entitle(frame)
            with VerticalScroll(id="question", can_focus=False):
                yield Lines(self.draw_body, id="text")
            yield from self.compose_fields()
            yield Lines(self.draw_prompt, id="prompt")

    def compose_fields(self) -> ComposeResult:
        """What is typed on, between the question and the keys; nothing in most dialogs."""
        yield from ()

    def _entitle(self, frame: Vertical) -> None:
        title = self.title_text()
        if title != self._title:
            self._title = title
            frame.border_title = Content(title)  # a bare string would be read as markup

    def title_text(self) -> str:
        """What the dialog is about."""
        raise NotImplementedError

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        raise NotImplementedError

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        raise NotImplementedError

    def begin(self) -> None:
        """The dialog is on screen; a handler of this name per class would run for every base as well."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Fit the frame to a short terminal and begin."""
        self._adapt(self.app.size.height)
        self.begin()

    def on_resize(self, event: Resize) -> None:
        """Fit the frame anew."""
        self._adapt(event.size.height)

    def _adapt(self, rows: int) -> None:
        """Let the question scroll so that the keys always stay in sight."""
        short = rows < _TALL_ROWS
        self.set_class(short, "-short")
        prompt = self.query_one("#prompt", Lines)
        fields = sum(field.display for field in self.query(".field"))
        around = (2 if short else 5) + max(len(prompt.lines), 2) + fields
        room = max(3, rows - around)
        self.query_one("#question").styles.max_height = room
        # Nobody should consent to half a question without knowing that there is more of it.
        hidden = len(self.query_one("#text", Lines).lines) > room
        self.query_one("#dialog").border_subtitle = "pgdn shows more" if hidden else ""

    def show(self, view: ViewState) -> None:
        """Show this scene from now on."""
        self.view = view
        self.redraw()

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        self.phase = phase
        self.redraw()
        self._guard()

    def redraw(self) -> None:
        """Draw anew; whatever differs restarts the guard."""
        if not self.is_mounted:
            return
        self._entitle(self.query_one("#dialog", Vertical))
        # Both are drawn: `or` would leave the second one as it was.
        differs = [self.query_one(name, Lines).redraw() for name in ("#text", "#prompt")]
        if any(differs):
            self._adapt(self.app.size.height)
            self._guard()

    def _guard(self) -> None:
        self._armed_at = math.inf
        self.call_after_refresh(self._arm)

    def _arm(self) -> None:
        self._armed_at = self.clock.monotonic() + GUARD_SECONDS

    @property
    def is_armed(self) -> bool:
        """Whether what is shown has been there long enough to have been read."""
        return self.clock.monotonic() >= self._armed_at

    def on_screen_resume(self, event: ScreenResume) -> None:
        """What lay above is gone: keys that were meant for it must not consent."""
        if self._leaves:
            self.dismiss()
        else:
            self._guard()

    def close(self) -> None:
        """Leave now, or as soon as what lies above is gone."""
        if self.app.screen is self:
            self.dismiss()
        else:
            self._leaves = True

    def action_leave(self) -> None:
        """Leave, unless the work is under way."""
        if self.phase != "working" and (self.phase != "over" or self.is_armed):
            self.dismiss()

    def action_acknowledge(self) -> None:
        """Leave once the result was shown."""
        if self.phase == "over" and self.is_armed:
            self.dismiss()

    def action_scroll(self, pages: int) -> None:
        """Scroll the question."""
        question = self.query_one("#question", VerticalScroll)
        question.scroll_relative(y=pages * max(1, question.size.height - 1), animate=False)


class LetterDialog(Dialog):
    """Takes random capital letters, and nothing else, as consent."""

    LETTERS: ClassVar[int] = 1
    """How many things can be consented to."""

    NEVER: ClassVar[frozenset[str]] = NEVER_DRAWN
    """Letters that are not drawn, since their small form does something here."""

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock, letters: Callable[[int], str]) -> None:
        """Prepare.

        Args:
            view: What the main screen shows now.
            companion: What reads and spends.
            clock: Measures the guard.
            letters: Gives so many distinct random capital letters.
        """
        super().__init__(view, companion, clock)
        self.letters: tuple[str, ...] = ()
        self._random = letters
        self._last_letters: tuple[str, ...] = ()

    @property
    def letter(self) -> str:
        """The first letter; empty while nothing is asked."""
        return self.letters[0] if self.letters else ""

    def consent(self, number: int = 0) -> None:
        """A letter was pressed, in time.

        Args:
            number: Which of the letters.
        """
        raise NotImplementedError

    def enter(self, phase: Phase) -> None:
        """Go on to a phase, with new letters if it asks."""
        self.letters = self._draw_letters() if phase == "asking" else ()
        super().enter(phase)

    def _draw_letters(self) -> tuple[str, ...]:
        barred = self.NEVER.union(self._last_letters)
        drawn = [letter for letter in self._random(len(self.NEVER) + 2 * self.LETTERS) if letter not in barred]
        self._last_letters = tuple(drawn[: self.LETTERS])
        assert len(self._last_letters) == self.LETTERS
        return self._last_letters

    def on_key(self, event: Key) -> None:
        """Take a letter, and nothing else, as consent."""
        if self.phase == "asking" and event.character in self.letters:
            event.stop()
            if self.is_armed:
                self.consent(self.letters.index(event.character))
