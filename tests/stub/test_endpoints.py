import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tui.stub.database.bank import Bank
from tui.stub.embedded import embedded_stub
from tui.stub.http.app import create_app
from tui.stub.http.logins import LIFETIME, make_token
from tui.stub.scenarios import SCENARIOS

Start = Callable[..., Served]
PREFIXES = ["/backend-api/wham", "/api/codex"]
MODEL = "/backend-api/codex/responses"


@pytest.fixture(params=PREFIXES)
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def consume(served: Served, prefix: str, key: str, credit_id: str | None = None) -> dict[str, object]:
    body = {"redeem_request_id": key} | ({"credit_id": credit_id} if credit_id else {})
    answer = await served.client.post(f"{prefix}/rate-limit-reset-credits/consume", json=body)
    assert answer.status_code == 200
    result: dict[str, object] = answer.json()
    return result


async def list_credits(served: Served, prefix: str = PREFIXES[0]) -> dict[str, Any]:
    answer = await served.client.get(f"{prefix}/rate-limit-reset-credits")
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


async def test_usage(embedded: Start, prefix: str, clock: ManualClock) -> None:
    answer = await embedded("busy").client.get(f"{prefix}/usage")
    usage = answer.json()
    now = int(clock.now().timestamp())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert usage["rate_limit"] == {
        "allowed": True,
        "limit_reached": False,
        "primary_window": {
            "used_percent": 93,
            "limit_window_seconds": 18_000,
            "reset_after_seconds": 11_549,
            "reset_at": now + 11_549,
        },
        "secondary_window": {
            "used_percent": 41,
            "limit_window_seconds": 604_800,
            "reset_after_seconds": 323_549,
            "reset_at": now + 323_549,
        },
    }
    assert usage["rate_limit_reset_credits"]["available_count"] == 3
    assert (usage["account_id"], usage["email"], usage["plan_type"]) == ("acc1", "me@example.com", "plus")


async def test_credits(embedded: Start, prefix: str) -> None:
    listed = await list_credits(embedded("busy"), prefix)
    assert listed["available_count"] == 3
    assert [row["expires_at"] for row in listed["credits"]] == [
        "2026-11-26T09:39:00.000000Z",
        "2026-12-10T00:00:00.000000Z",
        "2026-12-22T18:34:00.000000Z",
    ]
    assert {row["status"] for row in listed["credits"]} == {"available"}


async def test_a_capped_list_tells_the_true_count(embedded: Start) -> None:
    listed = await list_credits(embedded("many"))
    assert (len(listed["credits"]), listed["available_count"]) == (5, 12)


async def test_no_credits(embedded: Start) -> None:
    served = embedded("empty-bank")
    assert (await served.client.get("/backend-api/wham/usage")).json()["rate_limit_reset_credits"] is None
    assert await list_credits(served) == {
        "credits": [],
        "available_count": 0,
        "total_earned_count": 0,
        "immediate_reset_purchase_eligible": False,
        "history_enabled": False,
    }


async def test_reset(embedded: Start, prefix: str) -> None:
    served = embedded("busy")
    credit_id = str((await list_credits(served))["credits"][1]["id"])
    assert await consume(served, prefix, "key", credit_id) == {
        "code": "reset",
        "credit": {"id": credit_id, "status": "redeemed", "redeemed_at": "2026-11-23T14:07:31.000000Z"},
        "windows_reset": 2,
    }
    left = await list_credits(served)
    assert left["available_count"] == 2
    assert credit_id not in [row["id"] for row in left["credits"]]
    limits = (await served.client.get(f"{prefix}/usage")).json()["rate_limit"]
    assert [limits[slot]["used_percent"] for slot in ("primary_window", "secondary_window")] == [0, 0]
    assert limits["secondary_window"]["reset_after_seconds"] == 604_800


async def test_already_redeemed(embedded: Start, prefix: str) -> None:
    served = embedded("busy")
    first, other = [str(row["id"]) for row in (await list_credits(served))["credits"][:2]]
    await consume(served, prefix, "key", first)
    served.stub.bank.take_turn("acc1")
    for credit_id in (first, other, None):
        assert await consume(served, prefix, "key", credit_id) == {
            "code": "already_redeemed",
            "credit": {"id": first, "status": "redeemed", "redeemed_at": "2026-11-23T14:07:31.000000Z"},
            "windows_reset": 0,
        }
    assert served.stub.bank.read("acc1").spendable == 2


async def test_nothing_to_reset(embedded: Start, prefix: str) -> None:
    served = embedded("calm")
    await consume(served, prefix, "first")
    result = await consume(served, prefix, "second")
    assert (result["code"], result["windows_reset"]) == ("nothing_to_reset", 0)
    assert (await list_credits(served))["available_count"] == 1


@pytest.mark.parametrize("credit_id", [None, "RateLimitResetCredit_gone"])
async def test_no_credit(embedded: Start, prefix: str, credit_id: str | None) -> None:
    result = await consume(embedded("empty-bank"), prefix, "key", credit_id)
    assert result == {"code": "no_credit", "credit": None, "windows_reset": 0}


async def test_the_service_chooses_the_soonest(embedded: Start, prefix: str) -> None:
    served = embedded("busy")
    soonest = (await list_credits(served))["credits"][0]["id"]
    chosen = (await consume(served, prefix, "key"))["credit"]
    assert isinstance(chosen, dict)
    assert chosen["id"] == soonest


async def test_an_expired_credit_is_no_credit(embedded: Start, clock: ManualClock) -> None:
    served = embedded("expiring")
    credit_id = str((await list_credits(served))["credits"][0]["id"])
    clock.advance(480)
    assert (await list_credits(served))["available_count"] == 1
    assert (await consume(served, PREFIXES[0], "key", credit_id))["code"] == "no_credit"


async def test_redeemed_rows_may_stay(embedded: Start) -> None:
    served = embedded("weekly-wall")
    await consume(served, PREFIXES[0], "key")
    assert sorted(str(row["status"]) for row in (await list_credits(served))["credits"]) == ["available", "redeemed"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"redeem_request_id":""}',
        b'{"redeem_request_id":"k","credit_id":null}',
        b'{"redeem_request_id":"' + b"k" * 300 + b'"}',
        b'{"redeem_request_id":"\xff"}',
    ],
)
async def test_a_bad_consume_is_refused_without_effect(embedded: Start, body: bytes) -> None:
    served = embedded("busy")
    answer = await served.client.post("/api/codex/rate-limit-reset-credits/consume", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert served.stub.bank.everything()[1] == []


async def test_a_huge_body_is_refused(embedded: Start) -> None:
    body = b" " * 100_000
    answer = await embedded().client.post("/api/codex/rate-limit-reset-credits/consume", content=body)
    assert answer.status_code == 413


def refusals(clock: ManualClock) -> list[dict[str, str]]:
    token, now = make_token("acc1", clock.now()), clock.now()
    return [
        {"ChatGPT-Account-Id": "acc1"},
        {"Authorization": f"Basic {token}", "ChatGPT-Account-Id": "acc1"},
        {"Authorization": "Bearer nonsense", "ChatGPT-Account-Id": "acc1"},
        {"Authorization": "Bearer a.b.c", "ChatGPT-Account-Id": "acc1"},
        {"Authorization": "Bearer a.e30.c", "ChatGPT-Account-Id": "acc1"},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {token}", "ChatGPT-Account-Id": "acc2"},
        bearer_headers("acc9", now),
        bearer_headers("acc1", now - LIFETIME),
    ]


@pytest.mark.parametrize("case", range(9))
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/usage"),
        ("GET", "/rate-limit-reset-credits"),
        ("POST", "/rate-limit-reset-credits/consume"),
        ("GET", "/accounts/check"),
    ],
)
async def test_a_login_that_is_none_is_refused(
    embedded: Start, prefix: str, method: str, path: str, case: int, clock: ManualClock
) -> None:
    served = embedded("busy")
    served.client.headers = httpx.Headers(refusals(clock)[case])
    answer = await served.client.request(method, prefix + path, json={"redeem_request_id": "key"})
    assert answer.status_code == 401
    assert "." not in answer.json()["detail"]  # no part of a token
    assert served.stub.bank.everything()[1] == []


async def test_advancing_the_service_signs_nobody_out(embedded: Start) -> None:
    served = embedded("busy")
    served.stub.bank.advance_clock(10 * LIFETIME.total_seconds())
    assert (await served.client.get("/api/codex/usage")).status_code == 200


async def test_accounts_check(embedded: Start, prefix: str) -> None:
    answer = (await embedded("weekly-only").client.get(f"{prefix}/accounts/check")).json()
    assert answer["default_account_id"] == "acc1"
    assert answer["account_ordering"] == ["acc1"]
    assert answer["accounts"][0]["plan_type"] == "pro"
    assert answer["accounts"][0]["workspace_backend_origin"].startswith("https://")


@pytest.mark.parametrize("path", ["/", "/backend-api/wham/settings/user", "/backend-api/wham/usage/"])
async def test_what_is_not_served_is_a_404_in_json(embedded: Start, path: str) -> None:
    answer = await embedded().client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_a_path_is_served_by_its_method_alone(embedded: Start) -> None:
    client = embedded().client
    answer = await client.post("/backend-api/wham/usage")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert (await client.head("/backend-api/wham/usage")).status_code == 200


@pytest.mark.parametrize("path", [MODEL, "/codex/responses"])
async def test_a_turn(embedded: Start, path: str) -> None:
    served = embedded("busy")
    answer = await served.client.post(path, json={"model": "m", "input": []})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [line for line in answer.text.splitlines() if line.startswith("event:")] == [
        "event: response.created",
        "event: response.output_item.done",
        "event: response.completed",
    ]
    assert answer.headers["x-codex-primary-used-percent"] == "96"
    assert answer.headers["x-codex-primary-window-minutes"] == "300"
    assert answer.headers["x-codex-secondary-used-percent"] == "41"
    assert served.stub.bank.read("acc1").windows[1].used_percent == 41.5


async def test_the_limit_answers_429_and_costs_nothing(embedded: Start, clock: ManualClock) -> None:
    served = embedded("at-limit")
    before = served.stub.bank.read("acc1").windows
    answer = await served.client.post(MODEL, json={})
    resets_at = int(clock.now().timestamp()) + 11_549
    assert answer.status_code == 429
    assert answer.headers["x-codex-primary-used-percent"] == "100"
    assert answer.json()["error"] == {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "plus",
        "resets_at": resets_at,
        "resets_in_seconds": 11_549,
    }
    assert served.stub.bank.read("acc1").windows == before


async def test_a_turn_needs_a_login(embedded: Start) -> None:
    served = embedded("busy")
    served.client.headers = httpx.Headers()
    assert (await served.client.post(MODEL, json={})).status_code == 401
    assert served.stub.bank.read("acc1").windows[0].used_percent == 93


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"flaky"}))
async def test_every_scenario_has_whole_numbers_and_its_count(embedded: Start, name: str) -> None:
    served = embedded(name)
    usage = (await served.client.get("/api/codex/usage")).json()
    listed = await list_credits(served)
    assert usage["plan_type"] == SCENARIOS[name].plan
    assert (usage["rate_limit_reset_credits"] or {"available_count": 0})["available_count"] == listed["available_count"]
    for limit in [usage["rate_limit"], *(extra["rate_limit"] for extra in usage["additional_rate_limits"] or [])]:
        for window in (limit or {}).values():
            if isinstance(window, dict):
                assert all(type(number) is int for number in window.values())


async def test_a_weekly_window_may_be_primary(embedded: Start) -> None:
    limits = (await embedded("weekly-only").client.get("/api/codex/usage")).json()["rate_limit"]
    assert (limits["primary_window"]["limit_window_seconds"], limits["secondary_window"]) == (604_800, None)


async def test_a_locked_database_is_a_503(open_bank: Callable[..., Bank], clock: ManualClock, tmp_path: Path) -> None:
    app = create_app(open_bank("busy", tmp_path / "stub.db"), clock)
    holder = sqlite3.connect(tmp_path / "stub.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://stub", headers=bearer_headers("acc1", clock.now())
    ) as client:
        assert (await client.get("/api/codex/usage")).status_code == 200
        answer = await client.post(MODEL, json={})
        holder.close()
        assert (answer.status_code, "is locked" in answer.json()["detail"]) == (503, True)
        assert (await client.post(MODEL, json={})).status_code == 200


async def test_another_thread_may_have_made_it(clock: ManualClock) -> None:
    stub = await asyncio.to_thread(embedded_stub, clock, "busy")
    headers = {"Authorization": f"Bearer {stub.token}", "ChatGPT-Account-Id": stub.account_id}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stub.app), base_url=stub.base_url) as client:
        assert (await client.get("wham/usage", headers=headers)).status_code == 200
    stub.close()
    assert stub.token not in repr(stub)
