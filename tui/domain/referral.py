"""Invites and what they earn, as the service reports them: the offer, each invite, and both sides' rewards.

The service's words for an invite's state are not confirmed: one that is not known here stays as it was written, and
nothing is concluded from it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

RESET_CREDIT: Final = "rate_limit_reset_credit"
"""The reward that is a banked reset."""

LONGEST_LINK: Final = 1_000
"""Characters of an invite link that may be handed on."""

REFERRER: Final = "referrer"
"""Whose reward it is: ours, in an invite that we sent."""


CONSUMER: Final = "codex_referral_consumer"
"""The programme for persons."""

WORKSPACE: Final = "codex_referral_workspace"
"""The programme for members of a workspace."""

_WORKSPACE_PLANS: Final = ("team", "business", "self_serve_business", "enterprise", "ent", "edu")


def program_of(plan: str | None) -> str:
    """The referral programme for accounts of a plan; a plan that is not known takes part as a person's."""
    return WORKSPACE if (plan or "").casefold().startswith(_WORKSPACE_PLANS) else CONSUMER


class InviteStatus(StrEnum):
    """How far an invite has come, as the service says."""

    SENT = "sent"
    OPENED = "opened"
    JOINED = "joined"
    FIRST_MESSAGE = "first_message"
    """The friend's first message was sent, and no reward has come for it."""
    REWARDED = "rewarded"
    EXPIRED = "expired"
    INELIGIBLE = "ineligible"
    REVERSED = "reversed"
    """The reward was taken back."""
    UNKNOWN = "unknown"
    """A word of the service that is not known here."""

    @property
    def is_pending(self) -> bool:
        """Whether something may still come of it; a word that is not known may mean anything."""
        return self in (self.SENT, self.OPENED, self.JOINED, self.FIRST_MESSAGE, self.UNKNOWN)


class OfferStatus(StrEnum):
    """How things stand between this program and the referral programme."""

    UNREAD = "unread"
    """Not asked yet."""
    OFFERED = "offered"
    NOT_OFFERED = "not_offered"
    """The service says that it has no offer for this account, or for this client."""
    FORBIDDEN = "forbidden"
    """The service answers this client with a refusal."""
    NOT_ASKED = "not_asked"
    """It is the official service, which serves its own app alone, and its user has not asked to try."""
    UNREACHABLE = "unreachable"
    """Nothing could be read; what was known before stays."""


class Reward(msgspec.Struct, frozen=True):
    """What one side gets for an invite."""

    recipient: str
    """`referrer`, `friend`, or the service's own word."""
    kind: str
    """`rate_limit_reset_credit`, `personal_credits`, `workspace_credits`, or the service's own word."""
    amount: int | None
    reward_id: str | None = None
    """The credit that it became; None while it is only promised, or where the service does not say."""


class Offer(msgspec.Struct, frozen=True):
    """An offer to invite friends, in the service's own words; every text is text from outside."""

    id: str | None
    program: str
    """The `program_id` that an invite is sent under."""
    title: str | None = None
    description: str | None = None
    rules: tuple[str, ...] = ()
    rewards: tuple[Reward, ...] = ()
    plans: tuple[str, ...] = ()
    """The plans that it is for; empty where the service does not say."""
    ends_at: datetime | None = None
    sends_left: int | None = None
    """How many invites can still be sent; None: unknown, or no limit."""
    rewards_left: int | None = None
    """How many more invites can be rewarded; None where that is unknown."""

    @property
    def terms(self) -> tuple[object, ...]:
        """What consent is given to; how many are left moves without changing that."""
        # A promised reward may bear another id at each reading; it is the same promise.
        rewards = tuple((reward.recipient, reward.kind, reward.amount) for reward in self.rewards)
        return self.id, self.program, self.rules, rewards, self.ends_at


class OfferAnswer(msgspec.Struct, frozen=True):
    """What the service answers when it is asked for its offer."""

    status: OfferStatus
    """Never `UNREAD`; `UNREACHABLE` where the answer does not say whether anything is offered."""
    offer: Offer | None
    """None where there is none; an offer that is not for this account can still be described."""
    reason: str | None = None
    """Why it is not offered, in the service's words."""
    unknowns: tuple[str, ...] = ()


class TrackedInvite(msgspec.Struct, frozen=True):
    """One invite as the service lists it."""

    id: str
    """`referral_id`."""
    address: str | None
    state: InviteStatus
    word: str | None = None
    """The state as the service wrote it."""
    reason: str | None = None
    """Why it came to nothing, in the service's words."""
    link: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    can_resend: bool | None = None
    """Whether its e-mail can be sent again at all; a pause alone shows in `resend_at`."""
    resend_at: datetime | None = None
    """From when on its e-mail can be sent again."""
    rewards: tuple[Reward, ...] = ()

    @property
    def own_reward(self) -> Reward | None:
        """What its sender gets."""
        return next((reward for reward in self.rewards if reward.recipient == REFERRER), None)


class InviteList(msgspec.Struct, frozen=True):
    """The list of an account's invites."""

    invites: tuple[TrackedInvite, ...]
    complete: bool
    """Whether it was read to its end, so that an invite's absence means something."""
    unknowns: tuple[str, ...] = ()


class InviteRequest(msgspec.Struct, frozen=True):
    """One invite to send; an e-mail goes to the address."""

    address: str
    program: str
    """As the offer has it."""
    account_id: str | None
    """Whom consent was given for; a login of another account must refuse."""


class InviteAnswer(msgspec.Struct, frozen=True):
    """An invite that the service took."""

    referral_id: str | None
    link: str | None


def usable_link(value: object) -> str | None:
    """An invite link that may be copied and drawn: https, or http on this machine; None for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_LINK:
        return None
    # A browser reads a backslash as a slash, and so another host than this does.
    if not all("!" <= character <= "~" and character != "\\" for character in value):
        return None
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    local = host in ("localhost", "127.0.0.1", "::1")
    usable = parts.scheme == "https" or (parts.scheme == "http" and local)
    return value if usable and host and "@" not in parts.netloc else None
