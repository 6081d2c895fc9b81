"""A reading as one ready row for `resetbank line`, which draws a prompt and has no time for rules of its own."""

from datetime import datetime, timedelta

import msgspec

from tui.domain.snapshot import STALE_AFTER, Snapshot
from tui.domain.windows import NEAR_PERCENT, RESET_GRACE, label


class WindowSummary(msgspec.Struct, frozen=True):
    """One window of the main limit."""

    kind: str
    label: str
    percent: float | None
    state: str
    resets: float | None
    """Seconds since 1970, as all times here."""


class Summary(msgspec.Struct, frozen=True):
    """What a status line shows, judged when it was read."""

    account: str
    source: str
    state: str
    windows: tuple[WindowSummary, ...]
    resets: int | None
    """How many can be spent."""
    lapses: float | None
    """When the first of them is lost."""
    observed: float
    stale: float
    """From when on it is too old to judge by."""
    over: float | None
    """When the first window starts afresh: nothing is known then before the next reading."""


def summary_of(snapshot: Snapshot, near_percent: float = NEAR_PERCENT, fresh_for: timedelta = STALE_AFTER) -> Summary:
    """Judge a reading at the moment it was made.

    It counts as fresh for longer where somebody goes on reading.
    """
    now = snapshot.provenance.observed_at
    windows = snapshot.main_windows
    expiries = [credit.expires_at for credit in snapshot.bank.spendable(now) if credit.expires_at is not None]
    ends = [window.resets_at + RESET_GRACE for window in windows if window.resets_at is not None]
    return Summary(
        account=snapshot.account.key,
        source=snapshot.provenance.source,
        state=snapshot.state(now, near_percent),
        windows=tuple(
            WindowSummary(
                kind=window.kind,
                label=label(window),
                percent=window.used_percent,
                state=window.state(now, near_percent),
                resets=_seconds(window.resets_at),
            )
            for window in windows
        ),
        resets=snapshot.bank.usable(now),
        lapses=_seconds(min(expiries, default=None)),
        observed=now.timestamp(),
        stale=(now + fresh_for).timestamp(),
        over=_seconds(min(ends, default=None)),
    )


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
