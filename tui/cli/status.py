"""`resetbank status`: limits and bank once, for people and for scripts."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import EXIT_NEAR, EXIT_REACHED, EXIT_UNKNOWN

if TYPE_CHECKING:
    from datetime import datetime

    from tui.companion.companion import Companion
    from tui.companion.state import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")


def run(arguments: argparse.Namespace) -> int:
    """Read once, print, and judge."""
    from tui.cli.oneshot import run_with_companion

    return run_with_companion(arguments, "resetbank status", lambda c, _: _status(c, as_json=arguments.json))


async def _status(companion: "Companion", *, as_json: bool) -> int:
    from tui.cli import complain
    from tui.cli.oneshot import print_json, read_once

    state = await read_once(companion)
    now = companion.clock.now()
    if as_json:
        from tui.cli.json_output import status_report

        report = status_report(
            state.snapshot,
            now,
            stale=state.is_stale(now),
            open_spend=state.open_spend,
            near_percent=state.near_percent,
        )
        print_json(report)
    else:
        print_status(state, now)
    if state.store_failure:
        complain(state.store_failure)
    return exit_code(state, now)


def print_status(state: "State", now: "datetime") -> None:
    """Print the State as plain text."""
    from tui.clock import LocalZone
    from tui.ui.view.status import status_text
    from tui.ui.view.view_state import ViewState

    print(status_text(ViewState(now, LocalZone(), state)))


def exit_code(state: "State", now: "datetime") -> int:
    """The exit code that tells how things stand; what is stale or unknown never passes for good."""
    from tui.domain.windows import WindowState

    if state.snapshot is None or state.is_stale(now):
        return EXIT_UNKNOWN
    return {
        WindowState.OK: 0,
        WindowState.NEAR: EXIT_NEAR,
        WindowState.REACHED: EXIT_REACHED,
        WindowState.UNKNOWN: EXIT_UNKNOWN,
    }[state.snapshot.state(now, state.near_percent)]
