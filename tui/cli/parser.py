"""The words of the command line. Only the command that was called is imported."""

import argparse
import os
import sys
from importlib import import_module
from itertools import takewhile

from tui.cli import screen
from tui.cli.commands import COMMANDS, EXAMPLES, SOURCE, VERSION, closing, example_lines, overview
from tui.errors import EXIT_USAGE

TYPE_CHECKING = False  # checkers know the name; importing typing would cost a third of --help
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_SOURCES = ("auto", "daemon", "codex", "http", "stub")

_SHARED: "dict[str, dict[str, Any]]" = {
    "source": {"choices": _SOURCES, "help": "which source to use (default: auto, the first that can be used)"},
    "codex_home": {"metavar": "DIR", "help": "Codex's folder (default: $CODEX_HOME or ~/.codex)"},
    "base_url": {"metavar": "URL", "help": "a quota service of your own; https or this machine"},
    "account": {"metavar": "NAME", "help": "one of the settings' [accounts]"},
}
"""The options that every command accepts."""

_TAKE_A_VALUE = ("--source", "--codex-home", "--base-url", "--account", "--demo")
"""Options that may stand before the command, with a value."""


class CommandParser(argparse.ArgumentParser):
    """Complains in one line, with the option that was probably meant; takes no abbreviations, which would not last."""

    def __init__(self, **options: "Any") -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **options)

    @property
    def added(self) -> list[argparse.Action]:
        """Every option and word but --help, for completions and the manual page."""
        return [action for action in self._actions if action.dest != "help"]

    def error(self, message: str) -> "NoReturn":
        """Print one line and end with the code for usage."""
        print(f"resetbank: {' '.join(message.split())}; see '{self.prog} --help'", file=sys.stderr)
        sys.exit(EXIT_USAGE)

    def parse_all(self, words: "Sequence[str]") -> argparse.Namespace:
        """Parse, and complain about the first word that is not understood."""
        for word in takewhile("--".__ne__, words):  # before argparse misses a word that the option may have hidden
            if word.startswith("--") and word.partition("=")[0] not in self._option_string_actions:
                self._unknown_option(word)
        arguments, unknown = self.parse_known_args(words)
        if unknown and not unknown[0].startswith("-"):  # an option may stand between two words
            arguments, unknown = self.parse_known_intermixed_args(words)
        for word in unknown:
            if not word.startswith("-"):
                self.error(f"unexpected word {word!r}")
            self._unknown_option(word)
        return arguments

    def _unknown_option(self, word: str) -> "NoReturn":
        name = word.partition("=")[0]
        self.error(f"unknown option {name}{_meant(name, self._options())}")

    def _options(self) -> list[str]:
        """Every option, as its help shows it."""
        return [word.strip(",[]") for word in self.format_help().split() if word.startswith(("--", "[--"))]


class _Overview(CommandParser):
    """The parser of the call without a command."""

    def format_help(self) -> str:
        """The overview of all commands."""
        return overview()


def parse(words: "Sequence[str]") -> argparse.Namespace:
    """Understand the words of one call.

    Returns:
        The arguments; `run` is the function to call with them, and every global option has a value.

    Raises:
        SystemExit: After --help or --version (0), or a complaint (2).
    """
    place = _place_of_command(words)
    if place is None:
        return _screen_parser().parse_all(words)
    name = words[place]
    if name not in COMMANDS:
        _screen_parser().error(f"unknown command {name!r}{_meant(name, list(COMMANDS))}")
    return command_parser(name).parse_all([*words[:place], *words[place + 1 :]])


def whole_parser() -> tuple[CommandParser, list[argparse.Action]]:
    """One parser with all commands, for completions; and every option and word in it."""
    parser = _screen_parser()
    added = parser.added
    commands = parser.add_subparsers(parser_class=CommandParser)
    for name, command in COMMANDS.items():
        added += _fill(commands.add_parser(name, help=command.line), name).added
    return parser, added


def command_parser(name: str) -> CommandParser:
    """The whole parser of one command; imports its module."""
    line = COMMANDS[name].line
    description = f"{line[0].upper()}{line[1:]}."
    return _fill(CommandParser(prog=f"resetbank {name}", description=description, epilog=closing(name)), name)


def _fill(parser: CommandParser, name: str) -> CommandParser:
    command = COMMANDS[name]
    module = import_module(f"tui.cli.{command.module or name}")
    module.add_arguments(parser)
    _add_shared(parser, command.takes)
    parser.set_defaults(run=module.run, command=name)
    return parser


def _screen_parser() -> CommandParser:
    parser = _Overview(prog="resetbank", epilog="\n".join(example_lines(EXAMPLES)))
    parser.add_argument("--version", action="version", version=VERSION.strip())
    screen.add_arguments(parser)
    _add_shared(parser, SOURCE)
    parser.set_defaults(run=screen.run, command="")
    return parser


def _add_shared(parser: CommandParser, shown: "Sequence[str]") -> None:
    for name, options in _SHARED.items():
        if any(action.dest == name for action in parser.added):
            continue  # login has one of its own
        text = options["help"] if name in shown else argparse.SUPPRESS
        default = "auto" if name == "source" else None
        parser.add_argument(f"--{name.replace('_', '-')}", default=default, **{**options, "help": text})


def _place_of_command(words: "Sequence[str]") -> int | None:
    """Where the command stands: at the first word that is neither an option nor an option's value."""
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif not word.startswith("-"):
            return place
        else:
            skip = word in _TAKE_A_VALUE
    return None


def _meant(word: str, valid: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, valid, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _formatter(prog: str) -> argparse.HelpFormatter:
    """The formatter of help, as wide as the terminal; asking argparse for the width would import much."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(40, min(columns, 120) - 2))
