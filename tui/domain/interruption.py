"""When to ask: once, when work stopped or is about to stop, and only where an answer can help."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tui.domain.ask_memory import AskMemory, observed
from tui.domain.held_sessions import held
from tui.domain.lapses import ASKED, lapses
from tui.domain.limit_stops import at_work, binding_window, is_open, stops
from tui.domain.question import AskRules, Cause, NoQuestion, NoQuestionReason, Question
from tui.domain.resumes import LimitStop
from tui.domain.sessions import Session
from tui.domain.snapshot import Snapshot
from tui.domain.spend import choose_credit
from tui.domain.windows import Window, WindowKey

if TYPE_CHECKING:
    from tui.domain.outlook import Outlook

_SAME_RESET: Final = 600.0
"""A forecast whose reset is further off, in seconds, is that of another window or of another account."""


class Situation(msgspec.Struct, frozen=True):
    """How things stand at one moment."""

    snapshot: Snapshot | None
    sessions: Mapping[str, Session]
    outlook: "Outlook | None" = None
    """What is expected; None while too little was read."""
    stale: bool = False
    """Whether the snapshot is too old to act on, or its source fails."""
    spend_locked: bool = False
    """Whether no spend could begin: one is under way or unknown, or nothing can be written down."""
    queued: bool = False
    """Whether a reset is armed for the limit, so that nobody needs to be asked."""
    waiting_for: WindowKey | None = None
    """The window whose reset the person waits for."""
    spent_at: datetime | None = None
    """When the last spend was consented to that took a reset, or may have."""


class _Occasion(msgspec.Struct, frozen=True):
    """Something that may be worth a question."""

    cause: Cause
    window: Window
    threads: tuple[str, ...]
    stops: tuple[LimitStop, ...]
    empty_at: datetime | None

    def waiting(self, now: datetime) -> timedelta | None:
        """How long work would stand still without a spend."""
        if self.window.resets_at is None:
            return None
        return self.window.resets_at - max(now, self.empty_at or now)


def decide(situation: Situation, rules: AskRules, memory: AskMemory, now: datetime) -> Question | NoQuestion:
    """Ask one question, or say why not.

    The caller shows a `Question` and then calls `ask_memory.asked`; it calls `ask_memory.observed` with every reading.
    """
    if not rules.enabled:
        return NoQuestion(NoQuestionReason.DISABLED)
    snapshot = situation.snapshot
    if snapshot is None:
        return NoQuestion(NoQuestionReason.UNKNOWN)
    if situation.stale:
        return NoQuestion(NoQuestionReason.STALE)
    memory = observed(memory, snapshot)
    occasions = _occasions(situation, snapshot, rules, memory, now)
    if isinstance(occasions, NoQuestionReason):
        return _unhurried(situation, snapshot, rules, memory, now) or NoQuestion(occasions)
    quiet = []
    for occasion in occasions:
        reason = _veto(occasion, situation, snapshot, rules, memory, now)
        if reason is None:
            return _question(occasion, snapshot, now)
        quiet.append(NoQuestion(reason, occasion.cause, occasion.window))
    return _unhurried(situation, snapshot, rules, memory, now) or quiet[0]


def _unhurried(
    situation: Situation, snapshot: Snapshot, rules: AskRules, memory: AskMemory, now: datetime
) -> Question | None:
    """A question about what stops nobody yet: a reset that lapses, or the night."""
    window = binding_window(snapshot)
    if window is None or situation.queued or situation.spend_locked:
        return None
    if not snapshot.reset_helps(now) or _is_capped(rules, memory, now):
        return None
    return _lapse_question(window, snapshot, memory, now) or _evening_question(
        window, situation, snapshot, rules, memory, now
    )


def _evening_question(
    window: Window, situation: Situation, snapshot: Snapshot, rules: AskRules, memory: AskMemory, now: datetime
) -> Question | None:
    """Offer a queue for the night, once an evening, where the limit will likely be hit in it."""
    night = situation.outlook.tonight if situation.outlook else None
    if night is None or night.hit_at <= now.timestamp() or not rules.lead or snapshot.is_reached(now):
        return None
    asked_on = memory.evening_at.astimezone(rules.zone).date() if memory.evening_at else None
    if asked_on == now.astimezone(rules.zone).date() or _bank_veto(snapshot, now) is not None:
        return None
    occasion = _Occasion(Cause.EVENING, window, (), (), datetime.fromtimestamp(night.hit_at, UTC))
    return replace(_question(occasion, snapshot, now), why=night.why)


def _lapse_question(window: Window, snapshot: Snapshot, memory: AskMemory, now: datetime) -> Question | None:
    """Ask about a reset that is lost within a day, once for each of the last steps, where it would give anything."""
    if not window.used_percent:
        return None
    for lapse in lapses(snapshot.bank, now):
        if lapse.step in ASKED and memory.veto_lapse(lapse, now) is None:
            occasion = _Occasion(Cause.LAPSING, window, (), (), None)
            return replace(_question(occasion, snapshot, now), credit=lapse.credit, lapse=lapse)
    return None


def still_stands(question: Question, situation: Situation, now: datetime) -> bool:
    """Whether an open question is still worth an answer; if not, it is taken off the screen.

    A forecast that wavers does not close it. What is stale closes nothing either: the answer leads to a fresh reading.
    """
    snapshot = situation.snapshot
    if question.cause is Cause.EVENING and snapshot is not None and question.empty_at is not None:
        is_open = now < question.empty_at and not situation.queued and _bank_veto(snapshot, now) is None
        return is_open and not question.account.differs_from(snapshot.account)
    if question.lapse is not None and snapshot is not None:
        listed = snapshot.bank.find(question.lapse.credit.id)
        is_there = listed is not None and listed.refusal(now) is None and not situation.queued
        return is_there and not question.account.differs_from(snapshot.account)
    if snapshot is None or question.account.differs_from(snapshot.account) or question.mark.has_reset(snapshot):
        return False
    if question.cause is not Cause.HELD and _bank_veto(snapshot, now) is not None:
        return False
    still = {stop.thread_id for stop in stops(situation.sessions, snapshot, now)}
    still |= set(_held_at(snapshot, situation))
    if question.cause is Cause.ABOUT_TO_STOP:
        still |= set(at_work(situation.sessions, now, snapshot))
    return bool(still) if question.cause is Cause.ABOUT_TO_STOP else bool(still & set(question.threads))


def _occasions(
    situation: Situation, snapshot: Snapshot, rules: AskRules, memory: AskMemory, now: datetime
) -> list[_Occasion] | NoQuestionReason:
    """What may be worth a question, the most pressing first; never an empty list."""
    stopped = stops(situation.sessions, snapshot, now, memory.open_at)
    waiting = _held_at(snapshot, situation)
    working = at_work(situation.sessions, now, snapshot)
    window = binding_window(snapshot)
    if not stopped and not working and not waiting:
        return NoQuestionReason.NOTHING_RUNNING
    if window is None:
        return NoQuestionReason.UNKNOWN
    if waiting or stopped:
        threads = (*waiting, *(stop.thread_id for stop in stopped if stop.thread_id not in waiting))
        return [_Occasion(Cause.HELD if waiting else Cause.STOPPED, window, threads, stopped, None)]
    if snapshot.is_reached(now):
        return [_Occasion(Cause.ABOUT_TO_STOP, window, working, (), now)]
    expected = [
        _Occasion(Cause.ABOUT_TO_STOP, window, working, (), empty_at)
        for empty_at, window in _expected(situation, snapshot, rules, now)
    ]
    if expected and snapshot.has_paid_credits:
        return NoQuestionReason.PAID_CREDITS
    return expected or NoQuestionReason.NO_LIMIT_NEAR


def _held_at(snapshot: Snapshot, situation: Situation) -> tuple[str, ...]:
    """The threads that are held, while the limit lasts: where there is room again, they are about to go."""
    window = binding_window(snapshot)
    if (window is None or not window.is_full) and is_open(snapshot):
        return ()
    return tuple(session.thread_id for session in held(situation.sessions))


def _expected(
    situation: Situation, snapshot: Snapshot, rules: AskRules, now: datetime
) -> list[tuple[datetime, Window]]:
    """The main limit's windows that may well be used up within the lead time, the first to be so first.

    That is where a warning by chance holds; or where, by the forecast on screen, it is as likely as not. The moment is
    the forecast's, or its early end where it is less likely than not that the window is full before it resets.
    """
    outlook = situation.outlook
    if outlook is None or not rules.lead:
        return []
    warned = {one.minutes for one in outlook.warned}
    found = []
    for window in snapshot.main_windows:
        forecast = outlook.forecast_of(window.minutes)
        if forecast is None or forecast.limit_at is None or forecast.resets_at is None or window.resets_at is None:
            continue
        limit = forecast.limit_at
        moment = limit.p10 if limit.p50 is None and window.minutes in warned else limit.p50
        if moment is None or abs(forecast.resets_at - window.resets_at.timestamp()) > _SAME_RESET:
            continue
        empty_at = max(now, datetime.fromtimestamp(moment, UTC))
        if empty_at < window.resets_at and (window.minutes in warned or empty_at - now <= rules.lead):
            found.append((empty_at, window))
    return sorted(found, key=lambda pair: (pair[0], pair[1].minutes or 0))


def is_settled(question: Question, situation: Situation, memory: AskMemory, now: datetime) -> NoQuestionReason | None:
    """Why a question that is open, or is to be opened again, is settled; None while it is not."""
    if question.cause is Cause.EVENING:
        return NoQuestionReason.QUEUED if situation.queued else None
    if question.lapse is not None:
        return memory.veto_lapse(question.lapse, now)
    return settled(situation, question.key, question.cause, memory, now)


def settled(
    situation: Situation, key: WindowKey, cause: Cause, memory: AskMemory, now: datetime
) -> NoQuestionReason | None:
    """Why a window needs no question by what is in hand and what was answered; None while it does."""
    if situation.queued:
        return NoQuestionReason.QUEUED
    if situation.waiting_for == key:
        return NoQuestionReason.WAITING
    entry = memory.find(key)
    if entry is None:
        return None
    if situation.spent_at is not None and entry.asked_at is not None and situation.spent_at >= entry.asked_at:
        return NoQuestionReason.SPENT
    return entry.veto(cause, now)


def _veto(
    occasion: _Occasion, situation: Situation, snapshot: Snapshot, rules: AskRules, memory: AskMemory, now: datetime
) -> NoQuestionReason | None:
    waiting = occasion.waiting(now)
    if situation.spend_locked:
        return NoQuestionReason.SPEND_LOCKED
    if not snapshot.reset_helps(now):
        return NoQuestionReason.WORKSPACE_CAP
    if waiting is not None and waiting <= rules.least_waiting:
        return NoQuestionReason.RESET_NEAR
    # What is held can wait or be let go without any reset.
    if occasion.cause is not Cause.HELD and (empty := _bank_veto(snapshot, now)) is not None:
        return empty
    if (reason := settled(situation, occasion.window.key, occasion.cause, memory, now)) is not None:
        return reason
    return NoQuestionReason.DAILY_CAP if _is_capped(rules, memory, now) else None


def _is_capped(rules: AskRules, memory: AskMemory, now: datetime) -> bool:
    return memory.asked_on(now.astimezone(rules.zone).date(), rules.zone) >= rules.daily_cap


def _bank_veto(snapshot: Snapshot, now: datetime) -> NoQuestionReason | None:
    bank = snapshot.bank
    if bank.available is None and bank.credits is None:
        return NoQuestionReason.BANK_UNKNOWN
    # The count is authoritative: rows that are read less often may still show what is gone.
    none_left = bank.available == 0 or isinstance(choose_credit(bank, now), str)
    return NoQuestionReason.BANK_EMPTY if none_left else None


def _question(occasion: _Occasion, snapshot: Snapshot, now: datetime) -> Question:
    chosen = choose_credit(snapshot.bank, now)
    credit = None if isinstance(chosen, str) else chosen
    return Question(
        asked_at=now,
        cause=occasion.cause,
        account=snapshot.account,
        window=occasion.window,
        window_seen_at=snapshot.provenance.observed_at,
        threads=occasion.threads,
        stops=occasion.stops,
        natural_reset=occasion.window.resets_at,
        empty_at=occasion.empty_at,
        credit=credit,
    )
