from collections.abc import Callable

import httpx
import pytest

from tests.stub.conftest import Served
from tests.stub.referral_client import DAY, INVITE, TRACKING, get, invite, items
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tui.domain.referral import InviteStatus
from tui.stub.faults import ConnectionDropped
from tui.stub.rules.plans import PLANS

Start = Callable[..., Served]


async def test_sending_the_email_again(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    path = f"{INVITE}/{(await invite(served))['referral_id']}/send-email"
    clock.advance(0.5)
    early = await served.client.post(path)
    assert (early.status_code, early.headers["retry-after"]) == (429, "60")
    assert early.json() == {"detail": {"message": "This invite can be sent again in 60 seconds.", "failed_emails": []}}
    clock.advance(60)
    done = await served.client.post(path)
    assert (done.status_code, done.json()) == (200, {"resend_available_at": "2026-11-24T14:08:31.500000Z"})
    again = await served.client.post(path)
    assert (again.status_code, again.headers["retry-after"]) == (429, "86400")
    clock.advance(DAY)
    assert (await items(served))[0]["can_resend"]
    assert (await served.client.post(path)).status_code == 200


async def test_a_lost_answer_to_an_email_sent_again(embedded: Start, clock: ManualClock) -> None:
    served = embedded("pilot-start")
    path = f"{INVITE}/{(await invite(served))['referral_id']}/send-email"
    clock.advance(60)
    await served.client.post("/stub/faults", json={"path": "/send-email", "kind": "drop_after"})
    with pytest.raises(ConnectionDropped):
        await served.client.post(path)
    assert (await served.client.post(path)).status_code == 429
    assert [tracked.invite.emails_sent for tracked in served.stub.bank.referrals.everything()] == [2]


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


async def test_every_state_is_told_in_its_own_word(embedded: Start) -> None:
    told = {item["status"]: item for item in await items(embedded("pilot"))}
    assert set(told) == set(InviteStatus) - {"first_message", "unknown"}
    assert {word for word, item in told.items() if item["status_reason"]} == {"expired", "ineligible", "reversed"}
    assert {word for word, item in told.items() if item["can_resend"]} == {"sent", "opened"}


async def test_the_links_page_needs_no_login_and_is_plain_text(embedded: Start) -> None:
    served = embedded("pilot-start")
    with served.stub.bank.adding_account("ada", PLANS["plus"], "ada@example.com", None):
        pass
    sent = await invite(served, "x&y@example.com")
    token = sent["invite_url"].rpartition("/")[2]
    assert len(token) >= 32
    served.client.headers = httpx.Headers()
    page = await served.client.get(f"/invite/{token}")
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
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
