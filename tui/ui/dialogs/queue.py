"""Queueing one reset for the limit: what it would do and when, one letter, and nothing is spent now."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.resumes import Whom
from tui.ui.commands import QUEUE
from tui.ui.dialogs.dialog import Close, Dialog, Next, Run
from tui.ui.view.prompts import failure_lines
from tui.ui.view.queueing import Offer, offer, queue_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import Holds, ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion

QUEUED = "one reset is queued for the limit"
TAKEN_OUT = "the queued reset was taken out; nothing is spent"


class QueueDialog(Dialog):
    """Queues one reset; after a restart it asks for the queued one again."""

    place = QUEUE

    def __init__(
        self,
        companion: "Companion",
        clock: Clock,
        view: ViewState,
        arm: Callable[[], Awaitable[None]],
        whom: Whom = True,
    ) -> None:
        """Prepare.

        Args:
            companion: What takes a queued one out.
            clock: The time.
            view: What is offered now.
            arm: Queues the reset, once the letter was pressed.
            whom: Who is to go on afterwards, as `arm` has it.
        """
        super().__init__(companion, clock)
        self._arm = arm
        self._whom = whom
        self._again = view.state.queued is not None
        self._offer: Offer | str = offer(view)

    def begin(self, view: ViewState) -> Next:
        """Ask at once: nothing is spent now, and what is queued is read again before it is spent."""
        return "over" if isinstance(self._offer, str) else "asking"

    def follow(self, view: ViewState) -> Next:
        """Another offer is another question, and a queue that is settled elsewhere is none any more."""
        if self.phase != "asking":
            return None
        if (view.state.queued is not None) != self._again:
            return Close()
        offered = offer(view)
        if _terms(offered) == _terms(self._offer):
            return None
        self._offer = offered
        return self.begin(view)

    def title(self, view: ViewState, width: int) -> str:
        """What it is about."""
        return "Queued before the restart" if self._again else "Queue one reset for the limit"

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What queueing means, or why nothing can be queued."""
        if self.failure is not None:
            return failure_lines(self.failure.message, self.failure.hint, width)
        if isinstance(self._offer, str):
            return failure_lines(self._offer, "", width)
        return queue_lines(view, self._offer, self._whom, width)

    def offers(self, view: ViewState) -> tuple[str, ...]:
        """One letter."""
        return ("queue it",)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Taking out the one from before the restart."""
        out = [("take_out", "takes it out")] if self._again and self.phase == "asking" else []
        return [*super().keys(view), *out]

    def waits(self) -> str:
        """While it is written down."""
        return "writing it down"

    def consent(self, number: int) -> Next:
        """Queue it."""
        return Run(self._do(self._arm(), QUEUED), "queue")

    def do(self, command: str, view: ViewState) -> Next:
        """Take it out."""
        return Run(self._do(self.companion.questions.cancel_queue(), TAKEN_OUT), "queue")

    async def _do(self, work: Awaitable[None], done: str) -> Next:
        await work
        return Close(done, Holds.QUEUED if done == QUEUED else Holds.NOT_QUEUED)


def _terms(offered: Offer | str) -> tuple[object, ...]:
    """What the consent is given to; a percentage that moves is not among it."""
    if isinstance(offered, str):
        return (offered,)
    window, credit = offered
    return window.limit_id, window.minutes, credit and credit.id
