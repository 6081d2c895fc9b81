"""The one value that the companion publishes and every front end shows, and its keeper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tui.domain.invites import InviteState
from tui.domain.resumes import ResumeLog
from tui.domain.snapshot import STALE_AFTER, Account
from tui.domain.windows import NEAR_PERCENT

if TYPE_CHECKING:  # a command that only reads needs few of them
    from tui.domain.hooks import GateMode, HookStatus
    from tui.domain.ledger import Event
    from tui.domain.outlook import Outlook
    from tui.domain.question import NoQuestion, Question
    from tui.domain.queue import Queued
    from tui.domain.reading import Costs
    from tui.domain.sessions import Session
    from tui.domain.snapshot import Snapshot
    from tui.domain.spend import Spend
    from tui.domain.waiting import Announcement, Waiting


class Link(msgspec.Struct, frozen=True):
    """How things stand with the source."""

    source: str | None = None
    """The source in use; None before the first was found."""
    failure: str | None = None
    """Why the last attempt failed, one line; None while all is well."""
    failing_since: datetime | None = None
    next_poll_at: datetime | None = None
    interval: timedelta | None = None
    """How often it is read at present."""

    @property
    def has_answered(self) -> bool:
        """Whether a first attempt to read is over, well or not."""
        return self.source is not None or self.failure is not None

    def healthy(self, source: str | None) -> Link:
        """After a good reading."""
        return replace(self, source=source, failure=None, failing_since=None)

    def failing(self, why: str, now: datetime, interval: timedelta) -> Link:
        """After a failed one; the next is tried after the interval."""
        since = self.failing_since or now
        return replace(self, failure=why, failing_since=since, interval=interval, next_poll_at=now + interval)


class Problem(msgspec.Struct, frozen=True):
    """What went wrong in a long task; of an unforeseen error never the text, which may quote anything."""

    task: str
    """The task's name; it was started again."""
    error: str
    """The error's type; or the reason, where it was foreseen."""
    place: str
    """File and line where it was raised; empty where it was foreseen."""

    @property
    def text(self) -> str:
        """One line for a person."""
        if not self.place:
            return f"{self.task}: {self.error}"
        return f"unexpected {self.error} in {self.task} at {self.place}; it was started again, please report it"


class State(msgspec.Struct, frozen=True):
    """Everything there is to show of one account. Ages and countdowns follow from it and `now`."""

    account_name: str = ""
    """What the account is called in the settings; empty where it has no name."""

    codex_home: str | None = None
    """Codex's folder, where the command `codex` alone would use another."""

    snapshot: Snapshot | None = None
    """The last good reading; kept while its source fails."""
    link: Link = msgspec.field(default_factory=Link)
    open_spend: Spend | None = None
    """A spend that is under way, here or elsewhere, or whose outcome is unknown."""
    spending: bool = False
    """Whether this process drives it right now."""
    recent: tuple[Event, ...] = ()
    """The newest events of the ledger, oldest first."""
    demo: str | None = None
    """The scenario of the embedded stub; None on real data."""
    near_percent: float = NEAR_PERCENT
    store_failure: str | None = None
    """Why nothing can be written down, and therefore nothing spent; None while all is well."""
    sessions: Mapping[str, Session] = msgspec.field(default_factory=dict)
    """Every known session by thread id; `domain.sessions.live` picks those worth showing."""
    watches_sessions: bool = False
    """Whether any feed of sessions is followed."""
    outlook: Outlook | None = None
    """What is expected of the account, from its own past; None until enough was read to look ahead."""
    costs: Costs | None = None
    """What the service last said that live sessions took; None where it does not tell."""
    past_read: float | None = None
    """The share of the past on the disk that is read by now; None while none is being read."""
    question: Question | None = None
    """What the person is asked right now."""
    no_question: NoQuestion | None = None
    """Why nothing is asked; where a limit is reached or near, worth one quiet line."""
    queued: Queued | None = None
    """The reset that waits for the limit; one armed by another process needs a fresh yes here."""
    waiting: Waiting | None = None
    """Somebody wants a notice at the natural reset."""
    announcement: Announcement | None = None
    """Work can go on again, seen in a reading; kept until it was acknowledged."""
    resumes: ResumeLog = msgspec.field(default_factory=ResumeLog)
    """The threads that were told to go on, and how far that came."""
    gate: GateMode | None = None
    """The answer to held requests; None where this process does not keep the gate."""
    hooks: tuple[HookStatus, ...] = ()
    """How what Codex runs for us stands, by its files; empty where that is not looked at."""
    invites: InviteState = msgspec.field(default_factory=InviteState)
    """The referral programme and this account's invites."""
    problems: tuple[Problem, ...] = ()
    """Unforeseen errors, one per task, until the task has run well for a while."""

    @property
    def account_key(self) -> str | None:
        """The account in use; None while none was read."""
        return self.snapshot.account.key if self.snapshot else None

    @property
    def filed_under(self) -> str:
        """The account in the ledger; before the first reading only its name in the settings is known."""
        return self.account_key or Account(name=self.account_name).key

    def is_stale(self, now: datetime) -> bool:
        """Whether the numbers are older than they should be, or their source fails."""
        if self.snapshot is None or self.link.failure is not None:
            return self.snapshot is not None
        return self.snapshot.provenance.age(now) > self.fresh_for

    @property
    def fresh_for(self) -> timedelta:
        """How old the numbers may be; longer while they are seldom read."""
        return max(STALE_AFTER, 2.5 * (self.link.interval or timedelta(0)))


class StateStore:
    """Holds the newest State, the only thing that the companion's parts share, and informs whoever listens."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._listeners: list[Callable[[State], None]] = []

    @property
    def state(self) -> State:
        """The newest State."""
        return self._state

    def listen(self, on_state: Callable[[State], None]) -> Callable[[], None]:
        """Call back with every new State, on the loop, until the function that is returned ends it."""
        self._listeners.append(on_state)
        return lambda: self._listeners.remove(on_state) if on_state in self._listeners else None

    @contextmanager
    def listening(self, on_state: Callable[[State], None]) -> Iterator[None]:
        """Call back with every new State for a while."""
        unlisten = self.listen(on_state)
        try:
            yield
        finally:
            unlisten()

    async def until(self, holds: Callable[[State], bool]) -> None:
        """Wait for a State in which something holds."""
        import asyncio  # 20 ms that a command which only reads never pays

        found = asyncio.Event()
        with self.listening(lambda state: found.set() if holds(state) else None):
            if not holds(self._state):
                await found.wait()

    def update(
        self,
        *,
        snapshot: Snapshot | UnsetType | None = UNSET,
        link: Link | UnsetType = UNSET,
        open_spend: Spend | UnsetType | None = UNSET,
        spending: bool | UnsetType = UNSET,
        recent: tuple[Event, ...] | UnsetType = UNSET,
        store_failure: str | UnsetType | None = UNSET,
        sessions: Mapping[str, Session] | UnsetType = UNSET,
        watches_sessions: bool | UnsetType = UNSET,
        outlook: Outlook | UnsetType | None = UNSET,
        costs: Costs | UnsetType | None = UNSET,
        past_read: float | UnsetType | None = UNSET,
        question: Question | UnsetType | None = UNSET,
        no_question: NoQuestion | UnsetType | None = UNSET,
        queued: Queued | UnsetType | None = UNSET,
        waiting: Waiting | UnsetType | None = UNSET,
        announcement: Announcement | UnsetType | None = UNSET,
        resumes: ResumeLog | UnsetType = UNSET,
        gate: GateMode | UnsetType | None = UNSET,
        hooks: tuple[HookStatus, ...] | UnsetType = UNSET,
        invites: InviteState | UnsetType = UNSET,
        problems: tuple[Problem, ...] | UnsetType = UNSET,
    ) -> None:
        """Change the given fields; listeners hear of it only if something differs."""
        given = {name: value for name, value in locals().items() if name != "self" and value is not UNSET}
        self.show(replace(self._state, **given))

    def report(self, task: str, problem: Problem | None) -> None:
        """Show what went wrong in a task, or with None that it is well again."""
        problems = {known.task: known for known in self._state.problems}
        if problem is not None:
            problems[task] = problem
        else:
            problems.pop(task, None)
        self.update(problems=tuple(problems.values()))

    def show(self, changed: State) -> None:
        """Take another State as a whole; listeners hear of it only if something differs."""
        if changed == self._state:
            return
        self._state = changed
        for listener in tuple(self._listeners):
            if self._state is not changed:
                return  # a listener has changed it again, and everybody has heard of that
            listener(changed)
