"""What the dialogs have in common from which an e-mail goes out: one letter, one send, and what came of it."""

from collections.abc import Callable, Coroutine
from typing import Any

from tui.clock import Clock
from tui.domain.invites import InviteRecord
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import LetterDialog
from tui.ui.view.inviting import complaint_lines
from tui.ui.view.prompts import leave_prompt, wait_prompt
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class InvitingDialog(LetterDialog):
    """Sends once, on a letter that belongs to what is shown, and shows what is known of it then."""

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock, letters: Callable[[int], str]) -> None:
        super().__init__(view, companion, clock, letters)
        self.record: InviteRecord | None = None
        self.failure: ResetbankError | None = None
        self.is_unsure = False
        """Whether something unforeseen went wrong, so that it is not known what went out."""

    def send(self, work: Coroutine[Any, Any, InviteRecord]) -> None:
        """Send, outside of this screen's life."""
        self.enter("working")
        self.app.run_worker(self._drive(work), name="invite", group="invite", exit_on_error=False)

    async def _drive(self, work: Coroutine[Any, Any, InviteRecord]) -> None:
        try:
            self.record = await work
        except ResetbankError as error:
            self.failure = error
        except Exception:
            self.is_unsure = True
            hint = "the list of invites shows whether an e-mail went out"
            self.failure = ResetbankError("something unexpected went wrong", hint)
            raise
        finally:
            if self.is_attached:
                self.enter("over")

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """The question, or what came of it."""
        if self.phase == "over" and self.failure is not None:
            return complaint_lines(self.view, self.failure, width)
        if self.phase == "over" and self.record is not None:
            return self.draw_result(self.record, width)
        return self.draw_question(width)

    def draw_question(self, width: int) -> tuple[Line, ...]:
        """Where the e-mail goes."""
        raise NotImplementedError

    def draw_result(self, record: InviteRecord, width: int) -> tuple[Line, ...]:
        """What came of it."""
        raise NotImplementedError

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        return leave_prompt(width) if self.phase == "over" else wait_prompt("sending it, once", width)
