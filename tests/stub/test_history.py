"""What the service says of the past: its history of resets, the limits of finished windows, the share of a thread."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.stub.test_endpoints import MODEL, PREFIXES, Start, consume
from tests.stub.test_real_codex import codex_exec
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE
from tui.clock import SystemClock
from tui.sources.base import KnowsPeriods
from tui.stub.chain import EmbeddedChain
from tui.stub.http.history import PAGE
from tui.stub.sessions import PlayedSource

CREDITS = "/backend-api/wham/rate-limit-reset-credits"
THREADS = "/usage/thread_usage/query_v2"


@pytest.fixture(params=PREFIXES)
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def history(served: Any, cursor: str = "") -> dict[str, Any]:
    answer = await served.client.get(f"{CREDITS}/history", params={"cursor": cursor} if cursor else None)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_redemption_is_the_newest_event_and_names_no_credit(embedded: Start, prefix: str) -> None:
    served = embedded("busy")
    await consume(served, prefix, "key")
    answer = await served.client.get(f"{prefix}/rate-limit-reset-credits/history")
    found = answer.json()
    assert [event["kind"] for event in found["events"]] == ["used", "granted", "granted", "granted"]
    assert found["events"][0]["occurred_at"] == found["as_of"] == "2026-11-23T14:07:31.000000Z"
    assert found["window_start"] == "2026-10-24T14:07:31.000000Z"
    assert found["next_cursor"] is None
    assert all(event.keys() == {"id", "kind", "occurred_at"} for event in found["events"])
    assert "RateLimitResetCredit" not in answer.text


async def test_events_keep_their_ids(embedded: Start) -> None:
    served = embedded("busy")
    before = {event["id"] for event in (await history(served))["events"]}
    served.stub.bank.grant("acc1", 2, None)
    after = [event["id"] for event in (await history(served))["events"]]
    assert len(before) == 3
    assert len(set(after)) == 5
    assert before < set(after)


async def test_pages_lead_through_all_events_once(embedded: Start) -> None:
    served = embedded("calm")
    served.stub.bank.grant("acc1", 2 * PAGE, None)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await history(served, cursor)
        assert len(page["events"]) <= PAGE
        seen += [event["id"] for event in page["events"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 2 * PAGE + 2


async def test_events_leave_after_thirty_days(embedded: Start) -> None:
    served = embedded("empty-bank")
    served.stub.bank.grant("acc1", 1, None)
    served.stub.bank.advance_clock(30 * 86_400)
    assert len((await history(served))["events"]) == 1
    served.stub.bank.advance_clock(1)
    assert (await history(served))["events"] == []


async def test_a_cursor_from_elsewhere_is_refused(embedded: Start) -> None:
    answer = await embedded("busy").client.get(f"{CREDITS}/history?cursor=elsewhere")
    assert answer.status_code == 400


async def test_an_account_without_a_history_has_none(embedded: Start) -> None:
    served = embedded("monthly")
    assert (await served.client.get(f"{CREDITS}/history")).status_code == 404
    assert (await served.client.get(CREDITS)).json()["history_enabled"] is False
    assert (await embedded("busy").client.get(CREDITS)).json()["history_enabled"] is True


@pytest.mark.parametrize("path", [f"{CREDITS}/history", "/api/codex/usage/plan_limit_history?days=7"])
async def test_the_past_needs_a_login(embedded: Start, path: str) -> None:
    answer = await embedded("busy").client.get(path, headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 401


async def test_finished_windows_up_to_one_day_ago(embedded: Start, prefix: str, clock: ManualClock) -> None:
    served = embedded("busy")
    answer = await served.client.get(f"{prefix}/usage/plan_limit_history?days=7")
    found = answer.json()
    assert (found["data_as_of"], found["coverage_start"]) == (
        "2026-11-22T14:07:31.000000Z",
        "2026-11-15T14:07:31.000000Z",
    )
    minutes = [period["window_minutes"] for period in found["periods"]]
    assert minutes.count(300) in (32, 33)
    assert set(minutes) <= {300, 10_080}
    for period in found["periods"]:
        assert found["coverage_start"] <= period["starts_at"] < period["ends_at"] <= found["data_as_of"]
        assert 0 <= period["used_basis_points"] < 10_000
        assert [row["basis_points"] for part in period["breakdowns"] for row in part["rows"]] == [
            period["used_basis_points"]
        ]
    assert (await served.client.get(f"{prefix}/usage/plan_limit_history?days=7")).json() == found
    longer = (await served.client.get(f"{prefix}/usage/plan_limit_history?days=14")).json()["periods"]
    assert {period["id"] for period in found["periods"]} < {period["id"] for period in longer}


@pytest.mark.parametrize("days", ["0", "91", "x", "-1", "1e9"])
async def test_a_number_of_days_that_makes_no_sense(embedded: Start, days: str) -> None:
    answer = await embedded("busy").client.get(f"/backend-api/wham/usage/plan_limit_history?days={days}")
    assert answer.status_code == 400


async def test_the_share_of_a_thread_and_of_those_it_started(embedded: Start, prefix: str) -> None:
    served = embedded("calm")
    for thread in ("a", "a", "child", "b"):
        assert (await served.client.post(MODEL, json={"prompt_cache_key": thread})).status_code == 200
    asked = [{"thread_id": "a", "created_at": 1, "descendant_thread_ids": ["child", "a"]}, {"thread_id": "unseen"}]
    answer = await served.client.post(f"{prefix}{THREADS}", json={"threads": asked})
    assert answer.json() == {
        "threads": [
            {
                "thread_id": "a",
                "five_hour_limit_percent": 9.0,
                "weekly_limit_percent": 1.5,
                "balance_usage_credits": 0,
                "data_status": "complete",
            },
            {
                "thread_id": "unseen",
                "five_hour_limit_percent": None,
                "weekly_limit_percent": None,
                "balance_usage_credits": None,
                "data_status": "unavailable",
            },
        ]
    }


async def test_a_refused_request_counts_for_no_thread(embedded: Start) -> None:
    served = embedded("at-limit")
    assert (await served.client.post(MODEL, json={"prompt_cache_key": "a"})).status_code == 429
    answer = await served.client.post(f"{PREFIXES[0]}{THREADS}", json={"threads": [{"thread_id": "a"}]})
    assert answer.json()["threads"][0]["data_status"] == "unavailable"


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"threads": 1}', b'{"threads": [{}]}'])
async def test_a_question_about_threads_that_makes_no_sense(embedded: Start, body: bytes) -> None:
    assert (await embedded("calm").client.post(f"{PREFIXES[0]}{THREADS}", content=body)).status_code == 400


async def test_the_banner_offers_a_reset_only_at_the_limit_and_while_there_is_one(embedded: Start) -> None:
    served = embedded("banner")

    async def offers() -> list[str] | None:
        banner = (await served.client.get("/backend-api/wham/usage")).json()["rate_limit_upsell"]
        return banner and [offer["action"] for offer in banner["ctas"]]

    assert await offers() == ["reset_usage", "add_credits", "view_usage"]
    for number in range(3):
        assert (await consume(served, PREFIXES[0], f"key{number}"))["code"] == "reset"
        assert await offers() is None
        served.stub.bank.take_turn("acc1")
    served.stub.bank.set_usage("acc1", served.stub.bank.read("acc1").windows[0].kind, 100)
    assert await offers() == ["add_credits", "view_usage"]
    assert (await embedded("at-limit").client.get("/backend-api/wham/usage")).json()["rate_limit_upsell"] is None


@pytest.mark.codex
@pytest.mark.xdist_group("codex")
def test_the_real_codex_names_its_thread(tmp_path: Path) -> None:
    with start_stub(scenario="calm", sandbox=tmp_path / "sandbox") as stub:
        assert codex_exec(stub.box).returncode == 0
        (rollout,) = (stub.box / "codex-home" / "sessions").rglob("rollout-*.jsonl")
        thread = rollout.stem[-36:]
        assert share_of(stub, thread) == 3.0


def share_of(stub: StubProcess, thread: str) -> float:
    """The 5-hour share of a thread, as the service says."""
    body = json.dumps({"threads": [{"thread_id": thread}]}).encode()
    request = Request(f"{stub.url}/wham{THREADS}", body, bearer_headers("acc1", SystemClock().now()))
    with urlopen(request, timeout=DEADLINE) as answer:
        share: float = json.load(answer)["threads"][0]["five_hour_limit_percent"]
    return share


async def test_the_sources_of_resetbank_read_the_past_windows(clock: ManualClock) -> None:
    source = await EmbeddedChain(clock, "busy").open()
    assert isinstance(source, KnowsPeriods)
    periods = await source.past_periods()
    assert periods is not None
    assert {period.minutes for period in periods} == {300, 10_080}
    assert all(0 <= period.used_percent < 100 for period in periods)
    assert [period.ends_at for period in periods] == sorted(period.ends_at for period in periods)
    assert await source.session_costs(("0199a213-81c0-7800-8aa1-bbab2a035a53",)) == ()  # it has taken nothing here
    await source.aclose()


async def test_what_a_played_session_took_is_told(clock: ManualClock) -> None:
    chain = EmbeddedChain(clock, "held")
    source = await chain.open()
    assert isinstance(source, PlayedSource)
    updates = source.updates()
    first = await anext(updates)
    await anext(updates)
    following = asyncio.ensure_future(anext(updates))
    await clock.until_sleeping()
    while not following.done():
        clock.advance(0.25)
        await asyncio.to_thread(lambda: None)
    assert [cost.thread_id for cost in await source.session_costs((first.thread_id,)) or ()] == [first.thread_id]
    (cost,) = await source.session_costs((first.thread_id,)) or ()
    assert (cost.five_hour_percent, cost.weekly_percent) == (3.0, 0.5)
    await source.aclose()
