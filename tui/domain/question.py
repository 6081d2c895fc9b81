"""The words of asking: what a person is asked, what they may answer, and why nothing is asked."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

import msgspec

from tui.domain.credits import Credit
from tui.domain.lapses import Lapse
from tui.domain.resets import WindowMark, mark
from tui.domain.resumes import LimitStop
from tui.domain.snapshot import Account
from tui.domain.windows import Window, WindowKey

LEAST_WAITING: Final = timedelta(minutes=5)
"""A natural reset that is no further away is waited for; the settings can move it."""


class Cause(StrEnum):
    """Why a person is asked."""

    STOPPED = "stopped"
    """A session stopped at the limit."""
    HELD = "held"
    """A session is held at the limit; others may have stopped."""
    ABOUT_TO_STOP = "about_to_stop"
    """A session is at work, and the limit is expected within the lead time."""
    EVENING = "evening"
    """Nobody is stopped, and tonight's jobs will likely hit a limit while nobody is there."""
    LAPSING = "lapsing"
    """A reset lapses within a day, or within the hour, and something is used that it would give back."""


class Choice(StrEnum):
    """What a person may answer."""

    SPEND_AND_CONTINUE = "spend_and_continue"
    SPEND_ONLY = "spend_only"
    QUEUE = "queue"
    """Spend one when the limit is really reached."""
    WAIT = "wait"
    """Wait for the natural reset, and go on by itself."""
    LET_FAIL = "let_fail"
    """Let the held requests go, though the service will refuse them."""
    LATER_5 = "later_5"
    LATER_15 = "later_15"
    NOT_UNTIL_RESET = "not_until_reset"


LATER: Final = {Choice.LATER_5: timedelta(minutes=5), Choice.LATER_15: timedelta(minutes=15)}
"""For how long each kind of "later" holds."""


class AskRules(msgspec.Struct, frozen=True):
    """When a person wants to be asked; the settings' section `[ask]`."""

    enabled: bool = True
    lead: timedelta = timedelta(minutes=20)
    """A limit that is expected within this time is worth a question."""
    least_waiting: timedelta = LEAST_WAITING
    """Work that would stand still no longer than this is not worth one."""
    daily_cap: int = 6
    """Questions a day at most, a question that was put off and came back included."""
    zone: tzinfo = UTC
    """Where the reader lives: their day starts there."""


class Question(msgspec.Struct, frozen=True):
    """One question with all that it says; the dialog and `watch` show nothing else."""

    asked_at: datetime
    cause: Cause
    account: Account
    window: Window
    """The window that binds."""
    window_seen_at: datetime
    """The reading it comes from."""
    threads: tuple[str, ...]
    """Whom it concerns: the sessions that are held or stopped, or those at work."""
    stops: tuple[LimitStop, ...]
    """The stopped ones with their moments; empty where nothing stopped yet."""
    natural_reset: datetime | None
    """When the window resets by itself, by the service's word; None where unknown."""
    empty_at: datetime | None
    """When the limit is expected; None where it is reached already."""
    credit: Credit | None
    """The reset that would be spent, the soonest to expire; None where only a count is known."""
    lapse: Lapse | None = None
    """The reset that lapses and how soon, where it is about that."""

    why: str = ""
    """What an expectation of the night rests on."""

    @property
    def key(self) -> WindowKey:
        """Which window it is about."""
        return self.window.key

    @property
    def mark(self) -> WindowMark:
        """The window as it is to be remembered."""
        return mark(self.window, self.window_seen_at)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What may be answered: a reached limit has nothing to queue for, and only what is held can be let go."""
        if self.cause is Cause.EVENING:
            return (Choice.QUEUE,)
        if self.cause is Cause.LAPSING:
            return (Choice.SPEND_ONLY, *LATER, Choice.NOT_UNTIL_RESET)
        needs = {Choice.QUEUE: Cause.ABOUT_TO_STOP, Choice.LET_FAIL: Cause.HELD}
        return tuple(choice for choice in Choice if needs.get(choice, self.cause) is self.cause)


class NoQuestionReason(StrEnum):
    """Why nothing is asked."""

    DISABLED = "disabled"
    UNKNOWN = "unknown"
    """Nothing was read yet, or too little to tell."""
    STALE = "stale"
    NOTHING_RUNNING = "nothing_running"
    """No session is at work and none was stopped."""
    NO_LIMIT_NEAR = "no_limit_near"
    """Sessions are at work, and no limit is reached or expected soon."""
    PAID_CREDITS = "paid_credits"
    """Work goes on with bought credits where the window ends."""
    WORKSPACE_CAP = "workspace_cap"
    """A cap of the workspace holds, which no banked reset lifts."""
    SPEND_LOCKED = "spend_locked"
    RESET_NEAR = "reset_near"
    BANK_EMPTY = "bank_empty"
    BANK_UNKNOWN = "bank_unknown"
    MUTED = "muted"
    WAITING = "waiting"
    QUEUED = "queued"
    SPENT = "spent"
    """A reset was spent on this question, and the window was not yet reset."""
    SNOOZED = "snoozed"
    ALREADY_ASKED = "already_asked"
    DAILY_CAP = "daily_cap"


class NoQuestion(msgspec.Struct, frozen=True):
    """Nothing is asked; where a limit is reached or near, with what one quiet line needs."""

    reason: NoQuestionReason
    cause: Cause | None = None
    window: Window | None = None
    """The window that is full or near; None where none is."""

    @property
    def natural_reset(self) -> datetime | None:
        """When that window resets by itself."""
        return self.window.resets_at if self.window else None
