"""The usage windows as bars with their state in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tui.domain.snapshot import Snapshot
from tui.domain.windows import RESET_GRACE, Limit, Window, WindowKind, WindowState, label, limit_label
from tui.ui.view.outlook import expected_text, trend_text
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, dimmed, fit, left, right, wrap
from tui.ui.view.times import brief, countdown, until
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import WORD_CELLS, percent, window_word

_PERCENT_CELLS = 6
_SECOND_LINE_CELLS = 36
"""What a date with its countdown takes; with fewer it moves to the left."""


def limits_lines(view: ViewState, width: int, *, short: bool = False) -> tuple[Line, ...]:
    """The panel's lines; the main limit alone where the room is short."""
    if view.problem:
        return _problem(view, width)
    snapshot = view.state.snapshot
    if snapshot is None:
        return ((Span("… no reading yet", Level.DIM),),)
    lines = tuple(clip(line, width) for line in _lines(view, snapshot, width, short))
    return dimmed(lines) if view.is_old else lines


def _problem(view: ViewState, width: int) -> tuple[Line, ...]:
    problem = view.problem
    hint = wrap((Span(clean(problem.hint)),), width) if problem and problem.hint else ()
    ways = (
        ("resetbank doctor", "says why each source cannot be used"),
        ("resetbank login", "connects to a base URL of your own"),
        ("codex login", "signs Codex in, which resetbank then reads"),
        ("resetbank --demo", "shows everything on an embedded service"),
    )
    lines = [*hint, (Span(" "),)] if hint else []
    lines += [(Span(left(command, 18), Level.STRONG), Span(fit(what, width - 18), Level.DIM)) for command, what in ways]
    key = view.keys.get("refresh")
    again = ((Span(" "),), *wrap((Span(f"{key} tries to connect again"),), width)) if key else ()
    return (*lines, *again)


def _lines(view: ViewState, snapshot: Snapshot, width: int, short: bool) -> Iterator[Line]:
    shown = [limit for limit in snapshot.limits if limit.windows]
    if not shown and snapshot.is_unlimited:
        yield (Span("✓ unlimited", Level.OK), Span("  nothing is metered", Level.DIM))
    elif not shown and not (snapshot.spend_control and snapshot.spend_control.is_meter):
        reason = clean(snapshot.unknowns[0]) if snapshot.unknowns else "the service reported no limits"
        yield from wrap((Span("? UNKNOWN  ", Level.UNKNOWN), Span(reason)), width)
    if short:
        shown = [limit for limit in shown if limit is snapshot.main_limit] or shown[:1]
    label_cells = max((len(label(window)) for limit in shown for window in limit.windows), default=0) + 2
    for number, limit in enumerate(shown):
        if number and not short:
            yield (Span(" "),)
        if limit is not snapshot.main_limit:
            name = clean(limit.name or limit.limit_id)
            yield (Span(fit(name, width - 12), Level.STRONG), Span("  own limit", Level.DIM))
        for window in limit.windows:
            yield bar_line(view, limit, window, width, label_cells)
            narrow = width - label_cells < _SECOND_LINE_CELLS
            indent = 2 if narrow else label_cells
            below = window_text(view, limit, window, narrow=narrow)
            trend = "" if narrow else trend_text(view, window)
            if trend and len(trend) + 2 + cells(below) <= width - indent:
                below = f"{trend}  {below}"
            for text in wrap((Span(below, Level.DIM),), width - indent):
                yield (Span(" " * indent), *text)
    if not short:
        yield from _extras(view, snapshot, width)


def bar_line(view: ViewState, limit: Limit, window: Window, width: int, label_cells: int) -> Line:
    """One window with its bar, its share and its state in a word."""
    word, level = window_word(view, limit, window)
    blocked = level is Level.DIM
    bar_cells = max(4, width - label_cells - _PERCENT_CELLS - 2 - WORD_CELLS)
    used = None if level is Level.UNKNOWN else window.used_percent
    start = Span(left(label(window), label_cells), Level.DIM if blocked else Level.STRONG)
    share = Span(right(percent(used), _PERCENT_CELLS), Level.DIM if blocked else Level.STRONG)
    return (
        start,
        *_bar(window, used, bar_cells, level, view.now),
        share,
        Span("  "),
        Span(left(word, WORD_CELLS), level),
    )


def _bar(window: Window, used: float | None, width: int, level: Level, now: datetime) -> Line:
    if used is None:
        return (Span("?".center(width, "·"), Level.UNKNOWN),)
    filled = min(width, round(used / 100 * width))
    if 0 < used < 100:
        filled = min(max(filled, 1), width - 1)
    even = None if used == 0 else window.elapsed_fraction(now)
    marked = None if even is None else min(width - 1, int(even * width))
    fill = Level.FULL if level is Level.REACHED else level
    pieces: list[Span] = []
    for start, end, sign, meaning in ((0, filled, "█", fill), (filled, width, "░", Level.DIM)):
        if marked is not None and start <= marked < end:
            mark = Span("│", Level.DIM if level is Level.DIM else Level.ACCENT)
            pieces += [Span(sign * (marked - start), meaning), mark, Span(sign * (end - marked - 1), meaning)]
        else:
            pieces.append(Span(sign * (end - start), meaning))
    return tuple(piece for piece in pieces if piece.text)


def window_text(view: ViewState, limit: Limit, window: Window, *, narrow: bool = False) -> str:
    """What is expected of a window, and when it resets; the dates are left out where it is narrow."""
    now, resets_at = view.now, window.resets_at
    if resets_at is not None and now >= resets_at + RESET_GRACE:
        was = f"was {percent(window.used_percent)}; " if window.used_percent is not None else ""
        return f"{was}its reset at {brief(resets_at, now, view.zone)} has passed, not read since"
    when = "when it resets is unknown"
    if resets_at is not None:
        when = "resets any moment" if resets_at <= now else f"resets {until(resets_at, now, view.zone)}"
    if window.used_percent is None:
        return f"how much is used is unknown · {when}"
    blocker = limit.blocker_of(window, now)
    if blocker is not None:
        text = label(blocker)
        word = text.lower() if text.isalpha() else limit_label(blocker)
        return f"blocked by the {word}" + ("" if narrow else f" · {when}")
    snapshot = view.state.snapshot
    # Only the five-hour window is known to wait for a request; a fresh week is pinned from its first second.
    if snapshot and window.kind is WindowKind.FIVE_HOUR and window.is_idle(snapshot.provenance.observed_at):
        return "not started; it begins with the next request"
    return expected_text(view, window, narrow) or when


def _extras(view: ViewState, snapshot: Snapshot, width: int) -> Iterator[Line]:
    control, paid = snapshot.spend_control, snapshot.paid
    if control and control.is_meter:
        word = {
            WindowState.REACHED: Span("✗ REACHED", Level.REACHED),
            WindowState.NEAR: Span("! NEAR", Level.NEAR),
        }.get(control.state(view.state.near_percent), Span("✓ ok", Level.OK))
        text = f"Workspace cap  {percent(control.used_percent)} used  "
        until_text = f"  resets {until(control.resets_at, view.now, view.zone)}" if control.resets_at else ""
        yield (Span(" "),)
        yield clip((Span(text), word, Span(until_text, Level.DIM)), width)
    if paid and (paid.has_credits or paid.unlimited):
        amount = "unlimited" if paid.unlimited else f"balance {clean(paid.balance or '?')}"
        yield (Span(" "),)
        yield from wrap((Span(f"Paid credits  {amount}"), Span("  they go on where the windows end", Level.DIM)), width)
    if ahead := snapshot.clock_ahead:
        way = "ahead of" if ahead > timedelta(0) else "behind"
        words = f"This machine's clock is {countdown(abs(ahead))} {way} the service's; times here are by this clock"
        yield (Span(" "),)
        yield from wrap((Span(words, Level.NEAR),), width)
