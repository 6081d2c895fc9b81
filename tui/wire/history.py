"""The service's own history of resets: what was granted and what was used, without the resets' ids."""

from datetime import datetime
from typing import Final

from tui.wire.fields import FieldReader, clean_text, load_object

MOST_EVENTS: Final = 500
_LONGEST_ID: Final = 200


def decode_used(body: bytes) -> dict[str, datetime | None]:
    """The events that say that a reset was used: when each was, by its id; None where that is unknown.

    Raises:
        BadPayload: The body is no history.
    """
    reader = FieldReader()
    found: dict[str, datetime | None] = {}
    for item in (
        reader.items(load_object(body, "the history of resets").get("events"), "the history", MOST_EVENTS) or ()
    ):
        event = reader.mapping(item, "an event of the history") or {}
        event_id = event.get("id")
        if event.get("kind") == "used" and isinstance(event_id, str) and event_id:
            moment = reader.moment(event.get("occurred_at"), "when a reset was used")
            found[clean_text(event_id, _LONGEST_ID)] = moment
    return found
