"""`resetbank status`: limits and bank once, for people and for scripts."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import EXIT_NEAR, EXIT_REACHED, EXIT_UNKNOWN

if TYPE_CHECKING:
    from datetime import datetime

    from tui.companion.reading import Reading
    from tui.companion.state import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")
    parser.add_argument("--all", action="store_true", help="every account of the settings; the worst decides the code")


def run(arguments: argparse.Namespace) -> int:
    """Read once, print, and judge."""
    import asyncio

    from tui.assembly import SourceOptions, read_limits_once
    from tui.cli import complain, confirm_auth_link
    from tui.clock import SystemClock
    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    clock = SystemClock()
    if arguments.all:
        from tui.cli.status_all import run_all

        return run_all(arguments, clock)
    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    if arguments.account is not None:  # else not worth a file
        from tui.cli.accounts import choose_account

        choose_account(arguments, settings)
    confirm_auth_link(arguments)
    reading = asyncio.run(read_limits_once(SourceOptions.of(arguments), settings, paths, clock))
    now = clock.now()
    if arguments.json:
        from tui.cli.json_output import print_json, status_report

        print_json(status_report(reading, now))
    else:
        print_status(reading.state, now)
    if reading.store_failure:
        complain(reading.store_failure)
    return exit_code(reading, now)


def print_status(state: "State", now: "datetime") -> None:
    """Print the State as plain text."""
    from tui.clock import LocalZone
    from tui.ui.view.status import status_text
    from tui.ui.view.view_state import ViewState

    print(status_text(ViewState(now, LocalZone(), state)))


def exit_code(reading: "Reading", now: "datetime") -> int:
    """The exit code that says how things stand; what is stale or unknown never passes for good."""
    from tui.domain.windows import WindowState

    if reading.is_stale(now):
        return EXIT_UNKNOWN
    return {
        WindowState.OK: 0,
        WindowState.NEAR: EXIT_NEAR,
        WindowState.REACHED: EXIT_REACHED,
        WindowState.UNKNOWN: EXIT_UNKNOWN,
    }[reading.snapshot.state(now, reading.near_percent)]
