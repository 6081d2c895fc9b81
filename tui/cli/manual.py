"""The manual page, from the table of commands and their parsers."""

from argparse import SUPPRESS

from tui import __version__
from tui.cli.commands import COMMANDS, EXAMPLES, GROUPS, OPTIONS
from tui.cli.parser import command_parser

_FILES = (
    ("$RESETBANK_HOME", "A folder for all settings and state; without it they are in the platform's own folders."),
    ("settings.toml", "The settings; resetbank doctor says where it is looked for."),
    ("resetbank.db", "The ledger, open spends and invites; for its owner alone."),
)


def manual_page() -> str:
    """The page resetbank(1) in the language of man(7)."""
    lines = [
        f'.TH RESETBANK 1 "" "resetbank {__version__}" "User Commands"',
        ".SH NAME",
        r"resetbank \- a terminal companion for banked Codex rate-limit resets",
        ".SH SYNOPSIS",
        r".B resetbank",
        r"[\fIOPTIONS\fR] [\fICOMMAND\fR]",
        ".SH DESCRIPTION",
        "Shows the limits, the bank of resets and every session of OpenAI Codex, and spends one reset with consent.",
        "Without a command it opens the screen.",
        ".SH OPTIONS",
    ]
    for option, text in OPTIONS:
        lines += [".TP", rf"\fB{_roff(option)}\fR", _roff(text)]
    lines += _examples(EXAMPLES)
    for title, group in GROUPS.items():
        lines.append(f".SH {title.upper()}")
        for name in group:
            lines += _command(name)
    lines += [".SH FILES"]
    for name, text in _FILES:
        lines += [".TP", rf"\fI{_roff(name)}\fR", _roff(text)]
    lines += [".SH EXIT STATUS", "0 success, 1 failure, 2 usage; others are listed with each command."]
    return "\n".join(lines) + "\n"


def _command(name: str) -> list[str]:
    command, parser = COMMANDS[name], command_parser(name)
    lines = [f".SS {name}", _roff(f"{command.line[0].upper()}{command.line[1:]}.")]
    for action in parser.added:
        if action.help in (None, SUPPRESS):
            continue
        words = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.nargs != 0:
            words += f" {action.metavar or action.dest.upper()}"
        lines += [".TP", rf"\fB{_roff(words)}\fR", _roff(str(action.help))]
    if command.codes:
        lines += [".PP", _roff(f"Exit codes: {command.codes}.")]
    return lines + _examples(command.examples)


def _examples(examples: tuple[tuple[str, str], ...]) -> list[str]:
    lines = []
    for call, what in examples:
        lines += [".PP", _roff(f"{what[0].upper()}{what[1:]}:"), ".nf", r".RS", rf"\fB{_roff(call)}\fR", ".RE", ".fi"]
    return lines


def _roff(text: str) -> str:
    """Text with nothing in it that roff would take for its own."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith(".") else text
