"""`resetbank hold`: let Codex wait at a limit instead of failing."""

import argparse

from tui.cli.hook_switch import add_arguments as add_arguments
from tui.cli.hook_switch import run_switch


def run(arguments: argparse.Namespace) -> int:
    """Turn it on or off, or say how it stands."""
    return run_switch("hold", arguments)
