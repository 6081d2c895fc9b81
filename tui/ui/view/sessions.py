"""The live sessions: what each one is doing, since when, and how far carrying it on has come."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.domain.hooks import HookState, HookStatus
from tui.domain.resumes import LimitStop, Resume, ResumeStage
from tui.domain.resuming import resume_command
from tui.domain.sessions import Session, SessionState, live
from tui.errors import UsageError
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, fit, left
from tui.ui.view.times import countdown
from tui.ui.view.view_state import ViewState

SHOWN: Final = 8
"""More sessions than this are counted; `resetbank sessions` lists them all."""

NAME_CELLS: Final = 20
_MODEL_CELLS: Final = 14
_LEAST_NAME: Final = 8

_SIGNS: Final = {
    SessionState.RUNNING: ("●", Level.OK, "running"),
    SessionState.HELD: ("◼", Level.REACHED, "held"),
    SessionState.IDLE: ("○", Level.DIM, "idle"),
    SessionState.WAITING_APPROVAL: ("◍", Level.NEAR, "needs approval"),
    SessionState.STOPPED_AT_LIMIT: ("✗", Level.REACHED, "stopped at limit"),
    SessionState.STOPPED_BY_ERROR: ("!", Level.NEAR, "stopped (error)"),
    SessionState.GONE: ("○", Level.DIM, "gone"),
}

_CLICKS: Final = {
    SessionState.HELD: "app.give('answer')",
    SessionState.STOPPED_AT_LIMIT: "app.give('continue')",
}
"""What a click on a session opens."""

CARRIED: Final = {
    ResumeStage.CLAIMED: "telling it to go on",
    ResumeStage.SENT: "sent, waiting for it to run",
    ResumeStage.COMMAND: "to be resumed by hand",
    ResumeStage.DONE: "running again",
}
"""How far carrying on has come, in words."""


_BY_HAND: Final = "its id is none that fits a command line: pick it in Codex"


def lasting(since: datetime, now: datetime) -> str:
    """How long something has lasted, to the minute."""
    passed = now - since
    return countdown(passed) if passed >= timedelta(minutes=1) else "<1 min"


def workspace_name(session: Session | None) -> str:
    """The last part of its folder's path, cleaned; a session without one is `a session`."""
    return fit(clean(session.folder if session else ""), NAME_CELLS) or "a session"


def names_of(sessions: Mapping[str, Session], threads: Iterable[str]) -> dict[str, str]:
    """A name for each thread; where two share a workspace, what they are about tells them apart, or their ids' ends."""
    plain = {thread: workspace_name(sessions.get(thread)) for thread in threads}
    about = {thread: about_words(sessions.get(thread)) for thread in plain}
    counts = Counter(plain.values())
    both = Counter((plain[thread], about[thread]) for thread in plain)
    names = {}
    for thread, name in plain.items():
        if counts[name] == 1:
            names[thread] = name
        elif about[thread] and both[name, about[thread]] == 1:
            names[thread] = f"{fit(name, NAME_CELLS // 2)} {fit(about[thread], NAME_CELLS)}"
        else:
            names[thread] = f"{fit(name, NAME_CELLS - 7)} (…{clean(thread)[-4:]})"
    return names


def about_words(session: Session | None) -> str:
    """What a session is about, in quotation marks: its title, or how its first message begins; empty if not known."""
    name = clean(session.name or "") if session else ""
    return f'"{fit(name, NAME_CELLS - 2)}"' if name else ""


def state_words(view: ViewState, session: Session) -> tuple[str, Level, str]:
    """Sign, level and words of a session's state."""
    sign, level, word = _SIGNS[session.state]
    carry = carry_of(view, session)
    if session.state is SessionState.STOPPED_AT_LIMIT and carry is not None:
        return ("…" if carry.stage is not ResumeStage.COMMAND else sign), Level.NEAR, CARRIED[carry.stage]
    if session.released_at is not None:
        return "…", Level.NEAR, "let go, waiting to see it run"
    words = f"{word} {lasting(session.since, view.now)}"
    return sign, level, f"{words}, carried on" if carry is not None else words


def carry_of(view: ViewState, session: Session) -> Resume | None:
    """What was done to carry it on, as far as that belongs to the state it is in."""
    resumes = view.state.resumes
    if session.state is SessionState.STOPPED_AT_LIMIT:
        return resumes.of(LimitStop(session.thread_id, session.since))
    if session.state is not SessionState.RUNNING:
        return None
    of_this = (carry for carry in reversed(resumes.entries) if carry.stop.thread_id == session.thread_id)
    newest = next(of_this, None)
    return newest if newest and newest.done_at and newest.done_at >= session.since else None


def sessions_lines(view: ViewState, width: int, *, short: bool = False) -> tuple[Line, ...]:
    """The panel's lines; none where there is no session to show.

    Where the room is short it is one line, and only where something is stopped.
    """
    shown = live(view.state.sessions, view.now)
    if short:
        return _stopped_line(view, shown, width)
    hooks = _hook_lines(view)
    seen = [(view, session) for session in shown]
    for state in view.accounts:
        if state.account_name != view.state.account_name:
            other = replace(view, state=state)
            seen += [(other, session) for session in live(state.sessions, view.now)]
    names: dict[str, str] = {}
    for of_account in {id(whose): whose for whose, _ in seen}.values():
        threads = [session.thread_id for whose, session in seen if whose is of_account]
        account = f"{of_account.state.account_name}: " if view.accounts else ""
        found = names_of(of_account.state.sessions, threads)
        names |= {thread: account + name for thread, name in found.items()}
    models = {}
    for _, session in seen:
        about, model = about_words(session), fit(clean(session.model or "?"), _MODEL_CELLS)
        models[session.thread_id] = about if about and about not in names[session.thread_id] else model
    columns = (max(map(cells, names.values()), default=0), max(map(cells, models.values()), default=0))
    widest = max((cells(state_words(whose, session)[2]) for whose, session in seen), default=0)
    with_model = sum(columns) + 6 + widest <= width
    if not with_model:  # a name may be cut, but not how its session stands
        columns = (max(min(columns[0], width - 4 - widest), min(columns[0], _LEAST_NAME)), columns[1])
    lines: list[Line] = []
    for whose, session in seen[:SHOWN]:
        lines.append(
            _line(whose, session, names[session.thread_id], models[session.thread_id] if with_model else "", columns)
        )
        carry = carry_of(whose, session)
        if carry is not None and carry.stage is ResumeStage.COMMAND:
            typed = command_lines(session.thread_id, view.codex, width - 2, whose.state.codex_home)
            lines += [(Span("  "), *line) for line in typed]
    if len(seen) > SHOWN:
        lines.append((Span(f"  +{len(seen) - SHOWN} more", Level.DIM),))
    return tuple(clip(line, width) for line in (*lines, *hooks))


def _hook_lines(view: ViewState) -> tuple[Line, ...]:
    """Which of our hooks do not do their work though they were turned on."""
    idle = (hook for hook in view.state.hooks if not hook.protects and hook.state is not HookState.NOT_INSTALLED)
    return tuple((Span("! ", Level.NEAR), Span(hook_words(hook), Level.NEAR)) for hook in idle)


def hook_words(hook: HookStatus) -> str:
    """Why a hook that was turned on does not protect, and what to do about it."""
    words = {
        HookState.UNTRUSTED: "is not trusted: /hooks in Codex",
        HookState.MODIFIED: f"changed: run resetbank {hook.name} on",
        HookState.DISABLED: "is switched off: /hooks in Codex",
    }
    return f"{hook.name} {words.get(hook.state, 'needs a newer Codex')}"


def _line(view: ViewState, session: Session, name: str, model: str, columns: tuple[int, int]) -> Line:
    sign, level, words = state_words(view, session)
    action = _CLICKS.get(session.state)
    name = left(fit(name, columns[0]), columns[0])
    start: Line = (Span(f"{sign} ", level), Span(name, Level.STRONG, action), Span("  "))
    if model:
        start = (*start, Span(left(model, columns[1]), Level.DIM, action), Span("  "))
    return (*start, Span(words, level, action))


def _stopped_line(view: ViewState, shown: tuple[Session, ...], width: int) -> tuple[Line, ...]:
    """What is held or stopped, on one line."""
    kinds = {
        state: [session for session in shown if session.state is state]
        for state in (SessionState.HELD, SessionState.STOPPED_AT_LIMIT)
    }
    found = [session for sessions in kinds.values() for session in sessions]
    if not found:
        return ()
    if len(found) == 1:
        name = names_of(view.state.sessions, [found[0].thread_id])[found[0].thread_id]
        sign, level, words = state_words(view, found[0])
        return (clip((Span(f"{sign} ", level), Span(name, Level.STRONG), Span(f"  {words}", level)), width),)
    counts = [
        f"{_SIGNS[state][0]} {len(sessions)} session{'s' if len(sessions) > 1 else ''} {_SIGNS[state][2]}"
        for state, sessions in kinds.items()
        if sessions
    ]
    return (clip((Span(", ".join(counts), Level.REACHED),), width),)


def resume_text(thread_id: str, codex: str, home: str | None = None) -> str | None:
    """The command; None where what came from outside is no thread id and has no place on a command line."""
    try:
        return resume_command(thread_id, codex, home)
    except UsageError:
        return None


def command_lines(thread_id: str, codex: str, width: int, home: str | None = None) -> tuple[Line, ...]:
    """The command, whole however narrow the screen is; broken at spaces where it can be."""
    command = resume_text(thread_id, codex, home)
    if command is None:
        return ((Span(fit(_BY_HAND, width), Level.DIM),),)
    rows = [""]
    for word in clean(command).split(" "):
        if rows[-1] and len(rows[-1]) + 1 + len(word) <= width:
            rows[-1] += f" {word}"
            continue
        pieces = [word[start : start + width] for start in range(0, len(word), width)]
        rows[-1:] = [rows[-1], *pieces] if rows[-1] else pieces
    return tuple((Span(row, Level.STRONG),) for row in rows)
