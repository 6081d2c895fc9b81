import json
import os
import signal
import socket
import stat
import tomllib
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.request import Request

import pytest

from tests.support.logins import bearer_headers
from tests.support.stub_process import OPENER, StubProcess, launch, start_stub
from tests.support.waiting import DEADLINE
from tui.clock import SystemClock


def consume(stub: StubProcess, key: str, credit_id: str | None = None) -> dict[str, object]:
    body = {"redeem_request_id": key} | ({"credit_id": credit_id} if credit_id else {})
    request = Request(
        f"{stub.url}/wham/rate-limit-reset-credits/consume",
        json.dumps(body).encode(),
        bearer_headers("acc1", SystemClock().now()) | {"Content-Type": "application/json"},
    )
    with OPENER.open(request, timeout=DEADLINE) as answer:
        result: dict[str, object] = json.load(answer)
    return result


def failure(*arguments: str, exit_code: int) -> str:
    """The one line that a start without success leaves on stderr."""
    process = launch(*arguments)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert (process.returncode, stdout) == (exit_code, "")
    assert stderr.count("\n") == 1
    return stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with start_stub() as stub:
        stub.stop(number)


def test_the_one_line(tmp_path: Path) -> None:
    with start_stub(scenario="monthly", sandbox=tmp_path / "box", cwd=tmp_path) as stub:
        assert stub.url == f"http://127.0.0.1:{stub.port}/backend-api"
        assert (stub.scenario, stub.sandbox) == ("monthly", tmp_path / "box")
        assert stub.state()["scenario"] == "monthly"
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", stub.port), 30):
            pass


def test_busy_is_the_default() -> None:
    with start_stub() as stub:
        assert (stub.scenario, stub.sandbox) == ("busy", None)


def test_a_kill_forgets_no_redemption(tmp_path: Path) -> None:
    db = tmp_path / "stub.db"
    with start_stub(db=db, scenario="at-limit") as stub:
        first = consume(stub, "key")
        stub.advance(3_600)
        stub.kill()
    with start_stub(db=db) as stub:
        assert stub.scenario == "at-limit"
        for credit in stub.account()["credits"]:
            again = consume(stub, "key", credit["id"])
            assert (again["code"], again["credit"]) == ("already_redeemed", first["credit"])
        assert stub.spent() == 1
        assert [record["requests"] for record in stub.state()["redemptions"]] == [4]


def test_a_killed_server_lost_no_answered_effect(tmp_path: Path) -> None:
    db = tmp_path / "stub.db"
    keys = [f"key-{number}" for number in range(5)]
    for key in keys:
        with start_stub(db=db) as stub:
            stub.grant()
            stub.set_usage("weekly", 50)
            assert consume(stub, key)["code"] == "reset"
            stub.kill()
    with start_stub(db=db) as stub:
        assert stub.spent() == len(keys)
        assert {consume(stub, key)["code"] for key in keys} == {"already_redeemed"}


def test_a_taken_port() -> None:
    with start_stub() as stub:
        line = failure("--port", str(stub.port), exit_code=2)
        assert f"cannot listen on port {stub.port}: it is in use" in line


def test_an_unknown_scenario() -> None:
    assert "did you mean 'weekly-wall'" in failure("--scenario", "weekly-wal", exit_code=2)


@pytest.mark.parametrize("port", ["-1", "65536", "http", "٣"])
def test_no_port(port: str) -> None:
    assert "is no port" in failure(f"--port={port}", exit_code=2)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "stub.db"
    path.write_text("no database at all\n" * 100)
    assert "not a database" in failure("--db", str(path), exit_code=1)


def test_a_sandbox(stub: StubProcess) -> None:
    auth = stub.codex_home / "auth.json"
    login = json.loads(auth.read_text())
    config = tomllib.loads((stub.codex_home / "config.toml").read_text())
    assert stat.S_IMODE(auth.stat().st_mode) == 0o600
    assert login["tokens"]["account_id"] == "acc1"
    assert config["chatgpt_base_url"] == stub.url
    assert config["model_providers"]["sandbox"]["base_url"] == f"{stub.url}/codex"
    assert config["projects"][str(stub.workspace.resolve())]["trust_level"] == "trusted"


def test_a_sandbox_is_written_again(tmp_path: Path) -> None:
    for _ in range(2):
        with start_stub(sandbox=tmp_path / "box") as stub:
            assert tomllib.loads((stub.codex_home / "config.toml").read_text())["chatgpt_base_url"] == stub.url


def test_a_real_login_is_never_written_over(tmp_path: Path) -> None:
    home = tmp_path / "codex-home"
    home.mkdir()
    (home / "auth.json").write_text("a real login")
    assert "is not a sandbox of resetbank" in failure("--sandbox", str(tmp_path), exit_code=2)
    assert (home / "auth.json").read_text() == "a real login"


def test_a_sandbox_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in failure("--sandbox", str(tmp_path / "file"), exit_code=2)


@pytest.mark.parametrize("name", ['quo"ted \\ path', "grüße 😀", "del\x7f"])
def test_a_sandbox_of_any_name(tmp_path: Path, name: str) -> None:
    with start_stub(sandbox=tmp_path / name) as stub:
        config = tomllib.loads((stub.codex_home / "config.toml").read_text("utf-8"))
        assert list(config["projects"]) == [str(stub.workspace.resolve())]


def test_every_account_gets_a_sandbox_of_its_own(stub: StubProcess) -> None:
    sandbox = stub.add_account("ada", "pro", "ada@example.org")
    assert stub.sandbox is not None
    assert sandbox == stub.sandbox / "accounts" / "ada"
    login = json.loads((sandbox / "codex-home" / "auth.json").read_text())
    claims = json.loads(urlsafe_b64decode(login["tokens"]["access_token"].split(".")[1] + "=="))
    assert (login["tokens"]["account_id"], claims["email"]) == ("ada", "ada@example.org")
    assert claims["https://api.openai.com/auth"]["chatgpt_plan_type"] == "pro"
    config = tomllib.loads((sandbox / "codex-home" / "config.toml").read_text())
    assert config["chatgpt_base_url"] == stub.url
    assert list(config["projects"]) == [str((sandbox / "workspace").resolve())]
    with pytest.raises(AssertionError, match="already"):
        stub.add_account("ada")


def test_no_account_without_its_sandbox(stub: StubProcess) -> None:
    assert stub.sandbox is not None
    (stub.sandbox / "accounts").write_text("in the way")
    with pytest.raises(AssertionError, match="cannot be written"):
        stub.add_account("ada")
    assert [account["id"] for account in stub.state()["accounts"]] == ["acc1", "acc2"]


def test_a_restart_renews_every_sandbox(tmp_path: Path) -> None:
    db, box = tmp_path / "stub.db", tmp_path / "box"
    with start_stub(db=db, sandbox=box) as stub:
        stub.add_account("ada", "pro")
    with start_stub(db=db, sandbox=box) as stub:
        for home in (stub.codex_home, box / "accounts" / "ada" / "codex-home"):
            assert tomllib.loads((home / "config.toml").read_text())["chatgpt_base_url"] == stub.url
        assert stub.account("ada")["plan"] == "pro"


def test_a_link_leads_to_the_port_it_was_asked_on(stub: StubProcess) -> None:
    stub.set_scenario("pilot")
    link = stub.invites()[-1]["link"]
    with OPENER.open(stub.origin + link, timeout=DEADLINE) as page:
        assert b"invites you to Codex" in page.read()
    headers = bearer_headers("acc1", SystemClock().now())
    path = "/referrals/invite/tracking?program_id=codex_referral_consumer&limit=1"
    with OPENER.open(Request(stub.url + path, headers=headers), timeout=DEADLINE) as answer:
        assert json.load(answer)["items"][0]["invite_url"] == stub.origin + link


def test_a_kill_forgets_no_reward(tmp_path: Path) -> None:
    db = tmp_path / "stub.db"
    with start_stub(db=db, scenario="pilot") as stub:
        joined = next(invite for invite in stub.invites() if invite["status"] == "joined")
        turn = Request(f"{stub.url}/codex/responses", b"{}", bearer_headers("grace", SystemClock().now()))
        stub.fault("/responses", "drop_after")
        with pytest.raises(ConnectionError):
            OPENER.open(turn, timeout=DEADLINE)
        stub.kill()
    with start_stub(db=db) as stub:
        with OPENER.open(turn_to(stub, turn), timeout=DEADLINE) as answer:
            assert answer.status == 200
        told = next(invite for invite in stub.invites() if invite["email"] == joined["email"])
        assert told["status"] == "rewarded"
        assert (stub.account()["available"], stub.account("grace")["available"]) == (3, 1)


def turn_to(stub: StubProcess, request: Request) -> Request:
    """The same request, to a service on another port."""
    return Request(f"{stub.url}/codex/responses", request.data, dict(request.header_items()))


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_nobody_else_may_read_what_it_writes(tmp_path: Path, umask: int) -> None:
    db, box = tmp_path / "stub.db", tmp_path / "box"
    before = os.umask(umask)
    try:
        with start_stub(db=db, sandbox=box) as stub:
            stub.add_account("ada")
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (*tmp_path.glob("stub.db*"), box)}
            modes |= {path: stat.S_IMODE(path.stat().st_mode) for path in box.rglob("*")}
    finally:
        os.umask(before)
    assert len(modes) > 12
    assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_what_was_left_open_to_others_is_tightened(tmp_path: Path) -> None:
    db, box = tmp_path / "stub.db", tmp_path / "box"
    with start_stub(db=db, sandbox=box):
        pass
    files = (db, box / "codex-home" / "auth.json", box / "codex-home" / "config.toml")
    for file in files:
        file.chmod(0o666)
    (box / "codex-home").chmod(0o755)
    with start_stub(db=db, sandbox=box):
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE((box / "codex-home").stat().st_mode) == 0o700
