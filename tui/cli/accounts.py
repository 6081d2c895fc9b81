"""Which account a command is about: `--account NAME` stands for a Codex home or a base URL of the settings."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.settings import Settings


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
