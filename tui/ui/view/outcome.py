"""A spend under way, and what came of it."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from tui.domain.findings import findings, has_dropped, mismatches
from tui.domain.spend import Outcome, Spend, Stage
from tui.domain.windows import MAIN_LIMIT, Window, WindowKind, has_moved, label
from tui.ui.view.text import Level, Line, Span, clean, left, named, right, wrap
from tui.ui.view.times import full, in_zone, last_moment
from tui.ui.view.words import percent, resets

_STEPS: Final = (
    (Stage.JOURNALED, "written down", "so that a crash cannot spend twice"),
    (Stage.SENT, "sent", "once, with one key"),
    (Stage.ANSWERED, "answered", "the service said what it did"),
    (Stage.VERIFIED, "verified", "limits and bank read again"),
)

_REACHED_BY: Final = {
    Stage.UNREADABLE: 0,
    Stage.JOURNALED: 1,
    Stage.SENT: 2,
    Stage.UNKNOWN: 2,
    Stage.ANSWERED: 3,
    Stage.VERIFIED: 4,
    Stage.CLOSED: 4,
}
"""How many steps are behind a spend at each stage."""

_TITLES: Final = {
    Outcome.RESET: ("✓ One reset was spent.", Level.OK),
    Outcome.NOTHING_TO_RESET: ("– Nothing to reset: the service kept the reset in the bank.", Level.NEAR),
    Outcome.NO_CREDIT: ("– No reset: the service says that none can be spent.", Level.NEAR),
    Outcome.REFUSED: ("✗ Refused: nothing was spent by this request.", Level.REACHED),
    Outcome.UNKNOWN: ("? Outcome unknown: the reset may or may not have been spent.", Level.UNKNOWN),
}


def progress_lines(spend: Spend | None, width: int) -> tuple[Line, ...]:
    """The steps of a spend, done ones marked; None is one that is not written down yet."""
    behind = _REACHED_BY[spend.stage] if spend else 0
    lines: list[Line] = []
    for number, (stage, name, why) in enumerate(_STEPS):
        sign, level = (
            ("✓", Level.OK) if number < behind else (("▸", Level.ACCENT) if number == behind else ("·", Level.DIM))
        )
        text = why
        if stage is Stage.SENT and spend and spend.sends > 1:
            text = f"{spend.sends} times, always the same request with the same key"
        if stage is Stage.ANSWERED and spend and spend.stage is Stage.UNKNOWN:
            sign, level, text = "?", Level.UNKNOWN, clean(spend.reason or "no answer came")
        name_level = Level.DIM if number > behind else Level.PLAIN
        start = (Span(f"  {sign} ", level), Span(f"{name:<14}", name_level))
        for row, words in enumerate(wrap((Span(text, Level.DIM),), width - 18)):
            lines.append((*start, *words) if row == 0 else (Span(" " * 18), *words))
    return tuple(lines)


def result_lines(
    spend: Spend, now: datetime, zone: tzinfo, width: int, *, finish: str = "`resetbank spend` finishes it"
) -> tuple[Line, ...]:
    """What came of it, as observed; a mismatch is said plainly, an unknown outcome honestly.

    An open one says how a person finishes it, as `finish` has it.
    """
    if spend.is_open or spend.outcome is None:
        return tuple(_open_lines(spend, now, zone, width, finish))
    title, level = _TITLES[spend.outcome]
    lines: list[Line] = [*wrap((Span(title, level),), width, indent=2), (Span(" "),)]
    if spend.outcome is not Outcome.RESET or spend.after is None:
        for reason in findings(spend):
            lines += named("Because", Span(clean(in_zone(reason, now, zone))), width=width)
        return tuple(lines)
    for before in (window for window in spend.before if window.limit_id == MAIN_LIMIT):
        lines += _observed(before, spend.after, now, zone, width)
    if spend.resets_left is not None:
        lines += named("  then", Span(f"{resets(spend.resets_left)} left"), width=width)
    for reason in mismatches(spend):
        lines += named("! Mismatch", Span(clean(reason), Level.NEAR), width=width, level=Level.NEAR)
    if spend.reason:
        lines += named("Note", Span(clean(spend.reason)), width=width)
    return tuple(lines)


def _observed(before: Window, fresh: tuple[Window, ...], now: datetime, zone: tzinfo, width: int) -> Iterator[Line]:
    after = next((w for w in fresh if (w.limit_id, w.minutes) == (before.limit_id, before.minutes)), None)
    if after is None:
        yield from named(f"  {label(before)}", Span("no longer reported"), width=width)
        return
    sign, level = {True: ("✓", Level.OK), False: ("! not cleared", Level.NEAR), None: ("", Level.PLAIN)}[
        has_dropped(before, after)
    ]
    change = f"{right(percent(before.used_percent), 5)} → {left(percent(after.used_percent), 5)} "
    moved = has_moved(before, after)
    date = ""
    if before.kind in (WindowKind.WEEKLY, WindowKind.MONTHLY) and before.resets_at:
        date = (
            f"  reset {full(before.resets_at, now, zone)} → {full(moved, now, zone)}"
            if moved
            else "  reset date as before"
        )
    yield from named(f"  {label(before)}", Span(change), Span(sign, level), Span(date, Level.DIM), width=width)


def _open_lines(spend: Spend, now: datetime, zone: tzinfo, width: int, finish: str) -> Iterator[Line]:
    title, level = _TITLES[Outcome.UNKNOWN]
    yield from wrap((Span(title, level),), width, indent=2)
    yield (Span(" "),)
    if spend.reason:
        yield from named("Because", Span(clean(spend.reason)), width=width)
    yield from named(
        "Kept", Span("with its key; asked again with that key only, so at most this one is spent"), width=width
    )
    yield from named("Locked", Span("no second spend before this one is settled"), width=width)
    yield from named("Next", Span(f"{finish}; so does a resetbank that runs, when the service answers"), width=width)
    if spend.credit_expires_at:
        when = last_moment(spend.credit_expires_at, now, zone)
        yield from named("At latest", Span(f"it is let go when its reset lapses, {when}"), width=width)


def finish_lines(spend: Spend, now: datetime, zone: tzinfo, width: int) -> tuple[Line, ...]:
    """What finishing an old open spend means, as shown before it is done."""
    given = full(spend.consent.given_at, now, zone)
    sent = "not sent yet" if spend.sends == 0 else f"sent {'once' if spend.sends == 1 else f'{spend.sends} times'}"
    lines: list[Line] = []
    lines += named("Open", Span(f"consented {given}, {sent}, outcome unknown"), width=width)
    if spend.reason:
        lines += named("Because", Span(clean(spend.reason)), width=width)
    text = "looks at the bank; while the reset is still there, sends the same request with the same key again"
    lines += named("Finishing", Span(text), width=width)
    return tuple(lines)
