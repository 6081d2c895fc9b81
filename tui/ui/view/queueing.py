"""A reset that waits for the limit: what arming one means, and how an armed one is shown."""

from datetime import datetime, timedelta

from tui.domain.credits import Credit
from tui.domain.limit_stops import binding_window
from tui.domain.question import Question
from tui.domain.queue import BEFORE_LAPSE, Queued
from tui.domain.spend import choose_credit
from tui.domain.windows import Window, WindowState, limit_label
from tui.ui.view.sessions import names_of
from tui.ui.view.spending import credit_spans
from tui.ui.view.text import Level, Line, Span, named
from tui.ui.view.times import brief
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets

SIGN = "◷"
"""The sign of a queued reset."""

QUEUED = "queued for the limit"

Offer = tuple[Window, Credit | None]
"""The window that it would wait for, and the reset; None where the service chooses."""


def offer(view: ViewState) -> Offer | str:
    """What would be armed now; or, as text, why nothing can be."""
    snapshot = view.state.snapshot
    window = binding_window(snapshot) if snapshot else None
    if snapshot is None or window is None:
        return "nothing is known of the limits yet"
    if snapshot.state(view.now) is WindowState.REACHED:
        return "the limit is hit already: spend one now, or wait"
    queued, bank = view.state.queued, snapshot.bank
    named = queued.credit_id if queued is not None and bank.credits is not None else None
    credit = choose_credit(bank, view.now, named)
    return credit if isinstance(credit, str) else (window, credit)


def terms(view: ViewState, offered: Offer | str) -> tuple[object, ...]:
    """What the consent is given to; a percentage that moves is not among it."""
    if isinstance(offered, str):
        return (offered,)
    window, credit = offered
    return view.state.account_key, window.limit_id, window.minutes, credit and credit.id


def queue_lines(
    view: ViewState,
    offered: Offer,
    whom: tuple[str, ...] | bool,
    width: int,
    number: int = 1,
    until: datetime | None = None,
    before_lapse: float | None = None,
) -> tuple[Line, ...]:
    """What arming means: how many may be spent, until when, and whom that carries on.

    From `before_lapse` per cent of a window on, one is also spent shortly before it lapses.
    """
    window, credit = offered
    lines: list[Line] = []
    if queued := view.state.queued:
        number, until, before_lapse = queued.left, queued.until, queued.before_lapse
        text = f"a reset was queued {brief(queued.armed_at, view.now, view.zone)}, before the restart: still wanted?"
        lines += named("! Again", Span(text, Level.NEAR), width=width, level=Level.NEAR)
    if before_lapse is not None:
        until = credit.expires_at if credit is not None else until
        spans = tuple(credit_spans(credit, view.now, view.zone))
        share, left = percent(before_lapse), None if until is None else until - view.now
        at = f"once: {BEFORE_LAPSE // timedelta(minutes=1)} min before it lapses"
        at = at if left is None or left > BEFORE_LAPSE else "at once, since it lapses soon"
        when = f"{at}, if {share} of a window is used by then; or before that, when the"
        when += " limit is really hit and a session is held or stopped"
    elif until is None:
        spans = tuple(credit_spans(credit, view.now, view.zone))
        when = "once, when the limit is really hit"
    else:
        spans = (Span(f"up to {resets(number)}, one at a time, the soonest to lapse first"),)
        when = "each when the limit is really hit and a session is held or stopped"
    lines += named("Spending", *spans, width=width)
    when = when if before_lapse is not None else f"{when}; not before, and not at a full bar"
    lines += named("When", Span(when), width=width)
    if isinstance(whom, tuple):
        names = names_of(view.state.sessions, whom).values()
        who = f"carries on {', '.join(names)}" if names else "carries nobody on"
    else:
        who = "carries on every session that the limit stops" if whom else "carries nobody on"
    lines += named("Then", Span(who), width=width)
    resets_at = f" ({brief(window.resets_at, view.now, view.zone)})" if window.resets_at else ""
    key = view.keys.get("queue")
    by_hand = f", or by {key}" if key else ""
    ends = f"if the {limit_label(window)} is reset first{resets_at}{by_hand}: then nothing is spent"
    if before_lapse is not None and until is not None:
        ends = f"when it lapses, {brief(until, view.now, view.zone)}{by_hand}, and when this program ends"
    elif until is not None:
        ends = f"at {brief(until, view.now, view.zone)}{by_hand}, and when this program ends: what is left is not spent"
    lines += named("Kept" if until is None else "Ends", Span(ends), width=width)
    return tuple(lines)


def night_title(question: Question, view: ViewState) -> str:
    """The evening's question in one line."""
    when = brief(question.empty_at, view.now, view.zone) if question.empty_at else "night"
    return f"tonight's jobs will likely hit the limit at about {when}: queue one?"


def night_lines(question: Question, width: int) -> tuple[Line, ...]:
    """What that rests on."""
    return named("Tonight", Span(f"expected, {question.why}"), width=width)


def queued_words(view: ViewState, queued: Queued) -> tuple[Span, ...]:
    """How a queued one stands, in one sentence."""
    key = view.keys.get("queue")
    if queued.needs_fresh_yes:
        does = f"{key} confirms or cancels" if key else "it waits for a fresh yes on the screen"
        return (Span("a reset was queued before the restart: ", Level.NEAR), Span(does))
    lapse = f", or before it lapses from {percent(queued.before_lapse)} on" if queued.before_lapse is not None else ""
    where = ", armed in another resetbank" if queued.elsewhere else ""
    return (
        Span(f"{SIGN} {queued_count(view, queued)} {QUEUED}{lapse}{where}", Level.ACCENT),
        Span(f"; {key} takes it out" if key else ""),
    )


def queued_count(view: ViewState, queued: Queued) -> str:
    """How many are left, and until when."""
    if queued.until is None or queued.before_lapse is not None:
        return str(queued.left)
    return f"up to {queued.left}, until {brief(queued.until, view.now, view.zone)},"
