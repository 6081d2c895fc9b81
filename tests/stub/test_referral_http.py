from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.stub.conftest import Served
from tests.stub.referral_client import (
    DAY,
    INVITE,
    OFFER,
    PROGRAM,
    RESETS,
    TRACKING,
    add,
    get,
    invite,
    items,
    message,
    send,
)
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tui.stub.faults import ConnectionDropped

Start = Callable[..., Served]


async def test_the_offer(embedded: Start) -> None:
    offer = await get(embedded("pilot-start"), OFFER)
    rules = offer.pop("rules")
    assert "three friends" in rules[0]
    assert offer == {
        "should_show": True,
        "ineligible_reason": None,
        "ineligible_reason_code": None,
        "title": "Invite friends, bank resets",
        "description": "You and your friend each get one banked rate limit reset when they send their first Codex"
        " message.",
        "plans": ["plus", "pro"],
        "starts_at": "2026-11-23T14:07:31.000000Z",
        "ends_at": "2026-12-07T14:07:31.000000Z",
        "offer_id": "pilot_reset_1",
        "grants": RESETS,
        "remaining_send_capacity": 3,
        "remaining_reward_capacity": 3,
        "requires_explicit_confirmation": True,
        "time_frame_rules": [
            {
                "invites_sent": 0,
                "invites_total": 3,
                "time_frame": "campaign",
                "type": "user",
                "capacity_type": "send",
            }
        ],
    }


@pytest.mark.parametrize(
    ("scenario", "code"),
    [("monthly", "plan"), ("business", "plan"), ("pilot-ended", "ended"), ("unknown", "none")],
)
async def test_what_is_not_offered_says_why(embedded: Start, scenario: str, code: str) -> None:
    served = embedded(scenario)
    offer = await get(served, OFFER)
    assert (offer["should_show"], offer["ineligible_reason_code"]) == (False, code)
    assert offer["ineligible_reason"].endswith(".")
    answer = await send(served, "ada@example.com")
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": {"message": offer["ineligible_reason"], "failed_emails": []}},
    )
    usage = (await served.client.get("/api/codex/usage")).json()
    assert usage["referral_beacon"] is None


async def test_the_campaign_ends_at_its_second(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    clock.advance(14 * DAY - 1)
    assert (await get(served, OFFER))["should_show"]
    clock.advance(1)
    assert not (await get(served, OFFER))["should_show"]


async def test_the_usage_payload_tells_of_it(embedded: Start) -> None:
    usage = (await embedded("pilot-start").client.get("/backend-api/wham/usage")).json()
    assert usage["referral_beacon"] == {
        "type": "referral",
        "referral_key": "codex_referral_persistent_invite",
        "has_rewards": True,
        "grant_type": "rate_limit_reset_credit",
        "grant_amount": 1,
        "referral_action": "invite",
        "referral_redemption_action": "first_message",
    }


async def test_an_invite(embedded: Start) -> None:
    served = embedded("pilot-start")
    answer = await send(served, "Ada@example.com ")
    told = answer.json()
    (sent,) = told.pop("invites")
    assert (answer.status_code, told) == (200, {"failed_emails": [], "message": None, "grants": RESETS})
    assert sent["email"] == "Ada@example.com"
    assert sent["invite_url"].startswith("http://127.0.0.1/invite/")
    assert await items(served) == [
        sent
        | {
            "status": "sent",
            "status_reason": None,
            "can_resend": False,
            "resend_available_at": "2026-11-23T14:08:31.000000Z",
            "grants": RESETS,
            "created_at": "2026-11-23T14:07:31.000000Z",
            "expires_at": "2026-11-30T14:07:31.000000Z",
        }
    ]
    offer = await get(served, OFFER)
    assert (offer["remaining_send_capacity"], offer["remaining_reward_capacity"]) == (2, 3)


async def test_a_base_url_of_the_other_style(embedded: Start) -> None:
    served = embedded("pilot-start")
    offer = await get(served, f"/referrals/invite/eligibility?program_id={PROGRAM}")
    assert offer["should_show"]


async def test_some_may_be_sent_and_others_not(embedded: Start) -> None:
    served = embedded("pilot-start")
    answer = await send(served, "nonsense", "ada@example.com", "ME@example.com", "bob@example.com")
    told = answer.json()
    assert answer.status_code == 200
    assert [sent["email"] for sent in told["invites"]] == ["ada@example.com", "bob@example.com"]
    assert told["failed_emails"] == ["nonsense", "ME@example.com"]
    assert told["message"] == "This is not an e-mail address."


@pytest.mark.parametrize(
    ("emails", "status", "message"),
    [
        (["nonsense"], 422, "This is not an e-mail address."),
        (["me@example.com"], 422, "You cannot invite yourself."),
        (["TAKEN@example.com"], 409, "You have already invited this person."),
        (["theirs@example.com"], 422, "This person already has a referral sent to them"),
        (["taken@example.com", "nonsense"], 422, "You have already invited this person."),
    ],
)
async def test_an_address_that_is_refused(embedded: Start, emails: list[str], status: int, message: str) -> None:
    served = embedded("pilot-start")
    await invite(served, "taken@example.com")
    served.stub.bank.referrals.send("acc2", ["theirs@example.com"])
    answer = await send(served, *emails)
    assert (answer.status_code, answer.json()) == (status, {"detail": {"message": message, "failed_emails": emails}})
    assert len(await items(served)) == 1


async def test_no_invites_left(embedded: Start) -> None:
    served = embedded("pilot-start")
    for name in "abc":
        await invite(served, f"{name}@example.com")
    answer = await send(served, "d@example.com")
    assert (answer.status_code, answer.json()["detail"]["message"]) == (422, "You have no invites left.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"program_id":"codex_referral_consumer"}',
        b'{"program_id":"codex_referral_consumer","emails":[]}',
        b'{"program_id":"codex_referral_consumer","emails":"ada@example.com"}',
        b'{"program_id":"codex_referral_consumer","emails":["a@b.c","b@b.c","c@b.c","d@b.c","e@b.c","f@b.c"]}',
        b'{"program_id":"codex_referral_moon","emails":["ada@example.com"]}',
        b'{"emails":["ada@example.com"]}',
    ],
)
async def test_a_bad_invite_is_refused_without_effect(embedded: Start, body: bytes) -> None:
    served = embedded("pilot-start")
    answer = await served.client.post(INVITE, content=body)
    detail = answer.json()["detail"]
    assert (answer.status_code, detail["failed_emails"], bool(detail["message"])) == (400, [], True)
    assert await items(served) == []


@pytest.mark.parametrize(
    "path",
    [
        f"{INVITE}/eligibility",
        f"{INVITE}/eligibility?program_id=codex_referral_moon",
        f"{INVITE}/eligibility?referral_key=moon",
        f"{INVITE}/tracking",
        f"{TRACKING}&limit=0",
        f"{TRACKING}&limit=101",
        f"{TRACKING}&limit=ten",
        f"{TRACKING}&limit=9999999999999999999999",
        f"{TRACKING}&cursor=nonsense",
        f"{TRACKING}&cursor=YmVmb3JlIC0x",
        f"{TRACKING}&cursor=%C3%BC",
        f"{INVITE}/tracking?program_id={PROGRAM}&period=ever",
    ],
)
async def test_a_bad_question_is_refused(embedded: Start, path: str) -> None:
    answer = await embedded("pilot").client.get(path)
    detail = answer.json()["detail"]
    assert (answer.status_code, detail["failed_emails"], bool(detail["message"])) == (400, [], True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", OFFER),
        ("POST", INVITE),
        ("GET", TRACKING),
        ("POST", f"{INVITE}/Referral_1/send-email"),
    ],
)
async def test_a_login_is_needed(embedded: Start, method: str, path: str, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    body = {"program_id": PROGRAM, "emails": ["a@example.com"]}
    for headers in ({}, bearer_headers("acc9", clock.now())):
        served.client.headers = httpx.Headers(headers)
        answer = await served.client.request(method, path, json=body)
        assert answer.status_code == 401


async def test_the_whole_way_to_the_reward(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    add(served, "ada")
    sent = await invite(served)
    seen = []
    steps: tuple[Callable[[], Awaitable[httpx.Response]], ...] = (
        lambda: served.client.get(sent["invite_url"], headers={}),
        lambda: served.client.post("/stub/invites/accept", json={"link": sent["invite_url"], "account": "ada"}),
        lambda: message(served, "ada", clock),
        lambda: message(served, "ada", clock),
    )
    for step in steps:
        assert (await step()).status_code == 200
        (item,) = await items(served)
        seen.append((item["status"], sum(grant["reward_id"] is not None for grant in item["grants"])))
    assert seen == [("opened", 0), ("joined", 0), ("rewarded", 2), ("rewarded", 2)]
    mine, theirs = [grant["reward_id"] for grant in (await items(served))[0]["grants"]]
    path = "/backend-api/wham/rate-limit-reset-credits"
    assert mine in [row["id"] for row in (await served.client.get(path)).json()["credits"]]
    friends = await served.client.get(path, headers=bearer_headers("ada", clock.now()))
    rows = {row["id"]: row for row in friends.json()["credits"]}
    assert rows[theirs]["profile_user_id"] == "@acc1"
    assert (friends.json()["available_count"], friends.json()["total_earned_count"]) == (2, 1)


async def test_a_lost_answer_to_an_invite(embedded: Start) -> None:
    served = embedded("pilot-start")
    await served.client.post("/stub/faults", json={"path": "/invite", "kind": "drop_after"})
    with pytest.raises(ConnectionDropped):
        await send(served, "ada@example.com")
    again = await send(served, "ada@example.com")
    assert again.status_code == 409
    assert [item["email"] for item in await items(served)] == ["ada@example.com"]
    assert [tracked.invite.emails_sent for tracked in served.stub.bank.referrals.everything()] == [1]


async def test_a_lost_answer_to_the_first_message(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    add(served, "ada")
    sent = await invite(served)
    await served.client.post("/stub/invites/accept", json={"link": sent["invite_url"], "account": "ada"})
    await served.client.post("/stub/faults", json={"path": "/responses", "kind": "drop_after"})
    with pytest.raises(ConnectionDropped):
        await message(served, "ada", clock)
    assert (await message(served, "ada", clock)).status_code == 200
    assert [served.stub.bank.read(account).spendable for account in ("acc1", "ada")] == [2, 2]


async def test_an_answer_that_was_never_reached_has_no_effect(embedded: Start) -> None:
    served = embedded("pilot-start")
    for kind in ("drop_before", "status:503"):
        await served.client.post("/stub/faults", json={"path": "/invite", "kind": kind})
    with pytest.raises(ConnectionDropped):
        await send(served, "ada@example.com")
    assert (await send(served, "ada@example.com")).status_code == 503
    assert await items(served) == []
