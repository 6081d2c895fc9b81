"""`resetbank metrics`: read by the format's own parser, and by a real Prometheus where it is installed."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.forked import Forked
from tests.support.stub_process import OPENER, StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tests.ui import states
from tui.cli.openmetrics import openmetrics
from tui.domain.snapshot import Account

ASSETS = Path(__file__).parents[2] / "assets"
FIVE_HOURS = 'resetbank_window_used_ratio{kind="five_hour"}'


def samples(document: str, label: str = "") -> dict[tuple[str, str], float]:
    """Every sample by its name and the value of one label."""
    found = {}
    for family in text_string_to_metric_families(document):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found[sample.name, sample.labels.get(label, "")] = sample.value
    return found


def test_everything_is_there_by_the_formats_own_parser(stub: StubProcess) -> None:
    done = resetbank("metrics", *over_http(stub))
    assert done.code == 0
    found = samples(done.out, "kind")
    assert found["resetbank_up", ""] == 1
    assert found["resetbank_window_used_ratio", "five_hour"] == 0.93
    assert found["resetbank_window_used_ratio", "weekly"] == 0.41
    assert found["resetbank_resets_available", ""] == 3
    assert found["resetbank_reset_next_lapse_timestamp_seconds", ""] > found["resetbank_reading_timestamp_seconds", ""]
    states = samples(done.out, "state")
    assert states["resetbank_limit_state", "near"] == 1
    assert sum(value for (name, _), value in states.items() if name == "resetbank_limit_state") == 1
    assert "me@example.com" not in done.out
    for family in text_string_to_metric_families(done.out):  # type: ignore[no-untyped-call]
        assert all(sample.labels.get("account", "acc1") == "acc1" for sample in family.samples)


def test_spends_and_what_they_saved_are_counted(stub: StubProcess) -> None:
    allow_unattended()
    stub.set_scenario("at-limit")
    assert resetbank("spend", "--unattended", *over_http(stub)).code == 0
    found = samples(resetbank("metrics", *over_http(stub)).out, "outcome")
    assert found["resetbank_spends_total", "reset"] == 1
    assert found["resetbank_spends_total", "unknown"] == 0
    assert found["resetbank_waiting_saved_seconds_total", ""] > 60


def test_without_a_reading_nothing_is_made_up() -> None:
    done = resetbank("metrics", "--source", "http")
    assert done.code == 1
    assert samples(done.out) == {("resetbank_up", ""): 0}


def test_accounts_of_which_nothing_but_the_name_is_known_stay_apart() -> None:
    busy = states.busy()
    assert busy.snapshot is not None
    nameless = replace(busy, snapshot=replace(busy.snapshot, account=Account()))
    both = [replace(nameless, account_name=name) for name in ("work", "me@example.com")]
    document = openmetrics(both, {}, states.NOW).decode()
    found = samples(document, "account")
    assert len([key for key in found if key[0] == "resetbank_resets_available"]) == 2
    assert ("resetbank_resets_available", "work") in found
    assert {account for name, account in found if name == "resetbank_account"} == {
        account for name, account in found if name == "resetbank_resets_available"
    }


def test_spends_that_cannot_be_read_are_not_counted_as_none() -> None:
    busy = states.busy()
    assert busy.account_key is not None
    counted = openmetrics([busy], {busy.account_key: ()}, states.NOW).decode()
    assert samples(counted, "outcome")["resetbank_spends_total", "reset"] == 0
    document = openmetrics([busy], {}, states.NOW).decode()
    assert not {name for name, _ in samples(document, "account")} & {
        "resetbank_spends_total",
        "resetbank_waiting_saved_seconds_total",
    }


@contextmanager
def serving(stub: StubProcess, address: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-W", "error", "-m", "tui", "metrics", "--serve", address, *over_http(stub)]
    with Forked(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.send_signal(signal.SIGTERM)


def ask(url: str, **headers: str) -> tuple[int, str]:
    try:
        with OPENER.open(Request(url, headers=headers), timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_it_serves_who_asks_for_this_machine(stub: StubProcess) -> None:
    with serving(stub, "0") as (url, process):
        wait_until(lambda: "resetbank_resets_available" in ask(url)[1])
        assert samples(ask(url)[1], "kind")["resetbank_window_used_ratio", "five_hour"] == 0.93
        assert ask(url, Host="rebound.example.com")[0] == 403
        assert ask(url, Origin="https://example.com")[0] == 403
        assert ask(url.replace("/metrics", "/other"))[0] == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_a_token_lets_others_ask(stub: StubProcess) -> None:
    refused = resetbank("metrics", "--serve", "0.0.0.0:0", *over_http(stub))
    assert (refused.code, refused.out) == (2, "")
    assert "RESETBANK_METRICS_TOKEN" in refused.err
    with serving(stub, "0.0.0.0:0", RESETBANK_METRICS_TOKEN="s3cret") as (url, _):
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert ask(url)[0] == 403
        assert ask(url, Authorization="Bearer wrong")[0] == 403
        assert ask(url, Authorization="Bearer s3cr\xe9t")[0] == 403
        assert ask(url, Authorization="Bearer s3cret", Host="elsewhere.example.com")[0] == 200


@pytest.mark.parametrize("address", ["x", "70000", "host:", "-1"])
def test_a_wrong_port_is_usage(address: str) -> None:
    assert resetbank("metrics", f"--serve={address}").code == 2


def expressions() -> list[str]:
    """Every query of the dashboard, and every alert's."""
    board = json.loads((ASSETS / "grafana-dashboard.json").read_text())
    asked = [target["expr"].replace("$account", ".*") for panel in board["panels"] for target in panel["targets"]]
    assert all("resetbank_account" in text for text in asked), "a legend shows the account's name"
    return asked + re.findall(r"expr: (.*)", (ASSETS / "prometheus-rules.yml").read_text())


def test_dashboard_and_alerts_ask_for_what_there_is(stub: StubProcess) -> None:
    known = set(re.findall(r"^# TYPE (\w+)", resetbank("metrics", *over_http(stub)).out, re.MULTILINE))
    known |= {"resetbank_forecast_limit_timestamp_seconds"}  # needs a past
    asked = {name.removesuffix("_total") for text in expressions() for name in re.findall(r"resetbank_\w+", text)}
    assert asked <= known


def test_the_dashboard_lists_accounts_by_their_names(stub: StubProcess) -> None:
    codex = stub.codex_home
    Path(os.environ["RESETBANK_HOME"]).mkdir(exist_ok=True)
    (Path(os.environ["RESETBANK_HOME"]) / "settings.toml").write_text(f'[accounts]\nwork = "{codex}"\n')
    (line,) = re.findall(r"^resetbank_account\{.*", resetbank("metrics").out, re.MULTILINE)
    board = json.loads((ASSETS / "grafana-dashboard.json").read_text())
    (chosen,) = (one for one in board["templating"]["list"] if one["name"] == "account")
    assert "resetbank_account" in chosen["query"]
    pattern = chosen["regex"].removeprefix("/").removesuffix("/g").replace("(?<", "(?P<")
    found: dict[str, str] = {}
    for match in re.finditer(pattern, line):
        found |= {name: text for name, text in match.groupdict().items() if text is not None}
    assert found == {"text": "work", "value": "acc1"}


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_real_prometheus_scrapes_and_answers(stub: StubProcess, tmp_path: Path) -> None:
    with serving(stub, "0") as (url, _):
        wait_until(lambda: "resetbank_resets_available" in ask(url)[1])
        target = url.removeprefix("http://").removesuffix("/metrics")
        config = tmp_path / "prometheus.yml"
        config.write_text(
            f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{ASSETS}/prometheus-rules.yml]\n"
            f"scrape_configs: [{{job_name: resetbank, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        with prometheus(config, tmp_path) as origin:

            def api(path: str) -> Any:
                answer = json.loads(ask(f"{origin}/api/v1/{path}")[1])
                assert answer["status"] == "success", answer
                return answer["data"]

            wait_until(lambda: bool(api("query?query=resetbank_resets_available")["result"]))
            (used,) = api(f"query?query={quote(FIVE_HOURS)}")["result"]
            assert used["value"][1] == "0.93"
            for expression in expressions():
                found = api(f"query?query={quote(expression)}")["result"]
                assert all(one["metric"]["name"] == "acc1" for one in found if "group_left" in expression)
                assert found or any(word in expression for word in ("==", "<", ">", "increase", "forecast")), expression
            assert [target["health"] for target in api("targets")["activeTargets"]] == ["up"]
            (group,) = api("rules")["groups"]
            assert {"CodexLimitReached", "CodexResetLapses"} <= {rule["name"] for rule in group["rules"]}
            wait_until(lambda: "CodexLimitNear" in {alert["labels"]["alertname"] for alert in api("alerts")["alerts"]})


@contextmanager
def prometheus(config: Path, folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb"]
    with subprocess.Popen(
        [*command, f"--web.listen-address={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:

        def ready() -> bool:
            try:
                return ask(f"http://{address}/-/ready")[0] == 200
            except OSError:
                return False

        try:
            wait_until(ready)
            yield f"http://{address}"
        finally:
            process.terminate()
