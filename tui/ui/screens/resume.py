"""Carrying stopped sessions on: which ones, one Enter, and how far that came. Nothing is spent here."""

from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType

from tui.clock import Clock
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import Dialog, Phase
from tui.ui.view.prompts import failure_lines, keys_prompt, leave_prompt, wait_prompt
from tui.ui.view.resuming import carry_lines, commands, limit_stands, to_carry, under_way
from tui.ui.view.selection import Selection, picking_lines
from tui.ui.view.text import Line, Span, wrap
from tui.ui.view.view_state import ViewState


class ResumeScreen(Dialog):
    """Lists who stopped, and tells the chosen ones to go on, each once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "acknowledge", "Go on", id="carry.go", tooltip="Tell the chosen sessions to go on"),
        Binding("up,k", "move(-1)", "Previous", id="carry.previous", tooltip="Go to the previous session"),
        Binding("down,j", "move(1)", "Next", id="carry.next", tooltip="Go to the next session"),
        Binding("space", "pick", "Choose", id="carry.toggle", tooltip="Choose whether this session goes on"),
    ]

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock) -> None:
        super().__init__(view, companion, clock)
        self.selection = Selection(self._threads())
        self._carried: tuple[str, ...] = ()
        self._since: datetime | None = None
        self._failure: ResetbankError | None = None
        self._copied: str | None = None

    def _threads(self) -> tuple[str, ...]:
        return tuple(stop.thread_id for stop in to_carry(self.view))

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Carry on"

    def begin(self) -> None:
        """Ask, where there is anybody to carry on and nothing in the way."""
        if self.selection.threads and not limit_stands(self.view):
            self.enter("asking")
            return
        self._carried = () if self.selection.threads else under_way(self.view)
        self.enter("over")

    def show(self, view: ViewState) -> None:
        """Follow the state: who works again by itself is no longer listed."""
        self.view = view
        if self.phase == "asking":
            self.selection = self.selection.among(self._threads())
            if not self.selection.threads or limit_stands(view):
                self.begin()
        super().show(view)
        self._copy()

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        super().enter(phase)
        self._copy()

    def _copy(self) -> None:
        """Put the first command that is left to type on the clipboard, once."""
        left_to_type = commands(self.view, self._carried, self._since) if self.phase == "over" else ()
        if left_to_type and self._copied is None:
            self._copied = left_to_type[0]
            self.app.copy_to_clipboard(self._copied)

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """Whom it concerns, or what came of it."""
        if self._failure is not None:
            return failure_lines(self._failure.message, self._failure.hint, width)
        if self._carried and self.phase != "asking":
            return carry_lines(self.view, self._carried, self._since, width)
        if self.phase == "over" and limit_stands(self.view) and self.selection.threads:
            spend = self.view.does("spend", "spends one reset")
            return failure_lines("the limit still stands, so a message would only fail", spend, width)
        if not self.selection.threads:
            return wrap((Span("No session stands still at a limit: there is nobody to carry on."),), width)
        return picking_lines(self.selection, self.view, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "over":
            return leave_prompt(width)
        if self.phase != "asking":
            return wait_prompt("telling them to go on", width)
        several = len(self.selection.threads) > 1
        what = (
            f"carries on {len(self.selection.chosen)} of {len(self.selection.threads)}" if several else "carries it on"
        )
        keys = [("enter", f"{what}; nothing is spent"), *([("↑ ↓ space", "choose")] if several else [])]
        return keys_prompt([*keys, ("esc", "leaves")], width)

    def action_acknowledge(self) -> None:
        """Carry the chosen ones on; or leave the result."""
        if self.phase != "asking":
            super().action_acknowledge()
        elif self.is_armed and self.selection.chosen:
            self._carried = self.selection.chosen
            self._since = self.clock.now()
            self.enter("working")
            self.app.run_worker(self._carry(self._carried), name="continue", group="continue", exit_on_error=False)

    async def _carry(self, threads: tuple[str, ...]) -> None:
        stopped = tuple(stop for stop in to_carry(self.view) if stop.thread_id in threads)
        try:
            await self.companion.resumer.resume(stopped, threads)
        except ResetbankError as error:
            self._failure = error
        else:
            self.companion.dismiss_notice()
        if self.is_attached:
            self.view = replace(self.view, state=self.companion.state)
            self.enter("over")

    def action_move(self, step: int) -> None:
        """Go to another session."""
        self.selection = self.selection.moved(step)
        self.redraw()

    def action_pick(self) -> None:
        """Take a session in or out."""
        if self.phase == "asking" and len(self.selection.threads) > 1:
            self.selection = self.selection.toggled()
            self.redraw()
