"""Offers and invites: every method is one transaction.

A reward is not asked for: it lands with the friend's first completed message, in the transaction of that turn.
"""

import math
from collections.abc import Sequence

import msgspec

from tui.domain.referral import CONSUMER, InviteStatus
from tui.stub.database import invites
from tui.stub.database.accounts import find_account
from tui.stub.database.transactions import StubDatabase, Transaction
from tui.stub.refused import Refused
from tui.stub.rules import invites as rules


class OfferReading(msgspec.Struct, frozen=True):
    """What one account is offered at one moment."""

    campaign: rules.Campaign | None
    """None: there is no campaign."""
    refused: rules.NotOffered | None
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


class Tracked(msgspec.Struct, frozen=True):
    """One invite as it stands at one moment."""

    invite: rules.Invite
    state: InviteStatus
    reason: str | None
    can_resend: bool
    rewards: tuple[rules.Reward, ...]


class Referrals:
    """The campaign of the scenario and its invites; safe from any thread, one caller at a time.

    A method that is given an account raises `UnknownAccount` where there is none of this id, and one that is given an
    invite `Refused` where there is no such one.
    """

    def __init__(self, database: StubDatabase) -> None:
        self._database = database

    def offer(self, account: str, program: str = CONSUMER) -> OfferReading:
        """What an account is offered in a programme."""
        with self._database.reading() as transaction:
            return _offer(transaction, account, program)

    def send(
        self, account: str, emails: Sequence[str], program: str = CONSUMER
    ) -> tuple[list[Tracked], dict[str, rules.AddressRefusal]]:
        """Send invites; an address that is named twice gets one. Raises `Refused` where the account is offered none.

        Returns:
            What was sent, and which addresses got none and why.
        """
        with self._database.writing() as transaction:
            offer = _offer(transaction, account, program)
            if offer.campaign is None or offer.refused is not None:
                raise Refused(403, offer.refused or rules.NotOffered.NONE)
            referrer, sent, failed = find_account(transaction, account), [], {}
            unique: dict[str, str] = {}
            for email in emails:
                unique.setdefault(rules.comparable(email), email)
            for email in unique.values():
                outcome = invites.send(transaction, offer.campaign, referrer, email)
                if isinstance(outcome, rules.Invite):
                    sent.append(_track(transaction, outcome))
                else:
                    failed[email] = outcome
            return sent, failed

    def tracking(
        self, account: str, *, past_seconds: float, before: int | None, limit: int, program: str = CONSUMER
    ) -> tuple[list[Tracked], int | None]:
        """A page of the invites that an account sent in so many seconds, newest first, behind the one with that number.

        Returns:
            The page, and where the next one begins; None at the end.
        """
        with self._database.reading() as transaction:
            campaign = _offer(transaction, account, program).campaign
            where = "referrer = ? AND campaign = ? AND number < ? AND sent_at >= ? ORDER BY number DESC LIMIT ?"
            begin = 2**62 if before is None else before
            since, name = transaction.now - past_seconds, campaign.id if campaign else None
            found = invites.select(transaction, where, account, name, begin, since, limit + 1)
            following = found[limit - 1].number if len(found) > limit else None
            return [_track(transaction, invite) for invite in found[:limit]], following

    def resend(self, account: str, referral_id: str) -> float:
        """Send an invite's e-mail once more, unless that was lately; from when on it can be sent again."""
        with self._database.writing() as transaction:
            find_account(transaction, account)
            invite = invites.find(transaction, referral_id=referral_id)
            campaign = _campaign(transaction)
            if invite.referrer != account:
                raise Refused(404, "There is no such invite.")
            if not invite.awaits_friend(transaction.now):
                raise Refused(409, "This invite is no longer pending.")
            if transaction.now < invite.resend_at:
                wait = math.ceil(invite.resend_at - transaction.now)
                raise Refused(429, f"This invite can be sent again in {wait} seconds.", wait)
            again = transaction.now + campaign.resend_cooldown
            return invites.update(transaction, invite, emails_sent=invite.emails_sent + 1, resend_at=again).resend_at

    def open(self, token: str) -> tuple[Tracked, rules.Campaign]:
        """Somebody looks at an invite's link."""
        with self._database.writing() as transaction:
            invite = invites.open_link(transaction, invites.find(transaction, token=token))
            return _track(transaction, invite), _campaign(transaction)

    def accept(self, token: str, account: str) -> Tracked:
        """An account comes through an invite's link, unless another came before."""
        with self._database.writing() as transaction:
            invite, friend = invites.find(transaction, token=token), find_account(transaction, account)
            return _track(transaction, invites.join(transaction, _campaign(transaction), invite, friend))

    def reverse(self, referral_id: str) -> tuple[Tracked, list[str]]:
        """Take back what of both rewards is still there; the ids of the resets among it."""
        with self._database.writing() as transaction:
            found = invites.find(transaction, referral_id=referral_id)
            invite, revoked = invites.take_back(transaction, _campaign(transaction), found)
            return _track(transaction, invite), revoked

    def everything(self) -> list[Tracked]:
        """Every invite of every account, oldest first."""
        with self._database.reading() as transaction:
            return [_track(transaction, invite) for invite in invites.select(transaction, "1 ORDER BY number")]


def _offer(transaction: Transaction, account: str, program: str) -> OfferReading:
    plan, campaign = find_account(transaction, account).terms, transaction.scenario.campaign
    if campaign is not None and campaign.program != program:
        campaign = None
    refused = rules.not_offered(campaign, plan, transaction.began, transaction.now)
    sent, rewarded = (0, 0) if campaign is None else invites.counts(transaction, campaign, account)
    return OfferReading(campaign, refused, sent, rewarded, transaction.began)


def _campaign(transaction: Transaction) -> rules.Campaign:
    """The campaign that every invite there is belongs to."""
    if transaction.scenario.campaign is None:
        raise Refused(404, "There is no such invite.")
    return transaction.scenario.campaign


def _track(transaction: Transaction, invite: rules.Invite) -> Tracked:
    campaign, now = _campaign(transaction), transaction.now
    can_resend = invite.awaits_friend(now) and now >= invite.resend_at
    rewards = tuple(invites.given(transaction, invite, reward) for reward in campaign.rewards)
    return Tracked(invite, invite.state_at(now), invite.reason_at(now, campaign), can_resend, rewards)
