import json
import subprocess
from pathlib import Path
from urllib.request import Request

import pytest

from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.logins import bearer_headers
from tests.support.stub_process import OPENER, StubProcess, start_stub
from tests.support.waiting import DEADLINE
from tui.clock import SystemClock
from tui.stub.scenarios import SCENARIOS

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex")]


def codex_exec(sandbox: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [codex_executable(), "exec", "say hello", "--skip-git-repo-check"],
        cwd=sandbox / "workspace",
        env=codex_environment(sandbox / "codex-home"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def rate_limits(sandbox: Path) -> dict[str, object]:
    """What the real app-server reads, as its last answer."""
    requests = (
        {"id": 0, "method": "initialize", "params": {"clientInfo": {"name": "test", "title": "t", "version": "0"}}},
        {"method": "initialized"},
        {"id": 1, "method": "account/rateLimits/read", "params": None},
    )
    with subprocess.Popen(
        [codex_executable(), "app-server"],
        cwd=sandbox / "workspace",
        env=codex_environment(sandbox / "codex-home"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            for request in requests:
                server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            answer = next(found for line in server.stdout if (found := json.loads(line)).get("id") == 1)
        finally:
            server.kill()
    result: dict[str, object] = answer["result"]
    return result


def test_a_turn_of_the_real_cli_is_metered(stub: StubProcess) -> None:
    done = codex_exec(stub.box)
    assert done.returncode == 0, done.stderr
    assert "one turn was metered" in done.stdout
    assert [window["used_percent"] for window in stub.account()["windows"]] == [96.0, 41.5]
    assert [window["used_percent"] for window in stub.account("acc2")["windows"]] == [0.0, 5.0]


def test_the_real_cli_fails_at_the_limit_and_works_after_a_reset(tmp_path: Path) -> None:
    with start_stub(scenario="at-limit", sandbox=tmp_path / "sandbox") as stub:
        stopped = codex_exec(stub.box)
        assert stopped.returncode != 0
        assert "hit your usage limit" in stopped.stderr
        assert stub.account()["windows"][0]["used_percent"] == 100
        stub.set_usage("five_hour", 0)
        assert codex_exec(stub.box).returncode == 0
        assert stub.account()["windows"][0]["used_percent"] == 3


def test_the_real_app_server_reads_every_scenario(stub: StubProcess) -> None:
    for name, scenario in SCENARIOS.items():
        stub.set_scenario(name)
        result = rate_limits(stub.box)
        limits, bank = result["rateLimits"], result["rateLimitResetCredits"]
        assert isinstance(limits, dict)
        assert isinstance(bank, dict)
        for slot, start in zip(("primary", "secondary"), scenario.windows, strict=False):
            assert limits[slot]["usedPercent"] == start.used_percent, name
        assert bank["availableCount"] == stub.account()["available"], name
        earned = [start for start in scenario.invites if start.messaged is not None and start.reversed is None]
        assert len(bank["credits"]) == min(len(scenario.credits) + len(earned), scenario.list_cap or 99), name


def test_a_friends_first_message_is_seen_by_both_app_servers(tmp_path: Path) -> None:
    with start_stub(scenario="pilot-start", sandbox=tmp_path / "sandbox") as stub:
        friend = stub.add_account("ada")
        assert friend is not None
        link = invite(stub, "ada@example.com")
        assert banked(stub.box) == banked(friend) == 1
        assert stub.accept_invite(link, "ada")["status"] == "joined"
        for _ in range(2):
            assert codex_exec(friend).returncode == 0
            assert banked(stub.box) == banked(friend) == 2
        assert [invite["status"] for invite in stub.invites()] == ["rewarded"]


def invite(stub: StubProcess, email: str) -> str:
    """Invite somebody as the main account; the link."""
    body = json.dumps({"program_id": "codex_referral_consumer", "emails": [email]}).encode()
    request = Request(f"{stub.url}/referrals/invite", body, bearer_headers("acc1", SystemClock().now()))
    with OPENER.open(request, timeout=DEADLINE) as answer:
        link: str = json.load(answer)["invites"][0]["invite_url"]
    return link


def banked(sandbox: Path) -> object:
    """How many resets the real app-server counts."""
    bank = rate_limits(sandbox)["rateLimitResetCredits"]
    assert isinstance(bank, dict)
    return bank["availableCount"]
