"""What the service says of the past: resets granted and used, without their ids; full windows; the share of threads."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from tui.domain.reading import PastPeriod, SessionCost
from tui.domain.witness import ResetHistory
from tui.wire.fields import FieldReader, clean_text, load_object

MOST_EVENTS: Final = 500
_LONGEST_ID: Final = 200
_LONGEST_CURSOR: Final = 1000
_MOST_PERIODS: Final = 2000
_MOST_MINUTES: Final = 60 * 24 * 400


class HistoryPage(msgspec.Struct, frozen=True):
    """One answer of the history of resets."""

    history: ResetHistory
    cursor: str | None = None
    """What the next page is asked for with; None on the last one."""


def decode_history(body: bytes) -> HistoryPage:
    """Read an answer of the history; events of other kinds, and without an id, are passed over."""
    reader = FieldReader()
    kinds: dict[str, dict[str, datetime | None]] = {"used": {}, "granted": {}}
    payload = load_object(body, "the history of resets")
    for event in reader.rows(payload.get("events"), "the history", MOST_EVENTS, "an event of the history"):
        event_id = event.get("id")
        kind = event.get("kind")
        if isinstance(kind, str) and kind in kinds and isinstance(event_id, str) and event_id:
            moment = reader.moment(event.get("occurred_at"), f"when a reset was {kind}")
            kinds[kind][clean_text(event_id, _LONGEST_ID)] = moment
    cursor = payload.get("next_cursor")
    # It is sent back to the letter: a flood in its place is no cursor.
    is_usable = isinstance(cursor, str) and 0 < len(cursor) <= _LONGEST_CURSOR
    return HistoryPage(ResetHistory(**kinds), str(cursor) if is_usable else None)


def decode_periods(body: bytes) -> tuple[PastPeriod, ...]:
    """Read an answer about windows that are over; one that is not fully accounted for is passed over."""
    reader = FieldReader()
    found = []
    listed = load_object(body, "the history of limits").get("periods")
    for period in reader.rows(listed, "the periods", _MOST_PERIODS, "a period of the history"):
        starts = reader.moment(period.get("starts_at"), "when a period began")
        ends = reader.moment(period.get("ends_at"), "when a period ended")
        minutes = reader.number(period.get("window_minutes"), "a period's length", _MOST_MINUTES)
        points = reader.number(period.get("used_basis_points"), "what a period used", 1e7)
        is_whole = period.get("accounting_complete") is not False
        if starts is None or ends is None or points is None or not minutes or not is_whole or ends <= starts:
            continue
        found.append(PastPeriod(int(minutes), starts.timestamp(), ends.timestamp(), points / 100))
    return tuple(sorted(found, key=lambda period: period.ends_at))


def encode_thread_query(thread_ids: Iterable[str]) -> bytes:
    """Ask what threads took; when each began, its own id says."""
    threads: list[dict[str, object]] = [
        {"thread_id": thread, "created_at": _began(thread), "descendant_thread_ids": []} for thread in thread_ids
    ]
    return msgspec.json.encode({"threads": threads})


def _began(thread_id: str) -> str | None:
    """The moment in a UUID of version 7; None for another id."""
    digits = thread_id.replace("-", "")
    try:
        moment = datetime.fromtimestamp(int(digits[:12], 16) / 1000, UTC) if digits[12:13] == "7" else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def decode_thread_usage(body: bytes) -> tuple[SessionCost, ...]:
    """Read what threads took; one without any share is passed over."""
    reader = FieldReader()
    found = []
    listed = load_object(body, "the use of threads").get("threads")
    for row in reader.rows(listed, "the threads", _MOST_PERIODS, "a thread's use"):
        thread = row.get("thread_id")
        five = reader.percent(row.get("five_hour_limit_percent"), "a thread's share of five hours")
        week = reader.percent(row.get("weekly_limit_percent"), "a thread's share of the week")
        if isinstance(thread, str) and thread and (five is not None or week is not None):
            found.append(SessionCost(clean_text(thread, _LONGEST_ID), five, week))
    return tuple(found)
