"""The referral programme's state: offers, invites and what they earn, in the bank's own database.

Every method is one transaction. A reward is not asked for: it lands with the friend's first completed message, in the
transaction of that turn (`Bank.take_turn`).
"""

import math
from collections.abc import Sequence

import msgspec

from tui.domain.referral import InviteState
from tui.stub import invites, rows
from tui.stub.invites import UnknownInvite
from tui.stub.referral import Campaign, Invite, NotOffered, Refusal, comparable, month_start
from tui.stub.world import StubDatabase, Transaction


class NoOffer(Exception):
    """The account is offered no campaign."""

    def __init__(self, why: NotOffered) -> None:
        super().__init__(why.sentence)
        self.why = why


class CoolingDown(Exception):
    """The invite's e-mail was sent only lately."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"This invite can be sent again in {seconds} seconds.")
        self.seconds = seconds


class NotPending(Exception):
    """Nobody can join by this invite any more."""


class OfferReading(msgspec.Struct, frozen=True):
    """What one account is offered at one moment."""

    campaign: Campaign | None
    """None: there is no campaign."""
    refused: NotOffered | None
    """Why it is not offered; None where it is."""
    sent: int
    rewarded: int
    began: float
    """When the scenario began."""

    @property
    def sends_left(self) -> int | None:
        """How many invites can still be sent; None: any number, or there is no campaign."""
        capacity = None if self.campaign is None else self.campaign.send_capacity
        return None if capacity is None else max(0, capacity - self.sent)

    @property
    def rewards_left(self) -> int:
        """How many more invites can be rewarded."""
        return 0 if self.campaign is None else max(0, self.campaign.max_rewarded - self.rewarded)


class TrackedReward(msgspec.Struct, frozen=True):
    """What one side gets for an invite, and what it has become."""

    recipient: str
    grant_type: str
    amount: int
    reward_id: str | None
    """None before it is given."""


class Tracked(msgspec.Struct, frozen=True):
    """One invite as it stands at one moment."""

    invite: Invite
    state: InviteState
    reason: str | None
    can_resend: bool
    rewards: tuple[TrackedReward, ...]


class Refused(msgspec.Struct, frozen=True):
    """An address that no invite went to."""

    email: str
    why: Refusal


class Referrals:
    """The campaign of the scenario and its invites; safe from any thread, one caller at a time."""

    def __init__(self, world: StubDatabase) -> None:
        self._world = world

    def offer(self, account: str) -> OfferReading:
        """What an account is offered.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.reading() as moment:
            campaign = moment.scenario.campaign
            refused = invites.not_offered(moment, rows.find_account(moment, account))
            sent, rewarded = (0, 0) if campaign is None else invites.counts(moment, campaign, account)
            return OfferReading(campaign, refused, sent, rewarded, moment.began)

    def send(self, account: str, emails: Sequence[str]) -> tuple[list[Tracked], list[Refused]]:
        """Send invites; some may be sent and others refused. An address that is named twice gets one.

        Raises:
            UnknownAccount: There is none of this id.
            NoOffer: It is offered no campaign.
        """
        with self._world.writing() as moment:
            referrer = rows.find_account(moment, account)
            refused = invites.not_offered(moment, referrer)
            campaign = moment.scenario.campaign
            if campaign is None or refused is not None:
                raise NoOffer(refused or NotOffered.NONE)
            unique: dict[str, str] = {}
            for email in emails:
                unique.setdefault(comparable(email), email)
            outcomes = {email: invites.send(moment, campaign, referrer, email) for email in unique.values()}
            sent = [_track(moment, outcome) for outcome in outcomes.values() if isinstance(outcome, Invite)]
            failed = [Refused(email, outcome) for email, outcome in outcomes.items() if isinstance(outcome, Refusal)]
            return sent, failed

    def tracking(
        self, account: str, *, past_seconds: float | None, before: int | None, limit: int
    ) -> tuple[list[Tracked], int | None]:
        """A page of an account's invites, newest first.

        Args:
            account: Whose.
            past_seconds: Only those sent in so many seconds; None: all of this calendar month.
            before: Where the page begins: behind the invite of this number; None begins with the newest.
            limit: How many at most.

        Returns:
            The page, and where the next one begins; None at the end.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.reading() as moment:
            rows.find_account(moment, account)
            campaign = moment.scenario.campaign
            if campaign is None:
                return [], None
            since = month_start(moment.now) if past_seconds is None else moment.now - past_seconds
            found = invites.page(moment, campaign, account, since=since, before=before, limit=limit + 1)
            following = found[limit - 1].number if len(found) > limit else None
            return [_track(moment, invite) for invite in found[:limit]], following

    def resend(self, account: str, referral_id: str) -> float:
        """Send an invite's e-mail once more; from when on it can be sent again.

        Raises:
            UnknownAccount: There is none of this id.
            UnknownInvite: There is none of this id, or it is another account's.
            NotPending: Nobody can join by it any more.
            CoolingDown: It was sent only lately.
        """
        with self._world.writing() as moment:
            rows.find_account(moment, account)
            invite, campaign = invites.find(moment, referral_id=referral_id), moment.scenario.campaign
            if campaign is None or invite.referrer != account:
                raise UnknownInvite
            if not invite.awaits_friend(moment.now):
                raise NotPending
            if moment.now < invite.resend_at:
                raise CoolingDown(math.ceil(invite.resend_at - moment.now))
            return invites.resend(moment, campaign, invite).resend_at

    def open(self, token: str) -> tuple[Tracked, Campaign]:
        """Somebody looks at an invite's link.

        Raises:
            UnknownInvite: There is no such link.
        """
        with self._world.writing() as moment:
            invite, campaign = invites.find(moment, token=token), _campaign(moment)
            return _track(moment, invites.open_link(moment, invite)), campaign

    def accept(self, token: str, account: str) -> Tracked:
        """An account comes through an invite's link.

        Raises:
            UnknownInvite: There is no such link.
            UnknownAccount: There is no such account.
            InviteTaken: Another account came before.
        """
        with self._world.writing() as moment:
            invite, friend = invites.find(moment, token=token), rows.find_account(moment, account)
            return _track(moment, invites.join(moment, _campaign(moment), invite, friend))

    def reverse(self, referral_id: str) -> tuple[Tracked, list[str]]:
        """Take back what of both rewards is still there; the ids of the resets among it.

        Raises:
            UnknownInvite: There is none of this id.
            NotRewarded: It has earned nothing.
        """
        with self._world.writing() as moment:
            found = invites.find(moment, referral_id=referral_id)
            invite, revoked = invites.take_back(moment, _campaign(moment), found)
            return _track(moment, invite), revoked

    def everything(self) -> list[Tracked]:
        """Every invite of every account, oldest first."""
        with self._world.reading() as moment:
            return [_track(moment, invite) for invite in invites.every(moment)]


def _campaign(moment: Transaction) -> Campaign:
    """The campaign that every invite there is belongs to."""
    if moment.scenario.campaign is None:
        raise UnknownInvite
    return moment.scenario.campaign


def _track(moment: Transaction, invite: Invite) -> Tracked:
    campaign, now = _campaign(moment), moment.now
    return Tracked(
        invite,
        invite.state_at(now),
        invite.reason_at(now, campaign),
        can_resend=invite.awaits_friend(now) and now >= invite.resend_at,
        rewards=tuple(
            TrackedReward(reward.recipient, reward.grant_type, reward.amount, invites.reward_id(moment, invite, reward))
            for reward in campaign.rewards
        ),
    )
