"""The history in pictures of plain cells: how the windows fill, the last four weeks, the hours of the week, the resets.

Blocks, dots and letters alone, so that it reads the same without colour.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from tui.domain.advice import window_name
from tui.domain.findings import waiting_saved
from tui.domain.forecast import Forecast
from tui.domain.ledger import NOTHING_SPENT, Event, EventKind
from tui.domain.pauses import Pause, PauseKind, lost_before, time_lost
from tui.domain.pictures import BurnUp, Pictures
from tui.domain.spend import Spend
from tui.ui.view.chrome import past_text
from tui.ui.view.outlook import moment, plan_texts
from tui.ui.view.sessions import NAME_CELLS, names_of
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, left, right, wrap
from tui.ui.view.times import brief, countdown, in_zone
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent

_ROWS = 8
AXIS_ROWS = 2
"""Rows below a chart of a window: its axis, and what the signs mean."""
_LEGENDS = (
    "█ used  · even pace  ░ 8 of 10  ─ median",
    "█ used  ░ 8 of 10  ─ median",
    "░ 8 of 10  ─ median",
    "─ median",
    "",
)
_LABEL = 6
_SHADES = " ░▒▓█"
_BLOCKS = " ▁▂▃▄▅▆▇█"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_COUNTED = (
    (EventKind.CREDIT_GRANTED, "granted"),
    (EventKind.SPEND_CLOSED, "spent here"),
    (EventKind.CREDIT_REDEEMED, "spent elsewhere"),
    (EventKind.CREDIT_EXPIRED, "lapsed"),
)
_FOUR_WEEKS = timedelta(days=28)


def history_lines(
    view: ViewState,
    pictures: Pictures,
    events: Sequence[Event],
    width: int,
    spends: Sequence[Spend] = (),
    paused: Sequence[Pause] = (),
) -> tuple[Line, ...]:
    """The whole screen: the readings summed up, then what sessions cost, waited and what became of resets."""
    past = past_text(view)
    lines: list[Line] = [(Span(past, Level.DIM),)] if past else []
    for burn_up in pictures.burn_ups:
        marks = _marks(pictures, events, burn_up)
        lines += wrap((Span(burn_up_title(view, burn_up), Level.STRONG),), width, 2)
        lines += [*burn_up_chart(view, burn_up, width, marks=marks, goes_on_below=True), (Span(" "),)]
    if not pictures.burn_ups:
        lines += [(Span("No window is known yet.", Level.DIM),), (Span(" "),)]
    lines += _advice(view, width)
    if knows_days(pictures):
        lines += _heading("The last four weeks", "each day's share of the longest window", width)
        lines += [*days_lines(pictures, width), (Span(" "),)]
        lines += _heading("Hours of the week", "denser: more is used", width)
        lines += [*heat_lines(pictures, width), (Span(" "),)]
    else:
        text = "The last weeks are not known yet: from the first reading on they are kept."
        lines += [*wrap((Span(text, Level.DIM),), width), (Span(" "),)]
    lines += _costs(view, width)
    lines += _waiting(view, paused, width)
    lines += _resets(view, events, spends, paused, width)
    return tuple(clip(line, width) for line in lines)


def _heading(title: str, about: str, width: int) -> tuple[Line, ...]:
    return wrap((Span(title, Level.STRONG), Span(f"  {about}", Level.DIM)), width, 2)


def _marks(pictures: Pictures, events: Sequence[Event], burn_up: BurnUp) -> dict[float, str]:
    """When resets were spent, here or elsewhere, and when this window began anew without one, since it began.

    A window begins where a spend or a reset put it: what lies at its very beginning belongs to it.
    """
    slack = 600.0
    found = {
        mark.at: "S" if mark.spent else "R"
        for mark in pictures.resets
        if mark.spent or (mark.minutes == burn_up.minutes and not mark.natural)
    }
    spent = (EventKind.SPEND_CLOSED, EventKind.CREDIT_REDEEMED, EventKind.SPENT_ELSEWHERE)
    said = [event.at.timestamp() for event in events if event.kind in spent and NOTHING_SPENT not in event.text]
    found = {at: sign for at, sign in found.items() if all(abs(at - other) > slack for other in said)}
    found |= dict.fromkeys(said, "S")
    return {at: sign for at, sign in found.items() if burn_up.start - slack <= at <= burn_up.resets_at}


def burn_up_title(view: ViewState, burn_up: BurnUp) -> str:
    """Which window a chart shows, since when, and what its forecast rests on."""
    forecast = view.state.outlook.forecast_of(burn_up.minutes) if view.state.outlook else None
    begin = brief(moment(burn_up.start), view.now, view.zone)
    name = window_name(burn_up.minutes).removesuffix(" limit")
    title = f"{name[:1].upper()}{name[1:]} window, from {begin}"
    return title if forecast is None else f"{title} · {forecast.basis}"


def burn_up_chart(
    view: ViewState,
    burn_up: BurnUp,
    width: int,
    rows: int = _ROWS,
    marks: Mapping[float, str] | None = None,
    *,
    goes_on_below: bool = False,
) -> Iterator[Line]:
    """How a window filled and is expected to fill, with a letter on the axis for each moment of `marks`.

    Signs that are not all explained beside the reset's time are explained below it where the chart `goes_on_below`.
    """
    columns = max(20, min(96, width - _LABEL - 2))
    length = burn_up.resets_at - burn_up.start
    now = view.now.timestamp()
    outlook = view.state.outlook
    forecast = outlook.forecast_of(burn_up.minutes) if outlook else None
    end = brief(moment(burn_up.resets_at), view.now, view.zone)
    used = burn_up.shares[-1] if burn_up.shares else 0.0
    for row in range(rows, 0, -1):
        label = {rows: "100 %", rows // 2: "50 %"}.get(row, "")
        drawn = []
        for column in range(columns):
            at = burn_up.start + length * (column + 0.5) / columns
            share = _used_at(burn_up, at, length) if at <= now else None
            drawn.append(_cell(row, column, (rows, columns), share, _fan(forecast, used, now, burn_up.resets_at, at)))
        yield (Span(right(label, _LABEL), Level.DIM), Span("│"), Span("".join(drawn)))
    axis, marks = ["─"] * (columns - 1) + ["┘"], marks or {}
    for at, sign in sorted(marks.items()):
        axis[max(0, min(columns - 1, int((at - burn_up.start) / length * columns)))] = sign
    yield (Span(" " * _LABEL), Span("└", Level.DIM), Span("".join(axis), Level.STRONG if marks else Level.DIM))
    legend = f"reset {end} ┘"
    room = columns - cells(legend) - 1
    signs = "".join(f"  {sign} {word}" for sign, word in (("S", "spend"), ("R", "reset")) if sign in marks.values())
    whole = _LEGENDS[0] + signs
    below = goes_on_below and len(whole) > room
    explained = "" if below else next(text for text in _LEGENDS if len(text) <= room or not text)
    explained += signs if not below and len(explained + signs) <= room else ""
    yield (
        Span(" " * (_LABEL + 1)),
        Span(left(explained, room)),
        Span(" " + legend, Level.DIM),
    )
    if below:
        yield from _parts(whole.split("  "), width)


def _parts(parts: Sequence[str], width: int) -> Iterator[Line]:
    """Short texts beside each other, below a chart, as many in a row as there is room for."""
    row = ""
    for part in parts:
        if row and cells(row) + 2 + cells(part) > width - _LABEL - 1:
            yield (Span(" " * (_LABEL + 1)), Span(row))
            row = ""
        row += f"  {part}" if row else part
    yield (Span(" " * (_LABEL + 1)), Span(row))


def _used_at(burn_up: BurnUp, at: float, length: float) -> float:
    from tui.domain.pictures import STEPS

    place = int((at - burn_up.start) / length * STEPS)
    return burn_up.shares[min(place, len(burn_up.shares) - 1)] if burn_up.shares else 0.0


def _fan(
    forecast: Forecast | None, used: float, now: float, resets_at: float, at: float
) -> tuple[float, float, float] | None:
    """What is expected at a moment to come: lines from now to the limit, or to the share at the reset."""
    if forecast is None or at <= now or forecast.at_reset_percent is None or forecast.limit_at is None:
        return None
    ends = []
    share, limit = forecast.at_reset_percent, forecast.limit_at
    for last, hit in ((share.p10, limit.p90), (share.p50, limit.p50), (share.p90, limit.p10)):
        reaches = hit if hit is not None and hit < resets_at else None
        target, until = (100.0, reaches) if reaches is not None else (last if last is not None else used, resets_at)
        part = 1.0 if until <= now else min(1.0, (at - now) / (until - now))
        ends.append(used + (max(used, target) - used) * part)
    return ends[0], ends[1], ends[2]


def _cell(
    row: int, column: int, size: tuple[int, int], share: float | None, fan: tuple[float, float, float] | None
) -> str:
    rows, columns = size
    low, high = (row - 1) * 100 / rows, row * 100 / rows
    if share is not None and share > low:
        return "█" if share >= high else _BLOCKS[max(1, int((share - low) / (high - low) * 8))]
    if fan is not None:
        if low <= fan[1] < high or (row == rows and fan[1] >= 100):
            return "─"
        if fan[0] < high and fan[2] > low:
            return "░"
    even = (column + 0.5) / columns * 100
    return "·" if low <= even < high else " "


def knows_days(pictures: Pictures) -> bool:
    """Whether any of the last days was read."""
    return any(used is not None for _, used in pictures.days)


def days_lines(pictures: Pictures, width: int) -> Iterator[Line]:
    """Each day's share of the longest window."""
    most = max((used for _, used in pictures.days if used is not None), default=0.0)
    cell = 2 if width > _LABEL + 2 * len(pictures.days) else 1
    scale = max(1.0, most)
    for row in (3, 2, 1):
        bars = []
        for _, used in pictures.days:
            part = 0.0 if used is None else used / scale * 3 - (row - 1)
            bars.append(("?" if used is None and row == 1 else _BLOCKS[max(0, min(8, round(part * 8)))]) * cell)
        label = f"{scale:.0f} %" if row == 3 and most > 0 else ""
        yield (Span(right(label, _LABEL), Level.DIM), Span("│"), Span("".join(bars)))
    marks = []
    for day, _ in pictures.days:
        marks.append("Mo"[:cell] if (day + 3) % 7 == 0 else " " * cell)
    yield (Span(" " * (_LABEL + 1)), Span("".join(marks), Level.DIM))
    if pictures.days:
        first, last = (date(1970, 1, 1) + timedelta(days=day) for day in (pictures.days[0][0], pictures.days[-1][0]))
        span = f"{first.day} {first:%b} to {last.day} {last:%b}"
        yield from _parts((span, "? not read") if any(used is None for _, used in pictures.days) else (span,), width)


def heat_lines(pictures: Pictures, width: int) -> Iterator[Line]:
    """How much of the shortest window the hours of the week use."""
    most = max((value for row in pictures.heat for value in row if value is not None), default=0.0)
    hours = "".join(f"{hour:<6}" for hour in range(0, 24, 3)) if width >= _LABEL + 49 else ""
    cell = 2 if hours else 1
    yield (Span(" " * (_LABEL + 1)), Span(hours or "0     6     12    18", Level.DIM))
    for name, row in zip(_WEEKDAYS, pictures.heat, strict=True):
        shades = []
        for value in row:
            shade = 0 if not value or most <= 0 else max(1, min(4, round(value / most * 4)))
            shades.append(("?" if value is None else _SHADES[shade]) * cell)
        yield (Span(right(name, _LABEL), Level.DIM), Span("│"), Span("".join(shades)), Span("│"))


def _advice(view: ViewState, width: int) -> Iterator[Line]:
    """The advice with all that it rests on; nothing before the first outlook."""
    outlook = view.state.outlook
    if outlook is None:
        return
    yield from _heading("Advice", f"of {brief(moment(outlook.at), view.now, view.zone)}, and what it rests on", width)
    yield from wrap((Span(outlook.advice.headline),), width)
    for line in (*outlook.advice.arithmetic, *plan_texts(outlook, view.now, view.zone)):
        yield from wrap((Span("· ", Level.DIM), Span(clean(line))), width, 2)
    yield (Span(" "),)


def _costs(view: ViewState, width: int) -> Iterator[Line]:
    """What each live session took, the dearest first; nothing where the service does not tell."""
    said = view.state.costs
    if said is None or said.account != view.state.account_key or not said.of:
        return
    costs = said.of
    names = names_of(view.state.sessions, [cost.thread_id for cost in costs])
    yield from _heading("Sessions", "what each took of the windows, by the service's account", width)
    for cost in sorted(costs, key=lambda cost: -(cost.five_hour_percent or cost.weekly_percent or 0.0)):
        shares = ((cost.five_hour_percent, "of 5 hours"), (cost.weekly_percent, "of the week"))
        text = " · ".join(f"{percent(share)} {what}" for share, what in shares if share is not None)
        name = left(names.get(cost.thread_id, "a session"), NAME_CELLS + 2)
        yield from wrap((Span(name), Span(text)), width, 4)
    yield (Span(" "),)


def _waiting(view: ViewState, paused: Sequence[Pause], width: int) -> Iterator[Line]:
    """How long the limit kept sessions from work; nothing where it never did."""
    recent = [pause for pause in paused if view.now - pause.since <= _FOUR_WEEKS]
    lost = time_lost(recent, view.now)
    if not lost:
        return
    counts = [sum(pause.kind is kind for pause in recent) for kind in (PauseKind.STOPPED, PauseKind.HELD)]
    words = ("stopped {}", "held {}")
    how_often = [word.format(_times(count)) for word, count in zip(words, counts, strict=True) if count]
    yield from _heading("Waiting", "at the limit, in the last four weeks", width)
    yield from wrap((Span(" · ".join((f"{countdown(lost)} in all", *how_often))),), width)
    yield (Span(" "),)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _resets(
    view: ViewState, events: Sequence[Event], spends: Sequence[Spend], paused: Sequence[Pause], width: int
) -> Iterator[Line]:
    made = {spend.key: spend for spend in spends}
    yield from _heading("Resets", "in the last four weeks", width)
    recent = [event for event in events if view.now - event.at <= _FOUR_WEEKS]
    counts = [
        (word, sum(event.kind is kind and event.belongs_to_history for event in recent)) for kind, word in _COUNTED
    ]
    text = " · ".join(f"{count} {word}" for word, count in counts if count)
    yield from wrap((Span(text or "none was granted, spent or lapsed"),), width)
    for event in [event for event in recent if event.kind is EventKind.SPEND_CLOSED][-6:]:
        change = f"  {event.before} → {event.after}" if event.before and event.after else ""
        when = Span(left(brief(event.at, view.now, view.zone), 18), Level.DIM)
        saved = _saved(made.get(event.request_id or ""), paused, view.now)
        text = clean(in_zone(event.text, view.now, view.zone))
        yield from wrap((when, Span(f"{text}{change}{saved}")), width, 14)


def _saved(spend: Spend | None, paused: Sequence[Pause], now: datetime) -> str:
    """What a spend saved of waiting, and how long had been waited by then."""
    saved = waiting_saved(spend) if spend is not None else timedelta(0)
    if spend is None or not saved:
        return ""
    lost = lost_before(paused, spend.journaled_at, now)
    return f"; saved {countdown(saved)} of waiting" + (f", after {countdown(lost)} of it" if lost else "")
