"""Lines that a person types into a dialog; shown as dots while a picture of the screen is taken."""

from textual.widgets import Input

from tui.ui.screens.dialog import Dialog, Phase
from tui.ui.view.scene import Scene


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

    It belongs to the account that was in use when it opened, and leaves when another one is.
    """

    _account: str | None = None

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        self._account = self._account or _account_of(self.scene)
        lines = list(self.query(TypedLine))
        for line in lines:
            line.display = phase == "typing"
            line.disabled = phase != "typing"
        super().enter(phase)
        if phase == "typing" and lines:
            lines[0].focus()

    def show(self, scene: Scene) -> None:
        """Show this scene from now on."""
        account = _account_of(scene)
        if self.phase in ("typing", "asking") and None not in (account, self._account) and account != self._account:
            self.close()
        for line in self.query(TypedLine):
            line.password = scene.masked
        super().show(scene)


def _account_of(scene: Scene) -> str | None:
    return scene.state.snapshot.account.key if scene.state.snapshot else None
