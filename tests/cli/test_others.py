import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.pty import resetbank_terminal
from tests.support.stub_process import StubProcess
from tui import __version__
from tui.ui.commands import COMMANDS


def test_version() -> None:
    assert resetbank("--version").out == f"resetbank {__version__}\n"


def test_the_ledger_tells_everything_in_three_forms(stub: StubProcess) -> None:
    allow_unattended()
    assert resetbank("spend", "--unattended", *over_http(stub)).code == 0
    stub.grant(1)
    resetbank("status", *over_http(stub))
    events = resetbank("ledger", "--json").json["events"]
    assert [event["event"] for event in events] == [
        "spend_consented",
        "spend_sent",
        "spend_answered",
        "spend_closed",
        "credit_granted",
    ]
    rows = list(csv.DictReader(io.StringIO(resetbank("ledger", "--csv").out)))
    assert [row["event"] for row in rows] == [event["event"] for event in events]
    assert [row["at"] for row in rows] == [event["at"] for event in events]
    text = resetbank("ledger").out
    assert "one reset spent" in text
    assert "\x1b" not in text


def test_an_empty_ledger_is_no_failure() -> None:
    assert resetbank("ledger", "--json").json == {"schema": 1, "events": []}
    assert resetbank("ledger").code == 0


def test_doctor_says_why_not(stub: StubProcess) -> None:
    nothing = resetbank("doctor", "--json")
    assert nothing.code == 1
    sources = {source["name"]: source for source in nothing.json["sources"]}
    assert list(sources) == ["daemon", "codex", "http", "stub"]
    assert all(source["reason"] for source in sources.values())
    assert [source["viable"] for source in sources.values()] == [False, False, False, True]
    well = resetbank("doctor", *over_http(stub))
    assert well.code == 0
    assert "✓ http" in well.out


def test_doctor_names_what_is_open_to_others(stub: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(exist_ok=True)
    settings = home / "settings.toml"
    settings.touch()
    home.chmod(0o755)
    settings.chmod(0o666)
    done = resetbank("doctor", *over_http(stub))
    assert done.code == 0
    assert f"{home} is open to others of this machine: chmod 700 it" in done.out
    assert f"{settings} is open to others of this machine: chmod go-w it" in done.out
    home.chmod(0o700)
    settings.chmod(0o644)
    assert resetbank("doctor", "--json", *over_http(stub)).json["open_to_others"] == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [('theme = "nosuch"', "unknown theme 'nosuch'"), ('[keys]\nspend = "q"', "the key 'q' is given to both")],
)
def test_doctor_finds_what_only_the_screen_would_refuse(stub: StubProcess, settings: str, problem: str) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(settings)
    done = resetbank("doctor", *over_http(stub))
    assert done.code == 1
    assert problem in done.out


def test_doctor_says_that_the_database_cannot_be_written(stub: StubProcess, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    for home in (file, file / "deeper"):
        done = resetbank("doctor", *over_http(stub), RESETBANK_HOME=str(home))
        assert done.code == 1
        assert f"{home / 'resetbank.db'} cannot be written; check its permissions, or set RESETBANK_HOME" in done.out
        assert "the first reading makes it" not in done.out
    assert file.read_text() == ""


def test_keys_is_the_whole_table() -> None:
    out = resetbank("keys").out
    assert all(command.id in out for command in COMMANDS)


@pytest.mark.parametrize("words", [("login",), ("login", "--base-url", "http://example.com")])
def test_login_needs_a_place_to_send_it_to(words: tuple[str, ...]) -> None:
    result = resetbank(*words, stdin="token\n")
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1


def test_login_without_a_keyring_is_one_line() -> None:
    result = resetbank("login", "--base-url", "https://quota.example.com/backend-api", stdin="opaque-token\n")
    assert result.code == 1
    assert "no keyring backend on this machine" in result.err
    assert "opaque-token" not in result.err + result.out
    assert result.err.count("\n") == 1


def test_a_token_from_the_environment_reads_a_service_of_ones_own(stub: StubProcess) -> None:
    token = json.loads((stub.codex_home / "auth.json").read_text())["tokens"]["access_token"]
    result = resetbank("status", "--json", "--source", "http", "--base-url", stub.url, RESETBANK_TOKEN=token)
    assert result.code == 10
    assert result.json["account"]["id"] == "acc1"


def test_a_reader_that_goes_away_is_no_error() -> None:
    run = subprocess.Popen([sys.executable, "-m", "tui", "keys"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()
    with run.stderr as stderr:
        assert stderr.read() == b""
    assert run.wait(60) == 0


def test_login_on_a_terminal_never_shows_the_token() -> None:
    with resetbank_terminal("login", "--base-url", "https://quota.example.com/backend-api") as running:
        running.wait_for("not shown")
        running.type("opaque-token\n")
        assert running.wait_for_end() == 1
        assert b"opaque-token" not in running.raw


def test_watching_once_with_nothing_to_watch_fails_at_once() -> None:
    result = resetbank("watch", "--once")
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1


def test_a_login_behind_a_link_is_asked_for_once_on_a_terminal(tmp_path: Path, stub: StubProcess) -> None:
    auth, elsewhere = stub.codex_home / "auth.json", tmp_path / "theirs.json"
    auth.rename(elsewhere)
    auth.symlink_to(elsewhere)
    status = ("status", "--source", "http", "--codex-home", str(stub.codex_home))
    refused = resetbank(*status)
    assert (refused.code, refused.out) == (1, "")
    assert "is a link out of its folder" in refused.err
    with resetbank_terminal(*status) as running:
        running.wait_for("Type yes:")
        running.type("no\n")
        assert running.wait_for_end() == 1
    assert resetbank(*status).code == 1
    with resetbank_terminal(*status) as running:
        running.wait_for("Type yes:")
        running.type("yes\n")
        assert running.wait_for_end() == 10
    assert resetbank(*status).code == 10
