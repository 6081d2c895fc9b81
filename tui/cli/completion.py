"""`resetbank completion`: completions for a shell, or the manual page, both from the command line's own parser."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import ResetbankError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SHELLS = ("bash", "zsh", "fish")

_NAMES = ("accounts", "scenarios", "credits", "threads", "settings")
"""What can be completed by what is there now; the shells ask for it with --names."""

_COMPLETED = {
    "account": "accounts",
    "codex_home": "folder",
    "credit": "credits",
    "db": "file",
    "demo": "scenarios",
    "key": "settings",
    "sandbox": "folder",
    "scenario": "scenarios",
    "thread": "threads",
}
"""Options and words with a completion of their own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=(*SHELLS, "man"),
        metavar="bash|zsh|fish|man",
        help="the shell to print completions for; man prints the manual page",
    )
    parser.add_argument("--names", choices=_NAMES, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Print what the shell or man(1) loads."""
    if arguments.names is not None:
        for name in _names(arguments):
            print(name)
        return 0
    if arguments.what is None:
        raise UsageError("completion needs the name of a shell: bash, zsh or fish", "or man for the manual page")
    if arguments.what == "man":
        from tui.cli.manual import manual_page

        print(manual_page(), end="")
        return 0
    import shtab

    from tui.cli.parser import whole_parser

    parser, actions = whole_parser()
    kinds = {"file": shtab.FILE, "folder": shtab.DIRECTORY}
    for action in actions:
        if kind := _COMPLETED.get(action.dest):
            action.complete = kinds.get(kind) or shtab.cmd(f"resetbank completion --names {kind} 2>/dev/null")  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=arguments.what), end="")
    return 0


def _names(arguments: argparse.Namespace) -> "Iterable[str]":
    """The names of one sort; none where they cannot be read: a shell shows no errors while somebody types."""
    try:
        if arguments.names == "scenarios":
            from tui.stub.scenarios import SCENARIOS

            return SCENARIOS
        if arguments.names == "accounts":
            from tui.paths import resetbank_paths
            from tui.settings import load_settings

            return load_settings(resetbank_paths().settings).accounts
        if arguments.names == "settings":
            from tui.settings import every_setting

            return [setting.key for setting in every_setting()]
        return _credits() if arguments.names == "credits" else _threads(arguments)
    except ResetbankError:
        return ()


def _credits() -> "Iterable[str]":
    """The resets of the last reading that could be spent; asks nobody."""
    from tui.cli.kept import kept_database
    from tui.domain.credits import CreditStatus
    from tui.store.observations import Observations

    with kept_database() as database:
        last = Observations(database).last() if database is not None else None
    known = (last.bank.credits if last else None) or ()
    return [credit.id for credit in known if credit.status is CreditStatus.AVAILABLE]


def _threads(arguments: argparse.Namespace) -> "Iterable[str]":
    """The sessions that stopped at a limit, by the files that Codex writes; asks nobody."""
    from tui.cli.oneshot import run_with_companion
    from tui.domain.sessions import interrupted

    found: list[str] = []

    async def scan(companion, *_) -> int:  # type: ignore[no-untyped-def]
        await companion.sessions.scan_once()
        found.extend(session.thread_id for session in interrupted(companion.state.sessions))
        return 0

    run_with_companion(arguments, scan, watches=True)
    return found
