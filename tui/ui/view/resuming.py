"""Carrying sessions on: which can be, and how far that has come for each."""

from collections.abc import Iterator
from datetime import datetime

from tui.domain.resumes import LimitStop, Resume, ResumeStage
from tui.domain.resuming import due
from tui.domain.sessions import Session, SessionState, live
from tui.domain.windows import WindowState
from tui.ui.view.sessions import CARRIED, command_lines, names_of, resume_text
from tui.ui.view.text import Level, Line, Span, clean, wrap
from tui.ui.view.view_state import ViewState

_SIGNS = {
    ResumeStage.CLAIMED: ("…", Level.DIM),
    ResumeStage.SENT: ("▸", Level.ACCENT),
    ResumeStage.COMMAND: ("!", Level.NEAR),
    ResumeStage.DONE: ("✓", Level.OK),
}

_WITHOUT_A_MESSAGE = {
    SessionState.STOPPED_AT_LIMIT: ("–", "not told to go on", Level.DIM),
    SessionState.RUNNING: ("✓", "is at work", Level.OK),
    SessionState.WAITING_APPROVAL: ("!", "waits for your approval in Codex", Level.NEAR),
    SessionState.IDLE: ("–", "has ended its turn", Level.DIM),
    SessionState.STOPPED_BY_ERROR: ("!", "stopped by an error", Level.NEAR),
}


def to_carry(view: ViewState) -> tuple[LimitStop, ...]:
    """Every session that a limit stopped and that got no message to go on, the first to stop first."""
    state = view.state
    shown = {session.thread_id: session for session in live(state.sessions, view.now)}
    stopped = state.announcement.stops if state.announcement else ()
    return due(stopped, None, shown, True, state.resumes)


def limit_stands(view: ViewState) -> bool:
    """Whether a message would only fail: the limit is hit, as far as is known."""
    snapshot = view.state.snapshot
    return snapshot is not None and snapshot.state(view.now) is WindowState.REACHED


def under_way(view: ViewState) -> tuple[str, ...]:
    """The stopped threads that were carried on and are not seen at work yet."""
    return tuple(
        session.thread_id
        for session in live(view.state.sessions, view.now)
        if session.state is SessionState.STOPPED_AT_LIMIT
        and view.state.resumes.of(LimitStop(session.thread_id, session.since)) is not None
    )


def attempt_of(view: ViewState, thread: str, since: datetime | None) -> Resume | None:
    """The newest attempt to carry a thread on, if it is no older than `since`."""
    found = (carry for carry in reversed(view.state.resumes.entries) if carry.stop.thread_id == thread)
    newest = next(found, None)
    return newest if newest and (since is None or newest.claimed_at >= since) else None


def commands(view: ViewState, threads: tuple[str, ...], since: datetime | None) -> tuple[str, ...]:
    """What is left to type by hand, in order."""
    carried = {thread: attempt_of(view, thread, since) for thread in threads}
    by_hand = [thread for thread, carry in carried.items() if carry and carry.stage is ResumeStage.COMMAND]
    found = (resume_text(thread, view.codex, view.state.codex_home) for thread in by_hand)
    return tuple(command for command in found if command is not None)


def carry_lines(view: ViewState, threads: tuple[str, ...], since: datetime | None, width: int) -> tuple[Line, ...]:
    """How far carrying on has come; done only where a thread is seen at work again.

    Attempts from before `since`, when the person chose, say nothing.
    """
    names = names_of(view.state.sessions, threads)
    lines = [line for thread in threads for line in _thread_lines(view, thread, names[thread], since, width)]
    if left_to_type := commands(view, threads, since):
        which = "it was" if len(left_to_type) == 1 else "the first was"
        text = f"{which} copied to the clipboard too, where the terminal allows that"
        lines += wrap((Span(text, Level.DIM),), width)
    return tuple(lines)


def _without_a_message(session: Session | None) -> tuple[str, str, Level]:
    """How a thread stands that got none: a sign, words and their level."""
    if session is None:
        return "–", "is not seen any more", Level.DIM
    if session.held_since is not None:
        return ("…", "is let go", Level.DIM) if session.released_at else ("◼", "is still held", Level.NEAR)
    return _WITHOUT_A_MESSAGE.get(session.state, ("–", "is gone", Level.DIM))


def _thread_lines(view: ViewState, thread: str, name: str, since: datetime | None, width: int) -> Iterator[Line]:
    carry = attempt_of(view, thread, since)
    if carry is None:
        sign, words, level = _without_a_message(view.state.sessions.get(thread))
        yield from wrap((Span(f"{sign} ", level), Span(name, Level.STRONG), Span(f"  {words}", level)), width, 2)
        return
    sign, level = _SIGNS[carry.stage]
    words = CARRIED[carry.stage]
    if carry.reason and carry.stage is ResumeStage.COMMAND:
        words += f": {clean(carry.reason)}"
    yield from wrap((Span(f"{sign} ", level), Span(name, Level.STRONG), Span(f"  {words}", level)), width, 2)
    if carry.stage is ResumeStage.COMMAND:
        yield from command_lines(thread, view.codex, width, view.state.codex_home)
