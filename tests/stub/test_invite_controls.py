from collections.abc import Callable
from typing import Any

import pytest

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers

Start = Callable[..., Served]
DAY = 86_400


async def post(served: Served, path: str, **body: object) -> dict[str, Any]:
    answer = await served.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def state(served: Served) -> dict[str, Any]:
    result: dict[str, Any] = (await served.client.get("/stub/state")).json()
    return result


async def invite(served: Served, email: str = "ada@example.com") -> dict[str, str]:
    body = {"program_id": "codex_referral_consumer", "emails": [email]}
    sent: dict[str, str] = (await post(served, "/backend-api/referrals/invite", **body))["invites"][0]
    return sent


async def test_an_account(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    made = await post(served, "/stub/accounts", id="ada", plan="pro", email="ada@example.org", last_used_days_ago=90)
    assert made == {"id": "ada", "sandbox": None}
    usage = await served.client.get("/api/codex/usage", headers=bearer_headers("ada", clock.now()))
    told = usage.json()
    assert (told["account_id"], told["plan_type"], told["email"]) == ("ada", "pro", "ada@example.org")
    assert told["rate_limit"]["primary_window"]["limit_window_seconds"] == 7 * DAY
    assert (await post(served, "/stub/accounts", id="bob"))["id"] == "bob"
    assert [account["email"] for account in (await state(served))["accounts"]][-1] == "bob@example.com"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "acc1"}, "there is an account 'acc1' already"),
        ({"id": "ada", "plan": "plsu"}, "there is no plan 'plsu'"),
        ({"id": "ada", "email": "ada"}, "'ada' is no e-mail address"),
        ({"id": ""}, "id"),
        ({"id": "../ada"}, "id"),
        ({"id": "ada\n"}, "id"),
        ({"id": "a" * 65}, "id"),
        ({"id": "ada", "last_used_days_ago": -1}, "last_used_days_ago"),
        ({}, "id"),
    ],
)
async def test_an_account_that_cannot_be(embedded: Start, body: dict[str, object], reason: str) -> None:
    served = embedded("busy")
    answer = await served.client.post("/stub/accounts", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]
    assert len((await state(served))["accounts"]) == 2


async def test_the_friends_part(embedded: Start) -> None:
    served = embedded("pilot-start")
    await post(served, "/stub/accounts", id="ada")
    sent = await invite(served)
    told = {"referral_id": sent["referral_id"], "reason": None}
    path = "/invite/" + sent["invite_url"].rpartition("/")[2]
    assert await post(served, "/stub/invites/open", link=sent["invite_url"]) == told | {"status": "opened"}
    for link in (sent["invite_url"], path, path.rpartition("/")[2]):
        assert await post(served, "/stub/invites/accept", link=link, account="ada") == told | {"status": "joined"}
    assert (await state(served))["invites"] == [
        {
            "referral_id": sent["referral_id"],
            "referrer": "acc1",
            "email": "ada@example.com",
            "status": "joined",
            "reason": None,
            "link": path,
            "emails_sent": 1,
            "friend": "ada",
        }
    ]


async def test_accepting_opens(embedded: Start) -> None:
    served = embedded("pilot-start")
    await post(served, "/stub/accounts", id="ada")
    sent = await invite(served)
    await post(served, "/stub/invites/accept", link=sent["invite_url"], account="ada")
    assert served.stub.bank.referrals.everything()[0].invite.opened_at is not None


async def test_a_friend_who_cannot_take_part_is_told_why(embedded: Start) -> None:
    served = embedded("pilot-start")
    sent = await invite(served)
    told = await post(served, "/stub/invites/accept", link=sent["invite_url"], account="acc2")
    assert (told["status"], told["reason"]) == ("ineligible", "This person has used Codex in the last 60 days.")


async def test_taking_back(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    await post(served, "/stub/accounts", id="ada")
    sent = await invite(served)
    await post(served, "/stub/invites/accept", link=sent["invite_url"], account="ada")
    await served.client.post("/codex/responses", json={}, headers=bearer_headers("ada", clock.now()))
    told = await post(served, "/stub/invites/reverse", referral_id=sent["referral_id"])
    assert (told["status"], len(told["revoked"])) == ("reversed", 2)
    accounts = {account["id"]: account["credits"] for account in (await state(served))["accounts"]}
    for account in ("acc1", "ada"):
        assert sorted(credit["status"] for credit in accounts[account]) == ["available", "revoked"]
    again = await post(served, "/stub/invites/reverse", referral_id=sent["referral_id"])
    assert (again["status"], again["revoked"]) == ("reversed", [])


async def test_the_state_tells_every_grant(embedded: Start) -> None:
    served = embedded("priced")
    await post(served, "/stub/purchase", purchase_id="p1")
    await post(served, "/stub/grant", count=2)
    grants = [grant for grant in (await state(served))["grants"] if grant["account"] == "acc1"]
    assert [(grant["source"], grant["reason"], grant["amount"]) for grant in grants] == [
        ("programme", "Had its complimentary reset before", 0),
        ("purchase", "Bought", 1),
        ("goodwill", "Codex Team", 2),
    ]
    assert grants[1]["key"] == "purchase:acc1:p1"
    assert {grant["at"] for grant in grants} == {"2026-11-23T14:07:31.000000Z"}


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("open", {"link": "http://127.0.0.1/invite/none"}, 404, "There is no such invite."),
        ("accept", {"link": "", "account": "acc2"}, 404, "There is no such invite."),
        ("accept", {"link": "x"}, 400, "account"),
        ("reverse", {"referral_id": "none"}, 404, "There is no such invite."),
        ("open", {"lnik": "x"}, 400, "l"),
    ],
)
async def test_bad_input_is_one_clear_line(
    embedded: Start, path: str, body: dict[str, str], status: int, reason: str
) -> None:
    answer = await embedded("pilot-start").client.post(f"/stub/invites/{path}", json=body)
    assert answer.status_code == status
    assert reason in answer.json()["detail"]


async def test_what_cannot_be_done_with_an_invite(embedded: Start) -> None:
    served = embedded("pilot")
    told = {entry["status"]: entry for entry in (await state(served))["invites"]}
    taken = await served.client.post("/stub/invites/accept", json={"link": told["joined"]["link"], "account": "acc2"})
    assert (taken.status_code, taken.json()["detail"]) == (409, "another account has come through this invite")
    nobody = await served.client.post("/stub/invites/accept", json={"link": told["sent"]["link"], "account": "nobody"})
    assert (nobody.status_code, nobody.json()["detail"]) == (400, "there is no account 'nobody'")
    unearned = await served.client.post("/stub/invites/reverse", json={"referral_id": told["joined"]["referral_id"]})
    assert (unearned.status_code, unearned.json()["detail"]) == (409, "this invite has earned nothing")


async def test_the_controls_answer_this_machine_alone(embedded: Start) -> None:
    served = embedded("pilot", "192.0.2.1")
    for path in ("accounts", "plan", "purchase", "invites/open", "invites/accept", "invites/reverse"):
        assert (await served.client.post(f"/stub/{path}", json={})).status_code == 403
