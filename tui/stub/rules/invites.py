"""Invites: what a campaign is, how far an invite has come, who may join, what the first message earns.

An invite keeps moments; its state is derived from them and the present one. An invite that was sent in time is
honoured after its campaign has ended.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from tui.domain.referral import CONSUMER, REFERRER, RESET_CREDIT, InviteStatus
from tui.stub.rules.plans import Plan
from tui.stub.rules.windows import DAY

FRIEND: Final = "friend"
"""Whose reward it is: the one who was invited."""

FIRST_RESEND_AFTER: Final = 60
"""Seconds from an invite to the first repetition of its e-mail."""

_ADDRESS: Final = re.compile(r"[^\s@<>()\[\]\\\"',;:]+@([^\s@<>()\[\]\\\"',;:.]+\.)+[^\s@<>()\[\]\\\"',;:.]+")
_LONGEST_ADDRESS: Final = 254


class Reward(msgspec.Struct, frozen=True):
    """What one side gets for an invite."""

    recipient: str
    """`referrer` or `friend`."""
    grant_type: str = RESET_CREDIT
    amount: int = 1
    reward_id: str | None = None
    """What it became: a credit's id, or a grant's where it is no reset; None before."""


class Campaign(msgspec.Struct, frozen=True):
    """An offer to invite friends."""

    id: str
    title: str
    description: str
    rules: tuple[str, ...]
    plans: tuple[str, ...] = ("plus", "pro")
    """Whom it is offered to."""
    program: str = CONSUMER
    starts_in: float = 0.0
    """Seconds after the scenario began."""
    length: float = 14.0 * DAY
    max_rewarded: int = 3
    """How many invites of one referrer are rewarded at most."""
    send_capacity: int | None = 3
    """How many one referrer can send; None: any number."""
    rewards: tuple[Reward, ...] = (Reward(REFERRER), Reward(FRIEND))
    friend_plans: tuple[str, ...] = ("go", "plus", "pro")
    """The plans with which a friend can take part."""
    idle_days: int = 60
    """The friend must not have used Codex for so long."""
    invite_life: float = 7.0 * DAY
    """Seconds from the invite to the last moment to join."""
    message_life: float = 7.0 * DAY
    """Seconds from joining to the last moment of the first message."""
    resend_cooldown: float = 1.0 * DAY
    """Seconds from a repetition of the e-mail to the next."""

    def starts_at(self, began: float) -> float:
        """Its first moment, in a scenario that began then."""
        return began + self.starts_in

    def ends_at(self, began: float) -> float:
        """The moment at which it is over."""
        return self.starts_at(began) + self.length

    def reward_of(self, recipient: str) -> Reward | None:
        """What one side gets."""
        return next((reward for reward in self.rewards if reward.recipient == recipient), None)


class NotOffered(StrEnum):
    """Why an account is offered no campaign; the text is for the user, the name in small letters for programs."""

    NONE = "There is no invite offer at the moment."
    PLAN = "Your plan does not include this offer."
    NOT_STARTED = "This offer has not started yet."
    ENDED = "This offer has ended."


def not_offered(campaign: Campaign | None, plan: Plan, began: float, now: float) -> NotOffered | None:
    """Why a campaign is not offered to a plan now; None where it is."""
    if campaign is None:
        return NotOffered.NONE
    if plan.name not in campaign.plans:
        return NotOffered.PLAN
    if now < campaign.starts_at(began):
        return NotOffered.NOT_STARTED
    return NotOffered.ENDED if now >= campaign.ends_at(began) else None


class AddressRefusal(StrEnum):
    """Why no invite goes to an address; the text is for the user."""

    NO_ADDRESS = "This is not an e-mail address."
    OWN_ADDRESS = "You cannot invite yourself."
    ALREADY_INVITED = "You have already invited this person."
    INVITED_BY_OTHERS = "This person already has a referral sent to them"
    NONE_LEFT = "You have no invites left."


def comparable(address: str) -> str:
    """An address as it is compared: trimmed, and without case."""
    return address.strip().casefold()


def is_address(address: str) -> bool:
    """Whether it may be an e-mail address; only what obviously is none is refused."""
    return len(address) <= _LONGEST_ADDRESS and address.isprintable() and bool(_ADDRESS.fullmatch(address))


class Ineligible(StrEnum):
    """Why a friend who came through an invite cannot take part."""

    OWN_ACCOUNT = "own_account"
    ALREADY_INVITED = "already_invited"
    """Joined by another invite."""
    ALREADY_ACTIVE = "already_active"
    PLAN = "plan"


class Unrewarded(StrEnum):
    """Why a first message earned nothing."""

    USED_UP = "used_up"
    REFERRER_PLAN = "referrer_plan"


class Invite(msgspec.Struct, frozen=True):
    """One invite, as the service keeps it."""

    number: int
    """Counts up; the order in which invites were sent."""
    id: str
    campaign: str
    referrer: str
    email: str
    token: str
    """The secret part of its link."""
    sent_at: float
    expires_at: float
    """The last moment to join, or once joined, of the first message."""
    emails_sent: int
    resend_at: float
    """From when on its e-mail can be sent again."""
    opened_at: float | None = None
    friend: str | None = None
    """Who came through it, joined or not."""
    joined_at: float | None = None
    ineligible: str | None = None
    first_message_at: float | None = None
    unrewarded: str | None = None
    reward_slot: int | None = None
    """Its place among the referrer's rewarded invites, from 1."""
    reversed_at: float | None = None

    def state_at(self, now: float) -> InviteStatus:
        """How far it has come."""
        if self.reversed_at is not None:
            return InviteStatus.REVERSED
        if self.reward_slot is not None:
            return InviteStatus.REWARDED
        if self.ineligible is not None:
            return InviteStatus.INELIGIBLE
        if self.first_message_at is not None:
            return InviteStatus.FIRST_MESSAGE
        if now >= self.expires_at:
            return InviteStatus.EXPIRED
        if self.joined_at is not None:
            return InviteStatus.JOINED
        return InviteStatus.SENT if self.opened_at is None else InviteStatus.OPENED

    def awaits_friend(self, now: float) -> bool:
        """Whether somebody can still join by it."""
        return self.state_at(now) in (InviteStatus.SENT, InviteStatus.OPENED)

    def is_pending(self, now: float) -> bool:
        """Whether something may still come of it."""
        return self.awaits_friend(now) or self.state_at(now) is InviteStatus.JOINED

    def reason_at(self, now: float, campaign: Campaign) -> str | None:
        """Why it came to nothing, in a sentence; None where there is nothing to explain."""
        state = self.state_at(now)
        if state is InviteStatus.REVERSED:
            return "The reward was taken back."
        if state is InviteStatus.EXPIRED:
            wanted = "accepted" if self.joined_at is None else "followed by a first message"
            return f"The invite was not {wanted} in time."
        reasons: dict[str, str] = {
            Ineligible.OWN_ACCOUNT: "This is the account that sent the invite.",
            Ineligible.ALREADY_INVITED: "This person has joined by another invite.",
            Ineligible.ALREADY_ACTIVE: f"This person has used Codex in the last {campaign.idle_days} days.",
            Ineligible.PLAN: "This person's plan does not take part.",
            Unrewarded.USED_UP: f"Your rewards are used up: {campaign.max_rewarded} invites were rewarded.",
            Unrewarded.REFERRER_PLAN: "Your plan could not take the reward.",
        }
        return reasons.get(self.ineligible or self.unrewarded or "")


class Candidate(msgspec.Struct, frozen=True):
    """An account that comes through an invite."""

    account: str
    plan: Plan
    last_used_at: float | None
    """When it last used Codex; None: never."""
    joined_before: bool
    """Whether it has ever joined by an invite."""


def ineligible(invite: Invite, campaign: Campaign, friend: Candidate, now: float) -> Ineligible | None:
    """Why somebody cannot join by an invite; None where nothing stands against it."""
    if friend.account == invite.referrer:
        return Ineligible.OWN_ACCOUNT
    if friend.joined_before:
        return Ineligible.ALREADY_INVITED
    if friend.last_used_at is not None and now - friend.last_used_at < campaign.idle_days * DAY:
        return Ineligible.ALREADY_ACTIVE
    return None if _takes_part(friend.plan, campaign) else Ineligible.PLAN


def first_message(campaign: Campaign, friend: Plan, referrer: Plan, rewarded: int) -> Ineligible | Unrewarded | int:
    """What a friend's first message in time comes to, by both plans and how many invites were rewarded before.

    Returns:
        Why neither side gets anything; or the invite's place among the rewarded ones, and both do.
    """
    if not _takes_part(friend, campaign):
        return Ineligible.PLAN
    if not _can_hold(referrer, campaign.reward_of(REFERRER)):
        return Unrewarded.REFERRER_PLAN
    return Unrewarded.USED_UP if rewarded >= campaign.max_rewarded else rewarded + 1


def _takes_part(friend: Plan, campaign: Campaign) -> bool:
    return friend.name in campaign.friend_plans and _can_hold(friend, campaign.reward_of(FRIEND))


def _can_hold(plan: Plan, reward: Reward | None) -> bool:
    return reward is None or reward.grant_type != RESET_CREDIT or plan.banks
