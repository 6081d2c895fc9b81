"""The accounts side by side: a row for each, the one in sight marked."""

from collections import Counter

from tui.companion.state import State
from tui.domain.sessions import SessionState, live
from tui.domain.windows import Window, WindowKind, WindowState, label
from tui.ui.view.text import Level, Line, Span, clean, clip, dimmed, left
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets

_SIGNS = {
    WindowState.OK: ("✓", "ok", Level.OK),
    WindowState.NEAR: ("!", "near", Level.NEAR),
    WindowState.REACHED: ("■", "reached", Level.REACHED),
    WindowState.UNKNOWN: ("?", "unknown", Level.UNKNOWN),
}
_SHORT = {WindowKind.FIVE_HOUR: "5h", WindowKind.DAILY: "day", WindowKind.WEEKLY: "wk", WindowKind.MONTHLY: "mo"}
_SHOWN_SESSIONS = {
    SessionState.HELD: "held",
    SessionState.STOPPED_AT_LIMIT: "stopped",
    SessionState.RUNNING: "running",
}


def account_lines(view: ViewState, width: int, rows: int) -> tuple[Line, ...]:
    """A row for each account; of more than `rows` those around the one in sight, and how the others stand."""
    states = view.accounts
    if len(states) <= rows:
        return tuple(_row(view, state, width) for state in states)
    seen = max(1, rows - 1)
    place = next((n for n, state in enumerate(states) if state.account_name == view.state.account_name), 0)
    first = min(max(0, place - seen // 2), len(states) - seen)
    rest = (*states[:first], *states[first + seen :])
    lines = tuple(_row(view, state, width) for state in states[first : first + seen])
    return (*lines, _rest(view, rest, width)) if rows > 1 else lines


def _row(view: ViewState, state: State, width: int) -> Line:
    sign, word, level = _SIGNS[_state(view, state)]
    is_chosen = state.account_name == view.state.account_name
    names = max(len(known.account_name) for known in view.accounts)
    name = Span(left(state.account_name, names), Level.STRONG if is_chosen else Level.PLAIN)
    line: Line = (Span("▸ " if is_chosen else "  ", Level.ACCENT), name, Span("  "), Span(f"{sign} {word:<8}", level))
    snapshot = state.snapshot
    if snapshot is not None:
        meters = [_meter(window) for window in (snapshot.main_limit.windows if snapshot.main_limit else ())]
        available = snapshot.bank.usable(view.now)
        bank = "bank unknown" if available is None else resets(available)
        words = (Span("  ".join([*meters, bank])),)
        line = (*line, Span("  "), *(dimmed((words,))[0] if _is_old(view, state) else words))
    counts = Counter(session.state for session in live(state.sessions, view.now))
    found = [f"{counts[kind]} {text}" for kind, text in _SHOWN_SESSIONS.items() if counts[kind]]
    if found:
        line = (*line, Span("  "), Span(", ".join(found), Level.DIM))
    if state.question is not None:
        line = (*line, Span("  asks", Level.NEAR))
    elif state.link.failure is not None:
        line = (*line, Span(f"  {clean(state.link.failure)}", Level.DIM))
    return clip(line, width)


def _rest(view: ViewState, states: tuple[State, ...], width: int) -> Line:
    counts = Counter(_state(view, state) for state in states)
    spans: list[Span] = [Span(f"  +{len(states)} more: ", Level.DIM)]
    for number, kind in enumerate(kind for kind in reversed(WindowState) if counts[kind]):
        sign, word, level = _SIGNS[kind]
        spans += [Span(", " if number else ""), Span(f"{sign} {counts[kind]} {word}", level)]
    return clip(tuple(spans), width)


def _state(view: ViewState, state: State) -> WindowState:
    if state.snapshot is None or _is_old(view, state):
        return WindowState.UNKNOWN
    return state.snapshot.state(view.now, state.near_percent)


def _is_old(view: ViewState, state: State) -> bool:
    return state.link.source is None or state.is_stale(view.now)


def _meter(window: Window) -> str:
    return f"{_SHORT.get(window.kind) or label(window)} {percent(window.used_percent)}"
