"""`resetbank keys`: the key table, with the user's own keymap applied."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no options of its own."""


def run(_arguments: argparse.Namespace) -> int:
    """Print the table."""
    import shutil

    from tui.paths import resetbank_paths
    from tui.settings import load_settings
    from tui.ui.keymap import resolve_keys
    from tui.ui.view.help import key_table
    from tui.ui.view.text import plain

    keys = resolve_keys(load_settings(resetbank_paths().settings).keys)
    print(plain(key_table(keys, shutil.get_terminal_size((100, 24)).columns)))
    return 0
