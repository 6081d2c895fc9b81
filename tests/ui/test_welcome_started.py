"""The welcome in the real program, on a scripted `codex` of the PATH: once for a person's home."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.sources import scripted
from tests.support.pty import terminal
from tui.stub.http.logins import make_token


def scripted_codex(folder: Path) -> str:
    """Put a `codex` first on the PATH that says its version and serves one reading; returns the PATH."""
    folder.mkdir()
    file = folder / "codex"
    serve = f"exec {sys.executable} {scripted.__file__} '{json.dumps(scripted.GOOD)}' {folder / 'heard'}"
    file.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo codex-cli 0.169.0 && exit\n{serve}\n')
    file.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_the_first_start_with_a_login_shows_the_page_and_the_second_does_not(tmp_path: Path) -> None:
    path = scripted_codex(tmp_path / "bin")
    home = Path(os.environ["CODEX_HOME"])
    home.mkdir()
    tokens = {"access_token": make_token("acc1", datetime.now(UTC)), "account_id": "acc1"}  # noqa: TID251
    (home / "auth.json").write_text(json.dumps({"tokens": tokens}))
    resetbank = (sys.executable, "-W", "error", "-m", "tui")
    with terminal(*resetbank, columns=100, rows=40, PATH=path, TERM="xterm-256color") as first:
        page = first.wait_for("Can be turned on")
        assert "Codex     0.169.0" in page
        assert "Login     ChatGPT" in page
        assert "Limits    5 hours ?" in page  # the scripted window is over
        assert "Read from a `codex app-server` of its own" in page
        assert "me@example.com" not in page
        first.type("\r")
        first.wait_for(lambda text: "Can be turned on" not in text and "1 reset" in text)
        first.type("q")
        assert first.wait_for_end() == 0
    with terminal(*resetbank, columns=100, rows=40, PATH=path, TERM="xterm-256color") as second:
        second.wait_for("● codex ·")
        second.type("?")
        second.wait_for("Keys: Main screen")  # nothing else was open
        assert not second.has_shown("Can be turned on")
