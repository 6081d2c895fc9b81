"""Writing down an invite that was made elsewhere: an address, its link if it is known, and nothing is sent."""

from textual.app import ComposeResult
from textual.widgets import Input

from tui.clock import Clock
from tui.domain.invites import LONGEST_ADDRESS
from tui.domain.referral import LONGEST_LINK
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.messages import Noted
from tui.ui.screens.typing import TypedLine, TypingDialog
from tui.ui.view.inviting import complaint_lines
from tui.ui.view.prompts import keys_prompt, wait_prompt, waiting_lines
from tui.ui.view.text import Line, Span, wrap
from tui.ui.view.view_state import ViewState


class InviteNoteScreen(TypingDialog):
    """Keeps an invite in the local database."""

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock) -> None:
        super().__init__(view, companion, clock)
        self._complaint: ResetbankError | None = None

    def compose_fields(self) -> ComposeResult:
        """The address and the link."""
        yield TypedLine("address", "friend@example.com", LONGEST_ADDRESS)
        yield TypedLine("link", "https://… the invite link, if you have it", LONGEST_LINK)

    def begin(self) -> None:
        """Ask for both."""
        self.enter("typing")

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Write down an invite"

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """What it is for, and what was wrong."""
        ask = wrap((Span("An invite that you made elsewhere. It is kept on this machine; nothing is sent."),), width)
        return (*ask, *complaint_lines(self.view, self._complaint, width))

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase != "typing":
            return wait_prompt("writing it down", width)
        keys = [("enter", "writes it down"), ("tab", "address or link"), ("esc", "leaves")]
        return (*waiting_lines(self.view, width), *keys_prompt(keys, width))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the link, or write both down."""
        event.stop()
        if self.phase != "typing":
            return
        link = self.query_one("#link", TypedLine)
        try:
            address = self.companion.inviter.check(self.query_one("#address", TypedLine).typed)
        except ResetbankError as error:
            self._complain(error)
            return
        if event.input is not link and not link.typed:
            self._complain(None)
            link.focus()
            return
        self.enter("working")
        work = self._note(address, link.typed or None)
        self.app.run_worker(work, name="invite", group="invite", exit_on_error=False)

    def _complain(self, error: ResetbankError | None) -> None:
        self._complaint = error
        self.redraw()

    async def _note(self, address: str, link: str | None) -> None:
        try:
            await self.companion.inviter.note(address, link)
        except ResetbankError as error:
            self._complaint = error
            if self.is_attached:
                self.enter("typing")
            return
        self.app.post_message(Noted("the invite was written down; nothing was sent"))
        self.close()
