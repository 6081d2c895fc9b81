"""Having an invite's e-mail sent once more: where it goes, one letter, and what came of it."""

from collections.abc import Callable

from tui.clock import Clock
from tui.domain.invites import InviteRecord
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.inviting import InvitingDialog
from tui.ui.view.invites import resend_hint
from tui.ui.view.inviting import again_lines, sent_again_lines
from tui.ui.view.prompts import ask_prompt
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class InviteAgainScreen(InvitingDialog):
    """Sends one e-mail on a letter that belongs to this invite."""

    def __init__(
        self,
        view: ViewState,
        companion: CompanionPort,
        clock: Clock,
        letters: Callable[[int], str],
        record: InviteRecord,
    ) -> None:
        """Prepare.

        Args:
            view: What the panel shows now.
            companion: Who sends.
            clock: Measures the guard.
            letters: Gives so many distinct random capital letters.
            record: Whose e-mail.
        """
        super().__init__(view, companion, clock, letters)
        self._invite = record
        why = record.resend_refusal(clock.now())
        if why is not None:
            self.failure = ResetbankError(f"its e-mail cannot be sent again: {why}", resend_hint(view, record))

    def begin(self) -> None:
        """Ask, where it can be sent."""
        self.enter("over" if self.failure else "asking")

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Send an invite's e-mail again"

    def draw_question(self, width: int) -> tuple[Line, ...]:
        """Where it goes."""
        return again_lines(self.view, self._invite, width)

    def draw_result(self, record: InviteRecord, width: int) -> tuple[Line, ...]:
        """What came of it."""
        return sent_again_lines(self.view, record, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            return ask_prompt(self.letter, "send it once more", width)
        return super().draw_prompt(width)

    def consent(self, number: int = 0) -> None:
        """Send it."""
        self.send(self.companion.inviter.resend(self._invite.key))
