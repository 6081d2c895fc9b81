"""What the screen needs of the companion; `tui.companion.companion.Companion` is one."""

from collections.abc import Callable
from typing import Protocol

from tui.companion.state import State
from tui.domain.ledger import Event
from tui.domain.spend import Consent, Proposal, Spend


class CompanionPort(Protocol):
    """The program without a screen, as the screen sees it."""

    @property
    def state(self) -> State:
        """The newest state."""
        ...

    def listen(self, on_state: Callable[[State], None]) -> Callable[[], None]:
        """Be told every new state, on the loop; the result ends it."""
        ...

    async def run(self) -> None:
        """Poll until cancelled."""
        ...

    def refresh(self) -> None:
        """Read now."""
        ...

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """Read afresh, with rows, and state what spending would mean.

        Raises:
            ResetbankError: Why nothing can be spent now.
        """
        ...

    async def spend(self, proposal: Proposal, consent: Consent) -> Spend:
        """Journal, send and verify one consented spend; closed, or still open with its outcome unknown.

        Raises:
            ResetbankError: It could not be begun.
        """
        ...

    async def finish(self) -> Spend | None:
        """Finish an open spend with its own key; None if there was none.

        Raises:
            ResetbankError: It could not be driven on now.
        """
        ...

    async def events(self, limit: int | None = None) -> tuple[Event, ...]:
        """The ledger, oldest first; with a limit the newest ones."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; quick."""
        ...
