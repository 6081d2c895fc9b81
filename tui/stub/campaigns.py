"""The campaigns that scenarios run; pure data (wire.md 4.5)."""

from typing import Final

from msgspec.structs import replace

from tui.domain.referral import REFERRER
from tui.stub.programme import DAY
from tui.stub.referral import Campaign, Reward

PILOT: Final = Campaign(
    id="pilot_reset_1",
    title="Invite friends, bank resets",
    description="You and your friend each get one banked rate limit reset when they send their first Codex message.",
    rules=(
        "You can invite up to three friends while the offer lasts.",
        "Your friend must not have used Codex in the last 60 days.",
        "Both of you get one banked reset when your friend's first Codex message completes.",
        "A banked reset lapses 30 days after it was granted. It is no cash and cannot be passed on.",
    ),
    plans=("plus", "pro"),
)

RUNNING_PILOT: Final = replace(
    PILOT,
    rules=("You can invite up to ten friends; three invites are rewarded.", *PILOT.rules[1:]),
    starts_in=-9.0 * DAY,
    send_capacity=10,
)
"""The pilot after nine of its days, with more invites to send."""

ENDED_PILOT: Final = replace(PILOT, starts_in=-15.0 * DAY)

CREDITS: Final = Campaign(
    id="credits_500",
    title="Invite friends, earn credits",
    description="You get 500 credits when your friend sends their first Codex message.",
    rules=(
        "Your friend must not have used Codex in the last 60 days.",
        "You get 500 credits when your friend's first Codex message completes.",
        "Credits are no cash and cannot be passed on.",
    ),
    plans=("plus", "pro"),
    send_capacity=5,
    rewards=(Reward(REFERRER, "personal_credits", 500),),
    friend_plans=("free", "go", "plus", "pro"),
    program_id=None,
)
"""Credits for the one who invites alone, served by the former contract alone."""
