"""`resetbank keys`: the key table, with the user's own keymap applied."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no options of its own."""


def run(_arguments: argparse.Namespace) -> int:
    """Print the table."""
    from tui.paths import resetbank_paths
    from tui.settings import load_settings
    from tui.ui.commands import COMMANDS
    from tui.ui.keymap import resolve_keys

    keys = resolve_keys(load_settings(resetbank_paths().settings).keys)
    rows = [("KEY", "ID", "DOES"), *((keys[c.id], c.id, c.help) for c in COMMANDS)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, command, does in rows:
        print(f"{key:<{widths[0]}}  {command:<{widths[1]}}  {does}")
    return 0
