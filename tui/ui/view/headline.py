"""One sentence that names the binding window and what can be done about it."""

from datetime import timedelta
from typing import Final

from tui.domain.held_sessions import held
from tui.domain.snapshot import Snapshot, Wall
from tui.domain.spend import Stage
from tui.domain.waiting import Announcement, ResumeReason
from tui.domain.windows import Window, WindowState, label, limit_label
from tui.ui.view.queueing import queued_words
from tui.ui.view.resuming import limit_stands, to_carry
from tui.ui.view.text import Level, Line, Span, clean
from tui.ui.view.times import brief, countdown, until
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets

_SHORT_WAIT: Final = timedelta(minutes=5)
"""A reset is not offered for less waiting than this."""

STAGES: Final = {
    Stage.JOURNALED: "written down, not sent yet",
    Stage.SENT: "sent, waiting for the answer",
    Stage.UNKNOWN: "no answer yet",
    Stage.ANSWERED: "answered, reading the limits again",
    Stage.VERIFIED: "verified",
    Stage.CLOSED: "done",
}
"""How far a spend is, in words."""


def headline(view: ViewState) -> Line:
    """The sentence, its first words marked with their level."""
    state = view.state
    if view.problem:
        return (Span("Not connected: ", Level.REACHED), Span(clean(view.problem.message)))
    if view.connecting and state.snapshot is None:
        return (Span("connecting…", Level.DIM),)
    if state.open_spend and state.spending:
        return (Span("Spending one reset: ", Level.NEAR), Span(STAGES[state.open_spend.stage]))
    if state.open_spend:
        todo = view.does("finish", "looks at the bank and finishes it with the same key")
        return (Span("1 spend open, its outcome is unknown: ", Level.NEAR), Span(todo))
    if state.announcement is not None:
        return _announced(view, state.announcement)
    if state.snapshot is None:
        reason = state.link.failure
        return (Span("No reading yet: ", Level.UNKNOWN), Span(clean(reason) if reason else "waiting for the first one"))
    sentence = _sentence(view, state.snapshot)
    if (left := to_carry(view)) and not limit_stands(view) and (key := view.keys.get("continue")):
        text = "1 session is" if len(left) == 1 else f"{len(left)} sessions are"
        goes_on = f"{key} continues {'it' if len(left) == 1 else 'them'}. "
        sentence = (Span(f"{text} still stopped: ", Level.NEAR), Span(goes_on), *sentence)
    if state.queued is not None:
        sentence = (*sentence, Span("; "), *queued_words(view, state.queued))
    if view.is_old:
        return (Span("Last known: ", Level.UNKNOWN), *(Span(span.text, Level.DIM) for span in sentence))
    return sentence


def _sentence(view: ViewState, snapshot: Snapshot) -> Line:
    judged = snapshot.state(view.now, view.state.near_percent)
    limit = snapshot.main_limit
    window = limit.binding_window(view.now) if limit else None
    if judged is WindowState.REACHED:
        return _stopped(view, snapshot, window)
    if snapshot.paid_credits_carry_on(view.now):
        offer = f"; {view.does('spend', 'spends one')}" if snapshot.bank.usable(view.now) else ""
        return (Span("The plan's limit is reached; ", Level.NEAR), Span(f"paid credits carry on{offer}"))
    cap = snapshot.spend_control
    if (
        cap is not None
        and cap.is_meter
        and (window is None or cap.state(view.state.near_percent) is judged is WindowState.NEAR)
    ):
        resets = f", resets {until(cap.resets_at, view.now, view.zone)}" if cap.resets_at else ""
        used = f"{percent(cap.used_percent)} of the workspace's cap used{resets}"
        if judged is WindowState.NEAR:
            return (Span("Near the workspace's cap: ", Level.NEAR), Span(used))
        if judged is WindowState.OK:
            return (Span("Free to work: ", Level.OK), Span(used))
    if judged is WindowState.OK and snapshot.is_unlimited:
        return (Span("Free to work: ", Level.OK), Span("this account is unlimited, nothing is metered"))
    if judged is WindowState.UNKNOWN or limit is None or window is None:
        known = f"; {_used(window)}" if window else ""
        why = clean(snapshot.unknowns[0]) if snapshot.unknowns else "the reading is out of date, or did not say"
        return (Span("Unknown how much is left", Level.UNKNOWN), Span(f"{known}: {why}"))
    when = f" resets {until(window.resets_at, view.now, view.zone)};" if window.resets_at else ""
    bank = _bank(view, snapshot)
    if judged is WindowState.NEAR:
        usable = snapshot.bank.usable(view.now) and not view.state.queued
        offer = f"; {view.does('spend', 'spends one')}" if usable else ""
        return (Span(f"{_used(window)}, near:", Level.NEAR), Span(f"{when} {bank}{offer}"))
    if all(w.used_percent == 0 for w in limit.windows):
        return (Span("Free to work: ", Level.OK), Span(f"nothing is used; {bank}"))
    return (Span("Free to work: ", Level.OK), Span(f"{_used(window)}{',' if when else ';'}{when} {bank}"))


def _announced(view: ViewState, announcement: Announcement) -> Line:
    """That work can go on, as it was observed, and what can be done now."""
    when = brief(announcement.observed_at, view.now, view.zone)
    mark = announcement.window
    limit = limit_label(Window(mark.limit_id, None, mark.minutes, None, None))
    what = f"the {limit} was reset" if announcement.reason is ResumeReason.WINDOW_RESET else "work is allowed again"
    offers = []
    count = len(to_carry(view))
    if count and (key := view.keys.get("continue")):
        offers.append(f"{key} carries on {count} session{'s' if count > 1 else ''}")
    if key := view.keys.get("dismiss"):
        offers.append(f"{key} dismisses")
    return (Span(f"{what} at {when} (observed)", Level.OK), Span(f": {', '.join(offers)}" if offers else ""))


def _used(window: Window) -> str:
    return f"{label(window)} {percent(window.used_percent)} used"


def _stopped(view: ViewState, snapshot: Snapshot, window: Window | None) -> Line:
    reached = window is not None and (window.used_percent or 0) >= 100
    walls = snapshot.walls(view.now)
    if Wall.CREDITS in walls:
        return (
            Span("Stopped: the workspace is out of credits. ", Level.REACHED),
            Span("No reset helps; whoever runs the workspace can add credits"),
        )
    if Wall.CAP in walls:
        cap = snapshot.spend_control
        ends = (
            f"it resets {until(cap.resets_at, view.now, view.zone)}" if cap and cap.resets_at else "its end is unknown"
        )
        return (
            Span("Stopped: the workspace's cap on you is reached. ", Level.REACHED),
            Span(f"No reset helps; {ends}"),
        )
    cause = f"{limit_label(window)} reached" if reached and window else "the service allows no ordinary use now"
    waiting = held(view.state.sessions)
    counted = "1 session is held" if len(waiting) == 1 else f"{len(waiting)} sessions are held"
    start = Span(f"{counted if waiting else 'Stopped'}: {cause}. ", Level.REACHED)
    end = window.resets_at if reached and window and window.resets_at and window.resets_at > view.now else None
    if view.state.waiting is not None and end:
        stop = f"; {view.keys['dismiss']} waits no longer" if view.keys.get("dismiss") else ""
        return (start, Span(f"Waiting: work goes on by itself at {until(end, view.now, view.zone)}{stop}"))
    if end and end - view.now <= _SHORT_WAIT:
        return (start, Span(f"It resets by itself at {until(end, view.now, view.zone)}"))
    wait = f"wait until {until(end, view.now, view.zone)}" if end else "wait; when it ends is unknown"
    usable = snapshot.bank.usable(view.now)
    if usable == 0:
        none = "No reset in the bank" if snapshot.bank.available == 0 else "No reset that can be spent now"
        return (start, Span(f"{none}; {wait}"))
    if usable is None:
        return (start, Span(f"How many resets are banked is unknown; {wait}"))
    return (start, Span(f"{view.does('spend', 'spends one reset')}, or {wait}"))


def _bank(view: ViewState, snapshot: Snapshot) -> str:
    bank = snapshot.bank
    if bank.available is None:
        return "the bank is unknown"
    if bank.available == 0:
        return "no reset in the bank"
    text = f"{resets(bank.available)} banked"
    first = next(iter(bank.spendable(view.now)), None)
    if first and first.expires_at and first.lapses_soon(view.now):
        subject = "it" if bank.available == 1 else "one"
        text += f", {subject} lapses in {countdown(first.expires_at - view.now)}"
    return text
