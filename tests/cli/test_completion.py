"""Completions as the real shells give them, where they are installed, and the manual page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.pty import terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE
from tui.cli.commands import COMMANDS
from tui.cli.completion import SHELLS
from tui.cli.manual import manual_page

_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=()
$(complete -p resetbank | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture(autouse=True)
def our_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shells ask our own command for names."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for shell in SHELLS:
        (tmp_path / f"resetbank.{shell}").write_text(resetbank("completion", shell).out)
    return tmp_path


def bash(scripts: Path, *words: str) -> set[str]:
    command = ["bash", "--norc", "-c", _BASH, "bash", str(scripts / "resetbank.bash"), "resetbank", *words]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout.split())


def fish(scripts: Path, line: str) -> set[str]:
    script = f"source {scripts}/resetbank.fish; complete -C 'resetbank {line}'"
    command = ["fish", "--no-config", "-c", script]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
    return {row.split("\t")[0] for row in out.splitlines()}


@needs("bash")
def test_bash(scripts: Path) -> None:
    assert set(COMMANDS) <= bash(scripts, "")
    assert bash(scripts, "st") == {"status", "stub"}
    assert bash(scripts, "ledger", "--") == {"--json", "--csv", "--evidence", "--account", "--help"}
    assert bash(scripts, "hold", "") == {"on", "off", "status"}
    assert "at-limit" in bash(scripts, "stub", "--scenario", "at")


@needs("fish")
def test_fish(scripts: Path) -> None:
    assert set(COMMANDS) <= fish(scripts, "")
    assert fish(scripts, "ledger --") == {"--json", "--csv", "--evidence", "--account", "--help"}
    assert "at-limit" in fish(scripts, "--demo at")


@needs("zsh")
def test_zsh(scripts: Path, tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_resetbank").write_text((scripts / "resetbank.zsh").read_text())
    with terminal("zsh", "-f", "-i", columns=120) as shell:
        shell.type(f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump; echo re''ady\n")
        shell.wait_for("ready")
        shell.type("resetbank ledg\t")
        shell.wait_for("resetbank ledger")
        shell.type("\x15resetbank stub --scenario at-l\t")
        shell.wait_for("--scenario at-limit")
        shell.type("\x15exit\n")
        shell.wait_for_end()


def test_names_are_those_that_are_there(stub: StubProcess) -> None:
    assert resetbank("completion", "--names", "credits").out == ""
    status = resetbank("status", "--json", *over_http(stub)).json
    available = {row["id"] for row in status["resets"]["credits"] if row["status"] == "available"}
    assert set(resetbank("completion", "--names", "credits").out.split()) == available
    assert resetbank("completion", "--names", "threads", "--codex-home", "/nonexistent").code == 0
    assert "busy" in resetbank("completion", "--names", "scenarios").out.split()


def test_without_a_shell_it_says_what_it_needs() -> None:
    done = resetbank("completion")
    assert (done.code, done.out) == (2, "")
    assert "bash, zsh or fish" in done.err


def test_the_manual_page_names_every_command_and_option() -> None:
    page = manual_page()
    for name, command in COMMANDS.items():
        assert f".SS {name}\n" in page
        assert all(what[1:] in page for _, what in command.examples if "-" not in what and "'" not in what)
    for option in (r"\-\-json", r"\-\-csv", r"\-\-unattended", r"\-\-scenario"):
        assert option in page


@needs("man")
def test_man_has_nothing_to_complain_about(tmp_path: Path) -> None:
    page = tmp_path / "resetbank.1"
    page.write_text(manual_page())
    done = subprocess.run(["man", "--warnings=w", "-l", str(page)], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "resetbank stub --port 8899" in done.stdout
