"""resetbank beside the real Codex CLI, both against the stub."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.codex import codex_daemon, codex_exec, end
from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.commands import over_http, resetbank
from tests.support.pty import Terminal, resetbank_terminal
from tests.support.stub_process import StubProcess

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex turns")]

QUESTION = re.compile(r"Type ([A-Z]{3}) to spend this reset:")


def five_hours(stub: StubProcess) -> float:
    report = resetbank("status", "--json", *over_http(stub)).json
    return next(float(window["used_percent"]) for window in report["windows"] if window["kind"] == "five_hour")


def test_turns_move_our_meter_and_one_reset_brings_work_back(stub: StubProcess) -> None:
    before = five_hours(stub)
    assert codex_exec(stub).returncode == 0
    assert five_hours(stub) > before

    stub.set_usage("five_hour", 100)
    stopped = codex_exec(stub)
    assert stopped.returncode != 0
    assert "usage limit" in stopped.stdout + stopped.stderr
    assert resetbank("status", *over_http(stub)).code == 11

    with resetbank_terminal("spend", *over_http(stub), rows=40) as running:
        match = QUESTION.search(running.wait_for(lambda text: QUESTION.search(text) is not None))
        assert match
        running.type(f"{match[1]}\n")
        assert running.wait_for_end() == 0
    assert stub.spent() == 1

    assert codex_exec(stub).returncode == 0
    assert resetbank("status", *over_http(stub)).code == 0


def use_real_codex(command: str | Path | None = None) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(f'[codex]\ncommand = "{command or codex_executable()}"\n')


def screen(stub: StubProcess, source: str) -> tuple[tuple[str, ...], dict[str, str]]:
    offline = {
        name: value for name, value in codex_environment(stub.codex_home).items() if name.upper().endswith("_PROXY")
    }
    return ("--source", source, "--codex-home", str(stub.codex_home)), offline


def spend_on_screen(running: Terminal) -> None:
    running.type("r")
    shown = running.wait_for(lambda text: re.search(r"press  [A-Z]  ", text) is not None)
    match = re.search(r"press  ([A-Z])  ", shown)
    assert match
    running.press_until(match[1], lambda text: "press  " not in text)
    running.wait_for("One reset was spent")


def leave(running: Terminal, stub: StubProcess) -> None:
    """Close the dialog and the program; nothing that it ever painted holds the token."""
    running.press_until("\r", lambda text: "Free to work" in text and "was spent." not in text)
    running.type("q")
    token = json.loads((stub.codex_home / "auth.json").read_text())["tokens"]["access_token"]
    assert token.split(".")[1].encode() not in bytes(running.raw)


def test_the_daemons_screen_survives_its_death_and_spends(stub: StubProcess) -> None:
    words, offline = screen(stub, "daemon")
    with codex_daemon(stub) as daemon, resetbank_terminal(*words, columns=120, rows=40, **offline) as running:
        running.wait_for("● daemon")
        running.wait_for("93 %")
        end(daemon)
        running.type("\x1b[15~")  # F5
        dead = running.wait_for("○ daemon")
        assert "93 %" in dead
        assert "41 %" in dead
        with codex_daemon(stub):
            running.type("\x1b[15~")
            running.wait_for("● daemon")
            spend_on_screen(running)
            assert stub.spent() == 1
            leave(running, stub)
            assert running.wait_for_end() == 0


def test_the_childs_screen_survives_its_death_and_spends(stub: StubProcess, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    wrapper = tmp_path / "codex"
    wrapper.write_text(f'#!/bin/sh\ntest -e "{broken}" && exit 1\nexec "{codex_executable()}" "$@"\n')
    wrapper.chmod(0o755)
    use_real_codex(wrapper)
    words, offline = screen(stub, "codex")
    with resetbank_terminal(*words, columns=120, rows=40, **offline) as running:
        running.wait_for("● codex")
        running.wait_for("93 %")
        broken.touch()
        for child in children(running.process.pid):
            os.kill(child, 9)
        running.type("\x1b[15~")
        dead = running.wait_for("○ codex")
        assert "93 %" in dead
        broken.unlink()
        running.type("\x1b[15~")
        running.wait_for("● codex")
        spend_on_screen(running)
        assert stub.spent() == 1
        leave(running, stub)
        assert running.wait_for_end() == 0
        assert children(running.process.pid) == []


def children(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listing.stdout.split()]


@pytest.mark.parametrize("source", ["daemon", "codex", "http"])
def test_the_chain_says_which_and_why(stub: StubProcess, source: str) -> None:
    use_real_codex()
    words, offline = screen(stub, "auto")
    if source == "daemon":
        with codex_daemon(stub):
            report = resetbank("status", "--json", *words, **offline)
    else:
        if source == "http":
            use_real_codex("no-such-codex")
        report = resetbank("status", "--json", *words, **offline)
    assert (report.code, report.json["source"]) == (10, source)
    doctor = {each["name"]: each for each in resetbank("doctor", "--json", *words, **offline).json["sources"]}
    assert doctor["http"]["viable"]
    assert not doctor["daemon"]["viable"]
