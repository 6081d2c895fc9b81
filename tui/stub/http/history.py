"""What the service says of the past: events of the bank, periods of the plan's limits, the share of each thread. Pure.

How the answer about threads wraps its rows was not seen; it repeats the request's own word, `threads`.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5
from zlib import crc32

import msgspec

from tui.domain.windows import WindowKind
from tui.stub.database.accounts import Reading
from tui.stub.http.answers import Payload, rfc3339
from tui.stub.refused import Refused
from tui.stub.rules.windows import DAY
from tui.stub.scenarios import MODEL

PAGE: Final = 20
"""Events of the bank in one answer."""

_EVENT_IDS: Final = UUID("0a4c8f1e-7e1a-5b8b-9d5e-2f6d1c5f3b70")


class ThreadQuery(msgspec.Struct, frozen=True):
    """One thread that a client asks about."""

    thread_id: str
    descendant_thread_ids: Sequence[str] = ()
    """Threads that it started; their requests count as its own."""


def reset_history(reading: Reading, cursor: str | None) -> Payload:
    """One page of the grants and redemptions of the last 30 days, newest first; it names no credit.

    The cursor is the `next_cursor` of the page before, or None; `Refused` where it is not one that was given here.
    """
    since = reading.now - 30 * DAY
    found = []
    for credit in reading.credits:
        for kind, moment in (("granted", credit.granted_at), ("used", credit.redeemed_at)):
            if moment is not None and moment >= since:
                found.append((moment, str(uuid5(_EVENT_IDS, f"{kind}:{credit.id}")), kind))
    found.sort(reverse=True)
    cursors = [None, *(event_id for _, event_id, _ in found)]
    if cursor not in cursors:
        raise Refused(400, "the cursor is not one that was given here")
    start = cursors.index(cursor)
    page = found[start : start + PAGE]
    return {
        "as_of": rfc3339(reading.now),
        "window_start": rfc3339(since),
        "events": [{"id": event, "kind": kind, "occurred_at": rfc3339(moment)} for moment, event, kind in page],
        "next_cursor": page[-1][1] if start + PAGE < len(found) else None,
    }


def plan_limit_history(reading: Reading, days: int) -> Payload:
    """How full each finished window was in the last days, up to one day ago; the newest of each length first.

    The service keeps no such record: the shares are made up, always the same ones for the same period.
    """
    as_of = reading.now - DAY
    since = as_of - days * DAY
    return {
        "data_as_of": rfc3339(as_of),
        "coverage_start": rfc3339(since),
        "coverage_complete": True,
        "approximate": False,
        "boundary_tolerance_seconds": 60,
        "periods": [
            _period(reading, window.kind, start, length)
            for window in reading.main_windows
            for length in (window.seconds,)
            for start in range((int(as_of) // length - 1) * length, int(since) - 1, -length)
        ],
    }


def _period(reading: Reading, kind: WindowKind, start: int, length: int) -> Payload:
    name = f"{reading.account}:{kind}:{start}"
    used = crc32(name.encode()) % 9_500
    return {
        "id": str(uuid5(_EVENT_IDS, name)),
        "window_minutes": length // 60,
        "plan_type": reading.plan,
        "starts_at": rfc3339(start),
        "ends_at": rfc3339(start + length),
        "accounting_complete": True,
        "used_basis_points": used,
        "breakdowns": [{"dimension": "model", "rows": [{"key": MODEL, "basis_points": used}]}],
    }


def thread_usage(reading: Reading, requests: Mapping[str, int], asked: Sequence[ThreadQuery]) -> Payload:
    """The share of each window that a thread's requests took; a thread that was never seen has no shares."""
    rows: list[Payload] = []
    for query in asked:
        count = sum(requests.get(thread, 0) for thread in {query.thread_id, *query.descendant_thread_ids})
        shares = {kind: count * cost for kind, cost in reading.terms.turn_costs.items()} if count else {}
        row = {
            "thread_id": query.thread_id,
            "five_hour_limit_percent": shares.get(WindowKind.FIVE_HOUR),
            "weekly_limit_percent": shares.get(WindowKind.WEEKLY),
            "balance_usage_credits": 0 if count else None,
            "data_status": "complete" if count else "unavailable",
        }
        rows.append(row)
    return {"threads": rows}
