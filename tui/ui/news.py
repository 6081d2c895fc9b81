"""When a new question may open by itself, and what the terminal's bell rings for."""

from typing import TYPE_CHECKING, Final

from tui.clock import Clock
from tui.companion.state import State
from tui.domain.question import Question
from tui.domain.waiting import Announcement

if TYPE_CHECKING:
    from tui.ui.core import CoreApp

_PALETTE_SECONDS: Final = 60.0
"""For so long an open palette holds a question back."""


class News:
    """Opens each question once, over whatever is open, and rings for good news once."""

    def __init__(self, app: "CoreApp", clock: Clock, *, rings: bool) -> None:
        self._app = app
        self._clock = clock
        self.rings = rings
        self._asked: Question | None = None
        self._held: tuple[Question, float] | None = None
        self._announced: Announcement | None = None

    def show(self, state: State) -> None:
        """Look for news in a state.

        A question waits for a spend that is under way, and while somebody types: a capital of a name must not consent.
        """
        if state.announcement != self._announced:
            self._announced = state.announcement
            if state.announcement is not None:
                self._ring()
        if state.question == self._asked:
            return
        if state.question is not None and not self._open(state.question):
            return  # tried again with one of the next seconds
        self._asked = state.question

    def _open(self, question: Question) -> bool:
        from textual.widgets import Input  # not worth its import before there is a question

        app = self._app
        driving = any(getattr(screen, "phase", None) == "working" for screen in app.screen_stack)
        typing = isinstance(app.focused, Input) or getattr(app.screen, "phase", None) == "typing"
        if typing and (self._held is None or self._held[0] != question):
            self._held = question, self._clock.monotonic()
            self._ring()
        if typing and self._is_abandoned():
            app.screen.dismiss()
            return False
        if driving or typing or not app.ask(question):
            return False
        self._ring()
        return True

    def _is_abandoned(self) -> bool:
        """Whether the palette has lain over a question for so long that nobody is typing there."""
        from textual.command import CommandPalette

        held_for = self._clock.monotonic() - self._held[1] if self._held else 0.0
        return isinstance(self._app.screen, CommandPalette) and held_for >= _PALETTE_SECONDS

    def _ring(self) -> None:
        if self.rings:
            self._app.bell()
