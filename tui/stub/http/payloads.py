"""What the quota endpoint says of an account. Pure."""

from collections.abc import Sequence

from tui.domain.referral import REFERRER
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT
from tui.stub.database.accounts import Reading
from tui.stub.http.answers import Payload, rfc3339
from tui.stub.rules.invites import not_offered
from tui.stub.rules.resets import HeldCredit, HeldStatus, Redemption
from tui.stub.rules.windows import MeteredWindow, blocking
from tui.stub.scenarios import SPARK_LIMIT, SPARK_NAME

_LIMIT_NAMES = {SPARK_LIMIT: SPARK_NAME}


def usage(reading: Reading) -> Payload:
    """The whole answer about usage."""
    now, available = reading.now, reading.spendable
    price = reading.scenario.resets.price_for(reading.terms)
    limited = blocking(reading.windows) is not None
    others = dict.fromkeys(window.limit_id for window in reading.windows if window.limit_id != MAIN_LIMIT)
    payload: Payload = {
        "user_id": "user-1",
        "account_id": reading.account,
        "email": reading.email,
        "plan_type": reading.plan,
        "rate_limit": _rate_limit(reading.main_windows, now, allowed=not limited),
        "code_review_rate_limit": None,
        "additional_rate_limits": [
            {
                "limit_name": _LIMIT_NAMES.get(limit_id),
                "metered_feature": limit_id,
                "normal_model_slug": None,
                "rate_limit": _rate_limit(
                    [window for window in reading.windows if window.limit_id == limit_id], now, allowed=True
                ),
            }
            for limit_id in others
        ]
        or None,
        "model_usage": None,
        "credits": {
            "has_credits": reading.personal_credits > 0,
            "unlimited": False,
            "overage_limit_reached": False,
            "balance": str(reading.personal_credits),
            "approx_local_messages": [0, 0],
            "approx_cloud_messages": [0, 0],
        },
        "spend_control": {"reached": False, "individual_limit": None},
        "rate_limit_reached_type": {"type": "rate_limit_reached", "details": None} if limited else None,
        "rate_limit_upsell": _banner(reading),
        "promo": None,
        "referral_beacon": _beacon(reading),
        "rate_limit_reset_credits": {
            "available_count": available,
            "applicable_available_count": available if limited else 0,
            "total_earned_count": reading.earned,
            "immediate_reset_purchase_eligible": price is not None,
        }
        if reading.granted or price
        else None,
    }
    return payload | dict(reading.extras)


def _beacon(reading: Reading) -> Payload | None:
    """What the answer about usage says of the offer of invites; None while there is none for this account."""
    campaign = reading.scenario.campaign
    if campaign is None or not_offered(campaign, reading.terms, reading.began, reading.now) is not None:
        return None
    reward = campaign.reward_of(REFERRER)
    return {
        "type": "referral",
        "referral_key": "codex_referral_persistent_invite",
        "has_rewards": bool(campaign.rewards),
        "grant_type": reward.grant_type if reward else None,
        "grant_amount": reward.amount if reward else None,
        "referral_action": "invite",
        "referral_redemption_action": "first_message",
    }


def _banner(reading: Reading) -> Payload | None:
    """What Codex shows at a reached limit; None for nothing."""
    wall = blocking(reading.windows)
    if not reading.scenario.shows_banner or wall is None:
        return None
    offers = {"add_credits": "Add credits", "view_usage": "View usage"}
    if reading.spendable:
        offers = {"reset_usage": "Use a reset", **offers}
    return {
        "banner_type": "rate_limit",
        "title": "You're out of Codex messages",
        "description": "Use a reset, add credits, or wait for the limit to reset.",
        "ctas": [{"action": action, "label": label} for action, label in offers.items()],
        "reset_at": wall.reset_at(reading.now),
        "model_slug": None,
        "blocked_model_slug": None,
        "fallback_model_slugs": [],
        "presentation": "inline",
        "request_url": None,
    }


def _rate_limit(windows: Sequence[MeteredWindow], now: float, *, allowed: bool) -> Payload | None:
    if not windows:
        return None
    slots = [_window(window, now) for window in windows]
    return {
        "allowed": allowed,
        "limit_reached": not allowed,
        "primary_window": slots[0],
        "secondary_window": slots[1] if len(slots) > 1 else None,
    }


def _window(window: MeteredWindow, now: float) -> Payload:
    reset_at = window.reset_at(now)
    return {
        "used_percent": window.shown_percent,
        "limit_window_seconds": window.seconds,
        "reset_after_seconds": max(0, reset_at - int(now)),
        "reset_at": reset_at,
    }


def credits_list(reading: Reading) -> Payload:
    """The single credits, without those that are gone; the count stays true where the list is capped.

    `reset_purchase` is the stub's own: the price of a single reset, where one is sold.
    """
    price = reading.scenario.resets.price_for(reading.terms)
    shown = [
        credit
        for credit in reading.credits
        if (status := credit.status_at(reading.now)) not in (HeldStatus.EXPIRED, HeldStatus.REVOKED)
        and (status != HeldStatus.REDEEMED or reading.scenario.lists_redeemed)
    ]
    payload: Payload = {
        "credits": [_credit(credit) for credit in shown[: reading.scenario.list_cap]],
        "available_count": reading.spendable,
        "total_earned_count": reading.earned,
        "immediate_reset_purchase_eligible": price is not None,
        "history_enabled": reading.scenario.has_history and bool(reading.granted),
    }
    if price is not None:
        payload["reset_purchase"] = {"amount": price.amount, "currency": price.currency}
    return payload


def _credit(credit: HeldCredit) -> Payload:
    return {
        "id": credit.id,
        "reset_type": credit.reset_type,
        "is_supported_by_plan": credit.supported,
        "status": credit.status,
        "granted_at": rfc3339(credit.granted_at),
        "expires_at": rfc3339(credit.expires_at),
        "redeem_started_at": rfc3339(credit.redeemed_at),
        "redeemed_at": rfc3339(credit.redeemed_at),
        "profile_image_url": None,
        "profile_user_id": credit.granted_by,
        "title": credit.title,
        "description": credit.description,
    }


def consumed(result: Redemption) -> Payload:
    """The answer to a redemption."""
    credit = result.credit
    shown = None
    if credit is not None and result.code is not ConsumeCode.NO_CREDIT:
        shown = {"id": credit.id, "status": credit.status, "redeemed_at": rfc3339(credit.redeemed_at)}
    return {"code": result.code, "credit": shown, "windows_reset": result.windows_reset}


def accounts_check(reading: Reading) -> Payload:
    """The one account that the login belongs to."""
    return {
        "accounts": [
            {
                "id": reading.account,
                "plan_type": reading.plan,
                "name": "Personal",
                "structure": "personal",
                "workspace_backend_origin": "https://chatgpt.com",
                "account_routing_override": "NO_CONSTRAINT",
            }
        ],
        "account_ordering": [reading.account],
        "default_account_id": reading.account,
    }
