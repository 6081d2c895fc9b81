"""What the keeper says to the hooks: whether the limit holds, until when, and what the person chose."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.held_sessions import HeldThread
from tui.domain.hooks import GateMode, GateState, Waiter
from tui.domain.limit_stops import allowed, binding_window, is_open
from tui.domain.snapshot import Snapshot
from tui.domain.windows import WindowState

READING_SECONDS: Final = timedelta(seconds=1)
"""How much earlier than it arrived a reading may have been true."""


class PlanUsers(msgspec.Struct, frozen=True):
    """Who of a Codex home's threads spends the plan, by its settings."""

    providers: tuple[str, ...] = ()
    """The model providers that use the plan's login."""
    default: bool = False
    """Whether the provider of a thread that does not say which it has is one of them."""


def is_held_for(snapshot: Snapshot, now: datetime, *, before_credits: bool) -> bool:
    """Whether requests are held at what this reading shows: a limit of the plan, which a reset or waiting can lift.

    Not where paid credits carry on, nor at a cap of the workspace.
    """
    if not snapshot.is_reached(now):
        return before_credits and _burns_credits(snapshot, now)
    if snapshot.spend_control is not None and snapshot.spend_control.reached:
        return False
    limit = snapshot.main_limit
    if limit is None or limit.reached_type not in (None, "rate_limit_reached"):
        return False
    return any(window.is_full for window in limit.windows)


def _burns_credits(snapshot: Snapshot, now: datetime) -> bool:
    full = (window for window in snapshot.main_windows if window.is_full)
    lasts = any(window.resets_at is not None and window.resets_at > now for window in full)
    return lasts and snapshot.has_paid_credits


def gate_state(
    snapshot: Snapshot | None,
    before: GateState,
    users: PlanUsers,
    now: datetime,
    *,
    before_credits: bool = False,
    waits: bool = False,
    lets_fail: bool = False,
    spent_at: datetime | None = None,
    note: str | None = None,
) -> GateState:
    """What to say to the hooks after a reading or an answer.

    Args:
        snapshot: The newest reading; None while nothing is known, which changes nothing.
        before: What was said to them last.
        users: Who spends the plan.
        now: The present moment.
        before_credits: Whether a request is held that paid credits would carry.
        waits: Whether the person chose to wait for the natural reset, and to go on by themselves.
        lets_fail: Whether the person chose to let requests fail.
        spent_at: When the reset was consented to whose spend this reading follows: meters from before say nothing now.
        note: What happened, for whoever is let go; None keeps a general word.
    """
    if snapshot is None:
        return before
    window = binding_window(snapshot)
    new = replace(
        before,
        resets_at=window.resets_at if window else None,
        account=snapshot.account.id,
        providers=users.providers,
        default_provider=users.default,
        before_credits=before_credits,
    )
    if is_held_for(snapshot, now, before_credits=before_credits):
        mode = GateMode.PASS if lets_fail else GateMode.WAIT if waits and new.resets_at else GateMode.CLOSED
        return replace(new, mode=mode, note=note)
    if not is_open(snapshot) or (allowed(snapshot) is None and snapshot.state(now) is WindowState.UNKNOWN):
        return before  # neither clearly open nor clearly reached: what was said last still holds
    since = snapshot.provenance.observed_at - READING_SECONDS
    if spent_at is not None and spent_at < snapshot.provenance.observed_at:
        since = max(since, spent_at)
    since = since if before.open_since is None else max(since, before.open_since)
    return replace(new, mode=GateMode.OPEN, open_since=since, resets_at=None, note=note or before.note)


def held_threads(waiters: tuple[Waiter, ...]) -> dict[str, HeldThread]:
    """The threads that are held, the longest held first; a subagent's request is its root's."""
    held: dict[str, HeldThread] = {}
    for waiter in sorted(waiters, key=lambda waiter: waiter.since):
        held.setdefault(waiter.session_id, HeldThread(waiter.since, waiter.workspace))
    return held
