"""Lines that a person types into a dialog; shown as dots while a picture of the screen is taken."""

from textual.events import ScreenResume
from textual.widgets import Input

from tui.ui.screens.dialog import Dialog, Phase
from tui.ui.view.view_state import ViewState


class TypedLine(Input):
    """One line of typed text without a frame."""

    def __init__(self, name: str, placeholder: str, longest: int) -> None:
        """Begin empty.

        Args:
            name: The widget's id.
            placeholder: What is shown while it is empty.
            longest: How many characters it takes.
        """
        super().__init__(id=name, placeholder=placeholder, max_length=longest, compact=True, classes="field")

    @property
    def typed(self) -> str:
        """What was typed, without blanks around it."""
        return self.value.strip()


class TypingDialog(Dialog):
    """A dialog that begins with lines to type on; they are there in the phase `typing` alone.

    It belongs to the account that was in sight when it opened, and leaves when another one is.
    """

    _account: str | None = None

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        self._account = self._account or _account_of(self.view)
        lines = list(self.query(TypedLine))
        for line in lines:
            line.display = phase == "typing"
            line.disabled = phase != "typing"
        super().enter(phase)
        if phase == "typing" and lines:
            lines[0].focus()

    def show(self, view: ViewState) -> None:
        """Show this scene from now on."""
        account = _account_of(view)
        self._account = self._account or account
        if self.phase in ("typing", "asking") and account is not None and account != self._account:
            self.close()
        super().show(view)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """What lay above is gone: the typing goes on where it was."""
        if self.phase == "typing" and self.focused is None:
            self.query(TypedLine).first().focus()


def _account_of(view: ViewState) -> str | None:
    """Whose invites are in sight: the account in use, or the one whose invites are shown while none can be read."""
    return view.state.account_key or view.state.invites.account
