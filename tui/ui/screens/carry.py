"""Carrying stopped sessions on: which ones, one Enter, and how far that came. Nothing is spent here."""

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.clock import Clock
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import Dialog, Phase
from tui.ui.view.carrying import carry_lines, commands, limit_stands, to_carry, under_way
from tui.ui.view.picking import Picked, picking_lines
from tui.ui.view.prompts import failure_lines, keys_prompt, leave_prompt, wait_prompt
from tui.ui.view.scene import Scene
from tui.ui.view.text import Line, Span, wrap


class CarryScreen(Dialog):
    """Lists who stopped, and tells the chosen ones to go on, each once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "acknowledge", "Go on", id="carry.go", tooltip="Tell the chosen sessions to go on"),
        Binding("up,k", "move(-1)", "Previous", id="carry.previous", tooltip="Go to the previous session"),
        Binding("down,j", "move(1)", "Next", id="carry.next", tooltip="Go to the next session"),
        Binding("space", "pick", "Choose", id="carry.toggle", tooltip="Choose whether this session goes on"),
    ]

    def __init__(self, scene: Scene, companion: CompanionPort, clock: Clock) -> None:
        super().__init__(scene, companion, clock)
        self.picked = Picked(self._threads())
        self._carried: tuple[str, ...] = ()
        self._since: datetime | None = None
        self._failure: ResetbankError | None = None
        self._copied: str | None = None

    def _threads(self) -> tuple[str, ...]:
        return tuple(stop.thread_id for stop in to_carry(self.scene))

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Carry on"

    def begin(self) -> None:
        """Ask, where there is anybody to carry on and nothing in the way."""
        if self.picked.threads and not limit_stands(self.scene):
            self.enter("asking")
            return
        self._carried = () if self.picked.threads else under_way(self.scene)
        self.enter("over")

    def show(self, scene: Scene) -> None:
        """Follow the state: who works again by itself is no longer listed."""
        self.scene = scene
        if self.phase == "asking":
            self.picked = self.picked.among(self._threads())
            if not self.picked.threads or limit_stands(scene):
                self.begin()
        super().show(scene)
        self._copy()

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        super().enter(phase)
        self._copy()

    def _copy(self) -> None:
        """Put the first command that is left to type on the clipboard, once."""
        left_to_type = commands(self.scene, self._carried, self._since) if self.phase == "over" else ()
        if left_to_type and self._copied is None:
            self._copied = left_to_type[0]
            self.app.copy_to_clipboard(self._copied)

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """Whom it concerns, or what came of it."""
        if self._failure is not None:
            return failure_lines(self._failure.message, self._failure.hint, width)
        if self._carried and self.phase != "asking":
            return carry_lines(self.scene, self._carried, self._since, width)
        if self.phase == "over" and limit_stands(self.scene) and self.picked.threads:
            spend = self.scene.does("spend", "spends one reset")
            return failure_lines("the limit still stands, so a message would only fail", spend, width)
        if not self.picked.threads:
            return wrap((Span("No session stands still at a limit: there is nobody to carry on."),), width)
        return picking_lines(self.picked, self.scene, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "over":
            return leave_prompt(width)
        if self.phase != "asking":
            return wait_prompt("telling them to go on", width)
        several = len(self.picked.threads) > 1
        what = f"carries on {len(self.picked.chosen)} of {len(self.picked.threads)}" if several else "carries it on"
        keys = [("enter", f"{what}; nothing is spent"), *([("↑ ↓ space", "choose")] if several else [])]
        return keys_prompt([*keys, ("esc", "leaves")], width)

    def action_acknowledge(self) -> None:
        """Carry the chosen ones on; or leave the result."""
        if self.phase != "asking":
            super().action_acknowledge()
        elif self.is_armed and self.picked.chosen:
            self._carried = self.picked.chosen
            self._since = self.clock.now()
            self.enter("working")
            self.app.run_worker(self._carry(self._carried), name="continue", group="continue", exit_on_error=False)

    async def _carry(self, threads: tuple[str, ...]) -> None:
        stopped = tuple(stop for stop in to_carry(self.scene) if stop.thread_id in threads)
        try:
            await self.companion.attendant.carry(stopped, threads)
        except ResetbankError as error:
            self._failure = error
        else:
            self.companion.acknowledge()
        if self.is_attached:
            self.scene = replace(self.scene, state=self.companion.state)
            self.enter("over")

    def action_move(self, step: int) -> None:
        """Go to another session."""
        self.picked = self.picked.moved(step)
        self.redraw()

    def action_pick(self) -> None:
        """Take a session in or out."""
        if self.phase == "asking" and len(self.picked.threads) > 1:
            self.picked = self.picked.toggled()
            self.redraw()
