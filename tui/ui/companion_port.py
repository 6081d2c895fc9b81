"""What the screen needs of the companion; `tui.companion.companion.Companion` is one."""

from collections.abc import Callable
from typing import Protocol

from tui.companion.state import State
from tui.domain.invites import InviteProposal, InviteRecord
from tui.domain.ledger import Event
from tui.domain.limit_stops import LimitStop, Whom
from tui.domain.question import Choice, Question
from tui.domain.spend import Consent, ConsentKind, Proposal, Spend


class QuestionsPort(Protocol):
    """What asks; `tui.companion.questions.QuestionService` is one."""

    async def answer(self, question: Question, choice: Choice | None, whom: Whom = True) -> None:
        """Take the answer to a question; None closes it without one.

        Raises:
            ResetbankError: It could not be written down, or there is nothing left to queue.
        """
        ...

    async def queue(self, whom: Whom = True) -> None:
        """Arm one reset for the limit.

        Raises:
            ResetbankError: Why nothing can be armed.
        """
        ...

    async def cancel_queue(self) -> None:
        """Take the queued reset out again."""
        ...

    async def confirm_queue(self) -> None:
        """Say yes again to a reset that was armed before a restart."""
        ...


class ResumerPort(Protocol):
    """What tells threads to go on; `tui.companion.resumer.Resumer` is one."""

    def limit_stops(self) -> tuple[LimitStop, ...]:
        """Who is stopped by the limit now."""
        ...

    async def resume(self, stopped: tuple[LimitStop, ...], whom: Whom = True) -> int:
        """Tell interrupted threads to go on, each once; how many were told by this call."""
        ...


class InviterPort(Protocol):
    """Who takes part in the referral programme; `tui.companion.inviter.Inviter` is one."""

    async def refresh(self) -> None:
        """Read the offer and the list of invites; what cannot be read is said in the state.

        Raises:
            ResetbankError: The database cannot be used.
        """
        ...

    def check(self, text: str) -> str:
        """Check an address that was typed; in its normal form.

        Raises:
            ResetbankError: Why no invite can go there.
        """
        ...

    def propose(self, text: str) -> InviteProposal:
        """State what inviting the address that was typed would mean.

        Raises:
            ResetbankError: Why no invite can go there.
        """
        ...

    async def invite(self, proposal: InviteProposal, consent: ConsentKind) -> InviteRecord:
        """Send one invite on one consent; the invite as it stands then.

        Raises:
            ResetbankError: It could not be begun; nothing was sent.
        """
        ...

    async def resend(self, key: str) -> InviteRecord:
        """Have an invite's e-mail sent once more; its `resend` tells what became of it.

        Raises:
            ResetbankError: It could not be begun; nothing was sent.
        """
        ...

    async def note(self, address: str, link: str | None) -> InviteRecord:
        """Write down an invite that was made elsewhere.

        Raises:
            ResetbankError: It could not be written down.
        """
        ...

    async def forget(self, key: str) -> None:
        """Delete an invite that only this machine knows of.

        Raises:
            ResetbankError: It cannot be deleted.
        """
        ...


class SpenderPort(Protocol):
    """What spends resets; `tui.companion.spender.Spender` is one."""

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """Read afresh, with rows, and state what spending would mean.

        Raises:
            ResetbankError: Why nothing can be spent now.
        """
        ...

    async def spend(self, proposal: Proposal, consent: Consent, whom: Whom = False) -> Spend:
        """Journal, send and verify one consented spend; closed, or still open with its outcome unknown.

        Once it is verified, the threads in `whom` are told to go on.

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


class CompanionPort(Protocol):
    """The program without a screen, as the screen sees it."""

    @property
    def state(self) -> State:
        """The newest state."""
        ...

    @property
    def questions(self) -> QuestionsPort:
        """What asks and queues."""
        ...

    @property
    def resumer(self) -> ResumerPort:
        """What tells threads to go on."""
        ...

    @property
    def spender(self) -> SpenderPort:
        """What spends."""
        ...

    @property
    def inviter(self) -> InviterPort:
        """Who invites friends."""
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

    async def events(self, limit: int | None = None) -> tuple[Event, ...]:
        """The ledger, oldest first; with a limit the newest ones."""
        ...

    def dismiss_notice(self) -> None:
        """The announcement was seen."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; quick."""
        ...
