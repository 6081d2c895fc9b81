"""The service's own history of resets: what was granted and what was used, without the resets' ids."""

from datetime import datetime
from typing import Final

from tui.domain.witness import ResetHistory
from tui.wire.fields import FieldReader, clean_text, load_object

MOST_EVENTS: Final = 500
_LONGEST_ID: Final = 200


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
