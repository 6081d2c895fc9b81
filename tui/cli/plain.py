"""`resetbank --plain`: no screen; what stands in sentences, then each change as one line, and questions as lines.

For those who have the terminal read aloud, and for terminals that cannot draw. Nothing is written twice, nothing is
drawn over, and what is spent needs the code that `resetbank spend` asks for.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tui.agent import mark_of_codex
from tui.cli.output import nobody_reads
from tui.cli.plain_answers import WORDS, Answers, lapsing_credit
from tui.cli.terminal import TypedLines
from tui.clock import LocalZone, SystemClock
from tui.concurrency import first_of
from tui.domain.question import Cause, Question
from tui.errors import ResetbankError
from tui.ui.terminal import leave_on_signals
from tui.ui.view.asking import settled_text
from tui.ui.view.spoken import (
    Topic,
    answers,
    changes,
    event_sentence,
    question_sentences,
    spoken,
    standing,
    topics,
)
from tui.ui.view.times import local
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.domain.ledger import Event
    from tui.domain.spend import Spend

LOOK_SECONDS: Final = 15.0
"""Between two looks at what only the clock changes."""


def run(arguments: argparse.Namespace) -> int:
    """Say what happens until it is left."""
    from tui.assembly import SourceOptions
    from tui.assembly.several import screen_connector
    from tui.cli.accounts import settings_for

    paths, settings = settings_for(arguments)
    mark = mark_of_codex() if arguments.demo is None else None
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    can_ask = has_terminal and mark is None
    options = SourceOptions.of(arguments)
    connect = screen_connector(options, settings, paths, front_end="resetbank --plain", asks=can_ask)
    plain = Plain(can_ask=can_ask, read_only=mark, codex=settings.codex.command)
    return asyncio.run(plain.follow(connect))


class Plain:
    """Says what stands and what changes, and takes what is typed."""

    current: "Companion"
    """The account that what is typed is for: the first one, or the one that asked last."""

    def __init__(self, *, can_ask: bool, read_only: str | None, codex: str) -> None:
        """Say nothing yet; `read_only` is the mark of Codex's agent, `codex` its executable as a person types it."""
        self._can_ask = can_ask
        self._read_only = read_only
        self._codex = codex
        self._clock = SystemClock()
        self._zone = LocalZone()
        self._said: dict[str, dict[str, Topic]] = {}
        self._asked: dict[str, Question] = {}
        self._kept: list[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._states: dict[str, State] = {}
        self._companions: dict[str, Companion] = {}
        self._answers: Answers | None = None

    async def follow(self, connect: "Callable[[], Awaitable[Companion]]") -> int:
        """Follow every account until it is left; returns the exit code."""
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ended = ended
        leave_on_signals(lambda _, code: self.leave(code))
        self.current = companion = await connect()
        work = companion.accounts or companion
        try:
            if companion.accounts is not None:
                companion.accounts.listen(self._look)
                companion.accounts.on_open(self._listen)
            else:
                companion.listen(self._look)
                self._listen(companion)
            works: list[Awaitable[Any]] = [work.run(), self._watch_clock()]
            if self._can_ask:
                self._answers = Answers(self, TypedLines())
                works.append(self._answers.take())
            over = await first_of(ended, *works)
            if ended in over:
                return ended.result()
            for failed in over:
                failed.result()
            return 0
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await work.aclose()

    def leave(self, code: int = 0) -> None:
        """End in good order."""
        if not self._ended.done():
            self._ended.set_result(code)

    def say(self, *sentences: str) -> None:
        """Print sentences, each on its own line; while a code is asked for they wait."""
        if self._kept is not None:
            self._kept += sentences
            return
        for sentence in sentences:
            print(sentence, flush=True)
        if nobody_reads():
            self.leave()

    def hold_back(self) -> None:
        """Keep what is said until the line that is asked for has come."""
        self._kept = self._kept or []

    def go_on(self, *first: str) -> None:
        """Say something first, then what was kept."""
        kept, self._kept = self._kept, None
        self.say(*first, *(kept or ()))

    def view(self, state: "State") -> ViewState:
        """An account as it stands now, with the words to type in the place of keys."""
        keys = {name: f"'{word}'" for name, word in WORDS.items()} if self._can_ask else {}
        return ViewState(
            self._clock.now(),
            self._zone,
            state,
            keys=keys,
            read_only=self._read_only,
            codex=self._codex,
        )

    @property
    def name(self) -> str:
        """The account that is in sight; empty where there is but one."""
        return self.current.name if len(self._states) > 1 else ""

    def choose(self, name: str) -> None:
        """Bring an account in sight, written in any case.

        Raises:
            ResetbankError: Its home or its address cannot be used.
        """
        accounts = self.current.accounts
        found = next((known for known in accounts.names if known.lower() == name), None) if accounts else None
        if accounts is None or found is None:
            self.say(f"There is no account {name}.")
            return
        self.current = accounts.show(found)
        self.say(f"What is typed is for {found} now.")

    def repeat(self) -> None:
        """Say everything again."""
        for state in self._states.values():
            self.say(*standing(self.view(state)))

    def _listen(self, companion: "Companion") -> None:
        self._companions[companion.name] = companion
        companion.records.listen(partial(self._on_line, companion))
        self._look(companion.state)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look(self, state: "State") -> None:
        """Say what is new of an account, once it was read."""
        name = state.account_name
        if state.link.source is None and state.link.failure is None:
            return
        self._states[name] = state
        view = self.view(state)
        found = topics(view)
        if name in self._said:
            self._say_at(view, *changes(self._said[name], found))
        else:
            self.say(*standing(view))
            if not self._said:
                self._say_how(view)
        self._said[name] = found
        asked, question = self._asked.get(name), state.question
        if question is None and asked is not None:
            del self._asked[name]
            if self._answers is not None and not self._answers.is_busy:
                self._say_at(view, spoken(settled_text(asked, view).capitalize()))
        elif question is not None and question != asked and name in self._companions:
            self._asked[name] = question
            self._begin(self._ask(self._companions[name], question))

    def _say_how(self, view: ViewState) -> None:
        if self._can_ask:
            self.say("Each change is one line from now on. Type help and Enter for what can be typed.")
        elif view.is_read_only:
            self.say(f"Codex started this ({self._read_only} is set): nothing can be spent or sent from here.")

    async def _ask(self, companion: "Companion", question: Question) -> None:
        """Read afresh, then say the question and what can be typed."""
        proposal = None
        if question.cause is not Cause.EVENING:
            with suppress(ResetbankError):  # it is read again before anything is spent
                proposal = await companion.spender.propose(lapsing_credit(question))
        view = self.view(companion.state)
        if companion.state.question != question:
            return
        self.current = companion
        found = answers(view, question, WORDS)
        what = ", ".join(f"{word} ({does})" for word, does in found.items())
        self._say_at(view, *question_sentences(view, question, proposal), f"Type one of these and Enter: {what}.")

    def _on_line(self, companion: "Companion", event: "Event", spend: "Spend | None") -> None:
        if companion.name not in self._said:
            return
        is_own = self._answers is not None and spend is not None and self._answers.has_spent(spend)
        view = self.view(companion.state)
        if not is_own and (sentence := event_sentence(view, event, spend)) is not None:
            self._say_at(view, sentence)

    def _say_at(self, view: ViewState, *sentences: str) -> None:
        """Say what is new with the time, and with the account where there are several."""
        account = f"{view.state.account_name}: " if len(self._states) > 1 else ""
        start = f"{local(view.now, self._zone):%H:%M} {account}"
        self.say(*(start + sentence if number == 0 else sentence for number, sentence in enumerate(sentences)))

    async def _watch_clock(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            for state in tuple(self._states.values()):
                self._look(state)
