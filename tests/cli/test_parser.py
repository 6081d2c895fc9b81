"""The words of the command line: help, mistakes and their hints."""

import argparse
import shlex

import pytest

from tests.support.commands import resetbank
from tui.cli.commands import COMMANDS, OPTIONS, overview
from tui.cli.parser import command_parser, parse

_SHARED = ("--source", "--codex-home", "--base-url", "--account")


def test_the_overview_names_every_command_within_100_columns() -> None:
    text = resetbank("--help").out
    assert text == resetbank("-h").out == overview()
    assert all(f"  {name} " in text and command.line in text for name, command in COMMANDS.items())
    assert max(map(len, text.splitlines())) <= 100


def test_the_overview_and_the_parser_know_the_same_options() -> None:
    shown = {option.split()[0] for option, _ in OPTIONS} - {"-h,", "--version"}
    arguments = vars(parse([]))
    assert {f"--{name.replace('_', '-')}" for name in arguments} - {"--run", "--command"} == shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_and_exit_codes(name: str) -> None:
    text = resetbank(name, "--help").out
    for call, what in COMMANDS[name].examples:
        assert call.startswith(f"resetbank {name}")
        assert call in text
        assert what in text
    assert "exit codes: " in text
    assert "2 usage" in text
    own = {"--account"} if name == "login" else set()
    shown = {option for option in _SHARED if option in text} - own
    assert shown == {f"--{option.replace('_', '-')}" for option in COMMANDS[name].takes}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_can_be_parsed(name: str) -> None:
    parser = command_parser(name)
    for call, _ in COMMANDS[name].examples:
        before_the_shell = call.split(" | ")[0].split("; ")[0].split(" > ")[0]
        parser.parse_all(shlex.split(before_the_shell)[2:])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("stats",), "unknown command 'stats'; did you mean status?"),
        (("--source", "http", "legder"), "unknown command 'legder'; did you mean ledger?"),
        (("xyzzy",), "unknown command 'xyzzy'; see"),
        (("status", "--jsn"), "unknown option --jsn; did you mean --json?"),
        (("--sorce=http", "status"), "unknown option --sorce; did you mean --source?"),
        (("status", "--jso"), "unknown option --jso; did you mean --json?"),
        (("status", "extra"), "unexpected word 'extra'"),
        (("status", "--source", "htp"), "invalid choice: 'htp'"),
        (("watch", "--once", "--every"), "unknown option --every"),
    ],
)
def test_a_mistake_is_one_line_with_a_hint(words: tuple[str, ...], hint: str) -> None:
    done = resetbank(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert hint in done.err
    assert "--help'" in done.err


def test_options_may_stand_before_the_command() -> None:
    arguments = parse(["--source", "http", "--codex-home=/x", "status", "--json", "--base-url", "u"])
    assert (arguments.source, arguments.codex_home, arguments.base_url, arguments.json) == ("http", "/x", "u", True)


def test_demo_takes_the_next_word() -> None:
    assert parse(["--demo"]).demo == "afternoon"
    assert parse(["--demo", "status"]).demo == "status"


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("name", COMMANDS)
def test_a_slip_in_any_command_or_option_of_it_is_guessed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    slip = name + name[-1]
    assert f"unknown command {slip!r}; did you mean {name}?" in complaint(capsys, slip)
    parser = command_parser(name)
    shown = [action for action in parser.added if action.help != argparse.SUPPRESS]
    for option in (word for action in shown for word in action.option_strings if word.startswith("--")):
        slip = option + option[-1]
        assert f"unknown option {slip}; did you mean {option}?" in complaint(capsys, name, slip)
