"""The question at a limit: its title, its facts, what speaks for which answer, and the keys that answer."""

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from tui.domain.held_sessions import held
from tui.domain.lapses import Lapse
from tui.domain.question import LATER, Cause, Choice, Question
from tui.domain.sessions import SessionState
from tui.domain.spend import Proposal
from tui.domain.windows import WindowKind, limit_label
from tui.ui.view.outlook import moment
from tui.ui.view.selection import Selection, picking_lines
from tui.ui.view.sessions import workspace_name
from tui.ui.view.spending import effect_lines, note_lines, warnings
from tui.ui.view.text import Level, Line, Span, cells, clean, fit, named
from tui.ui.view.times import brief, countdown, last_moment
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent

if TYPE_CHECKING:
    from tui.domain.advice import Advice

_MUCH_WAITING: Final = timedelta(hours=2)
"""So much waiting is worth a reset."""

_MUCH_USED: Final = 50.0
"""From this share of the fullest window on a reset that lapses is worth spending."""

_LITTLE_WAITING: Final = timedelta(minutes=30)

_ADVICE_LASTS: Final = timedelta(minutes=5)
"""An outlook counts for so long."""


def _stopped(question: Question, threads: tuple[str, ...], view: ViewState) -> tuple[str, ...]:
    """Who stands still; one that was only about to may have stopped while the question stood."""
    if question.cause is Cause.STOPPED:
        return threads
    known = (view.state.sessions.get(thread) for thread in threads)
    return tuple(s.thread_id for s in known if s is not None and s.state is SessionState.STOPPED_AT_LIMIT)


def _held(threads: tuple[str, ...], view: ViewState) -> tuple[str, ...]:
    """Who waits at the limit in the middle of a turn."""
    return tuple(session.thread_id for session in held(view.state.sessions) if session.thread_id in threads)


def _count(threads: tuple[str, ...], view: ViewState, one: str, several: str) -> str:
    name = workspace_name(view.state.sessions.get(threads[0]))
    return f"{name} {one}" if len(threads) == 1 else f"{len(threads)} sessions {several}"


def _parts(question: Question, threads: tuple[str, ...], view: ViewState, at: datetime) -> tuple[str, str]:
    """Who, and what."""
    limit = limit_label(question.window)
    waiting = _held(threads, view)
    stopped = tuple(thread for thread in _stopped(question, threads, view) if thread not in waiting)
    if waiting or stopped:
        parts = [_count(waiting, view, "is held", "are held")] if waiting else []
        parts += [_count(stopped, view, "stopped", "stopped")] if stopped else []
        return ", ".join(parts), limit
    left = question.empty_at - at if question.empty_at else None
    if left is None or left < timedelta(minutes=1):
        return "about to stop", limit
    return "about to stop", f"{limit} in about {countdown(left)}"


def asking_title(question: Question, threads: tuple[str, ...], view: ViewState, at: datetime, width: int) -> str:
    """The dialog's title: who is held or stopped, or when that is expected; of a long one the end goes first."""
    if question.lapse is not None:
        return fit(f"one reset {_lapses_in(question.lapse, at)}: use it?", width)
    who, what = _parts(question, threads, view, at)
    is_hit = _held(threads, view) or _stopped(question, threads, view)
    full = f"{who}: {what} reached" if is_hit else f"{who}: {what}"
    return full if cells(full) <= width else fit(f"{who}: {what}", width)


def _lapses_in(lapse: Lapse, at: datetime) -> str:
    left = lapse.expires_at - at
    return f"lapses in {countdown(left)}" if left > timedelta(0) else "has lapsed"


def terminal_title(question: Question, threads: tuple[str, ...], view: ViewState) -> str:
    """The same for the terminal's own title; without any character that could end or begin a control sequence."""
    if question.lapse is not None:
        return f"resetbank: one reset {_lapses_in(question.lapse, view.now)}"
    who, what = _parts(question, threads, view, view.now)
    return f"resetbank: {who}, {what}"


def reading_lines(view: ViewState, selection: Selection, question: Question, width: int) -> tuple[Line, ...]:
    """What is known before the fresh reading."""
    return (
        *_sessions(view, selection, width),
        *_why(question, view, width),
        (Span("reading limits and bank afresh…", Level.DIM),),
    )


def question_lines(
    question: Question, proposal: Proposal, selection: Selection, view: ViewState, width: int
) -> tuple[Line, ...]:
    """Everything that an answer needs; the proposal is from a fresh reading."""
    at, zone = view.now, view.zone
    return (
        *_sessions(view, selection, width),
        *_why(question, view, width),
        *effect_lines(proposal, at, zone, width),
        *named("Advice", *(_verdict(question, proposal, view) or advice(question, proposal, at)), width=width),
        *_took(question, view, width),
        *note_lines(warnings(proposal, at, week_too=False), width),
    )


def _took(question: Question, view: ViewState, width: int) -> tuple[Line, ...]:
    """What the sessions took of the windows, where somebody knows."""
    past = _past(question, view)
    return named("Used", Span(clean("; ".join(past.took))), width=width) if past is not None and past.took else ()


def _sessions(view: ViewState, selection: Selection, width: int) -> tuple[Line, ...]:
    if len(selection.threads) < 2:
        return ()
    return (*picking_lines(selection, view, width), (Span(" "),))


def _why(question: Question, view: ViewState, width: int) -> tuple[Line, ...]:
    """What is lost without an answer: time at the limit, or a reset."""
    if question.lapse is None:
        return named("Waiting", Span(_waiting(question, view.now, view.zone)), width=width)
    when = last_moment(question.lapse.expires_at, view.now, view.zone)
    return named("Lapses", Span(f"{when}; after that it is lost"), width=width)


def _waiting(question: Question, now: datetime, zone: tzinfo) -> str:
    ends = question.natural_reset
    if ends is None:
        return "when the limit resets by itself is unknown"
    begin = question.empty_at
    if begin is not None and begin - now >= timedelta(minutes=1):
        return f"from about {brief(begin, now, zone)} until {brief(ends, now, zone)}, {countdown(ends - begin)}"
    return f"until {brief(ends, now, zone)}, {countdown(ends - now)}"


def _saved(question: Question, now: datetime) -> timedelta | None:
    """How much waiting a spend would save from now on."""
    if question.natural_reset is None:
        return None
    return question.natural_reset - max(now, question.empty_at or now)


def _past(question: Question, view: ViewState) -> "Advice | None":
    """The advice from the person's own past; None where it is of before what is asked about, or old."""
    outlook = view.state.outlook
    if outlook is None or outlook.at < question.window_seen_at.timestamp():
        return None
    return outlook.advice if view.now - moment(outlook.at) <= _ADVICE_LASTS else None


def _verdict(question: Question, proposal: Proposal, view: ViewState) -> tuple[Span, ...]:
    """The advice from the person's own past, its verdict first; empty where it is of something else.

    Of a reset that lapses it is also where a limit is expected for which this one should be queued.
    """
    past = _past(question, view)
    if past is None:
        return ()
    from tui.domain.advice import Matter, Verdict

    about = {Cause.ABOUT_TO_STOP: Matter.EXPECTED, Cause.LAPSING: Matter.LAPSING}.get(question.cause, Matter.REACHED)
    own = proposal.credit
    if question.lapse is not None and past.verdict is Verdict.QUEUE and own is not None and own.id == past.credit_id:
        about = Matter.EXPECTED
    if past.about is not about or past.verdict is Verdict.CANNOT_TELL:
        return ()
    first, mark, rest = past.headline.rstrip(".").partition(": ")
    return (Span(first + mark, Level.STRONG), Span(rest)) if mark else (Span(first),)


def advice(question: Question, proposal: Proposal, now: datetime) -> tuple[Span, ...]:
    """What speaks for which answer, from the facts alone, where the past says nothing; the first word is the answer."""
    if question.lapse is not None:
        return _before_lapse(proposal)
    saved = _saved(question, now)
    gains = f"saves {countdown(saved)}" if saved is not None else "saves an unknown time of waiting"
    credit = proposal.credit
    lapses = credit.expires_at if credit and credit.expires_at and credit.lapses_soon(now) else None
    if lapses is not None:
        gains += f"; this one lapses in {countdown(lapses - now)} anyway"
    elif proposal.unused_week_percent and question.window.kind is not WindowKind.WEEKLY:
        gains += f", but you may give up the {percent(proposal.unused_week_percent)} you have left this week"
    if question.cause is Cause.ABOUT_TO_STOP:
        return (Span("Queue: ", Level.STRONG), Span(f"spent only if the limit is really hit; {gains}"))
    if lapses is None and saved is not None and saved <= _LITTLE_WAITING:
        return (Span("Wait: ", Level.STRONG), Span(f"a spend only {gains}"))
    if lapses is not None or (saved is not None and saved >= _MUCH_WAITING):
        return (Span("Spend: ", Level.STRONG), Span(gains))
    return (Span("Your choice: ", Level.STRONG), Span(f"a spend {gains}"))


def _before_lapse(proposal: Proposal) -> tuple[Span, ...]:
    fullest = max((effect.before.used_percent or 0.0 for effect in proposal.effects), default=0.0)
    share = proposal.unused_week_percent
    costs = f", but you may give up the {percent(share)} you have left this week" if share else ""
    if fullest < _MUCH_USED:
        return (Span("Your choice: ", Level.STRONG), Span(f"little is used, so it gives back little{costs}"))
    return (Span("Spend: ", Level.STRONG), Span(f"it is lost unless it is spent before{costs}"))


def spend_offers(question: Question, selection: Selection) -> tuple[str, ...]:
    """What the letters do: there are two, but one where nobody is to go on."""
    if question.lapse is not None:
        return ("spend it",)
    verb = "let go on" if question.cause is Cause.HELD else "continue"
    several = len(selection.threads) > 1
    whom = f" {len(selection.chosen)} of {len(selection.threads)}" if several else ""
    return f"spend and {verb}{whom}", "spend only"


def answer_keys(question: Question, selection: Selection, view: ViewState) -> list[tuple[str, str]]:
    """The commands that answer, with their words, and short ones where there is little room."""
    keys = [("queue_it", "queue for the limit|queue")] if Choice.QUEUE in question.choices else []
    when = brief(question.natural_reset, view.now, view.zone) if question.natural_reset else "the reset"
    mute = "not until the reset|mute" if question.lapse is None else "no more of this one|mute"
    short, longer = (countdown(LATER[choice]) for choice in (Choice.LATER_5, Choice.LATER_15))
    if Choice.WAIT in question.choices:
        keys.append(("wait", f"wait and go on at {when}|wait"))
    if Choice.LET_FAIL in question.choices:
        keys.append(("let_fail", "let them fail|fail"))
    keys += [("later_5", f"later, in {short}|in {short}"), ("later_15", f"in {longer}|in {longer}")]
    keys.append(("mute", mute))
    if len(selection.threads) > 1:
        keys.append(("previous next toggle", "choose who continues|who"))
    return [*keys, ("close", "closes|close")]


def answered_text(question: Question, choice: Choice) -> str:
    """What an answer led to, as one line."""
    limit = limit_label(question.window)
    if choice in LATER:
        return f"asked again in {countdown(LATER[choice])}, if it is still worth it"
    if question.lapse is not None:
        return "no more questions about this reset"
    return {
        Choice.WAIT: f"waiting: work goes on by itself when the {limit} is reset",
        Choice.LET_FAIL: f"held requests go, and no more are held until the {limit} is reset",
        Choice.NOT_UNTIL_RESET: f"no more questions until the {limit} is reset",
        Choice.QUEUE: "one reset is queued for the limit",
    }.get(choice, "answered")


def settled_text(question: Question, view: ViewState) -> str:
    """Why a question closed by itself, as one line."""
    snapshot = view.state.snapshot
    if question.lapse is not None:
        is_over = question.lapse.expires_at <= view.now
        return "the question is settled: " + ("that reset has lapsed" if is_over else "that reset is spoken for")
    if snapshot is not None and question.mark.has_reset(snapshot):
        return f"the question is settled: the {limit_label(question.window)} was reset"
    return "the question is settled: it was answered elsewhere, or no session stands still"
