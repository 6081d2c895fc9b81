"""What happened since the person looked, one wrapped line for each matter."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tui.domain.ledger import Event, EventKind
from tui.domain.sessions import Session, SessionState
from tui.ui.view.ledger import event_text
from tui.ui.view.sessions import names_of
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.times import brief, in_zone
from tui.ui.view.view_state import ViewState

SHOWN: Final = 6
"""More matters than this are counted; the ledger has them all."""

_NEAR_IN_TIME: Final = timedelta(minutes=10)
_STOPPED: Final = (SessionState.HELD, SessionState.STOPPED_AT_LIMIT)
_LEVELS: Final = {
    EventKind.LIMIT_REACHED: Level.REACHED,
    EventKind.CREDIT_EXPIRED: Level.NEAR,
    EventKind.CREDIT_REDEEMED: Level.NEAR,
    EventKind.CREDIT_VANISHED: Level.NEAR,
    EventKind.SPENT_ELSEWHERE: Level.NEAR,
    EventKind.SPEND_REFUSED: Level.NEAR,
    EventKind.UNQUEUED: Level.NEAR,
    EventKind.CREDIT_GRANTED: Level.OK,
    EventKind.INVITE_REWARDED: Level.OK,
}
_WORDS: Final = {
    EventKind.CREDIT_EXPIRED: "one reset lapsed unused",
    EventKind.CREDIT_REDEEMED: "one reset was spent elsewhere, not through resetbank",
    EventKind.SPENT_ELSEWHERE: "one reset was spent elsewhere, not through resetbank",
    EventKind.SPEND_REFUSED: "an agent tried to spend a reset and was refused",
}


def since_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """The panel's lines, newest first; none where nothing happened, or it was dismissed."""
    matters = [(event, words) for event, words in _worded(view)][::-1]
    lines: list[Line] = []
    for event, words in matters[:SHOWN]:
        when = f"{brief(event.at, view.now, view.zone)}  "
        text = Span(words, _LEVELS.get(event.kind, Level.PLAIN))
        lines += wrap((Span(when, Level.DIM), text), width, indent=min(len(when), 7))
    if len(matters) > SHOWN:
        lines += wrap((Span(f"and {len(matters) - SHOWN} more; {view.does('ledger', 'shows all')}", Level.DIM),), width)
    return tuple(lines)


def since_text(view: ViewState) -> str:
    """The newest matter and how many there are, for screens without room; empty where there is none."""
    matters = list(_worded(view))
    if not matters:
        return ""
    event, words = matters[-1]
    more = f" (and {len(matters) - 1} more since you looked)" if len(matters) > 1 else ""
    return f"{brief(event.at, view.now, view.zone)} {words}{more}"


def _worded(view: ViewState) -> Iterator[tuple[Event, str]]:
    """Each matter with its words; sessions that went on one after another are one."""
    resumed: list[Event] = []
    for event in view.matters:
        if resumed and (event.kind is not EventKind.RESUMED or event.at - resumed[-1].at > _NEAR_IN_TIME):
            yield resumed[0], _went_on(view, resumed)
            resumed = []
        if event.kind is EventKind.RESUMED:
            resumed.append(event)
        else:
            yield event, _words(view, event)
    if resumed:
        yield resumed[0], _went_on(view, resumed)


def matter_text(view: ViewState, event: Event) -> str:
    """One matter by itself, in words."""
    return _went_on(view, [event]) if event.kind is EventKind.RESUMED else _words(view, event)


def _words(view: ViewState, event: Event) -> str:
    match event.kind:
        case EventKind.LIMIT_REACHED:
            stopped = (session for session in view.state.sessions.values() if session.state in _STOPPED)
            sessions = [session for session in stopped if abs(session.since - event.at) <= _NEAR_IN_TIME]
            states = {session.state is SessionState.HELD for session in sessions}
            words = " or ".join("held" if is_held else "stopped" for is_held in sorted(states))
            return f"{event.text}: {_names(view, sessions)} {words}" if sessions else event.text
        case EventKind.SPEND_CLOSED if event.text.startswith("one reset spent"):
            rest = event.text.removeprefix("one reset spent")
            return "one reset was spent, as queued" + in_zone(rest, view.now, view.zone)
        case EventKind.INVITE_CHANGED if event.after in ("joined", "first_message"):
            return "a friend joined" if event.after == "joined" else "a friend sent the first message"
    return _WORDS.get(event.kind) or event_text(view, event)


def _went_on(view: ViewState, events: list[Event]) -> str:
    shown = [event for event in events if "was shown" in event.text]
    known = view.state.sessions.values()
    names = _names(view, [one for one in known if any(one.thread_id in event.text for event in events)])
    number = "a session" if len(events) == 1 else f"{len(events)} sessions"
    if len(shown) == len(events):
        return f"{names or number}: to be resumed by hand; the command was shown"
    return f"{names or number} went on"


def _names(view: ViewState, sessions: list[Session]) -> str:
    names = list(names_of(view.state.sessions, [session.thread_id for session in sessions]).values())
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
