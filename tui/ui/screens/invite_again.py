"""Having an invite's e-mail sent once more: where it goes, one letter, and what came of it."""

from collections.abc import Callable

from tui.clock import Clock
from tui.domain.invites import InviteRecord
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import LetterDialog
from tui.ui.screens.invite_send import UNEXPECTED
from tui.ui.view.invites import resend_hint
from tui.ui.view.inviting import again_lines, complaint_lines, sent_again_lines
from tui.ui.view.prompts import ask_prompt, leave_prompt, wait_prompt
from tui.ui.view.scene import Scene
from tui.ui.view.text import Line


class InviteAgainScreen(LetterDialog):
    """Sends one e-mail on a letter that belongs to this invite."""

    def __init__(
        self, scene: Scene, companion: CompanionPort, clock: Clock, letters: Callable[[int], str], record: InviteRecord
    ) -> None:
        """Prepare.

        Args:
            scene: What the panel shows now.
            companion: Who sends.
            clock: Measures the guard.
            letters: Gives so many distinct random capital letters.
            record: Whose e-mail.
        """
        super().__init__(scene, companion, clock, letters)
        self._record = record
        self._failure: ResetbankError | None = None
        why = record.resend_refusal(clock.now())
        if why is not None:
            self._failure = ResetbankError(f"its e-mail cannot be sent again: {why}", resend_hint(scene, record))

    def begin(self) -> None:
        """Ask, where it can be sent."""
        self.enter("over" if self._failure else "asking")

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Send an invite's e-mail again"

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """Where it goes, or what came of it."""
        if self._failure is not None:
            return complaint_lines(self.scene, self._failure, width)
        if self.phase == "over":
            return sent_again_lines(self.scene, self._record, width)
        return again_lines(self.scene, self._record, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            return ask_prompt(self.letter, "send it once more", width)
        return leave_prompt(width) if self.phase == "over" else wait_prompt("sending it, once", width)

    def consent(self, number: int = 0) -> None:
        """Send it."""
        self.enter("working")
        self.app.run_worker(self._send(), name="invite", group="invite", exit_on_error=False)

    async def _send(self) -> None:
        try:
            self._record = await self.companion.inviter.resend(self._record.key)
        except ResetbankError as error:
            self._failure = error
        except Exception:
            self._failure = UNEXPECTED
            raise
        finally:
            if self.is_attached:
                self.enter("over")
