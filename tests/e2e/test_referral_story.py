"""The referral pilot as a story on the stub's clock: a Plus user, friends, and the real Codex CLI in both homes."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.codex import codex_exec
from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.commands import over_http, resetbank
from tests.support.pty import resetbank_terminal
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex turns")]

DAY = 86_400.0
QUESTION = re.compile(r"Type ([A-Z]{3}) to send this invite:")


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[StubProcess]:
    """The service on the day that the pilot begins, with a sandbox for the real Codex CLI."""
    with start_stub(scenario="pilot-start", sandbox=tmp_path / "sandbox") as process:
        yield process


@dataclass
class Friend:
    """A second Codex home, signed in to an account of its own."""

    stub: StubProcess
    account: str
    folder: Path

    @classmethod
    def of(cls, stub: StubProcess, account: str, **about: Any) -> "Friend":
        folder = stub.add_account(account, email=f"{account}@example.com", **about)
        assert folder is not None
        return cls(stub, account, folder)

    def says_hello(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [codex_executable(), "exec", "say hello", "--skip-git-repo-check"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            cwd=self.folder / "workspace",
            env=codex_environment(self.folder / "codex-home"),
        )


def banked(codex_home: Path) -> int:
    """How many resets a real `codex app-server` of that home reports."""
    home = str(codex_home)
    offline = {name: value for name, value in codex_environment(codex_home).items() if name.upper().endswith("_PROXY")}
    report = resetbank("status", "--json", "--source", "codex", "--codex-home", home, **offline)
    return int(report.json["resets"]["available"])


def invite(stub: StubProcess, address: str) -> tuple[int, str]:
    """`resetbank invite` on a terminal, consented to where it asks; its exit code and the screen."""
    with resetbank_terminal("invite", address, *over_http(stub), rows=40, columns=100) as running:
        running.wait_for(lambda text: QUESTION.search(text) is not None or running.gone or "resetbank:" in text)
        if (match := QUESTION.search(running.text)) is not None:
            assert f"An e-mail goes to {address}" in running.text
            running.type(f"{match[1]}\n")
        code = running.wait_for_end()
        return code, running.text


def listed(stub: StubProcess) -> dict[str, dict[str, Any]]:
    """What `invites --json` tells, by address."""
    report = resetbank("invites", "--json", *over_http(stub)).json
    return {entry["address"]: entry for entry in report["invites"]}


def link_to(stub: StubProcess, address: str) -> str:
    return str(listed(stub)[address]["link"])


@pytest.fixture(autouse=True)
def real_codex(pilot: StubProcess) -> None:
    """Let the source `codex` find the real executable."""
    import os

    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(f'[codex]\ncommand = "{codex_executable()}"\n')


def test_the_pilot_from_the_first_invite_to_its_end(pilot: StubProcess) -> None:
    ada = Friend.of(pilot, "ada", last_used_days_ago=90.0)
    eve = Friend.of(pilot, "eve", last_used_days_ago=3.0)
    before, adas = banked(pilot.codex_home), banked(ada.folder / "codex-home")
    assert (before, adas) == (1, 1)  # the complimentary ones

    # Three go out; the answer to the second is lost, and nothing is ever sent twice.
    assert invite(pilot, "ada@example.com")[0] == 0
    pilot.fault("/referrals/invite", "drop_after")
    code, shown = invite(pilot, "bob@example.com")
    assert code == 0, shown
    assert invite(pilot, "eve@example.com")[0] == 0
    assert pilot.requests("/referrals/invite") == 3
    assert [entry["emails_sent"] for entry in pilot.invites()] == [1, 1, 1]
    assert {entry["state"] for entry in listed(pilot).values()} == {"sent"}
    code, shown = invite(pilot, "fay@example.com")
    assert (code, "no invites are left" in shown) == (23, True), shown
    assert len(pilot.invites()) == 3

    # One was active lately, and is told apart as soon as that is known.
    assert pilot.accept_invite(link_to(pilot, "eve@example.com"), eve.account)["status"] == "ineligible"
    assert eve.says_hello().returncode == 0
    entry = listed(pilot)["eve@example.com"]
    assert (entry["state"], entry["reward_credit_id"]) == ("ineligible", None)
    assert "used Codex" in resetbank("invites", *over_http(pilot), COLUMNS="200").out

    # One joins and sends a first message; its answer is lost, and it is sent again.
    assert pilot.accept_invite(link_to(pilot, "ada@example.com"), ada.account)["status"] == "joined"
    assert banked(pilot.codex_home) == before
    pilot.fault("/responses", "drop_after")
    ada.says_hello()
    for _ in range(2):
        assert ada.says_hello().returncode == 0
    assert (banked(pilot.codex_home), banked(ada.folder / "codex-home")) == (before + 1, adas + 1)
    rewarded = listed(pilot)["ada@example.com"]
    assert rewarded["state"] == "rewarded"
    credits_held = {credit["id"] for credit in pilot.account()["credits"]}
    assert rewarded["reward_credit_id"] in credits_held
    assert codex_exec(pilot).returncode == 0  # the referrer's own messages earn nothing
    assert banked(pilot.codex_home) == before + 1

    # One never joins; then the campaign ends.
    pilot.advance(15 * DAY)
    assert listed(pilot)["bob@example.com"]["state"] == "expired"
    assert resetbank("invites", "--json", *over_http(pilot)).json["offer"] is None
    ended = resetbank("invite", *over_http(pilot))
    assert (ended.code, "Not offered to this account" in ended.out, "ended" in ended.out) == (23, True, True)

    # The ledger has it all, and no address.
    ledger = resetbank("ledger", "--json").out
    assert "a reset came for the invite to a…@example.com" in ledger
    assert not re.search(r"(ada|bob|eve|fay)@example", ledger)

    # Thirty days after their grant the resets are gone, to the second.
    reward = next(c for c in pilot.account()["credits"] if c["id"] == rewarded["reward_credit_id"])
    pilot.advance(14 * DAY)
    assert "available" in [credit["status"] for credit in pilot.account()["credits"]]
    pilot.advance(2 * DAY)
    assert [credit["status"] for credit in pilot.account()["credits"]] == ["expired"] * (before + 1)
    assert banked(pilot.codex_home) == 0
    assert reward["expires_at"] > reward["granted_at"]


def test_a_business_account_is_not_offered_it(pilot: StubProcess) -> None:
    team = Friend.of(pilot, "team", plan="business")
    words = ("--source", "http", "--base-url", pilot.url, "--codex-home", str(team.folder / "codex-home"))
    offer = resetbank("invite", *words)
    assert offer.code == 23
    assert "Not offered to this account" in offer.out
    refused = resetbank("invite", "pal@example.com", *words)
    assert (refused.code, refused.out) == (23, "")
    assert pilot.invites("team") == []
    assert pilot.requests("/referrals/invite") == 0
    assert banked(team.folder / "codex-home") == 1  # it banks all the same


def test_the_screen_follows_an_invite_to_its_reward(pilot: StubProcess) -> None:
    ada = Friend.of(pilot, "ada")
    words = ("--source", "http", "--codex-home", str(pilot.codex_home))
    with resetbank_terminal(*words, rows=40) as running:
        running.wait_for("Free to work")
        running.type("i")
        running.wait_for("3 invites left")
        running.type("a")
        running.wait_for("Nothing is sent yet")
        running.type("ada@example.com\r")
        shown = running.wait_for(lambda text: re.search(r"press  [A-Z]  ", text) is not None)
        match = re.search(r"press  ([A-Z])  ", shown)
        assert match
        assert pilot.invites() == []
        running.press_until(match[1], "The service took the invite to ada@example.com")
        running.press_until("\r", lambda text: "The service took" not in text)
        running.wait_for("○ sent")
        (sent,) = pilot.invites()
        pilot.accept_invite(link_to(pilot, "ada@example.com"), "ada")
        running.type("\x1b[15~")  # F5
        running.wait_for("◑ joined")
        assert ada.says_hello().returncode == 0
        running.type("\x1b[15~")
        running.wait_for("this reset came from it")
        assert sent["email"] == "ada@example.com"
        running.press_until("q", lambda text: "esc Back" not in text)
        running.wait_for("2 resets")
        assert "ada@example.com" not in running.text
        assert "a reset came for the invite to a…@example.com" in running.text
        running.type("q")
        assert running.wait_for_end() == 0
