"""`resetbank watch`: no screen; one line an event, as it happens, for a status bar or a script."""

import argparse

from tui.cli.oneshot import run_with_accounts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--once", action="store_true", help="end at the first near (10) or interrupted (11)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Follow until interrupted, or with --once until something is near or interrupted."""
    from tui.cli.watching import Watch

    def watch() -> Watch:
        return Watch(once=arguments.once, as_json=arguments.json)

    return run_with_accounts(arguments, lambda a: watch().all_of(a), lambda c: watch().one(c))
