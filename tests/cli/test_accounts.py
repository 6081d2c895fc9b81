"""Several accounts: each by its name, all at once, and no login where it does not belong."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.sources.rollout_folder import Rollout, started
from tests.support.commands import resetbank
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import wait_until
from tui.clock import SystemClock
from tui.errors import SettingsError, UsageError
from tui.settings import account_place, load_settings


def name_accounts(**places: object) -> None:
    """Write the settings with these accounts."""
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{name} = {json.dumps(str(place))}\n" for name, place in places.items())
    (home / "settings.toml").write_text(f"[accounts]\n{lines}")


@pytest.fixture
def two(stub: StubProcess) -> StubProcess:
    """A service with two accounts, `work` and `home` in the settings; the second one is at its limit."""
    other = stub.add_account("acc-home", "plus", "other@example.com")
    assert other is not None
    stub.set_usage("five_hour", 100, "acc-home")
    name_accounts(work=stub.codex_home, home=other / "codex-home")
    return stub


def test_an_account_is_read_by_its_name(two: StubProcess) -> None:
    for name, account, code in (("work", "acc1", 10), ("home", "acc-home", 11)):
        done = resetbank("status", "--json", "--source", "http", "--account", name)
        assert (done.code, done.json["account"]["id"]) == (code, account), done


def test_all_at_once_and_the_worst_decides(two: StubProcess) -> None:
    done = resetbank("status", "--all", "--json", "--source", "http")
    assert done.code == 11, done
    assert done.json["schema"] == 1
    assert [(one["name"], one["account"]["id"]) for one in done.json["accounts"]] == [
        ("work", "acc1"),
        ("home", "acc-home"),
    ]
    text = resetbank("status", "--all", "--source", "http").out
    assert text.index("[work]") < text.index("me@example.com") < text.index("[home]") < text.index("other@example.com")


def test_one_that_fails_is_unknown_and_the_others_are_shown(stub: StubProcess, tmp_path: Path) -> None:
    stub.set_scenario("calm")
    name_accounts(work=stub.codex_home, gone=tmp_path / "nowhere", spare=stub.codex_home)
    done = resetbank("status", "--all", "--json", "--source", "http")
    assert done.code == 12
    work, gone, spare = done.json["accounts"]
    assert (work["account"]["id"], spare["account"]["id"]) == ("acc1", "acc1")
    assert "is not a folder" in gone["error"]


def test_all_without_accounts_is_the_only_one(stub: StubProcess) -> None:
    done = resetbank("status", "--all", "--json", "--source", "http", "--codex-home", str(stub.codex_home))
    assert (done.code, [one["name"] for one in done.json["accounts"]]) == (10, [None])


def test_a_line_for_each_from_the_database_alone(two: StubProcess) -> None:
    home = str(two.codex_home)
    assert resetbank("status", "--source", "http", CODEX_HOME=home).code == 10
    assert resetbank("status", "--all", "--source", "http", CODEX_HOME=home).code == 11
    before = two.requests("/usage")
    work, other, plain = (resetbank("line", *words).out for words in (("--account", "work"), ("--account=home",), ()))
    assert work == plain != other
    assert "100 %" in other
    assert "? no reading yet" in resetbank("line", "--account", "nobody").out
    assert two.requests("/usage") == before


def test_ledger_and_history_of_one_account(two: StubProcess) -> None:
    for _ in range(2):
        assert resetbank("advice", "--source", "http", "--account", "work").code == 0
        assert resetbank("status", "--source", "http", "--account", "home").code == 11
        two.grant(account="acc-home")
    lines = resetbank("ledger", "--json", "--account", "home").json["events"]
    assert {line["account"] for line in lines} == {"acc-home"}
    assert resetbank("ledger", "--json", "--account", "work").json["events"] == []
    assert resetbank("history", "--json", "--account", "work").json["readings"]
    assert resetbank("history", "--json", "--account", "home").json["readings"] == []
    never = resetbank("ledger", "--account", "never")
    assert (never.code, "nothing was read yet of an account 'never'" in never.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--account", "wrok"), "the settings have no account 'wrok'; did you mean 'work'?"),
        (("--account", "work", "--codex-home", "/"), "--account and --codex-home cannot both be given"),
        (("--account", "work", "--base-url", "https://a.example"), "--account and --base-url cannot both be given"),
        (("--account", "work", "--source", "stub"), "the embedded service has no account of yours"),
        (("--account", "gone"), "account 'gone': /nowhere is not a folder"),
        (("--account", "work", "--all"), "--all and --account cannot both be given"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], problem: str, tmp_path: Path) -> None:
    name_accounts(work=tmp_path, gone="/nowhere")
    done = resetbank("status", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert problem in done.err


@pytest.mark.parametrize("name", ["two words", "a.b", "", "-x", "é", "a" * 33, "<b>"])
def test_names_are_plain_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"[accounts]\n{json.dumps(name)} = '/x'\n")
    with pytest.raises(SettingsError, match="accounts"):
        load_settings(path)


def test_a_place_is_a_folder_or_a_url(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[accounts]\nwork = "~/.codex-work"\nown = "https://quota.example.com/api"\n')
    settings = load_settings(path)
    assert account_place(settings, "work") == (Path("~/.codex-work").expanduser(), None)
    assert account_place(settings, "own") == (None, "https://quota.example.com/api")
    with pytest.raises(UsageError, match="no account"):
        account_place(settings, "other")


@pytest.fixture
def foreign() -> Iterator[StubProcess]:
    with start_stub() as service:
        yield service


def test_codexs_token_goes_to_no_url_that_its_own_config_does_not_name(stub: StubProcess, foreign: StubProcess) -> None:
    name_accounts(mine=stub.url, foreign=foreign.url)
    environment = {"CODEX_HOME": str(stub.codex_home), "RESETBANK_TOKEN": "token-for-another"}
    done = resetbank("status", "--all", "--json", "--source", "http", **environment)
    mine, other = done.json["accounts"]
    assert mine["account"]["id"] == "acc1"
    assert "there is no login for" in other["error"]
    assert "RESETBANK_TOKEN" not in other["error"]
    assert foreign.state()["requests"] == {}
    alone = resetbank("status", "--source", "http", "--account", "foreign", CODEX_HOME=str(stub.codex_home))
    assert (alone.code, "there is no login for" in alone.err) == (1, True)
    assert foreign.state()["requests"] == {}


def test_the_names_in_the_database_hold_no_address(two: StubProcess) -> None:
    resetbank("status", "--all", "--source", "http")
    with sqlite3.connect(Path(os.environ["RESETBANK_HOME"]) / "resetbank.db") as database:
        found = dict(database.execute("SELECT name, account FROM names").fetchall())
    assert found == {"work": "acc1", "home": "acc-home"}


def test_accounts_are_completed_by_name(two: StubProcess) -> None:
    assert resetbank("completion", "--names", "accounts").out.split() == ["work", "home"]


def test_metrics_have_every_account_with_its_name(two: StubProcess) -> None:
    done = resetbank("metrics", "--source", "http")
    assert done.code == 0, done
    found = {
        (sample.name, sample.labels.get("account"), sample.labels.get("kind"), sample.labels.get("name")): sample.value
        for family in text_string_to_metric_families(done.out)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }
    assert found["resetbank_account", "acc1", None, "work"] == found["resetbank_account", "acc-home", None, "home"] == 1
    assert found["resetbank_up", None, None, "work"] == found["resetbank_up", None, None, "home"] == 1
    assert found["resetbank_window_used_ratio", "acc1", "five_hour", None] == 0.93
    assert found["resetbank_window_used_ratio", "acc-home", "five_hour", None] == 1
    assert "@" not in done.out


def limits_in(said: Path) -> list[tuple[str, str]]:
    events = map(json.loads, said.read_text().splitlines())
    return sorted((event["account"], event["event"]) for event in events if event["event"] != "lapsing")


def test_a_limit_of_an_account_where_nobody_works_is_told_with_its_name(two: StubProcess, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with (Path(os.environ["RESETBANK_HOME"]) / "settings.toml").open("a") as settings:
        program = json.dumps(["sh", "-c", f"cat >> {told}"])
        settings.write(f'[notify]\nchannels = ["command"]\nevents = ["near", "interrupted"]\ncommand = {program}\n')
    words = [sys.executable, "-m", "tui", "watch", "--json", "--source", "http"]
    said = tmp_path / "said"
    with said.open("w") as output, subprocess.Popen(words, stdout=output) as watch:
        try:
            wait_until(lambda: told.exists() and len(told.read_text().splitlines()) == 2)
            wait_until(lambda: len(limits_in(said)) == 2)
        finally:
            watch.kill()
    assert limits_in(said) == [("home", "interrupted"), ("work", "near")]
    notices = sorted((row["title"], row["event"]) for row in map(json.loads, told.read_text().splitlines()))
    assert notices == [("resetbank: home", "interrupted"), ("resetbank: work", "near")]


def test_two_names_of_one_account_are_one_account_in_metrics(stub: StubProcess) -> None:
    name_accounts(work=stub.codex_home, also=stub.codex_home)
    done = resetbank("metrics", "--source", "http")
    assert list(text_string_to_metric_families(done.out))  # type: ignore[no-untyped-call]
    assert done.out.count("resetbank_window_used_ratio{") == 2


def test_sessions_of_every_account_with_its_name(two: StubProcess) -> None:
    now, places = SystemClock().now(), load_settings(Path(os.environ["RESETBANK_HOME"]) / "settings.toml").accounts
    threads = {}
    for number, (name, home) in enumerate(places.items(), 1):
        rollout = Rollout(Path(home), number, now)
        rollout.write(rollout.meta(now), started(now))
        threads[name] = rollout.thread
    done = resetbank("sessions", "--source", "http", "--json")
    assert {row["account"]: row["id"] for row in done.json["sessions"]} == threads, done
    text = resetbank("sessions", "--source", "http").out
    assert [line.split()[0] for line in text.splitlines()] == list(threads.values())
    alone = resetbank("sessions", "--source", "http", "--account", "home").out
    assert alone.split()[0] == threads["home"]
    assert threads["work"] not in alone


def test_watch_says_whose_event_it_is(two: StubProcess) -> None:
    done = resetbank("watch", "--once", "--json", "--source", "http")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert {"near": "work", "interrupted": "home"}.items() >= {(one["event"], one["account"]) for one in events}
    assert done.code == {"near": 10, "interrupted": 11}[events[0]["event"]], done
    text = resetbank("watch", "--once", "--source", "http").out
    assert " · near · work · " in text or " · interrupted · home · " in text
