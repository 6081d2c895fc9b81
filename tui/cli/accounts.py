"""Which account a command is about: `--account NAME` stands for a Codex home or a base URL of the settings."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.paths import Paths
    from tui.settings import Settings
    from tui.sources.codex_home import CodexHome


def settings_for(arguments: argparse.Namespace, *, confirms: bool = True) -> "tuple[Paths, Settings]":
    """Our own files and the settings; chooses the account that is named, and asks about a link to its login.

    Raises:
        SettingsError: The settings file is not valid.
        UsageError: See `choose_account`.
    """
    from tui.cli import confirm_auth_link
    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    choose_account(arguments, settings)
    if confirms:
        confirm_auth_link(arguments)
    return paths, settings


def choose_account(arguments: argparse.Namespace, settings: "Settings") -> None:
    """Put the home or the URL of the account where the options of that name would be.

    Raises:
        UsageError: There is no such account, or the command line names a home or URL beside it.
    """
    if arguments.account is None:
        return
    from tui.settings import account_place

    for name in ("codex_home", "base_url", "demo"):
        if getattr(arguments, name, None) is not None:
            raise UsageError(f"--account and --{name.replace('_', '-')} cannot both be given", "leave one of them out")
    if arguments.source == "stub":
        raise UsageError("the embedded service has no account of yours", "leave out --account or --source stub")
    home, arguments.base_url = account_place(settings, arguments.account)
    if home is not None:
        if not home.is_dir():
            problem = f"account {arguments.account!r}: {home} is not a folder"
            raise UsageError(problem, "mend [accounts] in the settings")
        arguments.codex_home = str(home)


def codex_home(arguments: argparse.Namespace) -> "CodexHome":
    """Codex's folder: what the command line or its account names, else the usual one.

    Raises:
        UsageError: The chosen one is no folder.
    """
    from pathlib import Path

    from tui.sources.codex_home import find_codex_home

    return find_codex_home(Path(arguments.codex_home) if arguments.codex_home else None)
