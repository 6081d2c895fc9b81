from collections.abc import Callable
from typing import Any

import pytest

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tui.stub.http import QUOTA_PREFIXES
from tui.stub.tokens import bearer_headers

Start = Callable[..., Served]
KEY = "codex_referral_persistent_invite"
DAY = 86_400


@pytest.fixture(params=QUOTA_PREFIXES)
def path(request: pytest.FixtureRequest) -> str:
    return f"{request.param}/referrals"


async def get(served: Served, path: str) -> Any:
    answer = await served.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_offer(embedded: Start, path: str) -> None:
    served = embedded("pilot-credits")
    query = f"invite/eligibility?referral_key={KEY}&requested_referrals=1&supports_rewardless_invites=false"
    offer = await get(served, f"/backend-api/referrals/{query}")
    assert offer == await get(served, f"{path}/{query}")
    assert offer == {
        "should_show": True,
        "ineligible_reason": None,
        "ineligible_reason_code": None,
        "remaining_referrals": 5,
        "grant_action": "personal_credits",
        "grant_amount": 500,
        "has_rewards": True,
        "title": "Invite friends, earn credits",
        "description": "You get 500 credits when your friend sends their first Codex message.",
        "modal_copy": {},
        "plans": ["plus", "pro"],
        "starts_at": "2026-11-23T14:07:31.000000Z",
        "ends_at": "2026-12-07T14:07:31.000000Z",
    }


async def test_the_rules(embedded: Start, path: str) -> None:
    rules = await get(embedded("pilot-credits"), f"{path}/eligibility_rules?referral_key={KEY}")
    assert "500 credits" in rules.pop("rules")[1]
    assert rules == {
        "time_frame_rules": [{"invites_sent": 0, "invites_total": 5, "time_frame": "campaign", "type": "user"}],
        "requires_explicit_confirmation": True,
    }


async def test_an_invite(embedded: Start, path: str) -> None:
    served = embedded("pilot-credits")
    emails = ["ada@example.com", "bob@example.com"]
    answer = (await served.client.post(f"{path}/invite", json={"referral_key": KEY, "emails": emails})).json()
    assert [sent["email"] for sent in answer["invites"]] == emails
    assert (answer["referral_id"], answer["email"]) == (answer["invites"][0]["referral_id"], "ada@example.com")
    assert (answer["has_rewards"], "failed_emails" in answer) == (True, False)
    partly = await served.client.post(f"{path}/invite", json={"referral_key": KEY, "emails": ["c@example.com", "no"]})
    assert (partly.status_code, partly.json()["failed_emails"]) == (200, ["no"])
    told = await get(served, f"{path}/invite/tracking?period=past_90_days&limit=2")
    assert [item["email"] for item in told["items"]] == ["c@example.com", "bob@example.com"]
    rest = await get(served, f"{path}/invite/tracking?limit=2&cursor={told['cursor']}")
    assert ([item["email"] for item in rest["items"]], rest["cursor"]) == (["ada@example.com"], None)
    (grant,) = told["items"][0]["grants"]
    assert (grant["recipient"], grant["grant_type"], grant["amount"]) == ("referrer", "personal_credits", 500)


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ({"referral_key": KEY, "emails": ["nonsense"]}, ["nonsense"]),
        ({"referral_key": KEY, "emails": ["me@example.com"]}, ["me@example.com"]),
        ({"referral_key": KEY, "emails": []}, []),
        ({"referral_key": "moon", "emails": ["ada@example.com"]}, []),
        ({"emails": ["ada@example.com"]}, []),
    ],
)
async def test_a_refusal(embedded: Start, path: str, body: dict[str, object], failed: list[str]) -> None:
    served = embedded("pilot-credits")
    answer = await served.client.post(f"{path}/invite", json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"failed_emails", "message"}
    assert (answer.json()["failed_emails"], bool(answer.json()["message"])) == (failed, True)


async def test_what_is_not_offered(embedded: Start, path: str) -> None:
    served = embedded("business")
    answer = await served.client.post(f"{path}/invite", json={"referral_key": KEY, "emails": ["ada@example.com"]})
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": {"message": "Your plan does not include this offer."}},
    )
    assert not (await get(served, f"{path}/invite/eligibility?referral_key={KEY}"))["should_show"]


async def test_sending_the_email_again(embedded: Start, path: str, clock: ManualClock) -> None:
    served = embedded("pilot-credits")
    body = {"referral_key": KEY, "emails": ["ada@example.com"]}
    referral_id = (await served.client.post(f"{path}/invite", json=body)).json()["referral_id"]
    clock.advance(60)
    answers = [await served.client.post(f"{path}/invite/{referral_id}/send-email") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == str(DAY)


async def test_credits_earned_show_in_the_usage(embedded: Start, path: str, clock: ManualClock) -> None:
    served = embedded("pilot-credits")
    await served.client.post("/stub/accounts", json={"id": "ada", "plan": "free"})
    body = {"referral_key": KEY, "emails": ["ada@example.com"]}
    link = (await served.client.post(f"{path}/invite", json=body)).json()["invites"][0]["invite_url"]
    await served.client.post("/stub/invites/accept", json={"link": link, "account": "ada"})
    await served.client.post("/codex/responses", json={}, headers=bearer_headers("ada", clock.now()))
    credits_told = (await served.client.get("/api/codex/usage")).json()["credits"]
    assert (credits_told["has_credits"], credits_told["balance"]) == (True, "500")
    turn = await served.client.post("/codex/responses", json={})
    assert turn.headers["x-codex-credits-has-credits"] == "True"
    assert turn.headers["x-codex-credits-balance"] == "500"


async def test_the_pilot_is_served_too(embedded: Start, path: str) -> None:
    served = embedded("pilot")
    offer = await get(served, f"{path}/invite/eligibility?referral_key={KEY}")
    assert (offer["remaining_referrals"], offer["grant_action"]) == (3, "rate_limit_reset_credit")
    assert len((await get(served, f"{path}/invite/tracking"))["items"]) == 7
