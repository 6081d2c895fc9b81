"""Answers as they were written down from the real services."""

from datetime import UTC, datetime

from tui.domain.snapshot import Provenance

OBSERVED = datetime(2026, 11, 23, 14, 7, 31, tzinfo=UTC)
HTTP = Provenance("http", OBSERVED)
CODEX = Provenance("codex", OBSERVED)

FULL_USAGE = b"""{
  "user_id": "user-\xe2\x80\xa6", "account_id": "acc1", "email": "me@example.com",
  "plan_type": "plus",
  "rate_limit": {
    "allowed": true, "limit_reached": false,
    "primary_window":   {"used_percent": 42, "limit_window_seconds": 18000,  "reset_after_seconds": 120,   "reset_at": 1735689720},
    "secondary_window": {"used_percent": 5,  "limit_window_seconds": 604800, "reset_after_seconds": 43200, "reset_at": 1735732800}
  },
  "code_review_rate_limit": null,
  "additional_rate_limits": [
    {"limit_name": "GPT-5.3-Codex-Spark", "metered_feature": "codex_bengalfox", "normal_model_slug": null,
     "rate_limit": {"allowed": true, "limit_reached": false, "primary_window": {}, "secondary_window": null}}
  ],
  "model_usage": {"gpt-\xe2\x80\xa6": {"available": true, "available_at": null, "credits_would_enable": false}},
  "credits": {"has_credits": false, "unlimited": false, "overage_limit_reached": false, "balance": "0",
              "approx_local_messages": [0, 0], "approx_cloud_messages": [0, 0]},
  "spend_control": {"reached": false, "individual_limit": null},
  "rate_limit_reached_type": null,
  "rate_limit_upsell": null,
  "promo": null,
  "referral_beacon": null,
  "rate_limit_reset_credits": {"available_count": 2, "applicable_available_count": 0,
                               "total_earned_count": 0, "immediate_reset_purchase_eligible": false}
}"""  # noqa: E501

PRO_USAGE = b"""{"email":"me@example.com","plan_type":"pro","rate_limit":{"allowed":true,"primary_window":{"used_percent":11,"limit_window_seconds":604800,"reset_after_seconds":472393,"reset_at":1790786634},"secondary_window":null},"code_review_rate_limit":{"primary_window":{"used_percent":4,"limit_window_seconds":604800,"reset_at":1790786634},"secondary_window":null},"credits":{"has_credits":false,"unlimited":false,"balance":"0"},"rate_limit_reset_credits":{"available_count":2,"applicable_available_count":0}}"""  # noqa: E501

CREDIT_ROWS = b"""{
  "credits": [
    {"id": "RateLimitResetCredit_b265c38814b8819199f46730968366f5",
     "reset_type": "codex_rate_limits", "is_supported_by_plan": true, "status": "available",
     "granted_at": "2026-09-22T18:34:10.328681Z", "expires_at": "2026-10-22T18:34:10.328681Z",
     "redeem_started_at": null, "redeemed_at": null,
     "profile_image_url": "https://\xe2\x80\xa6", "profile_user_id": "Codex Team",
     "title": "Full reset (Weekly + 5 hr)",
     "description": "Thanks for using Codex! You've been granted one free rate limit reset."}
  ],
  "available_count": 1, "total_earned_count": 0,
  "immediate_reset_purchase_eligible": false, "history_enabled": true
}"""

NO_CREDITS = b'{"available_count":0,"credits":[],"history_enabled":false,"immediate_reset_purchase_eligible":false,"total_earned_count":0}'  # noqa: E501

APP_SERVER_LIMITS = b"""{
  "ordinaryUsageAllowed":false,"accountId":"acc1",
  "rateLimits":{"limitId":"codex","limitName":null,"normalModelSlug":null,
     "primary":{"usedPercent":100,"windowDurationMins":300,"resetsAt":1791207908},
     "secondary":{"usedPercent":96,"windowDurationMins":10080,"resetsAt":1791613576},
     "credits":{"hasCredits":false,"unlimited":false,"balance":"0"},
     "individualLimit":null,"spendControlReached":null,"planType":"plus","rateLimitReachedType":null},
  "rateLimitsByLimitId":{"codex":{}},
  "rateLimitResetCredits":{"availableCount":1,"credits":[{"id":"RateLimitResetCredit_1","resetType":"codexRateLimits","status":"available","grantedAt":1790102050,"expiresAt":1792694050,"title":"Full reset (Weekly + 5 hr)","description":null}]},
  "rateLimitUpsell":null}"""  # noqa: E501
