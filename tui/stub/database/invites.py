"""Invites as rows, and what becomes of them; inside a transaction."""

import secrets
from typing import Final
from uuid import UUID, uuid5

from msgspec.structs import fields, replace

from tui.domain.referral import REFERRER, RESET_CREDIT
from tui.stub.database import accounts, grants
from tui.stub.database.accounts import Account
from tui.stub.database.transactions import Transaction
from tui.stub.refused import Refused
from tui.stub.rules import invites as rules
from tui.stub.rules.grants import Grant, GrantSource
from tui.stub.rules.invites import FRIEND, AddressRefusal, Campaign, Candidate, Ineligible, Invite, Reward

_INVITE_IDS: Final = UUID("6f0c3c0e-53a1-5d0a-8a55-0b0a4f1b6a27")
_TOKEN_BYTES: Final = 24
_FIELDS: Final = ", ".join(field.name for field in fields(Invite))


def find(transaction: Transaction, *, token: str | None = None, referral_id: str | None = None) -> Invite:
    """Look an invite up by its link's token, or by its id; raises `Refused` where there is none."""
    found = select(transaction, "token = ? OR id = ?", token, referral_id)
    if not found:
        raise Refused(404, "There is no such invite.")
    return found[0]


def select(transaction: Transaction, where: str, *values: object) -> list[Invite]:
    """The invites that a condition, written in our own words, holds for."""
    found = transaction.execute(f"SELECT {_FIELDS} FROM invite WHERE {where}", *values)  # noqa: S608 - our own words
    return [Invite(*row) for row in found]


def counts(transaction: Transaction, campaign: Campaign, referrer: str) -> tuple[int, int]:
    """How many invites a referrer has sent, and how many of them were rewarded, also those taken back since."""
    query = "SELECT count(*), count(reward_slot) FROM invite WHERE referrer = ? AND campaign = ?"
    sent, rewarded = transaction.execute(query, referrer, campaign.id).fetchone()
    return sent, rewarded


def send(transaction: Transaction, campaign: Campaign, referrer: Account, email: str) -> Invite | AddressRefusal:
    """Send an invite to an address, or say why not."""
    address = rules.comparable(email)
    refusal = _refusal(transaction, campaign, referrer, address)
    if refusal is not None:
        return refusal
    now, token = transaction.now, secrets.token_urlsafe(_TOKEN_BYTES)
    number = transaction.execute(
        "INSERT INTO invite (id, campaign, referrer, email, address, token, sent_at, expires_at, resend_at,"
        " emails_sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        *(token, campaign.id, referrer.id, email.strip(), address, token),
        *(now, now + campaign.invite_life, now + rules.FIRST_RESEND_AFTER),
    ).lastrowid
    referral_id = f"Referral_{uuid5(_INVITE_IDS, str(number)).hex}"
    transaction.execute("UPDATE invite SET id = ? WHERE number = ?", referral_id, number)
    return find(transaction, referral_id=referral_id)


def _refusal(transaction: Transaction, campaign: Campaign, referrer: Account, address: str) -> AddressRefusal | None:
    if not rules.is_address(address):
        return AddressRefusal.NO_ADDRESS
    if address == rules.comparable(referrer.email):
        return AddressRefusal.OWN_ADDRESS
    earlier = select(transaction, "address = ?", address)
    if any(invite.referrer == referrer.id and invite.campaign == campaign.id for invite in earlier):
        return AddressRefusal.ALREADY_INVITED
    if any(invite.is_pending(transaction.now) for invite in earlier):
        return AddressRefusal.INVITED_BY_OTHERS
    sent, _ = counts(transaction, campaign, referrer.id)
    is_full = campaign.send_capacity is not None and sent >= campaign.send_capacity
    return AddressRefusal.NONE_LEFT if is_full else None


def open_link(transaction: Transaction, invite: Invite) -> Invite:
    """Somebody looks at the link."""
    if invite.opened_at is not None or not invite.awaits_friend(transaction.now):
        return invite
    return update(transaction, invite, opened_at=transaction.now)


def join(transaction: Transaction, campaign: Campaign, invite: Invite, friend: Account) -> Invite:
    """An account comes through an invite, unless another did; again changes nothing, too late neither."""
    if invite.friend not in (None, friend.id):
        raise Refused(409, "another account has come through this invite")
    if not invite.awaits_friend(transaction.now):
        return invite
    invite = open_link(transaction, invite)
    joined_before = bool(select(transaction, "friend = ? AND joined_at IS NOT NULL", friend.id))
    candidate = Candidate(friend.id, friend.terms, friend.last_used_at, joined_before)
    why_not = rules.ineligible(invite, campaign, candidate, transaction.now)
    if why_not is not None:
        return update(transaction, invite, friend=friend.id, ineligible=why_not)
    expires_at = transaction.now + campaign.message_life
    return update(transaction, invite, friend=friend.id, joined_at=transaction.now, expires_at=expires_at)


def note_turn(transaction: Transaction, account: str) -> bool:
    """An account has completed a model turn; whether it was the first message of a friend, which rewards both sides."""
    transaction.execute("UPDATE account SET last_used_at = ? WHERE id = ?", transaction.now, account)
    campaign = transaction.scenario.campaign
    found = select(transaction, "friend = ? AND joined_at IS NOT NULL AND first_message_at IS NULL", account)
    if campaign is None or not found or not found[0].is_pending(transaction.now):
        return False
    invite = found[0]
    friend, referrer = accounts.find_account(transaction, account), accounts.find_account(transaction, invite.referrer)
    _, rewarded = counts(transaction, campaign, referrer.id)
    outcome = rules.first_message(campaign, friend.terms, referrer.terms, rewarded)
    if isinstance(outcome, int):
        update(transaction, invite, first_message_at=transaction.now, reward_slot=outcome)
        for reward in campaign.rewards:
            did = "invited" if reward.recipient == REFERRER else "were invited by"
            words = f"You {did} a friend, and earned one rate limit reset."
            _land(transaction, invite, reward, f"Invite {invite.id}", _grant_key(invite, reward), words)
        return True
    column = "ineligible" if isinstance(outcome, Ineligible) else "unrewarded"
    update(transaction, invite, first_message_at=transaction.now, **{column: outcome})
    return False


def take_back(transaction: Transaction, campaign: Campaign, invite: Invite) -> tuple[Invite, list[str]]:
    """Take back what of both rewards is still there, once; the resets among it. Refused if it earned none."""
    if invite.reward_slot is None:
        raise Refused(409, "this invite has earned nothing")
    if invite.reversed_at is not None:
        return invite, []
    revoked = []
    for reward in campaign.rewards:
        if reward.grant_type == RESET_CREDIT:
            revoked += grants.revoke(transaction, _sides(invite, reward)[0], _grant_key(invite, reward))
        else:
            counter = replace(reward, amount=-reward.amount)
            _land(transaction, invite, counter, "Taken back", f"reversal:{invite.id}:{reward.recipient}")
    return update(transaction, invite, reversed_at=transaction.now), revoked


def _land(transaction: Transaction, invite: Invite, reward: Reward, reason: str, key: str, words: str = "") -> None:
    account, other = _sides(invite, reward)
    grant = Grant(
        key,
        GrantSource.REFERRAL,
        reason,
        reward.amount,
        kind=reward.grant_type,
        granted_by=f"@{other}",
        description=words,
    )
    grants.land(transaction, account, grant, accounts.find_account(transaction, account).terms)


def given(transaction: Transaction, invite: Invite, reward: Reward) -> Reward:
    """A reward with what it has become: the id of its credit, or of the grant where it is no reset."""
    if invite.reward_slot is None:
        return reward
    key = _grant_key(invite, reward)
    grant_id = f"Grant_{uuid5(_INVITE_IDS, key).hex}"
    return replace(reward, reward_id=next(iter(grants.credits_of(transaction, key)), grant_id))


def _grant_key(invite: Invite, reward: Reward) -> str:
    return f"referral:{invite.id}:{reward.recipient}"


def _sides(invite: Invite, reward: Reward) -> tuple[str, str]:
    """The account that a reward is for, and the one on the other side."""
    friend = invite.friend or ""
    return (friend, invite.referrer) if reward.recipient == FRIEND else (invite.referrer, friend)


def update(transaction: Transaction, invite: Invite, **changes: object) -> Invite:
    """Write an invite's new values."""
    columns = ", ".join(f"{name} = ?" for name in changes)
    transaction.execute(
        f"UPDATE invite SET {columns} WHERE number = ?",  # noqa: S608 - our own names
        *(*changes.values(), invite.number),
    )
    return find(transaction, referral_id=invite.id)
