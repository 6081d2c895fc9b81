"""The service's own history: resets that were granted and used, without their ids; and windows that are over."""

from datetime import datetime
from typing import Final

from tui.domain.reading import PastPeriod
from tui.domain.witness import ResetHistory
from tui.wire.fields import FieldReader, clean_text, load_object

MOST_EVENTS: Final = 500
_LONGEST_ID: Final = 200
_MOST_PERIODS: Final = 2000
_MOST_MINUTES: Final = 60 * 24 * 400


def decode_history(body: bytes) -> ResetHistory:
    """Read an answer of the history; events of other kinds, and without an id, are passed over.

    Raises:
        BadPayload: The body is no history.
    """
    reader = FieldReader()
    kinds: dict[str, dict[str, datetime | None]] = {"used": {}, "granted": {}}
    for item in (
        reader.items(load_object(body, "the history of resets").get("events"), "the history", MOST_EVENTS) or ()
    ):
        event = reader.mapping(item, "an event of the history") or {}
        event_id = event.get("id")
        kind = event.get("kind")
        if isinstance(kind, str) and kind in kinds and isinstance(event_id, str) and event_id:
            moment = reader.moment(event.get("occurred_at"), f"when a reset was {kind}")
            kinds[kind][clean_text(event_id, _LONGEST_ID)] = moment
    return ResetHistory(**kinds)


def decode_periods(body: bytes) -> tuple[PastPeriod, ...]:
    """Read an answer about windows that are over; one that is not fully accounted for is passed over.

    Raises:
        BadPayload: The body is no such answer.
    """
    reader = FieldReader()
    found = []
    listed = load_object(body, "the history of limits").get("periods")
    for item in reader.items(listed, "the periods", _MOST_PERIODS) or ():
        period = reader.mapping(item, "a period of the history") or {}
        starts = reader.moment(period.get("starts_at"), "when a period began")
        ends = reader.moment(period.get("ends_at"), "when a period ended")
        minutes = reader.number(period.get("window_minutes"), "a period's length", _MOST_MINUTES)
        points = reader.number(period.get("used_basis_points"), "what a period used", 1e7)
        is_whole = period.get("accounting_complete") is not False
        if starts is None or ends is None or points is None or not minutes or not is_whole or ends <= starts:
            continue
        found.append(PastPeriod(int(minutes), starts.timestamp(), ends.timestamp(), points / 100))
    return tuple(sorted(found, key=lambda period: period.ends_at))
