"""The main screen where there is room for a few lines alone, down to one: meter, bank and state."""

from typing import Final

from tui.domain.held_sessions import held
from tui.domain.sessions import SessionState, live
from tui.domain.windows import Limit, Window, WindowKind, WindowState, label
from tui.ui.view.bank import bank_lines
from tui.ui.view.chrome import can_reopen, key_line, note_line, since_line
from tui.ui.view.headline import headline
from tui.ui.view.limits import bar_line
from tui.ui.view.text import Level, Line, Span, clip, line_width, spread
from tui.ui.view.times import brief, local
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets

LEAST_COLUMNS: Final = 30
LEAST_ROWS: Final = 8
"""Below these the compact form stands instead of the whole screen."""

_BAR_COLUMNS: Final = 40
_SHORT: Final = {WindowKind.FIVE_HOUR: "5h", WindowKind.WEEKLY: "wk", WindowKind.MONTHLY: "mo"}
_SIGNS: Final = {
    WindowState.OK: ("✓", Level.OK),
    WindowState.NEAR: ("!", Level.NEAR),
    WindowState.REACHED: ("✗", Level.REACHED),
    WindowState.UNKNOWN: ("?", Level.UNKNOWN),
}
_GAP: Final = Span(" │ ", Level.DIM)


def is_compact(width: int, height: int) -> bool:
    """Whether a terminal has room for the compact form alone."""
    return width < LEAST_COLUMNS or height < LEAST_ROWS


def compact_lines(view: ViewState, width: int, rows: int, *, keys_work: bool = True) -> tuple[Line, ...]:
    """At most `rows` lines, and at least one, the most important first; no keys where a dialog takes them all."""
    if rows == 1:
        return (meter_line(view, width),)
    lines: list[Line] = [_headline(view, width)]
    windows = _main_windows(view)
    if rows < len(windows) + 3 or width < _BAR_COLUMNS or view.state.snapshot is None:
        lines.append(meter_line(view, width))
    else:
        lines += [_window_line(view, limit, window, width) for limit, window in windows]
        (bank,) = bank_lines(view, width, short=True)[:1]
        lines.append(spread(bank, _sessions(view), width))
    keys = note_line(view, width) or since_line(view, width) or (key_line(view, width) if keys_work else (Span(" "),))
    return (*lines[: rows - 1], keys) if rows > 2 else tuple(lines[:rows])


def meter_line(view: ViewState, width: int) -> Line:
    """Windows, bank and what needs an answer in one line: `5h 93 % ! 18:53 │ wk 41 % │ 3 resets`.

    Where it does not fit, the times go first, then what lies right.
    """
    mark: Line = (Span("DEMO ", Level.STRONG),) if view.state.demo is not None else ()
    snapshot = view.state.snapshot
    if view.problem or snapshot is None:
        text = "not connected" if view.problem else "connecting…" if view.connecting else "no reading yet"
        return clip((*mark, Span(text, Level.UNKNOWN)), width)
    if view.is_old:
        mark = (*mark, Span("○ ", Level.UNKNOWN))
    count = snapshot.bank.available
    bank = Span("? resets", Level.UNKNOWN) if count is None else Span(resets(count))
    sessions = _sessions(view)
    for with_times in (True, False):
        parts: list[Line] = [_share(view, limit, window, with_time=with_times) for limit, window in _main_windows(view)]
        parts += [(bank,), *([sessions] if sessions else [])]
        line: Line = (*mark, *parts[0])
        for part in parts[1:]:
            line = (*line, _GAP, *part)
        if line_width(line) <= width:
            break
    return clip(line, width)


def _headline(view: ViewState, width: int) -> Line:
    mark = "DEMO · " if view.state.demo is not None else "READ-ONLY · " if view.is_read_only else ""
    clock = (Span(local(view.now, view.zone).strftime("%H:%M"), Level.DIM),) if width >= 60 else ()
    return spread((Span(mark, Level.STRONG), *headline(view)), clock, width)


def _main_windows(view: ViewState) -> list[tuple[Limit, Window]]:
    snapshot = view.state.snapshot
    limits = snapshot.limits if snapshot else ()
    main = snapshot.main_limit if snapshot else None
    shown = [main] if main is not None and main.windows else [limit for limit in limits if limit.windows][:1]
    return [(limit, window) for limit in shown for window in limit.windows]


def _window_line(view: ViewState, limit: Limit, window: Window, width: int) -> Line:
    end = window.resets_at
    when = f"  resets {brief(end, view.now, view.zone)}" if end is not None and end > view.now and width >= 60 else ""
    cells = max((len(label(one)) for _, one in _main_windows(view)), default=0) + 2
    return clip((*bar_line(view, limit, window, width - 25 * bool(when), cells), Span(when, Level.DIM)), width)


def _share(view: ViewState, limit: Limit, window: Window, *, with_time: bool) -> Line:
    state = window.state(view.now, view.state.near_percent)
    sign, level = _SIGNS[state]
    used = percent(window.used_percent if state is not WindowState.UNKNOWN else None)
    spans: Line = (Span(f"{_SHORT.get(window.kind, label(window))} ", Level.STRONG), Span(used, level))
    if state not in (WindowState.OK, WindowState.UNKNOWN):
        spans = (*spans, Span(f" {sign}", level))
    end = window.resets_at
    if with_time and end is not None and end > view.now and limit.binding_window(view.now) is window:
        spans = (*spans, Span(f" {brief(end, view.now, view.zone)}", Level.DIM))
    return spans


def _sessions(view: ViewState) -> Line:
    """What stands still, and the key that answers; empty where nothing does."""
    waiting = len(held(view.state.sessions))
    stopped = sum(one.state is SessionState.STOPPED_AT_LIMIT for one in live(view.state.sessions, view.now))
    words = [f"{number} {word}" for number, word in ((waiting, "held"), (stopped, "stopped")) if number]
    if not words and not can_reopen(view):
        return ()
    key = view.keys.get("answer", "")
    answers = [f"{key} answers"] if key and can_reopen(view) else []
    return (Span(", ".join([*words, *answers]), Level.REACHED if words else Level.NEAR),)
