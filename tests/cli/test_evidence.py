import json
import stat
from pathlib import Path

from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.stub_process import StubProcess


def test_one_file_holds_spends_consent_and_every_event(stub: StubProcess, tmp_path: Path) -> None:
    allow_unattended()
    stub.set_usage("five_hour", 100)
    resetbank("status", *over_http(stub))
    assert resetbank("spend", "--unattended", "--json", *over_http(stub)).code == 0
    lost = stub.account()["credits"][-1]["id"]
    stub.set_scenario("calm")  # another bank: what was there is gone without a spend of ours
    resetbank("status", *over_http(stub))

    file = tmp_path / "evidence.json"
    done = resetbank("ledger", "--evidence", str(file))
    assert (done.code, done.err) == (0, "")
    assert "1 spends" in done.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = json.loads(file.read_text())
    (spend,) = found["spends"]
    assert (spend["outcome"], spend["consent"], spend["requests_sent"]) == ("reset", "unattended", 1)
    assert (spend["before"][0]["used_percent"], spend["after"][0]["used_percent"]) == (100, 0)
    assert {event["event"] for event in found["events"]} >= {"spend_consented", "spend_closed", "credit_vanished"}
    assert any(lost in line for line in found["contradictions"])

    again = resetbank("ledger", "--evidence", str(file))
    assert (again.code, again.out, "there already" in again.err) == (2, "", True)
    text = tmp_path / "evidence.txt"
    assert resetbank("ledger", "--evidence", str(text)).code == 0
    assert f"request_id: {spend['request_id']}" in text.read_text()


def test_without_a_database_it_is_empty_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    assert resetbank("ledger", "--evidence", str(file)).code == 0
    found = json.loads(file.read_text())
    assert (found["spends"], found["events"], found["contradictions"]) == ([], [], [])
