"""What a spend really did, as the readings before and after show it."""

from datetime import timedelta

from tui.domain.spend import Outcome, Spend
from tui.domain.windows import MAIN_LIMIT, Window, WindowKind, has_moved, label


def has_dropped(before: Window, after: Window) -> bool | None:
    """Whether a window was cleared between two readings, but for a little use since; None where that cannot be told."""
    if before.used_percent is None or after.used_percent is None or before.used_percent == 0:
        return None
    return after.used_percent < before.used_percent and after.used_percent <= max(5.0, before.used_percent / 2)


def waiting_saved(spend: Spend) -> timedelta:
    """How long work would have stood still without it."""
    if spend.outcome is not Outcome.RESET:
        return timedelta(0)
    full = [w.resets_at for w in spend.before if w.is_full and w.resets_at is not None]
    return max(timedelta(0), max(full) - spend.journaled_at) if full else timedelta(0)


def mismatches(spend: Spend) -> tuple[str, ...]:
    """Where the re-reading contradicts the service's answer, plainly; empty where it agrees or nothing was re-read."""
    if spend.after is None:
        return ()
    before, left, gone = spend.resets_before, spend.resets_left, spend.gone or ()
    others = [credit for credit in gone if credit != spend.credit_id]
    found = []
    if spend.outcome is Outcome.RESET:
        found += [
            f"spent, but {label(old)} still {new.used_percent:.0f} %"
            for old, new in _main_windows(spend)
            if new is not None and has_dropped(old, new) is False
        ]
        if before is not None and left == before:
            found.append(f"spent, but the bank still counts {left}")
        if spend.credit_id is None:
            others = others[1:]  # the service chose one
        elif gone and spend.credit_id not in gone:
            found.append("another reset is gone instead of the one that was consented to")
            others = others[1:]
    elif spend.credit_id is not None and spend.credit_id in gone:
        found.append("the reset is gone from the bank: spent by this request, or elsewhere")
    elif before is not None and left is not None and left < before and not gone:
        found.append(f"not spent by the service's word, but the bank counts {left} instead of {before}")
    if others:
        found.append(f"{len(others)} more reset{'s are' if len(others) > 1 else ' is'} gone: {', '.join(others)}")
    return tuple(found)


def findings(spend: Spend) -> tuple[str, ...]:
    """What there is to say about a spend's end; where promise and observation disagree, that comes first."""
    facts = [spend.reason] if spend.reason else []
    if spend.outcome is Outcome.RESET and spend.after is None:
        facts.append("the limits could not be read again, so nothing is verified")
    if spend.outcome is Outcome.RESET:
        for old, new in _main_windows(spend):
            if new is None:
                facts.append(f"{label(old)} is no longer reported")
            elif old.kind in (WindowKind.WEEKLY, WindowKind.MONTHLY) and (moved := has_moved(old, new)):
                facts.append(f"the {label(old).lower()} now resets {moved:%Y-%m-%d %H:%M} UTC")
    return (*mismatches(spend), *facts)


def _main_windows(spend: Spend) -> list[tuple[Window, Window | None]]:
    """The main limit's windows before, each with itself after; none where nothing was re-read."""
    if spend.after is None:
        return []
    after = {window.key: window for window in spend.after}
    return [(old, after.get(old.key)) for old in spend.before if old.limit_id == MAIN_LIMIT]
