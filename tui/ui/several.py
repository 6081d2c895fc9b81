"""Several accounts on one screen: one is in sight, each has a row, and a question brings its account in sight."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.message import Message

from tui.companion.state import State
from tui.errors import ResetbankError
from tui.ui.core import CoreApp
from tui.ui.messages import Noted
from tui.ui.screens.main import MainScreen

if TYPE_CHECKING:
    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion


@dataclass
class AccountsChanged(Message):
    """An account has a new state."""

    def can_replace(self, message: Message) -> bool:
        """Of many in a row one is enough: it is shown as it is by then."""
        return isinstance(message, AccountsChanged)


class SeveralApp(CoreApp):
    """Knows which account is in sight."""

    @property
    def _accounts(self) -> "Accounts | None":
        return self._companion.accounts if self._companion is not None else None

    def begin(self, companion: "Companion") -> None:
        """Follow the other accounts too, where there are any."""
        super().begin(companion)
        if companion.accounts is not None:
            companion.accounts.listen(self._publish_accounts)
            self.post_message(AccountsChanged())

    def tick(self) -> None:
        """Let ages and countdowns go on, and look for a question of another account."""
        super().tick()
        self._bring_question()

    def _publish_accounts(self, state: State) -> None:
        self.post_message(AccountsChanged())

    def on_accounts_changed(self, message: AccountsChanged) -> None:
        """Show how the accounts stand, and bring the one in sight that asks."""
        if self._accounts is not None:
            self.present(replace(self.view, accounts=self._accounts.states))
            self._bring_question()

    def _bring_question(self) -> None:
        """Bring an account in sight that has a question, once nothing else is open."""
        front = self.screen_stack[-1:]  # empty once the application ends
        if not self.view.accounts or not front or not isinstance(front[0], MainScreen):
            return
        if self.view.state.question is not None:
            return
        asking = next((state for state in self.view.accounts if state.question is not None), None)
        if asking is not None and not self.view.is_read_only:
            self._bring(asking.account_name)

    def action_next_account(self) -> None:
        """Bring the next account in sight."""
        self._step(1)

    def action_previous_account(self) -> None:
        """Bring the account before in sight."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._free_companion() is None:
            return
        if self._accounts is None:
            self.post_message(Noted("there is no other account; [accounts] in the settings names several"))
            return
        names = self._accounts.names
        self._bring(names[(names.index(self.view.state.account_name) + by) % len(names)])

    def _bring(self, name: str) -> None:
        assert self._accounts is not None
        try:
            companion = self._accounts.show(name)
        except ResetbankError as error:
            self.post_message(Noted(f"{name}: {error}"))
            return
        self._remembered = None
        self.view = replace(self.view, note=None)
        self.follow(companion)
