"""What was asked and answered, remembered until the window concerned was reset."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import same_moment
from tui.domain.lapses import Lapse
from tui.domain.limit_stops import is_open
from tui.domain.question import LATER, Cause, Choice, NoQuestionReason, Question
from tui.domain.resets import WindowMark
from tui.domain.snapshot import Account, Snapshot
from tui.domain.windows import WindowKey

_DAYS_KEPT: Final = timedelta(days=2)
"""Long enough for any local day."""


class Snooze(msgspec.Struct, frozen=True):
    """One "later"."""

    cause: Cause
    since: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it is not yet over; a clock that was set back ends it."""
        return self.since <= now < self.until


class Remembered(msgspec.Struct, frozen=True):
    """What was asked about one window."""

    mark: WindowMark
    asked: tuple[Cause, ...] = ()
    asked_at: datetime | None = None
    """The last question about it; a spend after that answered it."""
    snoozes: tuple[Snooze, ...] = ()
    muted: bool = False
    """The person wants no question until the window is reset."""
    lets_fail: bool = False
    """The person lets requests fail until then, rather than hold them."""

    def veto(self, cause: Cause, now: datetime) -> NoQuestionReason | None:
        """Why this window is not asked about again; None if it may be."""
        if self.muted:
            return NoQuestionReason.MUTED
        snooze = next((snooze for snooze in self.snoozes if snooze.cause is cause), None)
        if snooze is not None:
            return NoQuestionReason.SNOOZED if snooze.holds(now) else None
        # Once it is known to have stopped or held work, that it is about to is no news.
        hit = {Cause.STOPPED, Cause.HELD} & set(self.asked)
        return NoQuestionReason.ALREADY_ASKED if cause in self.asked or hit else None


class RememberedLapse(msgspec.Struct, frozen=True):
    """What was asked about one reset that lapses."""

    credit_id: str
    expires_at: datetime
    step: timedelta
    """The shortest step that was asked about."""
    snooze: Snooze | None = None
    muted: bool = False
    """The person wants to hear no more of it."""


class AskMemory(msgspec.Struct, frozen=True):
    """Everything that was asked; a value, safe to keep across a restart."""

    account: Account | None = None
    windows: tuple[Remembered, ...] = ()
    asked_at: tuple[datetime, ...] = ()
    """The questions of the last two days."""
    open_at: datetime | None = None
    """The last reading that clearly showed use to be allowed."""
    lapses: tuple[RememberedLapse, ...] = ()
    evening_at: datetime | None = None
    """When the night was last asked about."""

    def find(self, key: WindowKey) -> Remembered | None:
        """What is remembered of one window."""
        return next((entry for entry in self.windows if entry.mark.key == key), None)

    def veto_lapse(self, lapse: Lapse, now: datetime) -> NoQuestionReason | None:
        """Why a reset that lapses is not asked about again; None if it may be."""
        entry = self._lapse(lapse)
        if entry is None:
            return None
        if entry.muted:
            return NoQuestionReason.MUTED
        if entry.snooze is not None:
            return NoQuestionReason.SNOOZED if entry.snooze.holds(now) else None
        return NoQuestionReason.ALREADY_ASKED if entry.step <= lapse.step else None

    def _lapse(self, lapse: Lapse) -> RememberedLapse | None:
        same = (entry for entry in self.lapses if entry.credit_id == lapse.credit.id)
        return next((entry for entry in same if same_moment(entry.expires_at, lapse.expires_at)), None)

    def with_lapse(self, lapse: Lapse, *, snooze: Snooze | None = None, muted: bool = False) -> "AskMemory":
        """What was asked about a reset, or answered, remembered."""
        entry = RememberedLapse(lapse.credit.id, lapse.expires_at, lapse.step, snooze, muted)
        others = tuple(known for known in self.lapses if known.credit_id != lapse.credit.id)
        return replace(self, lapses=(*others, entry))

    def asked_on(self, day: date, zone: tzinfo) -> int:
        """How many questions were asked on a local day."""
        return sum(moment.astimezone(zone).date() == day for moment in self.asked_at)


def asked(memory: AskMemory, question: Question, now: datetime) -> AskMemory:
    """A question was put to the person."""
    moments = tuple(moment for moment in memory.asked_at if abs(now - moment) <= _DAYS_KEPT)
    memory = replace(memory, account=question.account, asked_at=(*moments, now))
    if question.cause is Cause.EVENING:
        return replace(memory, evening_at=now)
    if question.lapse is not None:
        return memory.with_lapse(question.lapse)
    entry = memory.find(question.key) or Remembered(question.mark)
    causes = entry.asked if question.cause in entry.asked else (*entry.asked, question.cause)
    return _with(memory, replace(entry, asked=causes, asked_at=now, snoozes=_others(entry, question.cause)))


def answered(memory: AskMemory, question: Question, choice: Choice, now: datetime) -> AskMemory:
    """The person answered.

    Only what no other record shows is remembered: a queued reset, a wait and a spend speak for themselves. A question
    that is closed without an answer needs no call: it is not asked again.
    """
    if question.cause is Cause.EVENING:
        return memory
    if question.lapse is not None:
        snooze = Snooze(question.cause, now, now + LATER[choice]) if choice in LATER else None
        return memory.with_lapse(question.lapse, snooze=snooze, muted=choice is Choice.NOT_UNTIL_RESET)
    # One that was opened by hand was never asked; one whose window was reset meanwhile goes with the next reading.
    entry = memory.find(question.key) or Remembered(question.mark)
    if choice in LATER:
        snooze = Snooze(question.cause, now, now + LATER[choice])
        return _with(memory, replace(entry, snoozes=(*_others(entry, question.cause), snooze)))
    if choice is Choice.LET_FAIL:
        return _with(memory, replace(entry, muted=True, lets_fail=True))
    return _with(memory, replace(entry, muted=True)) if choice is Choice.NOT_UNTIL_RESET else memory


def observed(memory: AskMemory, snapshot: Snapshot) -> AskMemory:
    """Take in a reading: windows that were reset are forgotten, another account's too."""
    at = snapshot.provenance.observed_at
    if memory.account is not None and memory.account.differs_from(snapshot.account):
        memory = AskMemory(asked_at=memory.asked_at, evening_at=memory.evening_at)
    kept = tuple(
        replace(entry, mark=entry.mark.follow(snapshot))
        for entry in memory.windows
        if not entry.mark.has_reset(snapshot)
    )
    newest = memory.open_at is None or at > memory.open_at
    open_at = at if newest and is_open(snapshot) else memory.open_at
    lapses = tuple(entry for entry in memory.lapses if entry.expires_at > at)
    return replace(memory, account=snapshot.account, windows=kept, open_at=open_at, lapses=lapses)


def _others(entry: Remembered, cause: Cause) -> tuple[Snooze, ...]:
    return tuple(snooze for snooze in entry.snoozes if snooze.cause is not cause)


def _with(memory: AskMemory, entry: Remembered) -> AskMemory:
    others = tuple(known for known in memory.windows if known.mark.key != entry.mark.key)
    return replace(memory, windows=(*others, entry))
