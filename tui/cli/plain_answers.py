"""What can be typed into `resetbank --plain`: answers to the question, and the commands of the screen that matter."""

import sys
from typing import TYPE_CHECKING, Final

from tui.cli.terminal import TypedLines, ask_for_code
from tui.domain.question import Cause, Choice, Question
from tui.domain.resumes import Whom
from tui.domain.spend import Consent, ConsentKind, Outcome, Proposal, Spend
from tui.errors import ResetbankError
from tui.ui.view.asking import answered_text
from tui.ui.view.outcome import finish_lines, result_lines
from tui.ui.view.queueing import offer, queue_lines, terms
from tui.ui.view.resuming import limit_stands, to_carry
from tui.ui.view.sessions import names_of
from tui.ui.view.spending import changed_since, proposal_lines
from tui.ui.view.spoken import WIDE, answers, spoken, spoken_lines
from tui.ui.view.times import next_at

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tui.cli.plain import Plain
    from tui.companion.companion import Companion

WORDS: Final = {
    "spend": "spend",
    "spend_only": "only",
    "finish": "spend",
    "queue": "queue",
    "queue_it": "queue",
    "wait": "wait",
    "let_fail": "fail",
    "later_5": "5",
    "later_15": "15",
    "mute": "mute",
    "close": "no",
    "continue": "continue",
    "answer": "ask",
    "refresh": "read",
}
"""The word to type for each command of the screen."""

HELP: Final = {
    "status": "says everything again",
    "spend": "spends one reset, after a code; finishes a spend that is open",
    "queue": "queues one reset for the limit, after a code; takes out one that is queued",
    "continue": "carries on the sessions that a limit stopped",
    "ask": "asks the closed question again",
    "unwait": "waits no longer",
    "read": "reads the limits now",
    "account NAME": "makes what is typed for another account",
    "quit": "leaves, as Ctrl+C does",
}
"""What can be typed at any time."""

_CHOICES: Final = {
    "wait": Choice.WAIT,
    "fail": Choice.LET_FAIL,
    "5": Choice.LATER_5,
    "15": Choice.LATER_15,
    "mute": Choice.NOT_UNTIL_RESET,
}
_MORNING: Final = (7, 0)


def lapsing_credit(question: Question | None) -> str | None:
    """The reset that a question is about, where it is about one."""
    return question.lapse.credit.id if question is not None and question.lapse is not None else None


class Answers:
    """Carries out one typed line after the other; what it does is said by the ledger and the topics."""

    def __init__(self, plain: "Plain", typed: TypedLines) -> None:
        self._plain = plain
        self._typed = typed
        self._keys: set[str] = set()
        self._is_spending = False
        self.is_busy = False
        """Whether a line is being carried out."""

    def has_spent(self, spend: Spend) -> bool:
        """Whether it is a spend of this program, whose result is said by itself."""
        return self._is_spending or spend.key in self._keys

    async def take(self) -> None:
        """Take lines until there are no more, or one that leaves."""
        while (line := await self._typed.read()) is not None:
            self.is_busy = True
            try:
                await self._do(line.strip().lower())
            except ResetbankError as error:
                self._plain.say(spoken(str(error)))
            finally:
                self.is_busy = False
                self._plain.go_on()
        self._plain.leave()

    async def _do(self, word: str) -> None:
        companion = self._plain.current
        question = companion.state.question
        match word:
            case "":
                return
            case "quit" | "q":
                self._plain.leave()
            case "help" | "?":
                self._help()
            case "status":
                self._plain.repeat()
            case "read":
                companion.refresh()
            case "spend" | "only":
                await self._spend(companion, question, goes_on=word == "spend")
            case "queue":
                await self._queue(companion, question)
            case "continue":
                await self._continue(companion)
            case "ask":
                if companion.questions.reopen() is None:
                    self._plain.say("There is no question now.")
            case "unwait":
                await companion.questions.cancel_wait()
            case _ if word.startswith("account "):
                self._plain.choose(word.removeprefix("account ").strip())
            case "no" if question is not None:
                await companion.questions.answer(question, None)
                self._plain.say("Closed. Type ask to be asked again.")
            case _ if question is not None and _CHOICES.get(word) in question.choices:
                choice = _CHOICES[word]
                await companion.questions.answer(question, choice)
                if choice is not Choice.WAIT:  # that goes on, and is said as what stands
                    self._plain.say(spoken(answered_text(question, choice).capitalize()))
            case _:
                self._plain.say(f"'{word}' means nothing here; help lists what does.")

    def _help(self) -> None:
        companion = self._plain.current
        if (question := companion.state.question) is not None:
            found = answers(self._plain.view(companion.state), question, WORDS)
            self._plain.say(*(f"{word}: {spoken(does)}" for word, does in found.items()))
        words = {word: does for word, does in HELP.items() if self._plain.name or " " not in word}
        self._plain.say(*(f"{word}: {spoken(does)}" for word, does in words.items()))

    async def _consents(self, what: str) -> bool:
        """Ask for a code that consents to what was just said; whatever happens meanwhile is said afterwards."""
        self._plain.hold_back()
        what += f" (account {self._plain.name})" if self._plain.name else ""
        why = await ask_for_code(what, sys.stdout, self._typed)
        self._plain.go_on()
        if why is not None:
            self._plain.say(f"{why[0].upper()}{why[1:]}; nothing was done.")
        return why is None

    async def _spend(self, companion: "Companion", question: Question | None, *, goes_on: bool) -> None:
        """Finish the open spend, or propose one and spend it by a code."""
        view = self._plain.view(companion.state)
        if (kept := companion.state.open_spend) is not None:
            if kept.asks_again(view.now):
                self._plain.say(*spoken_lines(finish_lines(kept, view.now, view.zone, WIDE)))
                if not await self._consents("finish it now"):
                    return
            spend = await self._driven(companion.spender.finish())
        else:
            stands_still = question is None and limit_stands(view) and companion.resumer.limit_stops()
            if stands_still and companion.questions.reopen() is not None:
                return  # it is said, and asks again: sessions can go on with the spend
            if question is not None and Choice.SPEND_ONLY not in question.choices:
                question = None  # the evening's, which spends nothing now
            whom: tuple[str, ...] = ()
            if question is not None and goes_on and question.lapse is None:
                stopped = (stop.thread_id for stop in companion.resumer.limit_stops())
                whom = tuple(dict.fromkeys((*question.threads, *stopped)))
            found = await self._proposed(companion, question, whom)
            if found is None:
                return
            spend = await self._driven(self._spend_once(companion, question, found, whom))
        if spend is None:
            self._plain.go_on("Nothing is open any more.")
            return
        view = self._plain.view(companion.state)
        self._plain.go_on(*spoken_lines(result_lines(spend, view.now, view.zone, WIDE, finish="'spend' finishes it")))
        if spend.outcome is Outcome.RESET:
            companion.let_go(spend.journaled_at)

    async def _driven(self, work: "Awaitable[Spend | None]") -> Spend | None:
        """Drive a spend to its end; what came of it is said once, from here."""
        self._is_spending = True
        self._plain.hold_back()
        try:
            spend = await work
        finally:
            self._is_spending = False
        if spend is not None:
            self._keys.add(spend.key)
        return spend

    async def _proposed(
        self, companion: "Companion", question: Question | None, whom: tuple[str, ...]
    ) -> Proposal | None:
        """The proposal that the typed code consented to; None where none did."""
        while True:
            proposal = await companion.spender.propose(lapsing_credit(question))
            view = self._plain.view(companion.state)
            self._plain.say(*spoken_lines(proposal_lines(proposal, view.now, view.zone, WIDE)))
            names = list(names_of(view.state.sessions, whom).values())
            then = f" and let {', '.join(names)} go on" if names else ""
            if not await self._consents(f"spend this reset{then}"):
                return None
            if question is not None and companion.state.question != question:
                self._plain.say("The question is another one by now; nothing was spent.")
                return None
            reason = changed_since(proposal, companion.state, companion.clock.now())
            if reason is None:
                return proposal
            self._plain.say(spoken(f"Asked again, because {reason}"))

    async def _spend_once(
        self, companion: "Companion", question: Question | None, proposal: Proposal, whom: tuple[str, ...]
    ) -> Spend:
        if question is not None:
            await companion.questions.answer(question, Choice.SPEND_AND_CONTINUE if whom else Choice.SPEND_ONLY)
        return await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()), whom or False)

    async def _queue(self, companion: "Companion", question: Question | None) -> None:
        """Queue one by a code, confirm one of before the restart, or take one out."""
        view = self._plain.view(companion.state)
        queued = view.state.queued
        if queued is not None and not queued.needs_fresh_yes:
            await companion.questions.cancel_queue()
            return
        offered = offer(view)
        if isinstance(offered, str):
            self._plain.say(spoken(offered.capitalize()))
            return
        night = question is not None and question.cause is Cause.EVENING
        until = next_at(*_MORNING, view.now, view.zone) if night else None
        whom: Whom = question.threads if question is not None and question.threads and not night else True
        self._plain.say(*spoken_lines(queue_lines(view, offered, whom, WIDE, 1, until)))
        if not await self._consents("queue this reset"):
            return
        now = self._plain.view(companion.state)
        if terms(now, offer(now)) != terms(view, offered):
            self._plain.say("What would be queued is another by now; nothing was queued.")
        elif queued is not None:
            await companion.questions.confirm_queue(queued)
        elif question is not None and Choice.QUEUE in question.choices and not night:
            await companion.questions.answer(question, Choice.QUEUE, whom)
        else:
            await companion.questions.queue(True, 1, until)
            if night and question is not None:
                await companion.questions.answer(question, None)

    async def _continue(self, companion: "Companion") -> None:
        """Carry on every session that a limit stopped."""
        view = self._plain.view(companion.state)
        stops = to_carry(view)
        if stops and limit_stands(view):
            self._plain.say("The limit still stands, so a message would only fail.")
        elif not stops:
            self._plain.say("No session stands still at a limit.")
        else:
            await companion.resumer.resume(stops, tuple(stop.thread_id for stop in stops))
            await companion.questions.dismiss_notice()
