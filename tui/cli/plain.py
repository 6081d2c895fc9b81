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
    from tui.domain.ledger import Event
    from tui.domain.spend import Spend

LOOK_SECONDS: Final = 15.0
"""Between two looks at what only the clock changes."""


def run(arguments: argparse.Namespace) -> int:
    """Say what happens until it is left."""
    from tui.assembly import SourceOptions
    from tui.assembly.several import screen_connector
    from tui.cli import confirm_auth_link
    from tui.cli.accounts import choose_account
    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    choose_account(arguments, settings)
    confirm_auth_link(arguments)
    mark = mark_of_codex() if arguments.demo is None else None
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    can_ask = has_terminal and mark is None
    options = SourceOptions.of(arguments)
    connect = screen_connector(options, settings, paths, front_end="resetbank --plain", asks=can_ask)
    before_lapse, codex = settings.spend.before_lapse, settings.codex.command
    plain = Plain(can_ask=can_ask, read_only=mark, before_lapse=before_lapse, codex=codex)
    return asyncio.run(plain.follow(connect))


class Plain:
    """Says what stands and what changes, and takes what is typed."""

    def __init__(self, *, can_ask: bool, read_only: str | None, before_lapse: float, codex: str) -> None:
        """Say nothing yet.

        Args:
            can_ask: Whether a person is there to be asked.
            read_only: The mark of Codex's agent, where one is set.
            before_lapse: From which share on one may be queued for its lapse.
            codex: The Codex executable, as a person types it.
        """
        self._can_ask = can_ask
        self._read_only = read_only
        self._before_lapse = before_lapse
        self._codex = codex
        self._clock = SystemClock()
        self._zone = LocalZone()
        self._told: dict[str, dict[str, Topic]] = {}
        self._asked: dict[str, Question] = {}
        self._kept: list[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._companions: list[Companion] = []
        self._answers: Answers | None = None

    async def follow(self, connect: "Callable[[], Awaitable[Companion]]") -> int:
        """Follow every account until it is left; returns the exit code."""
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ended = ended
        leave_on_signals(lambda _, code: self.leave(code))
        companion = await connect()
        work = companion.accounts or companion
        try:
            if companion.accounts is not None:
                companion.accounts.on_open(self._listen)
            else:
                self._listen(companion)
            running = asyncio.ensure_future(work.run())
            others = [asyncio.ensure_future(self._watch_clock())]
            if self._can_ask:
                self._answers = Answers(self, TypedLines())
                others.append(asyncio.ensure_future(self._answers.take()))
            try:
                waits: list[asyncio.Future[Any]] = [running, ended, *others]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for done in (running, *others):
                    if done.done() and not ended.done():
                        await done
                return ended.result() if ended.done() else 0
            finally:
                for task in (running, *others, *self._tasks):
                    task.cancel()
                await asyncio.gather(running, *others, *self._tasks, return_exceptions=True)
        finally:
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

    def view(self, companion: "Companion") -> ViewState:
        """An account as it stands now, with the words to type in the place of keys."""
        keys = {name: f"'{word}'" for name, word in WORDS.items()} if self._can_ask else {}
        return ViewState(
            companion.clock.now(),
            self._zone,
            companion.state,
            keys=keys,
            read_only=self._read_only,
            before_lapse=self._before_lapse,
            codex=self._codex,
        )

    @property
    def asked(self) -> "tuple[Companion, Question] | None":
        """The question that stands, of the account that asked last."""
        for companion in reversed(self._companions):
            if (question := companion.state.question) is not None:
                return companion, question
        return None

    @property
    def companions(self) -> "tuple[Companion, ...]":
        """Every account that is followed, the one in sight first."""
        return tuple(self._companions)

    def repeat(self) -> None:
        """Say everything again."""
        for companion in self._companions:
            self.say(*standing(self.view(companion)))

    def _listen(self, companion: "Companion") -> None:
        self._companions.append(companion)
        companion.listen(lambda _: self._look(companion))
        companion.records.listen(partial(self._on_line, companion))
        self._look(companion)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look(self, companion: "Companion") -> None:
        """Say what is new of an account, once it was read."""
        state, name = companion.state, companion.name
        if state.link.source is None and state.link.failure is None:
            return
        view = self.view(companion)
        found = topics(view)
        if name not in self._told:
            self.say(*standing(view))
            if self._can_ask and len(self._told) == 0:
                self.say("Each change is one line from now on. Type help and Enter for what can be typed.")
            elif view.is_read_only:
                self.say(f"Codex started this ({self._read_only} is set): nothing can be spent or sent from here.")
        else:
            self._say_at(view, *changes(self._told[name], found))
        self._told[name] = found
        asked, question = self._asked.get(name), state.question
        if question is None and asked is not None:
            del self._asked[name]
            if self._answers is not None and not self._answers.is_busy:
                self._say_at(view, spoken(settled_text(asked, view).capitalize()))
        elif question is not None and question != asked:
            self._asked[name] = question
            self._begin(self._ask(companion, question))

    async def _ask(self, companion: "Companion", question: Question) -> None:
        """Read afresh, then say the question and what can be typed."""
        proposal = None
        if question.cause is not Cause.EVENING:
            with suppress(ResetbankError):  # it is read again before anything is spent
                proposal = await companion.spender.propose(lapsing_credit(question))
        view = self.view(companion)
        if companion.state.question != question:
            return
        found = answers(view, question, WORDS)
        what = ", ".join(f"{word} ({does})" for word, does in found.items())
        self._say_at(view, *question_sentences(view, question, proposal), f"Type one of these and Enter: {what}.")

    def _on_line(self, companion: "Companion", event: "Event", spend: "Spend | None") -> None:
        if companion.name not in self._told:
            return
        is_own = self._answers is not None and spend is not None and self._answers.has_spent(spend)
        view = self.view(companion)
        if not is_own and (sentence := event_sentence(view, event, spend)) is not None:
            self._say_at(view, sentence)

    def _say_at(self, view: ViewState, *sentences: str) -> None:
        """Say what is new with the time, and with the account where there are several."""
        several = len(self._companions) > 1 and view.state.account_name
        start = f"{local(view.now, self._zone):%H:%M} {f'{view.state.account_name}: ' if several else ''}"
        self.say(*(start + sentence if number == 0 else sentence for number, sentence in enumerate(sentences)))

    async def _watch_clock(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            for companion in self._companions:
                self._look(companion)
