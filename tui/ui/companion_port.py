"""What the screen needs of the companion; `tui.companion.companion.Companion` is one."""

from collections.abc import Callable
from typing import Protocol

from tui.companion.state import State
from tui.domain.hits import Stop
from tui.domain.ledger import Event
from tui.domain.question import Choice, Question
from tui.domain.queue import CarryOn
from tui.domain.spend import Consent, Proposal, Spend


class AttendantPort(Protocol):
    """Who watches over sessions and limits; `tui.companion.attendant.Attendant` is one."""

    async def answer(self, question: Question, choice: Choice | None, carry_on: CarryOn = True) -> None:
        """Take the answer to a question; None closes it without one.

        Raises:
            ResetbankError: It could not be written down, or there is nothing left to queue.
        """
        ...

    async def queue(self, carry_on: CarryOn = True) -> None:
        """Arm one reset for the limit.

        Raises:
            ResetbankError: Why nothing can be armed.
        """
        ...

    async def unqueue(self) -> None:
        """Take the queued reset out again."""
        ...

    async def confirm_queue(self) -> None:
        """Say yes again to a reset that was armed before a restart."""
        ...

    def stops(self) -> tuple[Stop, ...]:
        """Who is stopped by the limit now."""
        ...

    async def carry(self, stopped: tuple[Stop, ...], carry_on: CarryOn = True) -> int:
        """Tell interrupted threads to go on, each once; how many were told by this call."""
        ...


class CompanionPort(Protocol):
    """The program without a screen, as the screen sees it."""

    @property
    def state(self) -> State:
        """The newest state."""
        ...

    @property
    def attendant(self) -> AttendantPort:
        """Who asks, queues and carries on."""
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

    async def spend(self, proposal: Proposal, consent: Consent, carry_on: CarryOn = False) -> Spend:
        """Journal, send and verify one consented spend; closed, or still open with its outcome unknown.

        Once it is verified, the threads in `carry_on` are told to go on.

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

    def acknowledge(self) -> None:
        """The announcement was seen."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; quick."""
        ...
