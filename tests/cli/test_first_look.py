"""What the welcome page is told: found without asking anybody, and naming nobody."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tui.cli.first_look import is_ordinary, look, short
from tui.cli.parser import parse
from tui.errors import NotViable
from tui.settings import CodexSettings, Settings
from tui.sources.codex_program import codex_program, codex_version
from tui.stub.http.logins import make_token
from tui.ui.view.welcome import Found


def program(folder: Path, *lines: str) -> str:
    file = folder / "codex"
    file.write_text("\n".join(("#!/bin/sh", *lines, "")))
    file.chmod(0o755)
    return str(file)


def codex_home(**login: object) -> Path:
    home = Path(os.environ["CODEX_HOME"])
    home.mkdir()
    (home / "auth.json").write_bytes(msgspec.json.encode(login))
    return home


def seen(command: str) -> Found:
    settings = Settings(codex=CodexSettings(command=command))
    return look(parse([]), settings, Path.home() / "settings.toml")


def test_it_finds_version_home_and_login(tmp_path: Path) -> None:
    home = codex_home(tokens={"access_token": make_token("acc1", datetime.now(UTC)), "account_id": "acc1"})  # noqa: TID251
    found = seen(program(tmp_path, "echo codex-cli 0.169.0-alpha.2"))
    assert msgspec.structs.astuple(found) == (
        "0.169.0-alpha.2",
        str(home),
        f"ChatGPT, in {home}/auth.json",
        "~/settings.toml",
        True,
    )


def test_another_kind_of_login_is_named_and_not_shown(tmp_path: Path) -> None:
    codex_home(OPENAI_API_KEY="sk-very-secret")
    found = seen(str(tmp_path / "no-codex"))
    assert found.version is None
    assert found.login == "Codex is signed in by an API key, which has no banked resets"
    assert "secret" not in repr(found)


def test_a_codex_that_is_set_up_for_this_machine_is_a_sandbox(tmp_path: Path) -> None:
    home = codex_home()
    (home / "config.toml").write_text('chatgpt_base_url = "http://127.0.0.1:8899/backend-api"\n')
    assert seen(program(tmp_path, "echo codex-cli 0.169.0")).is_real is False


@pytest.mark.parametrize(
    ("words", "ordinary"),
    [
        ([], True),
        (["--codex-home", "."], True),
        (["--demo"], False),
        (["--source", "http"], False),
        (["--base-url", "https://quota.example.com"], False),
        (["--account", "work"], False),
    ],
)
def test_only_a_start_that_asks_for_nothing_is_ordinary(words: list[str], ordinary: bool) -> None:
    assert is_ordinary(parse(words), Settings()) is ordinary


def test_with_accounts_of_ones_own_nobody_is_new() -> None:
    assert not is_ordinary(parse([]), Settings(accounts={"work": "~/.codex-work"}))


def test_a_path_is_short_only_in_the_own_folder() -> None:
    assert short(Path.home() / ".codex") == "~/.codex"
    assert short(Path("/opt/codex")) == "/opt/codex"


@pytest.mark.parametrize("line", ["exit 1", "echo no version here", "head -c 100000 /dev/zero", "exec sleep 600"])
def test_a_program_that_does_not_say_its_version(tmp_path: Path, line: str) -> None:
    with pytest.raises(NotViable):
        codex_version(program(tmp_path, line))


def test_the_name_means_the_first_program_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = program(tmp_path, "")
    monkeypatch.setenv("PATH", f"{tmp_path / 'none'}{os.pathsep}{tmp_path}")
    assert codex_program("codex") == file
    assert codex_program(file) == file
    assert codex_program("codex-of-nobody") == "codex-of-nobody"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from Python 3.12 on the search as on Windows needs Windows")
def test_npm_on_windows_installs_a_cmd_which_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a folder with spaces & more"
    folder.mkdir()
    for name in ("codex", "codex.cmd", "codex.ps1"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PATHEXT", os.pathsep.join((".COM", ".EXE", ".BAT", ".cmd")))
    monkeypatch.setattr("shutil.sys.platform", "win32")
    assert codex_program("codex") == str(folder / "codex.cmd")
    (folder / "codex.EXE").touch(mode=0o755)
    assert codex_program("codex") == str(folder / "codex.EXE")
