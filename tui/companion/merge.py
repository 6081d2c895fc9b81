"""Putting a fresh reading on top of the last one."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.companion.schedule import CREDITS_EVERY
from tui.domain.snapshot import Snapshot

ROLLOUT: Final = "rollout"
"""The source of numbers that were read off a session's own file."""


def merge(previous: Snapshot | None, fresh: Snapshot) -> Snapshot:
    """Carry the single credits over into a reading that came without them, as long as the count agrees."""
    if previous is None or fresh.bank.credits is not None or previous.bank.credits is None:
        return fresh
    if previous.account.key != fresh.account.key or previous.bank.available != fresh.bank.available:
        return fresh
    return replace(fresh, bank=previous.bank)


def wants_credits(known: Snapshot | None, now: datetime) -> bool:
    """Whether the single credits are due: never read yet, or read too long ago."""
    if known is None or known.bank.credits_observed_at is None:
        return True
    age = now - known.bank.credits_observed_at
    return not timedelta(0) <= age < CREDITS_EVERY  # below zero: the clock was set back


def count_moved(known: Snapshot | None, fresh: Snapshot) -> bool:
    """Whether a reading without single credits shows another count than the credits that are known."""
    if known is None or fresh.bank.credits is not None or fresh.bank.available is None:
        return False
    return known.bank.available != fresh.bank.available


def is_outrun(asked: Snapshot | None, known: Snapshot | None, fresh: Snapshot) -> bool:
    """Whether an answer shows less use than a session's own file did while it was under way, so may be from before."""
    if known is None or known is asked or known.provenance.source != ROLLOUT:
        return False
    shown = {window.key: window.used_percent for window in fresh.windows}
    return any((shown.get(window.key) or 0.0) < (window.used_percent or 0.0) for window in known.windows)


def has_moved_percent(previous: Snapshot | None, fresh: Snapshot) -> bool:
    """Whether any window's share differs between two readings: a sign that somebody is at work."""
    if previous is None:
        return True
    before = {window.key: window.used_percent for window in previous.windows}
    return any(before.get(window.key) != window.used_percent for window in fresh.windows)
