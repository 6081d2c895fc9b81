"""The words of the command line; knows every command and imports nothing that only one of them needs."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from tui import __version__
from tui.cli import doctor, keys, ledger, login, screen, spend, status, stub
from tui.errors import EXIT_USAGE

SOURCES = ("auto", "daemon", "codex", "http", "stub")

_COMMANDS = {
    "status": status,
    "spend": spend,
    "ledger": ledger,
    "stub": stub,
    "login": login,
    "doctor": doctor,
    "keys": keys,
}

_EPILOG = """\
exit codes of status: 0 below the warning level, 10 near, 11 limit reached, 12 unknown or stale, 1 failure, 2 usage.
RESETBANK_HOME moves all settings and state."""


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"resetbank: {' '.join(message.split())}; see '{self.prog} --help'", file=sys.stderr)
        sys.exit(EXIT_USAGE)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Understand the words of one call.

    Returns:
        The arguments; `run` is the function to call with them, and every global option has a value.

    Raises:
        SystemExit: After --help or --version (0), or a complaint (2).
    """
    arguments = build_parser().parse_args(words)
    for name, value in (("source", "auto"), ("codex_home", None), ("base_url", None)):
        if not hasattr(arguments, name):
            setattr(arguments, name, value)
    return arguments


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
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
    for name, module in _COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.HELP, parents=[shared])
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
