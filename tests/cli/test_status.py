import json
import os
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess
from tui import STORY

SCENARIOS = [
    ("calm", 0),
    ("busy", 10),
    ("at-limit", 11),
    ("weekly-wall", 11),
    ("weekly-only", 0),
    ("monthly", 0),
    ("expiring", 0),
    ("empty-bank", 0),
    ("many", 0),
    ("unknown", 12),
]


@pytest.mark.parametrize(("scenario", "code"), SCENARIOS)
def test_the_exit_code_tells_how_things_stand(stub: StubProcess, scenario: str, code: int) -> None:
    stub.set_scenario(scenario)
    result = resetbank("status", *over_http(stub))
    assert (result.code, result.err) == (code, ""), result
    assert "\x1b" not in result.out


def test_json_follows_the_contract(stub: StubProcess) -> None:
    report = resetbank("status", "--json", *over_http(stub)).json
    assert list(report) == [
        "schema",
        "source",
        "observed_at",
        "age_seconds",
        "stale",
        "account",
        "ordinary_usage_allowed",
        "windows",
        "resets",
        "spend_cap",
        "unlimited",
        "reached_reason",
        "open_spend",
    ]
    assert (report["schema"], report["source"], report["stale"]) == (1, "http", False)
    assert report["account"] == {"id": "acc1", "plan": "plus", "email": "me@example.com"}
    assert [(window["kind"], window["used_percent"], window["state"]) for window in report["windows"]] == [
        ("five_hour", 93.0, "near"),
        ("weekly", 41.0, "ok"),
    ]
    assert list(report["windows"][0]) == [
        "limit_id",
        "limit_name",
        "kind",
        "minutes",
        "used_percent",
        "resets_at",
        "state",
    ]
    assert report["resets"]["available"] == 3
    assert list(report["resets"]["credits"][0]) == ["id", "type", "status", "granted_at", "expires_at", "title"]


def test_unknown_is_null_in_json_and_never_zero(stub: StubProcess) -> None:
    stub.set_scenario("unknown")
    report = resetbank("status", "--json", *over_http(stub)).json
    assert all(window["used_percent"] != 0 for window in report["windows"])
    assert not any(window["state"] == "ok" for window in report["windows"])


def test_a_capped_list_keeps_its_count(stub: StubProcess) -> None:
    stub.set_scenario("many")
    resets = resetbank("status", "--json", *over_http(stub)).json["resets"]
    assert (resets["available"], len(resets["credits"])) == (12, 5)


def test_without_a_login_it_fails_in_one_line_and_pretends_nothing() -> None:
    result = resetbank("status", "--json")
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert "codex login" in result.err


def test_the_demo_shows_the_same_afternoon_where_there_is_no_terminal() -> None:
    result = resetbank("--demo")
    assert result.code == 0
    assert f"scenario {STORY}" in result.out
    assert "Free to work: 5 hours 70 % used" in result.out
    assert "read every" not in result.out
    assert "3 resets" in result.out


@pytest.mark.parametrize("words", [("status", "--source", "stub"), ("--demo",), ("--demo", "at-limit")])
def test_the_embedded_service_is_marked_as_a_demo(words: tuple[str, ...]) -> None:
    result = resetbank(*words)
    assert "DEMO" in result.out
    assert "\x1b" not in result.out
    assert not (Path(os.environ["RESETBANK_HOME"]) / "resetbank.db").exists()


def test_the_screens_stand_in_succeeds_whatever_the_limits_say() -> None:
    assert resetbank("--demo", "at-limit").code == 0
    assert resetbank("--demo", "at-limit", TERM="dumb").code == 0


def test_an_unknown_scenario_names_the_nearest() -> None:
    result = resetbank("--demo", "at-limits")
    assert result.code == 2
    assert "did you mean 'at-limit'?" in result.err


@pytest.mark.parametrize("command", ["status", "spend", "advice"])
def test_a_dead_service_is_one_line_that_says_what_to_do(stub: StubProcess, command: str) -> None:
    words = over_http(stub)
    stub.kill()
    result = resetbank(command, *words)
    assert (result.code, result.out) == (1, "")
    assert result.err == f"resetbank: no connection to 127.0.0.1:{stub.port}; check the network\n"


def test_a_service_in_trouble_is_to_be_asked_later(stub: StubProcess) -> None:
    stub.fault("/usage", "status:500", 5)
    result = resetbank("status", *over_http(stub))
    assert (result.code, result.err) == (1, f"resetbank: 127.0.0.1:{stub.port} answers 500; run it again later\n")


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("status", "--jason"),
        ("--source", "elsewhere"),
        ("status", "extra"),
        ("ledger", "--json", "--csv"),
    ],
)
def test_wrong_words_are_one_line_and_two(words: tuple[str, ...]) -> None:
    result = resetbank(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "base_url",
    ["nonsense", "ftp://example.com", "http://example.com/backend-api", "https://", "https://me:secret@example.com"],
)
def test_a_base_url_that_may_not_be_used(base_url: str) -> None:
    result = resetbank("status", "--source", "http", "--base-url", base_url)
    assert result.code in (1, 2)
    assert result.err.count("\n") == 1
    assert "secret" not in result.err


def test_global_options_stand_before_or_behind_the_command(stub: StubProcess) -> None:
    before, behind = resetbank(*over_http(stub), "status", "--json"), resetbank("status", "--json", *over_http(stub))
    assert before.json["windows"] == behind.json["windows"]


def test_settings_move_the_warning_level_and_their_mistakes_are_told(stub: StubProcess) -> None:
    settings = Path(os.environ["RESETBANK_HOME"]) / "settings.toml"
    settings.parent.mkdir()
    settings.write_text("[limits]\nnear_percent = 95\n")
    assert resetbank("status", *over_http(stub)).code == 0
    for text, told in (
        ("[limits]\nnear_percnt = 95\n", "did you mean 'near_percent'?"),
        ("[limits]\nnear_percent = 'x'\n", "limits.near_percent"),
        ("[limits\n", "is not valid TOML"),
    ):
        settings.write_text(text)
        result = resetbank("status", *over_http(stub))
        assert result.code == 2
        assert told in result.err
        assert result.err.count("\n") == 1


def test_a_broken_database_hides_no_numbers(stub: StubProcess) -> None:
    database = Path(os.environ["RESETBANK_HOME"]) / "resetbank.db"
    database.parent.mkdir()
    database.write_bytes(b"no database" * 100)
    result = resetbank("status", "--json", *over_http(stub))
    assert result.code == 10
    assert result.json["resets"]["available"] == 3
    assert "not a database" in result.err
    spend = resetbank("spend", *over_http(stub))
    assert (spend.code, stub.spent()) == (23, 0)
    assert database.read_bytes() == b"no database" * 100


def test_the_report_is_the_whole_output(stub: StubProcess) -> None:
    result = resetbank("status", "--json", *over_http(stub))
    assert json.loads(result.out)
    assert result.err == ""
