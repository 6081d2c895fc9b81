"""Inviting one friend: an address, a last look at where the e-mail goes, one letter, and what came of it."""

from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.clock import Clock
from tui.domain.invites import LONGEST_ADDRESS, InviteProposal, InviteRecord, SendStage, changed_terms
from tui.domain.spend import ConsentKind
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import NEVER_DRAWN
from tui.ui.screens.inviting import InvitingDialog
from tui.ui.screens.typing import TypedLine, TypingDialog
from tui.ui.view.inviting import complaint_lines, consent_lines, sent_lines
from tui.ui.view.prompts import ask_prompt, keys_prompt, waiting_lines
from tui.ui.view.text import Line, Span, wrap
from tui.ui.view.view_state import ViewState


class InviteSendScreen(TypingDialog, InvitingDialog):
    """Sends one invite on a letter that belongs to this address and this offer."""

    NEVER: ClassVar[frozenset[str]] = NEVER_DRAWN | frozenset("B")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "edit", "Back to the address", id="invite_send.edit", tooltip="Change the address"),
    ]

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock, letters: Callable[[int], str]) -> None:
        super().__init__(view, companion, clock, letters)
        self._proposal: InviteProposal | None = None
        self._complaint: ResetbankError | None = None

    def compose_fields(self) -> ComposeResult:
        """The address."""
        yield TypedLine("address", "friend@example.com", LONGEST_ADDRESS)

    def begin(self) -> None:
        """Ask for the address."""
        self.enter("typing")

    def show(self, view: ViewState) -> None:
        """Follow the state; another offer is another question."""
        proposal, offer = self._proposal, view.state.invites.offer
        if self.phase == "asking" and proposal is not None and offer is not None:
            is_other = changed_terms(offer, proposal.offer) is not None
            self._proposal = replace(proposal, offer=offer)
            if is_other:
                self.enter("asking")
        super().show(view)

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Invite a friend"

    def draw_question(self, width: int) -> tuple[Line, ...]:
        """The address, or where the e-mail goes."""
        if self._proposal is None or self.phase == "typing":
            ask = wrap((Span("Your friend's address, one at a time. Nothing is sent yet."),), width)
            return (*ask, *complaint_lines(self.view, self._complaint, width))
        return consent_lines(self.view, self._proposal, width)

    def draw_result(self, record: InviteRecord, width: int) -> tuple[Line, ...]:
        """What came of it."""
        return sent_lines(self.view, record, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "typing":
            keys = keys_prompt([("enter", "shows it once more"), ("esc", "leaves")], width)
            return (*waiting_lines(self.view, width), *keys)
        if self.phase == "asking":
            return (*ask_prompt(self.letter, "send it", width), *keys_prompt([("b", "changes the address")], width))
        edit = keys_prompt([("b", "goes back to the address")], width) if self._came_to_nothing else ()
        return (*super().draw_prompt(width), *edit)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Check the address, and show it once more."""
        event.stop()
        if self.phase != "typing":
            return
        try:
            self._proposal = self.companion.inviter.propose(self.query_one(TypedLine).typed)
        except ResetbankError as error:
            self._complaint = error
            self.redraw()
        else:
            self._complaint = None
            self.enter("asking")

    @property
    def _came_to_nothing(self) -> bool:
        """Whether certainly nothing went out, so that it can be tried anew."""
        refused = self.record is not None and self.record.stage is SendStage.REFUSED
        return self.phase == "over" and not self.is_unsure and (self.failure is not None or refused)

    def action_edit(self) -> None:
        """Go back to the address."""
        if self.phase == "asking" or (self._came_to_nothing and self.is_armed):
            self.failure = self.record = None
            self.enter("typing")

    def consent(self, number: int = 0) -> None:
        """Send it."""
        if self._proposal is not None:
            self.send(self.companion.inviter.invite(self._proposal, ConsentKind.LETTER))
