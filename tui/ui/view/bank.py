"""The banked resets, soonest to lapse first."""

from collections.abc import Iterator

from tui.domain.credits import Bank, Credit, CreditStatus
from tui.domain.queue import Queued
from tui.ui.view.queueing import QUEUED, SIGN, queued_count, queued_words
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, dimmed, left, line_width, right, spread, wrap
from tui.ui.view.times import age, countdown, last_moment
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import resets

_LONGEST_TITLE = 30
_LONGEST_CUT = 12
"""Columns from which on a longer title is cut rather than left out."""


def bank_lines(view: ViewState, width: int, *, short: bool = False) -> tuple[Line, ...]:
    """The panel's lines; one for all where the room is short."""
    snapshot = view.state.snapshot
    if snapshot is None:
        return ((Span("… no reading yet", Level.DIM),),)
    lines = (_short_line(view, snapshot.bank, width),) if short else tuple(_lines(view, snapshot.bank, width))
    if view.is_old:
        lines = dimmed(lines)
    return tuple(
        clip(line, width)
        for line in (
            *lines,
            *(() if short else _below(view, width)),
        )
    )


def _count(bank: Bank) -> Span:
    if bank.available is None:
        return Span("? resets: how many is unknown", Level.UNKNOWN)
    return Span(resets(bank.available), Level.STRONG if bank.available else Level.DIM)


def _short_line(view: ViewState, bank: Bank, width: int) -> Line:
    first = next(iter(bank.spendable(view.now)), None)
    if (queued := view.state.queued) is not None:
        ends = (Span("; "), *queued_words(view, queued)[:1]) if queued.needs_fresh_yes else _mark(view, queued)
        return (Span("Bank  ", Level.STRONG), _count(bank), *ends)
    if first is None or first.expires_at is None:
        return (Span("Bank  ", Level.STRONG), _count(bank))
    mark = Span(" !", Level.NEAR) if first.lapses_soon(view.now) else Span("")
    left_over = first.expires_at - view.now
    start: Line = (Span("Bank  ", Level.STRONG), _count(bank))
    line = (*start, Span(f", next lapses in {countdown(left_over)}"), mark)
    if left_over.days and line_width(line) > width:  # whole days rather than half a figure
        line = (*start, Span(f", next lapses in {left_over.days} d"), mark)
    return line


def _lines(view: ViewState, bank: Bank, width: int) -> Iterator[Line]:
    rows_age = ""
    if bank.credits and bank.credits_observed_at and (view.now - bank.credits_observed_at).total_seconds() >= 120:
        rows_age = f"rows read {age(view.now - bank.credits_observed_at)}"
    yield spread((_count(bank),), (Span(rows_age, Level.DIM),), width)
    if bank.credits is None:
        if bank.available != 0:
            yield from wrap((Span("single resets not loaded yet; only the count is known", Level.DIM),), width)
        return
    spendable = bank.spendable(view.now)
    rows = sorted(bank.credits, key=lambda credit: credit.refusal(view.now) is not None)  # stable: else by expiry
    lapses = [_lapse(view, credit) for credit in rows]
    moments = (
        max((cells(when) for when, left_over, _ in lapses if left_over), default=0),
        max((cells(left_over) for _, left_over, _ in lapses), default=0),
    )
    ends = max((cells(when) for when, left_over, _ in lapses if not left_over), default=0)
    room = min(_LONGEST_TITLE, width - max(sum(moments) + 2, ends) - 6)
    titles = _titles(rows, room)
    columns = (min(room, max(map(cells, titles), default=0)), *moments)
    for credit, title, lapse in zip(rows, titles, lapses, strict=True):
        yield _credit_line(view, credit, title, lapse, columns, first=credit in spendable[:1])
    if bank.unlisted:
        yield (Span(f"  +{bank.unlisted} more, not listed by the service", Level.DIM),)
    if bank.price is not None:
        cost = f"{clean(bank.price.amount)} {clean(bank.price.currency)}"
        yield (Span(f"  one more can be bought for {cost}, not from here", Level.DIM),)


def _titles(rows: list[Credit], room: int) -> list[str]:
    """Their titles; where there is little room without what stands in brackets behind them, or none at all."""
    titles = [clean(credit.title or "") or "Reset" for credit in rows]
    if max(map(cells, titles), default=0) > room:
        titles = [title.partition(" (")[0] for title in titles]
    if room < _LONGEST_CUT and max(map(cells, titles), default=0) > room:
        return ["" for _ in titles]
    return titles


def _credit_line(
    view: ViewState,
    credit: Credit,
    title: str,
    lapse: tuple[str, str, bool],
    columns: tuple[int, int, int],
    first: bool,
) -> Line:
    when, left_over, soon = lapse
    end = f"{left(when, columns[1])}  {right(left_over, columns[2])}" if left_over else when
    refusal = credit.refusal(view.now)
    level = Level.DIM if refusal else (Level.STRONG if first else Level.PLAIN)
    action = None if refusal else f"app.spend_one({credit.id!r})"
    return (
        Span(_sign(view, credit, first), Level.ACCENT, action),
        Span(left(title, columns[0]) + "  " if columns[0] else "", level, action),
        Span(end, Level.DIM if refusal else Level.PLAIN, action),
        Span(" !", Level.NEAR) if soon else Span("  "),
    )


def _lapse(view: ViewState, credit: Credit) -> tuple[str, str, bool]:
    """When it lapses, how long until then, and whether that is soon; for one that cannot be spent, why not."""
    if credit.status is CreditStatus.REDEEMING:
        return "redeeming now", "", False
    if credit.status is CreditStatus.REDEEMED:
        return "redeemed", "", False
    refusal = credit.refusal(view.now)
    if refusal == "lapsed" and credit.expires_at:
        return f"lapsed {last_moment(credit.expires_at, view.now, view.zone)}", "", False
    if credit.status is CreditStatus.UNKNOWN:
        return "? unknown status", "", False
    if refusal:
        return ("not for your plan" if not credit.supported else "? unknown type"), "", False
    if credit.expires_at is None:
        return ("never lapses" if credit.never_expires else "? when it lapses is unknown"), "", False
    when = last_moment(credit.expires_at, view.now, view.zone)
    return when, countdown(credit.expires_at - view.now), credit.lapses_soon(view.now)


def _sign(view: ViewState, credit: Credit, first: bool) -> str:
    queued = view.state.queued
    if queued is not None and queued.credit_id == credit.id:
        return f"{SIGN} "
    return "▸ " if first else "  "


def _mark(view: ViewState, queued: Queued) -> Line:
    return (Span(f", {SIGN} {queued_count(view, queued)} {QUEUED}", Level.ACCENT),)


def _below(view: ViewState, width: int) -> Iterator[Line]:
    """What is queued, open, and under way by invites."""
    state = view.state
    if state.queued is not None:
        yield from wrap(queued_words(view, state.queued), width, indent=2)
    if state.open_spend is not None and not state.spending:
        todo = view.does("finish", "finishes it with the same key")
        yield (Span(" "),)
        yield from wrap((Span("1 spend open: outcome unknown, ", Level.NEAR), Span(todo)), width)
    if state.invites.records:
        from tui.ui.view.invites import invites_line  # most people have none

        yield from invites_line(view, width)
