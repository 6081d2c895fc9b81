"""What a scenario that the service can start in consists of."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.stub.rules.grants import TEAM, THANKS, GrantSource, ResetRules
from tui.stub.rules.invites import Campaign
from tui.stub.rules.resets import CREDIT_LIFETIME, ScenarioFlags

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
)
"""The first campaign, as it ran in June 2026."""


class WindowStart(msgspec.Struct, frozen=True):
    """A window at the start of a scenario."""

    kind: WindowKind
    used_percent: float
    resets_in: float | None
    """Seconds; None leaves it idle."""
    limit_id: str = MAIN_LIMIT


class CreditStart(msgspec.Struct, frozen=True):
    """A credit at the start of a scenario."""

    expires_in: float | None
    """Seconds; None never expires."""
    title: str | None = "Full reset (Weekly + 5 hr)"
    description: str | None = THANKS
    reset_type: str = "codex_rate_limits"
    status: str = "available"
    granted_by: str | None = TEAM
    supported: bool = True
    source: GrantSource = GrantSource.GOODWILL
    """The complimentary one is of the programme."""

    @property
    def granted_ago(self) -> float:
        """Seconds since its grant: it was given the ordinary lifetime."""
        return max(0.0, CREDIT_LIFETIME - (self.expires_in or 0.0))


class InviteStart(msgspec.Struct, frozen=True):
    """An invite of the main account at the start of a scenario; every moment in days before it."""

    address: str
    sent: float
    opened: float | None = None
    friend: str | None = None
    """The account that came through it; made for this."""
    joined: float | None = None
    """When the friend came, also where that was in vain."""
    used: float | None = None
    """When the friend last used Codex before that; None: never."""
    messaged: float | None = None
    """When the friend's first message completed."""
    reversed: float | None = None
    """When both rewards were taken back."""


class SessionStart(msgspec.Struct, frozen=True):
    """A session that a demo plays from the start of a scenario; the real Codex needs no such help."""

    name: str
    """How its first message begins."""
    workspace: str
    requests: int
    """Model requests of its turn."""
    every: float
    """Seconds from one to the next."""


class RecurringFault(msgspec.Struct, frozen=True):
    """A fault that hits every so many requests of a path, for ever."""

    path: str
    """The end of the request's path."""
    kind: str
    every: int


class Scenario(msgspec.Struct, frozen=True):
    """One scenario."""

    name: str
    description: str
    """One line for help and palette."""
    windows: tuple[WindowStart, ...]
    """The main account's, in the order of their slots."""
    credits: tuple[CreditStart, ...] = ()
    plan: str = "plus"
    flags: ScenarioFlags = ScenarioFlags()
    list_cap: int | None = None
    """How many credits the list shows at most; the count stays true."""
    lists_redeemed: bool = False
    """Whether redeemed credits stay in the list; both have been seen."""
    has_history: bool = True
    """Whether the service lists what was granted and used; some accounts have no such list."""
    shows_banner: bool = False
    """Whether a reached limit comes with a banner that offers a reset, which Codex shows by itself."""
    extras: Mapping[str, object] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """What its usage payload says otherwise."""
    faults: tuple[RecurringFault, ...] = ()
    sessions: tuple[SessionStart, ...] = ()
    """What a demo plays beside it."""
    resets: ResetRules = ResetRules()
    campaign: Campaign | None = PILOT
    invites: tuple[InviteStart, ...] = ()
    """In the order in which they were sent."""
    has_past: bool = False
    """Whether a demo of it begins with weeks of readings behind it, and asks only about what is held."""
