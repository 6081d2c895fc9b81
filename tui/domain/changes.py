"""Noticing what changed between two readings without our doing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from tui.domain.credits import Credit, CreditStatus, same_moment
from tui.domain.ledger import Event, EventKind
from tui.domain.snapshot import Snapshot
from tui.domain.windows import RESET_GRACE, Window, WindowState, has_moved, label, limit_label

_EARLY_DROP: Final = 5.0
"""A window that falls by fewer points was recalculated, not reset."""

_LONG_MINUTES: Final = 24 * 60
"""The natural reset of a window that is shorter is news only where it was used up."""


class Spent(msgspec.Struct, frozen=True):
    """What this program's own spends explain, so that it is no news."""

    windows: bool = False
    """Whether one was under way between the two readings."""
    count: int = 0
    """How many may have taken a reset since the single credits were read."""
    credits: frozenset[str] = frozenset()
    """Every credit that was ever spent here, or may have been."""


def notice(before: Snapshot | None, after: Snapshot, spent: Spent | None = None) -> tuple[Event, ...]:
    """The changes between two readings of one account, for the ledger; of a first one, only that limits are reached."""
    if before is None:
        return tuple(_limit_events(None, after))
    if before.account.key != after.account.key:
        return ()
    spent = spent or Spent()
    events = [*_limit_events(before, after), *_credit_events(before, after, spent)]
    if not spent.windows:
        events += _window_events(before, after)
    if before.account.plan and after.account.plan and before.account.plan != after.account.plan:
        change = before.account.plan, after.account.plan
        events.append(_event(after, EventKind.PLAN_CHANGED, "the plan changed", change=change))
    return tuple(events)


def _event(
    seen: Snapshot,
    kind: EventKind,
    text: str,
    *,
    credit: Credit | None = None,
    window: Window | None = None,
    change: tuple[object, object] = (None, None),
) -> Event:
    before, after = (None if value is None else str(value) for value in change)
    where, of_window = seen.provenance, str(window.kind) if window else None
    about = credit.id if credit else None
    return Event(where.observed_at, kind, seen.account.key, text, where.source, about, None, of_window, before, after)


def _credit_events(before: Snapshot, after: Snapshot, spent: Spent) -> Iterator[Event]:
    old, new = before.bank, after.bank
    if old.credits is None or new.credits is None:
        yield from _count_events(before, after, spent)
        return
    now = after.provenance.observed_at
    known = {credit.id for credit in old.credits}
    for credit in new.credits:
        if credit.id in known or credit.status is not CreditStatus.AVAILABLE:
            continue
        # A capped list moves up when a row above is spent: only a grant since the last look is surely news.
        newly_granted = (
            credit.granted_at is not None and credit.granted_at >= before.provenance.observed_at - RESET_GRACE
        )
        if old.is_complete or newly_granted:
            earned = f"a reset was earned by an invite ({credit.granted_by})"
            text = earned if credit.is_earned else "a reset was granted"
            yield _event(after, EventKind.CREDIT_GRANTED, text, credit=credit)
    for credit in old.credits:
        if credit.status is not CreditStatus.AVAILABLE or credit.id in spent.credits:
            continue
        current = new.find(credit.id)
        if current is not None and current.status in (CreditStatus.AVAILABLE, CreditStatus.UNKNOWN):
            if not same_moment(current.expires_at, credit.expires_at):
                change = (_utc(credit.expires_at), _utc(current.expires_at))
                text = "a reset's last moment changed"
                yield _event(after, EventKind.EXPIRY_CHANGED, text, credit=credit, change=change)
        elif current is not None:
            text = "a reset was redeemed, but not through this program"
            yield _event(after, EventKind.CREDIT_REDEEMED, text, credit=credit)
        elif credit.is_expired(now):
            yield _event(after, EventKind.CREDIT_EXPIRED, "a reset expired unused", credit=credit)
        elif new.is_complete:
            text = "a reset vanished from the bank before its time"
            yield _event(after, EventKind.CREDIT_VANISHED, text, credit=credit)


def _count_events(before: Snapshot, after: Snapshot, spent: Spent) -> Iterator[Event]:
    old, new = before.bank.available, after.bank.available
    if old is None or new is None:
        return
    if not old - spent.count <= new <= old or (spent.count == 0 and new != old):
        text = "the number of banked resets changed"
        yield _event(after, EventKind.COUNT_CHANGED, text, change=(old, new))


def _limit_events(before: Snapshot | None, after: Snapshot) -> Iterator[Event]:
    """That limits were reached, once for each time a window is used up."""
    now = after.provenance.observed_at
    known = {window.key: window for window in before.windows} if before else {}
    for window in after.windows:
        old = known.get(window.key)
        was_reached = old is not None and old.state(now) is WindowState.REACHED
        if window.state(now) is WindowState.REACHED and not was_reached:
            yield _event(after, EventKind.LIMIT_REACHED, f"the {limit_label(window)} was reached", window=window)


def _window_events(before: Snapshot, after: Snapshot) -> Iterator[Event]:
    now = after.provenance.observed_at
    current = {window.key: window for window in after.windows}
    for old in before.windows:
        new = current.get(old.key)
        if new is None or old.resets_at is None or old.is_idle(before.provenance.observed_at):
            continue
        if now >= old.resets_at - RESET_GRACE:
            if (old.is_full or (old.minutes or 0) >= _LONG_MINUTES) and has_moved(old, new):
                text = f"the {limit_label(old)} was reset, at its own time"
                yield _event(after, EventKind.WINDOW_RESET, text, window=old)
            continue
        if not old.used_percent and new.is_idle(now):
            continue  # it has not started: its date slides along with the clock
        if old.used_percent is not None and new.used_percent is not None:
            drop = old.used_percent - new.used_percent
            if drop >= _EARLY_DROP and new.used_percent <= old.used_percent / 4:
                yield _event(
                    after,
                    EventKind.WINDOW_RESET_EARLY,
                    f"{label(old)} was reset before its time, without a spend of ours",
                    window=old,
                    change=(f"{old.used_percent:g} %", f"{new.used_percent:g} %"),
                )
        if has_moved(old, new):
            text = f"the reset of {label(old)} moved"
            yield _event(
                after, EventKind.RESET_MOVED, text, window=old, change=(_utc(old.resets_at), _utc(new.resets_at))
            )


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
