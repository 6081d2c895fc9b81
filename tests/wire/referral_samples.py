"""The payloads of the referral endpoints, and short ways to read them."""

import json
from typing import Any

from hypothesis import strategies as st

from tui.domain.referral import (
    CONSUMER,
    RESET_CREDIT,
    OfferAnswer,
    TrackedInvite,
)
from tui.wire.referral import (
    decode_offer,
    decode_tracking,
)

FRIEND = "friend@example.com"
LINK = "https://chatgpt.com/codex/invite/abc"

ELIGIBILITY: dict[str, Any] = {
    "should_show": True,
    "offer_id": "credits_500",
    "grants": [{"recipient": "referrer", "grant_type": "personal_credits", "amount": 500, "reward_id": "r1"}],
    "remaining_send_capacity": 5,
    "remaining_reward_capacity": 3,
    "requires_explicit_confirmation": True,
    "title": "Invite friends",
    "description": "You both get something.",
    "rules": ["Friends must be new."],
    "time_frame_rules": [
        {"invites_sent": 0, "invites_total": 3, "time_frame": "month", "type": "user", "capacity_type": "send"}
    ],
    "ineligible_reason": None,
    "ineligible_reason_code": None,
}
INVITED: dict[str, Any] = {
    "invites": [{"referral_id": "ref-1", "email": FRIEND, "invite_url": LINK}],
    "failed_emails": [],
    "message": None,
    "grants": [],
}
ITEM: dict[str, Any] = {
    "referral_id": "ref-1",
    "email": FRIEND,
    "status": "joined",
    "can_resend": False,
    "invite_url": LINK,
    "resend_available_at": "2026-11-24T14:07:31Z",
    "grants": [
        {"recipient": "friend", "grant_type": RESET_CREDIT, "amount": 1, "reward_id": "theirs"},
        {"recipient": "referrer", "grant_type": RESET_CREDIT, "amount": 1, "reward_id": "ours"},
    ],
    "created_at": "2026-11-23T14:07:31Z",
    "expires_at": 1798034851,
}
ODD = st.sampled_from([True, 7, -1, 1.5, "x", "", [], [None], {}, {"a": 1}, [[]], "a\x00b", "\ud800", 10**30])


def pack(payload: object) -> bytes:
    return json.dumps(payload).encode()


def offer(**changes: Any) -> OfferAnswer:
    return decode_offer(pack(ELIGIBILITY | changes), CONSUMER)


def item(**changes: object) -> TrackedInvite:
    page = decode_tracking(pack({"items": [ITEM | changes], "cursor": None}))
    return page.invites[0]
