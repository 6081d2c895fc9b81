"""The words of the command line. A command's own module is imported when it is the one that was called."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from tui import __version__
from tui.cli import screen
from tui.errors import EXIT_USAGE

TYPE_CHECKING = False  # checkers know the name; importing typing would cost a third of --help
if TYPE_CHECKING:
    from typing import NoReturn

SOURCES = ("auto", "daemon", "codex", "http", "stub")

COMMANDS = {
    "status": "print the limits and the bank once; the exit code tells how things stand",
    "spend": "spend one reset: shows what it would do and asks for a typed code",
    "ledger": "print every event of the ledger, oldest first",
    "sessions": "print every live thread of Codex on this machine",
    "hold": "on, off or status: Codex waits at a limit instead of failing",
    "guard": "on, off or status: Codex refuses an agent's own way to spend a reset",
    "continue": "tell the threads that stopped at a limit to go on, each once",
    "watch": "no screen: print one line an event, as it happens",
    "invite": "print the offer to invite friends, or invite one by e-mail; asks for a typed code",
    "invites": "print every invite and its state",
    "stub": "run a stand-in quota service on this machine, which the real Codex CLI can run against",
    "login": "store a token for a base URL of one's own in the system's keyring",
    "doctor": "say which sources are viable and why the others are not",
    "keys": "print the key table",
}
"""Every command with its line in --help; each is the module of that name, with `add_arguments` and `run`."""

_MODULES = {"continue": "carry_on"}
"""Commands whose name cannot be a module's."""

_EPILOG = """\
exit codes of status: 0 below the warning level, 10 near, 11 limit reached, 12 unknown or stale, 1 failure, 2 usage.
RESETBANK_HOME moves all settings and state."""


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> "NoReturn":
        print(f"resetbank: {' '.join(message.split())}; see '{self.prog} --help'", file=sys.stderr)
        sys.exit(EXIT_USAGE)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Understand the words of one call.

    Returns:
        The arguments; `run` is the function to call with them, and every global option has a value.

    Raises:
        SystemExit: After --help or --version (0), or a complaint (2).
    """
    arguments = _parser_for(words).parse_args(words)
    for name, value in (("source", "auto"), ("codex_home", None), ("base_url", None)):
        if not hasattr(arguments, name):
            setattr(arguments, name, value)
    return arguments


def _parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these words: every command is named in it, and those among the words are complete."""
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = shared.add_argument_group("where the truth comes from")
    group.add_argument("--source", choices=SOURCES, help="which source to use (default: auto, the first viable)")
    group.add_argument("--codex-home", metavar="DIR", help="Codex's folder (default: $CODEX_HOME or ~/.codex)")
    group.add_argument("--base-url", metavar="URL", help="a quota service of one's own; https or loopback")

    parser = _Parser(
        prog="resetbank",
        description="A terminal companion for banked Codex rate-limit resets. Without a command it opens the screen.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
    )
    parser.add_argument("--version", action="version", version=f"resetbank {__version__}")
    parser.set_defaults(run=screen.run)
    screen.add_arguments(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for name, line in COMMANDS.items():
        if name in words:
            module = import_module(f"tui.cli.{_MODULES.get(name, name)}")
            command = commands.add_parser(name, help=line, description=line, parents=[shared])
            module.add_arguments(command)
            command.set_defaults(run=module.run)
        else:
            commands.add_parser(name, help=line, add_help=False)
    return parser
