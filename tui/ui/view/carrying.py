"""Carrying sessions on: which can be, and how far that has come for each."""

from collections.abc import Iterator
from datetime import datetime

from tui.domain.carrying import Carry, CarryStage, due
from tui.domain.hits import Stop
from tui.domain.sessions import SessionState, live
from tui.domain.windows import WindowState
from tui.ui.view.resume import command_lines, resume_text
from tui.ui.view.scene import Scene
from tui.ui.view.sessions import CARRIED, names_of
from tui.ui.view.text import Level, Line, Span, clean, wrap

_SIGNS = {
    CarryStage.CLAIMED: ("…", Level.DIM),
    CarryStage.SENT: ("▸", Level.ACCENT),
    CarryStage.COMMAND: ("!", Level.NEAR),
    CarryStage.DONE: ("✓", Level.OK),
}


def to_carry(scene: Scene) -> tuple[Stop, ...]:
    """Every session that a limit stopped and that nobody was told to carry on, the first to stop first."""
    state = scene.state
    shown = {session.thread_id: session for session in live(state.sessions, scene.now)}
    stopped = state.announcement.stops if state.announcement else ()
    return due(stopped, None, shown, True, state.carries)


def limit_stands(scene: Scene) -> bool:
    """Whether a message would only fail: the limit is hit, as far as is known."""
    snapshot = scene.state.snapshot
    return snapshot is not None and snapshot.state(scene.now) is WindowState.REACHED


def under_way(scene: Scene) -> tuple[str, ...]:
    """The stopped threads that were carried on and are not seen at work yet."""
    return tuple(
        session.thread_id
        for session in live(scene.state.sessions, scene.now)
        if session.state is SessionState.STOPPED_AT_LIMIT
        and scene.state.carries.of(Stop(session.thread_id, session.since)) is not None
    )


def carry_of(scene: Scene, thread: str, since: datetime | None) -> Carry | None:
    """The newest attempt to carry a thread on, if it is no older than `since`."""
    found = (carry for carry in reversed(scene.state.carries.carries) if carry.stop.thread_id == thread)
    newest = next(found, None)
    return newest if newest and (since is None or newest.claimed_at >= since) else None


def commands(scene: Scene, threads: tuple[str, ...], since: datetime | None) -> tuple[str, ...]:
    """What is left to type by hand, in order."""
    by_hand = [thread for thread in threads if _is_command(carry_of(scene, thread, since))]
    found = (resume_text(thread, scene.codex) for thread in by_hand)
    return tuple(command for command in found if command is not None)


def carry_lines(scene: Scene, threads: tuple[str, ...], since: datetime | None, width: int) -> tuple[Line, ...]:
    """How far carrying on has come; done only where a thread is seen at work again.

    Args:
        scene: What is known.
        threads: Whom the person chose.
        since: When they did; older attempts say nothing.
        width: Columns to stay within.
    """
    names = names_of(scene.state.sessions, threads)
    lines = [line for thread in threads for line in _thread_lines(scene, thread, names[thread], since, width)]
    if left_to_type := commands(scene, threads, since):
        which = "it was" if len(left_to_type) == 1 else "the first was"
        text = f"{which} copied to the clipboard too, where the terminal allows that"
        lines += wrap((Span(text, Level.DIM),), width)
    return tuple(lines)


def _is_command(carry: Carry | None) -> bool:
    return carry is not None and carry.stage is CarryStage.COMMAND


def _thread_lines(scene: Scene, thread: str, name: str, since: datetime | None, width: int) -> Iterator[Line]:
    carry = carry_of(scene, thread, since)
    if carry is None:
        session = scene.state.sessions.get(thread)
        stopped = session is not None and session.state is SessionState.STOPPED_AT_LIMIT
        words = "not told to go on" if stopped else "needs no message: it is not stopped"
        yield from wrap((Span("– ", Level.DIM), Span(name, Level.STRONG), Span(f"  {words}", Level.DIM)), width, 2)
        return
    sign, level = _SIGNS[carry.stage]
    words = CARRIED[carry.stage]
    if carry.reason and carry.stage is CarryStage.COMMAND:
        words += f": {clean(carry.reason)}"
    yield from wrap((Span(f"{sign} ", level), Span(name, Level.STRONG), Span(f"  {words}", level)), width, 2)
    if carry.stage is CarryStage.COMMAND:
        yield from command_lines(thread, scene.codex, width)
