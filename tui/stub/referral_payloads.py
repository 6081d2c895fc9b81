"""What the referral endpoints say, in both contracts of wire.md 4. Pure.

`plans`, `starts_at`, `ends_at` and `status_reason` are the stub's own.
"""

from collections.abc import Sequence
from typing import Any, Final

from tui.domain.referral import REFERRER
from tui.stub.answers import rfc3339
from tui.stub.plans import Plan
from tui.stub.referral import REFERRAL_KEY, Campaign, not_offered
from tui.stub.referrals import OfferReading, Refused, Tracked, TrackedReward

Payload = dict[str, Any]

INVITE_PATH: Final = "/invite/"
"""Where an invite's link leads, on the service itself."""


def link(origin: str, token: str) -> str:
    """An invite's link.

    Args:
        origin: Scheme, host and port that the service was asked by.
        token: The invite's.
    """
    return f"{origin.rstrip('/')}{INVITE_PATH}{token}"


def beacon(campaign: Campaign | None, plan: Plan, began: float, now: float) -> Payload | None:
    """What a usage payload says of the offer (wire.md 1.4); None while there is none for this account."""
    if campaign is None or not_offered(campaign, plan, began, now) is not None:
        return None
    reward = campaign.reward_of(REFERRER)
    return {
        "type": "referral",
        "referral_key": campaign.referral_key or REFERRAL_KEY,
        "has_rewards": bool(campaign.rewards),
        "grant_type": reward.grant_type if reward else None,
        "grant_amount": reward.amount if reward else None,
        "referral_action": "invite",
        "referral_redemption_action": "first_message",
    }


def offer(reading: OfferReading) -> Payload:
    """Eligibility in the current contract (wire.md 4.3)."""
    campaign = reading.campaign
    return {
        **_shown(reading),
        "offer_id": campaign.id if campaign else None,
        "grants": _promised(campaign),
        "remaining_send_capacity": reading.sends_left,
        "remaining_reward_capacity": reading.rewards_left,
        "requires_explicit_confirmation": True,
        "rules": list(campaign.rules) if campaign else [],
        "time_frame_rules": _limits(reading, capacity_type="send"),
    }


def former_offer(reading: OfferReading) -> Payload:
    """Eligibility in the former contract (wire.md 4.1)."""
    reward = reading.campaign.reward_of(REFERRER) if reading.campaign else None
    return {
        **_shown(reading),
        "remaining_referrals": reading.sends_left,
        "grant_action": reward.grant_type if reward else None,
        "grant_amount": reward.amount if reward else None,
        "has_rewards": reward is not None,
        "modal_copy": {},
    }


def former_rules(reading: OfferReading) -> Payload:
    """The rules in the former contract (wire.md 4.1)."""
    return {
        "rules": list(reading.campaign.rules) if reading.campaign else [],
        "time_frame_rules": _limits(reading),
        "requires_explicit_confirmation": True,
    }


def _shown(reading: OfferReading) -> Payload:
    """What both contracts say of an offer."""
    campaign, refused = reading.campaign, reading.refused
    return {
        "should_show": refused is None,
        "ineligible_reason": refused.sentence if refused else None,
        "ineligible_reason_code": refused,
        "title": campaign.title if campaign else None,
        "description": campaign.description if campaign else None,
        "plans": list(campaign.plans) if campaign else [],
        "starts_at": rfc3339(campaign.starts_at(reading.began)) if campaign else None,
        "ends_at": rfc3339(campaign.ends_at(reading.began)) if campaign else None,
    }


def _limits(reading: OfferReading, **more: str) -> list[Payload]:
    campaign = reading.campaign
    if campaign is None or campaign.send_capacity is None:
        return []
    limit = {"invites_sent": reading.sent, "invites_total": campaign.send_capacity, "time_frame": "campaign"}
    return [limit | {"type": "user"} | more]


def _promised(campaign: Campaign | None) -> list[Payload]:
    rewards = campaign.rewards if campaign else ()
    return [_grant(TrackedReward(reward.recipient, reward.grant_type, reward.amount, None)) for reward in rewards]


def _grant(reward: TrackedReward) -> Payload:
    return {
        "recipient": reward.recipient,
        "grant_type": reward.grant_type,
        "amount": reward.amount,
        "reward_id": reward.reward_id,
    }


def invited(sent: Sequence[Tracked], failed: Sequence[Refused], origin: str) -> Payload:
    """The answer to invites of which at least one was sent, in the current contract."""
    return {
        "invites": [_sent(tracked, origin) for tracked in sent],
        "failed_emails": [refused.email for refused in failed],
        "message": failed[0].why if failed else None,
        "grants": [_grant(reward) for reward in sent[0].rewards],
    }


def former_invited(sent: Sequence[Tracked], failed: Sequence[Refused], origin: str) -> Payload:
    """The same in the former contract, which speaks of the first one apart."""
    first, *_ = invites = [_sent(tracked, origin) for tracked in sent]
    answer = {
        "referral_id": first["referral_id"],
        "email": first["email"],
        "invites": invites,
        "has_rewards": bool(sent[0].rewards),
    }
    return answer | (not_invited(failed) if failed else {})


def not_invited(failed: Sequence[Refused]) -> Payload:
    """Which addresses no invite went to, and why the first of them got none."""
    return {"message": failed[0].why, "failed_emails": [refused.email for refused in failed]}


def _sent(tracked: Tracked, origin: str) -> Payload:
    invite = tracked.invite
    return {"referral_id": invite.id, "email": invite.email, "invite_url": link(origin, invite.token)}


def tracking(page: Sequence[Tracked], cursor: str | None, origin: str) -> Payload:
    """A page of invites (wire.md 4.2, 4.3)."""
    return {"items": [_item(tracked, origin) for tracked in page], "cursor": cursor}


def _item(tracked: Tracked, origin: str) -> Payload:
    invite = tracked.invite
    return _sent(tracked, origin) | {
        "status": tracked.state,
        "status_reason": tracked.reason,
        "can_resend": tracked.can_resend,
        "resend_available_at": rfc3339(invite.resend_at),
        "grants": [_grant(reward) for reward in tracked.rewards],
        "created_at": rfc3339(invite.sent_at),
        "expires_at": rfc3339(invite.expires_at),
    }
