"""What a client of the current referral contract asks, for the tests of its endpoints."""

from typing import Any

import httpx

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tui.stub.rules.plans import PLANS

PROGRAM = "codex_referral_consumer"
INVITE = "/backend-api/referrals/invite"
OFFER = f"{INVITE}/eligibility?program_id={PROGRAM}&entrypoint=persistent"
TRACKING = f"{INVITE}/tracking?program_id={PROGRAM}&period=past_90_days"
TURN = "/backend-api/codex/responses"
DAY = 86_400
RESETS = [
    {"recipient": recipient, "grant_type": "rate_limit_reset_credit", "amount": 1, "reward_id": None}
    for recipient in ("referrer", "friend")
]


async def get(served: Served, path: str) -> Any:
    answer = await served.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.json()


async def send(served: Served, *emails: str) -> httpx.Response:
    sent = {"program_id": PROGRAM, "entrypoint": "persistent", "emails": emails}
    return await served.client.post(INVITE, json=sent)


async def invite(served: Served, email: str = "ada@example.com") -> dict[str, str]:
    answer = await send(served, email)
    assert answer.status_code == 200, answer.text
    sent: dict[str, str] = answer.json()["invites"][0]
    return sent


async def items(served: Served) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await get(served, TRACKING))["items"]
    return listed


async def message(served: Served, account: str, clock: ManualClock) -> httpx.Response:
    return await served.client.post(TURN, json={}, headers=bearer_headers(account, clock.now()))


def add(served: Served, account: str, plan: str = "plus") -> None:
    with served.stub.bank.adding_account(account, PLANS[plan], f"{account}@example.com", None):
        pass
