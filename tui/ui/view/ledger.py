"""Events of the ledger as lines."""

from datetime import datetime
from typing import Final

from tui.domain.ledger import Event, EventKind
from tui.ui.view.text import Level, Line, Span, clean, wrap
from tui.ui.view.times import full, in_zone, local
from tui.ui.view.view_state import ViewState

_LEVELS: Final = {
    EventKind.SPEND_UNKNOWN: Level.NEAR,
    EventKind.CREDIT_EXPIRED: Level.NEAR,
    EventKind.CREDIT_REDEEMED: Level.NEAR,
    EventKind.SPENT_ELSEWHERE: Level.NEAR,
    EventKind.GRANT_MISSING: Level.NEAR,
    EventKind.CREDIT_VANISHED: Level.NEAR,
    EventKind.CREDIT_GRANTED: Level.OK,
}


def event_text(view: ViewState, event: Event) -> str:
    """What happened, with both sides of a change."""
    change = ""
    if event.before is not None or event.after is not None:
        change = f": {_value(view, event.before)}"
        change += f" → {_value(view, event.after)}" if event.after is not None else ""
    return clean(in_zone(event.text, view.now, view.zone)) + change


def _value(view: ViewState, value: str | None) -> str:
    """One side of a change; the ledger writes dates in UTC, a person reads them in their own zone."""
    if value is None:
        return "?"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return clean(value)
    return full(moment, view.now, view.zone) if moment.tzinfo else clean(value)


def recent_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """The newest events, newest first."""
    events = view.state.recent
    if not events:
        read = view.state.snapshot is not None
        return ((Span("nothing has happened yet" if read else "… no reading yet", Level.DIM),),)
    return tuple(line for event in reversed(events) for line in _event_lines(view, event, width))


def ledger_lines(view: ViewState, events: tuple[Event, ...], width: int) -> tuple[Line, ...]:
    """Every event with its details, oldest first; long ones go on below."""
    if not events:
        return ((Span("The ledger is empty: nothing has happened to a reset yet.", Level.DIM),),)
    lines: list[Line] = []
    for event in events:
        details = [part for part in (_id("reset", event.credit_id), _id("key", event.request_id), event.source) if part]
        lines += _event_lines(view, event, width, "  " + clean(" · ".join(details)) if details else "")
    return tuple(lines)


def _event_lines(view: ViewState, event: Event, width: int, details: str = "") -> tuple[Line, ...]:
    when = Span(f"{local(event.at, view.zone):%d %b %H:%M}  ", Level.DIM)
    text = Span(event_text(view, event), _LEVELS.get(event.kind, Level.PLAIN))
    return wrap((when, text, Span(details, Level.DIM)), width, indent=14)


def _id(name: str, value: str | None) -> str | None:
    """An id, shortened from the middle where it is long; the exports have it in full."""
    if not value:
        return None
    return f"{name} {value if len(value) <= 16 else f'{value[:8]}…{value[-4:]}'}"
