"""`resetbank continue`: tell the threads that stopped at a limit to go on, each once."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import SourceError, UsageError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.domain.resumes import LimitStop
    from tui.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("thread", nargs="?", metavar="THREAD", help="the one to carry on (default: all that stopped)")
    parser.add_argument("--message", metavar="TEXT", help="what to say to it (default: the settings' ask.message)")


def run(arguments: argparse.Namespace) -> int:
    """Survey once, and carry on who stopped; exit 0 when every one got the message, else 1."""
    from tui.agent import refuse_under_codex
    from tui.cli.oneshot import run_with_companion

    refuse_under_codex("'resetbank continue'")
    return run_with_companion(arguments, _carry_on, watches=True)


async def _carry_on(companion: "Companion", settings: "Settings", arguments: argparse.Namespace) -> int:
    from tui.domain.resumes import ResumeStage
    from tui.domain.resuming import resume_command
    from tui.domain.windows import WindowState

    await companion.scan_once()
    state, now = companion.state, companion.clock.now()
    if state.snapshot is None:
        raise SourceError(state.link.failure or "nothing could be read")
    if state.snapshot.state(now) is WindowState.REACHED:
        raise UsageError("the limit still holds, so a message would only fail", "spend a reset first, or wait")
    chosen = _chosen(companion, arguments.thread)
    if not chosen:
        print("No thread stands still at a limit.")
        return 0
    await companion.resumer.resume(chosen, message=arguments.message)
    sent = 0
    for stop in chosen:
        carry = companion.state.resumes.of(stop)
        if carry is not None and carry.stage in (ResumeStage.SENT, ResumeStage.DONE):
            sent += 1
            print(f"{stop.thread_id}  told to go on")
        else:
            print(resume_command(stop.thread_id, settings.codex.command, companion.state.codex_home))
    return 0 if sent == len(chosen) else 1


def _chosen(companion: "Companion", thread: str | None) -> "tuple[LimitStop, ...]":
    """Whoever stopped at a limit, or the one that was named; never one that did not stop there."""
    from tui.domain.resumes import LimitStop
    from tui.domain.sessions import interrupted

    stops = tuple(LimitStop(session.thread_id, session.since) for session in interrupted(companion.state.sessions))
    if thread is None:
        return stops
    named = tuple(stop for stop in stops if stop.thread_id == thread)
    if not named:
        raise UsageError("that thread did not stop at a limit", "'resetbank sessions' lists the threads")
    return named
