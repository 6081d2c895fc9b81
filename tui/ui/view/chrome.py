"""The lines around the panels: who and where from, how the source stands, the keys, the demo band."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from tui.domain.question import NoQuestionReason
from tui.domain.windows import label, limit_label
from tui.ui.commands import BY_ID, CONSENTING, MAIN, commands_of, shown_key
from tui.ui.view.resuming import limit_stands, to_carry, under_way
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, fit, line_width, spread
from tui.ui.view.times import age, brief, calm_age, countdown, local
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent

NAME: Final = "resetbank"

_NOTE_KEPT: Final = timedelta(seconds=60)
"""For so long a note of what was done is shown."""

_CLOSED = (
    NoQuestionReason.ALREADY_ASKED,
    NoQuestionReason.SNOOZED,
    NoQuestionReason.MUTED,
    NoQuestionReason.WAITING,
    NoQuestionReason.DAILY_CAP,
)
"""Why nothing is asked though there is something to ask."""


def header_line(view: ViewState, width: int) -> Line:
    """Name, plan and account on the left; source, age and clock on the right: nothing that differs every second."""
    snapshot, link = view.state.snapshot, view.state.link
    clock = local(view.now, view.zone).strftime("%H:%M")
    who = ""
    if snapshot:
        who = " · ".join(clean(part) for part in (snapshot.account.plan, snapshot.account.email) if part)
    source, level = link.source or "", Level.DIM
    if snapshot:
        source = f"{snapshot.provenance.source} · {calm_age(snapshot.provenance.age(view.now))}"
        level = Level.UNKNOWN if view.is_old else Level.OK
    sign = "● " if level is Level.OK else "○ "
    gap = "   " if width >= 60 else "  "
    where = (Span(sign, level), Span(source, Level.DIM if level is Level.UNKNOWN else Level.PLAIN)) if source else ()
    end = (*where, Span(gap), Span(clock, Level.DIM)) if width >= 46 or not where else where
    if snapshot and len(NAME) + len(gap) + cells(who) + line_width(end) >= width:
        who = clean(snapshot.account.plan or "")
    return spread((Span(NAME, Level.ACCENT), Span(gap), Span(who)), end, width)


def status_line(view: ViewState, width: int, *, short: bool = False) -> Line:
    """What hinders, worst first, or how often the source is read."""
    state, link = view.state, view.state.link
    if view.alarm:
        return _fault(clean(view.alarm), width)
    if state.problems:
        return _fault(clean(state.problems[-1].text), width)
    if state.store_failure:
        return _fault(f"nothing can be written down, so nothing can be spent: {clean(state.store_failure)}", width)
    if link.failure:
        since = f" since {brief(link.failing_since, view.now, view.zone)}" if link.failing_since else ""
        failure = f"{link.source or 'no source'} fails{since}: {clean(link.failure)}"
        reading = f"; last reading {age(state.snapshot.provenance.age(view.now))}" if state.snapshot else ""
        # The line above the limits says the age, too: where both do not fit, the failure is what must not be cut.
        return _fault(failure + (reading if cells(failure + reading) <= width - 2 else ""), width)
    if view.is_remembered:
        return (Span("connecting…" if view.connecting else "reading the limits…", Level.DIM),)
    if state.snapshot and view.is_old:
        return _fault(f"stale: last reading {age(state.snapshot.provenance.age(view.now))}", width)
    if (note := note_line(view, width)) is not None:
        return note
    if short and (newest := since_line(view, width)) is not None:
        return newest
    if quiet := quiet_text(view):
        return (Span(fit(quiet, width), Level.DIM),)
    if state.snapshot and state.snapshot.unknowns:
        return clip((Span("? ", Level.UNKNOWN), Span(fit(clean(state.snapshot.unknowns[0]), width - 2))), width)
    if (past := past_text(view)) is not None:
        return clip((Span(past, Level.DIM),), width)
    if link.interval:
        rhythm = f"read every {countdown(link.interval)}"
        following = f", next at {local(link.next_poll_at, view.zone):%H:%M:%S}" if link.next_poll_at else ""
        return clip((Span(rhythm + following, Level.DIM),), width)
    return (Span(" "),)


def since_line(view: ViewState, width: int) -> Line | None:
    """The newest of what happened since the person looked; None where nothing did."""
    if not view.matters:
        return None
    from tui.ui.view.since import since_text

    return (Span(fit(since_text(view), width), Level.ACCENT),)


def quiet_text(view: ViewState) -> str | None:
    """Why nothing is asked though a limit is hit or near; None where the reason is of no interest."""
    no_question = view.state.no_question
    if no_question is None or no_question.cause is None or no_question.window is None:
        return None
    name = label(no_question.window)
    resets_at = no_question.natural_reset
    when = brief(resets_at, view.now, view.zone) if resets_at and resets_at > view.now else None
    resets = f"; {name} resets {when}" if when else ""
    is_reset = f"the {limit_label(no_question.window)} is reset" + (f", by {when}" if when else "")
    return {
        NoQuestionReason.BANK_EMPTY: f"no question: no reset banked{resets}",
        NoQuestionReason.WAITING: f"no question: waiting; work goes on by itself when {is_reset}",
        NoQuestionReason.QUEUED: f"no question: a reset is queued for the limit{resets}",
        NoQuestionReason.MUTED: f"no question until {is_reset}: you said so",
        NoQuestionReason.DAILY_CAP: f"no question: as many were asked today as the settings allow{resets}",
    }.get(no_question.reason)


def can_reopen(view: ViewState) -> bool:
    """Whether a question was closed that is still true."""
    no_question = view.state.no_question
    return no_question is not None and no_question.cause is not None and no_question.reason in _CLOSED


def past_text(view: ViewState) -> str | None:
    """How much of the past on the disk is read; None while none is being read."""
    done = view.state.past_read
    return None if done is None else f"reading the past from your rollouts: {percent(100 * done)}"


def note_line(view: ViewState, width: int, place: str = MAIN) -> Line | None:
    """What was just done in a place; None where that is long ago, or not true any more."""
    note = view.note
    if note is None or note.place != place or not timedelta(0) <= view.now - note.at < _NOTE_KEPT:
        return None
    return (Span(fit(clean(note.text), width), Level.ACCENT),) if note.is_true(view.state) else None


def _fault(text: str, width: int) -> Line:
    return (Span("! ", Level.NEAR), Span(fit(text, width - 2)))


def key_line(view: ViewState, width: int) -> Line:
    """The keys for what can be done now, as many as fit; help and quit always."""
    verbs = _verbs(view)
    shown = [command for command in commands_of(MAIN) if verbs.get(command.id, command.title if command.show else "")]
    items = {c.id: (view.keys.get(c.id, shown_key(c.key)), verbs.get(c.id, c.title)) for c in (*shown, BY_ID["quit"])}
    items["quit"] = items.pop("quit")
    return fitting_keys(items, width, _DROPPED)


_DROPPED: Final = (
    *("refresh", "history", "next_account", "invite", "ledger", "queue", "dismiss"),
    *("continue", "answer", "spend", "finish"),
)


def fitting_keys(items: dict[str, tuple[str, str]], width: int, dropped: Iterable[str]) -> Line:
    """The key and the word of each command in one line, as many as fit; the first one dropped is missed least."""
    for name in dropped:
        if sum(cells(key) + cells(title) + 3 for key, title in items.values()) <= width + 2:
            break
        items.pop(name, None)
    return key_spans([(key, title, f"app.give({name!r})") for name, (key, title) in items.items()], width)


def _verbs(view: ViewState) -> dict[str, str]:
    """What a key does now, where that differs from its title; empty where it can do nothing."""
    state = view.state
    snapshot, queued = state.snapshot, state.queued
    verbs: dict[str, str] = {"next_account": "Account"} if view.accounts else {}
    if view.connecting or view.problem:
        verbs |= dict.fromkeys(("spend", "queue", "invite", "ledger", "history"), "")
        verbs["refresh"] = "Connect" if view.problem else ""
    if snapshot is None or snapshot.bank.usable(view.now) == 0 or state.open_spend is not None:
        verbs |= {"spend": "", "queue": ""}
    if not state.open_spend or state.spending:
        verbs["finish"] = ""
    if not to_carry(view) and not under_way(view):
        verbs["continue"] = ""
    if queued is not None:
        verbs["queue"] = "Confirm queue" if queued.needs_fresh_yes else "Take out"
    elif limit_stands(view):
        verbs["queue"] = ""
    if not can_reopen(view):
        verbs["answer"] = ""
    if state.announcement is None and not view.matters:
        verbs["dismiss"] = "Wait no longer" if state.waiting is not None else ""
    if view.is_read_only:
        verbs |= dict.fromkeys((*CONSENTING, "continue"), "")
    return verbs


def key_spans(items: Iterable[tuple[str, str, str]], width: int) -> Line:
    """Keys in one line, each with its word and what a click on it runs."""
    spans: list[Span] = []
    for number, (key, title, action) in enumerate(items):
        spans += [Span("  ")] if number else []
        spans += [Span(key, Level.KEY, action), Span(f" {title}", Level.PLAIN, action)]
    return clip(tuple(spans), width)


def command_spans(view: ViewState, names: Iterable[str], width: int, dropped: Iterable[str] = ()) -> Line:
    """Some commands in one line, each with its key and its title; where they do not fit, some are dropped."""
    return fitting_keys({name: (view.keys[name], BY_ID[name].title) for name in names}, width, dropped)


def demo_line(view: ViewState, width: int) -> Line:
    """The band that says that nothing here is real, or that an agent may sit at the keys; empty on real data."""
    if view.state.demo is None:
        why = f"Codex started this screen ({clean(view.read_only or '')} is set): nothing can be spent or sent from it"
        return (Span(fit(f"READ-ONLY · {why}", width), Level.STRONG),) if view.read_only else ()
    what = f"embedded service, scenario {clean(view.state.demo)}"
    real = "nothing here is real"
    scenario = f"scenario {clean(view.state.demo)}"
    how = "connect: codex login, or resetbank login --base-url URL"
    for parts in (
        ("DEMO", what, real, how),
        ("DEMO", scenario, real, how),
        ("DEMO", scenario, real, "connect: codex login"),
        ("DEMO", real, "connect: codex login"),
        ("DEMO", real),
    ):
        text = " · ".join(parts)
        if cells(text) <= width:
            return (Span(text, Level.STRONG),)
    return (Span("DEMO", Level.STRONG),)
