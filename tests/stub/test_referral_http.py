from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tui.domain.referral import InviteState
from tui.stub.faults import ConnectionDropped
from tui.stub.plans import PLANS
from tui.stub.tokens import bearer_headers

Start = Callable[..., Served]
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
    assert (answer.status_code, answer.json()) == (403, {"detail": {"message": offer["ineligible_reason"]}})
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
    assert sent["invite_url"].startswith("http://stub/invite/")
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
        ("GET", "/backend-api/wham/referrals/eligibility_rules?referral_key=codex_referral_persistent_invite"),
        ("POST", "/api/codex/referrals/invite"),
        ("GET", "/api/codex/referrals/invite/tracking"),
    ],
)
async def test_a_login_is_needed(embedded: Start, method: str, path: str, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    key = "codex_referral_persistent_invite"
    body = {"program_id": PROGRAM, "referral_key": key, "emails": ["a@example.com"]}
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


async def test_sending_the_email_again(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    path = f"{INVITE}/{(await invite(served))['referral_id']}/send-email"
    clock.advance(0.5)
    early = await served.client.post(path)
    assert (early.status_code, early.headers["retry-after"]) == (429, "60")
    assert early.json() == {"detail": {"message": "This invite can be sent again in 60 seconds."}}
    clock.advance(60)
    done = await served.client.post(path)
    assert (done.status_code, done.json()) == (200, {"resend_available_at": "2026-11-24T14:08:31.500000Z"})
    again = await served.client.post(path)
    assert (again.status_code, again.headers["retry-after"]) == (429, "86400")
    clock.advance(DAY)
    assert (await items(served))[0]["can_resend"]
    assert (await served.client.post(path)).status_code == 200


async def test_an_email_that_cannot_be_sent_again(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot")
    told = {item["status"]: item["referral_id"] for item in await items(served)}
    for status in ("joined", "rewarded", "expired", "ineligible", "reversed"):
        answer = await served.client.post(f"{INVITE}/{told[status]}/send-email")
        assert (answer.status_code, answer.json()["detail"]["message"]) == (409, "This invite is no longer pending.")
    for path, account in ((f"{INVITE}/{told['sent']}", "acc2"), (f"{INVITE}/Referral_none", "acc1")):
        answer = await served.client.post(f"{path}/send-email", headers=bearer_headers(account, clock.now()))
        assert (answer.status_code, answer.json()["detail"]["message"]) == (404, "There is no such invite.")
    assert (await served.client.post(f"{INVITE}/{told['sent']}/send-email")).status_code == 200


async def test_the_list_pages(embedded: Start) -> None:
    served = embedded("pilot")
    seen: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        told = await get(served, f"{TRACKING}&limit=3&cursor={cursor}")
        seen += [item["email"] for item in told["items"]]
        cursor, pages = told["cursor"], pages + 1
    assert (pages, seen) == (3, [item["email"] for item in await items(served)])
    assert seen[0] == "barbara@example.com"
    recent = await get(served, f"{INVITE}/tracking?program_id={PROGRAM}&period=this_month")
    assert len(recent["items"]) == 7


async def test_every_state_is_told_in_its_own_word(embedded: Start) -> None:
    told = {item["status"]: item for item in await items(embedded("pilot"))}
    assert set(told) == set(InviteState) - {"first_message", "unknown"}
    assert {word for word, item in told.items() if item["status_reason"]} == {"expired", "ineligible", "reversed"}
    assert {word for word, item in told.items() if item["can_resend"]} == {"sent", "opened"}


async def test_the_links_page_needs_no_login_and_escapes(embedded: Start) -> None:
    served = embedded("pilot-start")
    with served.stub.bank.adding_account("ada", PLANS["plus"], "ada@example.com", None):
        pass
    sent = await invite(served, "x&y@example.com")
    token = sent["invite_url"].rpartition("/")[2]
    assert len(token) >= 32
    served.client.headers = httpx.Headers()
    page = await served.client.get(f"/invite/{token}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "acc1 invites you to Codex." in page.text
    assert "you to Codex" in page.text
    assert "@example.com" not in page.text
    for missing in ("nothing", token[:-1], "%3Cscript%3E"):
        answer = await served.client.get(f"/invite/{missing}")
        assert answer.status_code == 404
        assert "<script>" not in answer.text
    await served.client.post("/stub/invites/accept", json={"link": token, "account": "ada"})
    assert "Send your first Codex message" in (await served.client.get(f"/invite/{token}")).text


async def test_links_are_not_to_be_guessed(embedded: Start) -> None:
    told = [embedded("pilot").stub.bank.referrals.everything() for _ in range(2)]
    assert len({tracked.invite.token for invites in told for tracked in invites}) == 14


async def test_a_campaign_that_this_contract_does_not_serve(embedded: Start) -> None:
    served = embedded("pilot-credits")
    assert (await served.client.get(OFFER)).status_code == 404
    assert (await served.client.get(TRACKING)).status_code == 404
    assert (await send(served, "ada@example.com")).status_code == 404
