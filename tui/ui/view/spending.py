"""What spending one reset would mean, as shown before the consent."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from tui.companion.state import State
from tui.domain.credits import Credit, CreditStatus
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Effect, Proposal
from tui.domain.windows import MAIN_LIMIT, RESET_GRACE, WindowKind, label
from tui.ui.view.text import Level, Line, Span, clean, fit, named, right
from tui.ui.view.times import brief, countdown, full, last_moment
from tui.ui.view.words import percent, resets

_LITTLE_USED: Final = 50.0
"""Below this share in every window a spend wins little."""

_SOON: Final = timedelta(minutes=30)
"""A natural reset nearer than this is worth a warning."""

_HARDLY_MOVED: Final = timedelta(hours=1)
"""A week whose date moves by less than this gives nothing up."""

_FELL: Final = 5.0
"""A window that fell by more points since the question was made no longer fits it."""


def proposal_lines(
    proposal: Proposal, now: datetime, zone: tzinfo, width: int, *, choice: tuple[int, int] | None = None
) -> tuple[Line, ...]:
    """The consequences; `choice` is which of how many spendable resets this is, None where there is no choice."""
    return (
        *named("Waiting", Span(_waiting(proposal, now, zone)), width=width),
        *effect_lines(proposal, now, zone, width, choice=choice),
        *note_lines(warnings(proposal, now), width),
    )


def effect_lines(
    proposal: Proposal, now: datetime, zone: tzinfo, width: int, *, choice: tuple[int, int] | None = None
) -> tuple[Line, ...]:
    """What is spent, and what that does to each window and to the bank; as `proposal_lines` takes it."""
    lines: list[Line] = []
    lines += named("Spending", *credit_spans(proposal.credit, now, zone, choice), width=width)
    for effect in proposal.effects:
        lines += named(f"  {label(effect.before)}", Span(_effect(effect, now, zone)), width=width)
    if proposal.resets_left is not None:
        lines += named("  then", Span(f"{resets(proposal.resets_left)} left"), width=width)
    others = dict.fromkeys(clean(w.limit_name or w.limit_id) for w in proposal.before if w.limit_id != MAIN_LIMIT)
    if others:
        lines += named("  others", Span(f"{', '.join(others)}: not stated to be reset", Level.DIM), width=width)
    return tuple(lines)


def note_lines(notes: Iterable[str], width: int) -> tuple[Line, ...]:
    """What speaks against it, one note below the other."""
    return tuple(line for text in notes for line in named("! Note", Span(text), width=width, level=Level.NEAR))


def _waiting(proposal: Proposal, now: datetime, zone: tzinfo) -> str:
    if proposal.waiting_saved is None:
        return "none now: work does not stand still"
    ends = proposal.proposed_at + proposal.waiting_saved
    return f"saves waiting until {brief(ends, now, zone)}, {countdown(ends - now)}"


def credit_spans(
    credit: Credit | None, now: datetime, zone: tzinfo, choice: tuple[int, int] | None = None
) -> Iterator[Span]:
    """One reset with its lapse; None is one that the service chooses."""
    if credit is None:
        yield Span("one reset, which one the service chooses: it listed none")
        return
    yield Span(fit(clean(credit.title or "") or "Reset", 30), Level.STRONG)
    if credit.expires_at is not None:
        when = last_moment(credit.expires_at, now, zone)
        yield Span(f", lapses {when} ({countdown(credit.expires_at - now)})")
    else:
        yield Span(", never lapses" if credit.never_expires else ", when it lapses is unknown")
    if choice and choice[1] > 1:
        yield Span(f"  ↑↓ {choice[0]} of {choice[1]}", Level.DIM)


def _effect(effect: Effect, now: datetime, zone: tzinfo) -> str:
    window = effect.before
    change = f"{right(percent(window.used_percent), 5)} → {percent(0.0)} expected"
    if window.kind not in (WindowKind.WEEKLY, WindowKind.MONTHLY) or not window.resets_at or not effect.expected_reset:
        return change
    dates = f"{full(window.resets_at, now, zone)} → {full(effect.expected_reset, now, zone)}"
    return f"{change}, reset may move {dates}"


def warnings(proposal: Proposal, now: datetime, *, week_too: bool = True) -> tuple[str, ...]:
    """What speaks against spending now; the rest of the week is left out where it is said elsewhere."""
    found: list[str] = []
    windows = [effect.before for effect in proposal.effects]
    used = [window.used_percent for window in windows]
    known = [share for share in used if share is not None]
    if proposal.nothing_used:
        found.append("nothing is used: there is nothing to reset")
    elif known and len(known) == len(used) and max(known) < _LITTLE_USED:
        found.append(f"only {percent(max(known))} used: a reset would win little now")
    if not windows or len(known) < len(used):
        found.append("not every window is known, so what it would win is uncertain")
    fullest = max((w for w in windows if w.used_percent is not None), key=lambda w: w.used_percent or 0, default=None)
    if fullest and fullest.resets_at and timedelta(0) < fullest.resets_at - now <= _SOON and not proposal.nothing_used:
        found.append(f"{label(fullest)} resets by itself in {countdown(fullest.resets_at - now)}")
    week = next((w for w in windows if w.kind is WindowKind.WEEKLY), None)
    moves = bool(week and week.resets_at and week.length and now + week.length - week.resets_at > _HARDLY_MOVED)
    if week_too and moves and proposal.unused_week_percent:
        share = percent(proposal.unused_week_percent)
        found.append(f"if the weekly date moves, you give up the {share} you have left this week")
    return tuple(found)


def changed_since(proposal: Proposal, state: State, now: datetime) -> str | None:
    """Why a question no longer fits the world and has to be asked anew; None while it does.

    A spend that was right when the question was shown can be wrong a minute later: a window was reset by itself, or
    another program took the credit.
    """
    if proposal.is_outdated(now):
        return "the question was too old"
    if proposal.credit and proposal.credit.is_expired(now):
        return "that reset has lapsed"
    started = [e.before for e in proposal.effects]
    if any(w.resets_at and w.resets_at > proposal.proposed_at and now >= w.resets_at + RESET_GRACE for w in started):
        return "a window has reset by itself"
    snapshot = state.snapshot
    if snapshot is None or snapshot.provenance.observed_at <= proposal.proposed_at:
        return None
    return _contradiction(proposal, snapshot)


def _contradiction(proposal: Proposal, snapshot: Snapshot) -> str | None:
    if snapshot.account.key != proposal.account.key:
        return "the account changed"
    expected = None if proposal.resets_left is None else proposal.resets_left + 1
    if None not in (expected, snapshot.bank.available) and snapshot.bank.available != expected:
        return "the bank changed"
    if proposal.credit and snapshot.bank.credits is not None:
        current = snapshot.bank.find(proposal.credit.id)
        if current is not None and current.status is not CreditStatus.AVAILABLE:
            return "that reset is no longer available"
    fresh = {(window.limit_id, window.minutes): window for window in snapshot.windows}
    for before in proposal.before:
        after = fresh.get((before.limit_id, before.minutes))
        if not after or before.used_percent is None or after.used_percent is None:
            continue
        if before.used_percent - after.used_percent > _FELL:
            return f"{label(before)} fell to {percent(after.used_percent)}"
    return None
