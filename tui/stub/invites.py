"""Invites as rows, and what becomes of them; every function works inside a transaction of `StubDatabase`."""

import secrets
from typing import Final
from uuid import UUID, uuid5

from msgspec.structs import fields

from tui.domain.referral import REFERRER, RESET_CREDIT
from tui.stub import referral, rows
from tui.stub.grants import Grant, GrantSource
from tui.stub.referral import (
    FIRST_RESEND_AFTER,
    FRIEND,
    Campaign,
    Candidate,
    Ineligible,
    Invite,
    NotOffered,
    Refusal,
    Reward,
    comparable,
    is_address,
)
from tui.stub.rows import Account
from tui.stub.world import Transaction

_INVITE_IDS: Final = UUID("6f0c3c0e-53a1-5d0a-8a55-0b0a4f1b6a27")
_TOKEN_BYTES: Final = 24
_FIELDS: Final = ", ".join(field.name for field in fields(Invite))


class UnknownInvite(LookupError):
    """There is no such invite."""


class InviteTaken(Exception):
    """Somebody else has come through this invite."""


class NotRewarded(Exception):
    """The invite has earned nothing that could be taken back."""


def find(moment: Transaction, *, token: str | None = None, referral_id: str | None = None) -> Invite:
    """Look an invite up by its link's token, or by its id.

    Raises:
        UnknownInvite: There is none.
    """
    found = _select(moment, "token = ? OR id = ?", token, referral_id)
    if not found:
        raise UnknownInvite
    return found[0]


def page(
    moment: Transaction, campaign: Campaign, referrer: str, *, since: float, before: int | None, limit: int
) -> list[Invite]:
    """A referrer's invites, newest first.

    Args:
        moment: The transaction.
        campaign: Whose invites.
        referrer: The account.
        since: Only those sent from then on.
        before: Only those with a lower number; None begins with the newest.
        limit: How many at most.
    """
    return _select(
        moment,
        "referrer = ? AND campaign = ? AND number < ? AND sent_at >= ? ORDER BY number DESC LIMIT ?",
        referrer,
        campaign.id,
        2**62 if before is None else before,
        since,
        limit,
    )


def every(moment: Transaction) -> list[Invite]:
    """Every invite, oldest first."""
    return _select(moment, "1 ORDER BY number")


def counts(moment: Transaction, campaign: Campaign, referrer: str) -> tuple[int, int]:
    """How many invites a referrer has sent, and how many of them were rewarded, also those taken back since."""
    sent, rewarded = moment.connection.execute(
        "SELECT count(*), count(reward_slot) FROM invite WHERE referrer = ? AND campaign = ?", (referrer, campaign.id)
    ).fetchone()
    return sent, rewarded


def not_offered(moment: Transaction, account: Account) -> NotOffered | None:
    """Why the scenario's campaign is not offered to an account now; None where it is."""
    return referral.not_offered(moment.scenario.campaign, account.terms, moment.began, moment.now)


def send(moment: Transaction, campaign: Campaign, referrer: Account, email: str) -> Invite | Refusal:
    """Send an invite to an address, or say why not."""
    address = comparable(email)
    refusal = _refusal(moment, campaign, referrer, address)
    if refusal is not None:
        return refusal
    now = moment.now
    cursor = moment.connection.execute(
        "INSERT INTO invite (id, campaign, referrer, email, address, token, sent_at, expires_at, resend_at,"
        " emails_sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            token := secrets.token_urlsafe(_TOKEN_BYTES),
            campaign.id,
            referrer.id,
            email.strip(),
            address,
            token,
            now,
            now + campaign.invite_life,
            now + FIRST_RESEND_AFTER,
        ),
    )
    referral_id = f"Referral_{uuid5(_INVITE_IDS, str(cursor.lastrowid)).hex}"
    moment.connection.execute("UPDATE invite SET id = ? WHERE number = ?", (referral_id, cursor.lastrowid))
    return find(moment, referral_id=referral_id)


def _refusal(moment: Transaction, campaign: Campaign, referrer: Account, address: str) -> Refusal | None:
    if not is_address(address):
        return Refusal.NO_ADDRESS
    if address == comparable(referrer.email):
        return Refusal.OWN_ADDRESS
    earlier = _select(moment, "address = ?", address)
    if any(invite.referrer == referrer.id and invite.campaign == campaign.id for invite in earlier):
        return Refusal.ALREADY_INVITED
    if any(invite.is_pending(moment.now) for invite in earlier):
        return Refusal.INVITED_BY_OTHERS
    sent, _ = counts(moment, campaign, referrer.id)
    return Refusal.NONE_LEFT if campaign.send_capacity is not None and sent >= campaign.send_capacity else None


def resend(moment: Transaction, campaign: Campaign, invite: Invite) -> Invite:
    """Send an invite's e-mail once more."""
    return _update(moment, invite, emails_sent=invite.emails_sent + 1, resend_at=moment.now + campaign.resend_cooldown)


def open_link(moment: Transaction, invite: Invite) -> Invite:
    """Somebody looks at the link."""
    if invite.opened_at is not None or not invite.awaits_friend(moment.now):
        return invite
    return _update(moment, invite, opened_at=moment.now)


def join(moment: Transaction, campaign: Campaign, invite: Invite, friend: Account) -> Invite:
    """An account comes through an invite; again changes nothing, too late neither.

    Raises:
        InviteTaken: Another account came before.
    """
    if invite.friend not in (None, friend.id):
        raise InviteTaken
    if not invite.awaits_friend(moment.now):
        return invite
    invite = open_link(moment, invite)
    joined_before = bool(_select(moment, "friend = ? AND joined_at IS NOT NULL", friend.id))
    candidate = Candidate(friend.id, friend.terms, friend.last_used_at, joined_before)
    verdict = referral.ineligible(invite, campaign, candidate, moment.now)
    if verdict is not None:
        return _update(moment, invite, friend=friend.id, ineligible=verdict)
    return _update(
        moment, invite, friend=friend.id, joined_at=moment.now, expires_at=moment.now + campaign.message_life
    )


def note_turn(moment: Transaction, account: str) -> bool:
    """An account has completed a model turn: perhaps the first message of a friend, which rewards both sides.

    Returns:
        Whether it was one that is rewarded.
    """
    moment.connection.execute("UPDATE account SET last_used_at = ? WHERE id = ?", (moment.now, account))
    campaign = moment.scenario.campaign
    found = _select(moment, "friend = ? AND joined_at IS NOT NULL AND first_message_at IS NULL", account)
    if campaign is None or not found or not found[0].is_pending(moment.now):
        return False
    invite = found[0]
    friend, referrer = rows.find_account(moment, account), rows.find_account(moment, invite.referrer)
    _, rewarded = counts(moment, campaign, referrer.id)
    outcome = referral.first_message(campaign, friend.terms, referrer.terms, rewarded)
    if isinstance(outcome, int):
        _update(moment, invite, first_message_at=moment.now, reward_slot=outcome)
        for reward in campaign.rewards:
            _land(moment, invite, reward)
        return True
    column = "ineligible" if isinstance(outcome, Ineligible) else "unrewarded"
    _update(moment, invite, first_message_at=moment.now, **{column: outcome})
    return False


def _land(moment: Transaction, invite: Invite, reward: Reward) -> None:
    account, other = _sides(invite, reward.recipient)
    did = "invited" if reward.recipient == REFERRER else "were invited by"
    grant = Grant(
        grant_key(invite, reward.recipient),
        GrantSource.REFERRAL,
        f"Invite {invite.id}",
        reward.amount,
        kind=reward.grant_type,
        granted_by=f"@{other}",
        description=f"You {did} a friend, and earned one rate limit reset.",
    )
    rows.land(moment, account, grant)


def take_back(moment: Transaction, campaign: Campaign, invite: Invite) -> tuple[Invite, list[str]]:
    """Take back what of both rewards is still there; the ids of the resets among it. Again takes nothing more.

    Raises:
        NotRewarded: It has earned nothing.
    """
    if invite.reward_slot is None:
        raise NotRewarded
    if invite.reversed_at is not None:
        return invite, []
    revoked = []
    for reward in campaign.rewards:
        account, _ = _sides(invite, reward.recipient)
        if reward.grant_type == RESET_CREDIT:
            revoked += rows.revoke(moment, account, grant_key(invite, reward.recipient))
        else:
            key = f"reversal:{invite.id}:{reward.recipient}"
            counter = Grant(key, GrantSource.REFERRAL, "Taken back", -reward.amount, kind=reward.grant_type)
            rows.land(moment, account, counter)
    return _update(moment, invite, reversed_at=moment.now), revoked


def grant_key(invite: Invite, recipient: str) -> str:
    """The key of one side's reward for an invite."""
    return f"referral:{invite.id}:{recipient}"


def reward_id(moment: Transaction, invite: Invite, reward: Reward) -> str | None:
    """What one side's reward has become: the id of its credit, or of the grant where it is no reset; None before."""
    if invite.reward_slot is None:
        return None
    key = grant_key(invite, reward.recipient)
    return next(iter(rows.credits_of(moment, key)), f"Grant_{uuid5(_INVITE_IDS, key).hex}")


def _sides(invite: Invite, recipient: str) -> tuple[str, str]:
    """The account that a reward is for, and the one on the other side."""
    friend = invite.friend or ""
    return (friend, invite.referrer) if recipient == FRIEND else (invite.referrer, friend)


def _select(moment: Transaction, where: str, *values: object) -> list[Invite]:
    found = moment.connection.execute(
        f"SELECT {_FIELDS} FROM invite WHERE {where}",  # noqa: S608 - our own words
        values,
    )
    return [Invite(*row) for row in found]


def _update(moment: Transaction, invite: Invite, **changes: object) -> Invite:
    columns = ", ".join(f"{name} = ?" for name in changes)
    moment.connection.execute(
        f"UPDATE invite SET {columns} WHERE number = ?",  # noqa: S608 - our own names
        (*changes.values(), invite.number),
    )
    return find(moment, referral_id=invite.id)
