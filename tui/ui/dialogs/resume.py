"""Carrying stopped sessions on: which ones, one Enter, and how far that came. Nothing is spent here."""

from datetime import datetime

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.ui.commands import CONTINUE
from tui.ui.dialogs.dialog import Dialog, Next, Run
from tui.ui.view.prompts import failure_lines
from tui.ui.view.resuming import carry_lines, commands, limit_stands, to_carry, under_way
from tui.ui.view.selection import Selection, picking_lines
from tui.ui.view.text import Line, Span, wrap
from tui.ui.view.view_state import ViewState


class ResumeDialog(Dialog):
    """Lists who stopped, and tells the chosen ones to go on, each once."""

    place = CONTINUE
    about = "Carry on"
    waits = "telling them to go on"

    def __init__(self, companion: Companion, clock: Clock, view: ViewState) -> None:
        super().__init__(companion, clock)
        self.selection = Selection(_threads(view))
        self._resumed: tuple[str, ...] = ()
        self._since: datetime | None = None

    def begin(self, view: ViewState) -> Next:
        """Ask, where there is anybody to carry on and nothing in the way."""
        if self.selection.threads and not limit_stands(view):
            return "asking"
        self._resumed = () if self.selection.threads else under_way(view)
        return "over"

    def follow(self, view: ViewState) -> Next:
        """Who works again by itself is no longer listed."""
        if self.phase == "asking":
            self.selection = self.selection.among(_threads(view))
            if not self.selection.threads or limit_stands(view):
                return self.begin(view)
        return None

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """Whom it concerns, or what came of it."""
        if self.failure is not None:
            return failure_lines(self.failure.message, self.failure.hint, width)
        if self._resumed and self.phase != "asking":
            return carry_lines(view, self._resumed, self._since, width)
        if self.phase == "over" and limit_stands(view) and self.selection.threads:
            spend = view.does("spend", "spends one reset")
            return failure_lines("the limit still stands, so a message would only fail", spend, width)
        if not self.selection.threads:
            return wrap((Span("No session is stopped at a limit: there is nothing to carry on."),), width)
        return picking_lines(self.selection, view, width)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Going on, and choosing who."""
        if self.phase != "asking":
            return super().keys(view)
        total, chosen = len(self.selection.threads), len(self.selection.chosen)
        what = f"carries on {chosen} of {total}" if total > 1 else "carries it on"
        several = [("previous next toggle", "choose")] if total > 1 else []
        return [("confirm", f"{what}; nothing is spent"), *several, ("close", "closes")]

    def do(self, command: str, view: ViewState) -> Next:
        """Carry the chosen ones on, or choose."""
        if command == "confirm" and self.selection.chosen:
            self._resumed = self.selection.chosen
            self._since = self.clock.now()
            return Run(self._resume(view), "continue")
        self.selection = self.selection.after(command)
        return None

    async def _resume(self, view: ViewState) -> Next:
        stopped = tuple(stop for stop in to_carry(view) if stop.thread_id in self._resumed)
        await self.companion.resumer.resume(stopped, self._resumed)
        await self.companion.questions.dismiss_notice()
        return "over"

    def clipboard(self, view: ViewState) -> str | None:
        """The first command that is left to type."""
        left = commands(view, self._resumed, self._since) if self.phase == "over" else ()
        return left[0] if left else None


def _threads(view: ViewState) -> tuple[str, ...]:
    return tuple(stop.thread_id for stop in to_carry(view))
