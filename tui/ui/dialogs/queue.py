"""Queueing resets for the limit: what they would do and when, one letter, and nothing is spent now."""

from collections.abc import Awaitable, Callable

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.domain.question import Question
from tui.domain.resumes import Whom
from tui.ui.commands import QUEUE
from tui.ui.dialogs.dialog import Close, Dialog, Next, Run
from tui.ui.view.prompts import failure_lines
from tui.ui.view.queueing import Offer, night_lines, night_title, offer, queue_lines, terms
from tui.ui.view.text import Line
from tui.ui.view.times import next_at
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import resets

QUEUED = "one reset is queued for the limit"
TAKEN_OUT = "the queued reset was taken out; nothing is spent"
MORNING = (7, 0)
"""When a queue of several ends, on the clocks here."""


class QueueDialog(Dialog):
    """Queues one reset or several; after a restart it asks for what is queued again."""

    place = QUEUE
    waits = "writing it down"

    def __init__(
        self,
        companion: Companion,
        clock: Clock,
        view: ViewState,
        arm: Callable[[], Awaitable[None]] | None = None,
        whom: Whom = True,
        question: Question | None = None,
    ) -> None:
        """Prepare.

        `arm` queues the one reset that it is about; None lets the person choose how many. The evening's question is
        answered with a queue for the night, until 07:00.
        """
        super().__init__(companion, clock)
        self._arm = arm
        self._whom = whom
        self._again = view.state.queued
        self._offer: Offer | str = offer(view)
        self._terms = terms(view, self._offer)
        self._number = 1
        self._question = question
        self._until = next_at(*MORNING, view.now, view.zone) if question is not None else None
        self._before_lapse: float | None = None

    def begin(self, view: ViewState) -> Next:
        """Ask at once: nothing is spent now, and what is queued is read again before it is spent."""
        return "over" if isinstance(self._offer, str) else "asking"

    def follow(self, view: ViewState) -> Next:
        """Another offer is another question, and a queue that is settled elsewhere is none any more."""
        if self.phase != "asking":
            return None
        if self._question is not None and view.state.question != self._question:
            return Close()
        if self._until is not None and self._until <= view.now:
            self._count(1, view)
            return self.begin(view)
        if view.state.queued is not self._again and not (self._again and self._again.is_same(view.state.queued)):
            return Close()
        offered = offer(view)
        asked, self._terms = self._terms, terms(view, offered)
        if self._terms == asked:
            return None
        self._offer = offered
        return self.begin(view)

    def title(self, view: ViewState, width: int) -> str:
        """What it is about."""
        if self._again:
            return "Queued before the restart"
        if self._question is not None:
            return night_title(self._question, view)
        return f"Queue {resets(self._number) if self._number > 1 else 'one reset'} for the limit"

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What queueing means, or why nothing can be queued."""
        if self.failure is not None:
            return failure_lines(self.failure.message, self.failure.hint, width)
        if isinstance(self._offer, str):
            return failure_lines(self._offer, "", width)
        why = night_lines(self._question, width) if self._question is not None else ()
        return *why, *queue_lines(view, self._offer, self._whom, width, self._number, self._until, self._before_lapse)

    def offers(self) -> tuple[str, ...]:
        """One letter, which names the number."""
        if self._before_lapse is not None:
            return ("queue it, also for before it lapses",)
        return (f"queue up to {self._number}" if self._number > 1 else "queue it",)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """How many; or taking out what is from before the restart."""
        out = [("take_out", "takes it out")] if self._again and self.phase == "asking" else []
        if self._chooses and self.phase == "asking" and self._most(view) > 1:
            out = [("fewer more", "how many")]
        if self._may_lapse(view) and self.phase == "asking":
            on = self._before_lapse is not None
            out.append(("before_lapse", "for the limit alone|limit" if on else "also before it lapses|lapse"))
        return [*super().keys(view), *out]

    def consent(self, number: int) -> Next:
        """Queue it."""
        work = self._arm() if self._arm is not None else self._queue()
        return Run(self._do(work, QUEUED if self._number == 1 else f"{resets(self._number)} are queued"), "queue")

    def do(self, command: str, view: ViewState) -> Next:
        """Another number is another question; or take it out."""
        if command in ("more", "fewer"):
            self._before_lapse = None
            number = min(max(self._number + (1 if command == "more" else -1), 1), self._most(view))
            if number == self._number:
                return None
            self._count(number, view)
            return self.begin(view)
        if command == "before_lapse":
            self._count(1, view)
            self._before_lapse = view.before_lapse if self._before_lapse is None else None
            return self.begin(view)
        return Run(self._do(self.companion.questions.cancel_queue(), TAKEN_OUT), "queue")

    def _may_lapse(self, view: ViewState) -> bool:
        """Whether it may be queued for before it lapses, too: the settings allow it, and that moment is known."""
        if not self._chooses or self._question is not None or view.before_lapse <= 0 or isinstance(self._offer, str):
            return False
        credit = self._offer[1]
        return credit is not None and credit.expires_at is not None

    @property
    def _chooses(self) -> bool:
        """Whether the person may choose how many."""
        return self._arm is None and not isinstance(self._offer, str)

    def _most(self, view: ViewState) -> int:
        snapshot = view.state.snapshot
        return (snapshot.bank.usable(view.now) if snapshot else None) or 1

    def _count(self, number: int, view: ViewState) -> None:
        is_long = number > 1 or self._question is not None
        self._number, self._until = number, next_at(*MORNING, view.now, view.zone) if is_long else None

    async def _queue(self) -> None:
        await self.companion.questions.queue(self._whom, self._number, self._until, self._before_lapse)
        if self._question is not None:
            await self.companion.questions.answer(self._question, None)

    def leave(self) -> Next:
        """Close it; the evening's question is not asked again."""
        if self._question is None or self.phase != "asking":
            return Close()
        return Close(work=self.companion.questions.answer(self._question, None))

    async def _do(self, work: Awaitable[None], done: str) -> Next:
        await work
        return Close(done, lambda state: (state.queued is None) == (done == TAKEN_OUT))
