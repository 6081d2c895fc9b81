"""`resetbank sessions`: every live thread of Codex on this machine."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.companion.companion import Companion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")


def run(arguments: argparse.Namespace) -> int:
    """Survey once and print."""
    from tui.cli.oneshot import run_with_companion

    return run_with_companion(
        arguments, "resetbank sessions", lambda c, _: _sessions(c, as_json=arguments.json), watches=True
    )


async def _sessions(companion: "Companion", *, as_json: bool) -> int:
    from tui.cli import complain
    from tui.domain.sessions import live

    if not await companion.scan_once():  # threads are shown even where no limits can be read
        complain("not every file could be read in time; sessions may be missing")
    now = companion.clock.now()
    sessions = live(companion.state.sessions, now)
    if as_json:
        from tui.cli.json_output import print_json, sessions_report

        print_json(sessions_report(sessions))
        return 0
    from tui.ui.view.text import clean, left
    from tui.ui.view.times import countdown

    if not sessions:
        print("No live session of Codex is known here.")
    for session in sessions:
        place = clean(f'{session.workspace or "?"}  "{session.name}"' if session.name else session.workspace or "?")
        state = session.state.replace("_", " ")
        since = countdown(now - session.since)
        print(f"{session.thread_id}  {left(state, 16)}  {since:>9}  {left(clean(session.model or '?'), 14)}  {place}")
    return 0
