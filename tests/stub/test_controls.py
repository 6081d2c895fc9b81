from collections.abc import Callable
from typing import Any

import pytest

from tests.stub.conftest import Served

Start = Callable[..., Served]


async def state(served: Served) -> dict[str, Any]:
    answer = await served.client.get("/stub/state")
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


async def post(served: Served, path: str, **body: object) -> dict[str, Any]:
    answer = await served.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_the_state_tells_everything(embedded: Start) -> None:
    served = embedded("busy")
    consume = "/backend-api/wham/rate-limit-reset-credits/consume"
    for _ in range(2):
        await served.client.post(consume, json={"redeem_request_id": "key"})
    seen = await state(served)
    account = seen["accounts"][0]
    assert (seen["scenario"], account["id"], account["available"]) == ("busy", "acc1", 2)
    assert [credit["status"] for credit in account["credits"]] == ["redeemed", "available", "available"]
    assert [(w["kind"], w["used_percent"], w["idle"]) for w in account["windows"]] == [
        ("five_hour", 0.0, True),
        ("weekly", 0.0, False),
    ]
    assert seen["redemptions"] == [
        {
            "account": "acc1",
            "redeem_request_id": "key",
            "requests": 2,
            "last_code": "already_redeemed",
            "credit_id": account["credits"][0]["id"],
            "redeemed_at": seen["redemptions"][0]["redeemed_at"],
        }
    ]
    assert seen["requests"] == {consume: 2}
    assert seen["faults"] == []


async def test_usage(embedded: Start) -> None:
    served = embedded("calm")
    await post(served, "/stub/usage", account="acc2", kind="weekly", used_percent=99.5)
    windows = (await state(served))["accounts"][1]["windows"]
    assert windows[1]["used_percent"] == 99.5
    await post(served, "/stub/usage", kind="five_hour", used_percent=120)
    assert (await served.client.get("/api/codex/usage")).json()["rate_limit"]["allowed"] is False


async def test_clock(embedded: Start) -> None:
    served = embedded("busy")
    told = await post(served, "/stub/clock", advance_seconds=11_549)
    assert told["now"] == "2026-11-23T17:20:00.000000Z"
    assert (await state(served))["accounts"][0]["windows"][0]["used_percent"] == 0


async def test_grant(embedded: Start) -> None:
    served = embedded("empty-bank")
    granted = (await post(served, "/stub/grant", account="acc1", count=2, expires_in_seconds=60))["granted"]
    granted += (await post(served, "/stub/grant", expires_in_seconds=None))["granted"]
    credits_held = (await state(served))["accounts"][0]["credits"]
    assert [credit["id"] for credit in credits_held] == granted
    assert [credit["expires_at"] for credit in credits_held] == [
        "2026-11-23T14:08:31.000000Z",
        "2026-11-23T14:08:31.000000Z",
        None,
    ]


async def test_scenario(embedded: Start) -> None:
    served = embedded("busy")
    await post(served, "/stub/faults", kind="status:500")
    await post(served, "/stub/scenario", name="monthly")
    seen = await state(served)
    assert (seen["scenario"], seen["accounts"][0]["plan"], seen["faults"]) == ("monthly", "go", [])


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/stub/usage", b"no json", "not JSON"),
        ("/stub/usage", b"{}", "kind"),
        ("/stub/usage", b'{"kind":"hourly","used_percent":1}', "hourly"),
        ("/stub/usage", b'{"kind":"weekly","used_percent":-1}', "used_percent"),
        ("/stub/usage", b'{"kind":"weekly","used_percent":"9"}', "used_percent"),
        ("/stub/usage", b'{"kind":"monthly","used_percent":9}', "no window of the kind monthly"),
        ("/stub/clock", b'{"advance_seconds":-1}', "advance_seconds"),
        ("/stub/clock", b'{"advance_seconds":1e300}', "advance_seconds"),
        ("/stub/grant", b'{"count":0}', "count"),
        ("/stub/grant", b'{"cuont":1}', "cuont"),
        ("/stub/faults", b'{"kind":"explode"}', "valid are"),
        ("/stub/faults", b'{"kind":"status:200"}', "valid are"),
        ("/stub/faults", b'{"kind":"delay:nan"}', "valid are"),
        ("/stub/faults", b'{"kind":"delay:-1"}', "valid are"),
        ("/stub/faults", b'{"kind":"redirect:"}', "valid are"),
        ("/stub/scenario", b'{"name":"bussy"}', "did you mean 'busy'"),
    ],
)
async def test_bad_input_is_one_clear_line(embedded: Start, path: str, body: bytes, reason: str) -> None:
    answer = await embedded().client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


async def test_an_unknown_account(embedded: Start) -> None:
    body = {"account": "acc9", "kind": "weekly", "used_percent": 1}
    answer = await embedded().client.post("/stub/usage", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (400, "there is no account 'acc9'")


@pytest.mark.parametrize("host", ["192.0.2.1", "::2", "testclient"])
async def test_the_controls_answer_this_machine_alone(embedded: Start, host: str) -> None:
    served = embedded("busy", host)
    for path in ("usage", "clock", "grant", "faults", "scenario"):
        assert (await served.client.post(f"/stub/{path}", json={})).status_code == 403
    assert (await served.client.get("/stub/state")).status_code == 403
    assert (await served.client.get("/api/codex/usage")).status_code == 200


async def test_an_ipv6_loopback_is_this_machine(embedded: Start) -> None:
    assert (await embedded("busy", "::1").client.get("/stub/state")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:9", "LOCALHOST"])
async def test_a_loopback_host_is_served(embedded: Start, host: str) -> None:
    assert (await embedded().client.get("/stub/state", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "null"},
    ],
)
async def test_no_web_page_drives_the_service(embedded: Start, headers: dict[str, str]) -> None:
    """A page names its origin, and a name that leads to this machine stays the name of another host."""
    served = embedded("busy")
    assert (await served.client.get("/stub/state", headers=headers)).status_code == 403
    answer = await served.client.post("/stub/usage", json={"kind": "weekly", "used_percent": 7}, headers=headers)
    assert answer.status_code == 403
    assert served.stub.bank.read("acc1").windows[1].used_percent == 41


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_has_an_effect(embedded: Start, kind: str) -> None:
    """What a page may send across origins without asking first is never JSON."""
    served = embedded("busy")
    body = b'{"kind":"weekly","used_percent":7}'
    answer = await served.client.post("/stub/usage", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, "curl: --json" in answer.json()["detail"]) == (415, True)
    assert served.stub.bank.read("acc1").windows[1].used_percent == 41
    kept = await served.client.post("/stub/usage", content=body, headers={"Content-Type": "Application/JSON; a=b"})
    assert kept.status_code == 200
