"""What happened while nobody looked, as far as it matters to a person; everything else is in the ledger alone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from tui.domain.ledger import OF_HISTORY, Event, EventKind
from tui.domain.spend import ConsentKind

_ALWAYS: Final = OF_HISTORY | frozenset(
    {
        EventKind.CREDIT_VANISHED,
        EventKind.EXPIRY_CHANGED,
        EventKind.SPEND_REFUSED,
        EventKind.RESUMED,
        EventKind.PLAN_CHANGED,
        EventKind.INVITE_REWARDED,
    }
)
_BY_A_PERSON: Final = tuple(f"by {kind}" for kind in (ConsentKind.LETTER, ConsentKind.CODE))
"""How the lines end that tell of a consent that somebody gave then and there: no news to them."""


def matters(events: Iterable[Event], since: datetime) -> tuple[Event, ...]:
    """The lines of the ledger that a person who looked last then wants to hear of, oldest first, each matter once."""
    events = tuple(events)
    own = {
        event.request_id
        for event in events
        if event.kind is EventKind.SPEND_CONSENTED and event.text.endswith(_BY_A_PERSON)
    }
    found: list[Event] = []
    for event in events:
        if event.at <= since or not _matters(event, own):
            continue
        is_told = event.credit_id is not None and any(
            other.credit_id == event.credit_id and {other.kind, event.kind} == _ELSEWHERE for other in found
        )
        if not is_told:
            found.append(event)
    return tuple(found)


_ELSEWHERE: Final = {EventKind.CREDIT_REDEEMED, EventKind.SPENT_ELSEWHERE}
"""The same spend, seen in the bank and in the service's history."""


def _matters(event: Event, own: set[str | None]) -> bool:
    match event.kind:
        case EventKind.SPEND_CLOSED:
            return event.request_id not in own
        case EventKind.UNQUEUED:
            return not event.text.endswith("by hand")
        case EventKind.RESET_MOVED:
            return event.window != "five_hour"
        case EventKind.INVITE_CHANGED:
            return event.after not in ("sent", "opened")
    return event.kind in _ALWAYS
