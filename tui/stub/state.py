"""Everything the service knows, as `GET /stub/state` tells it. Pure."""

from collections.abc import Sequence
from typing import Any

from tui.stub.answers import rfc3339
from tui.stub.grants import balance
from tui.stub.programme import HeldCredit, MeteredWindow
from tui.stub.reading import GrantRecord, Reading, RequestRecord
from tui.stub.referral_payloads import INVITE_PATH
from tui.stub.referrals import Tracked
from tui.stub.traffic import FaultState

Payload = dict[str, Any]


def state(
    readings: Sequence[Reading],
    records: Sequence[RequestRecord],
    grants: Sequence[GrantRecord],
    invites: Sequence[Tracked],
    traffic: FaultState,
) -> Payload:
    """The whole state, for a test to count."""
    scenario, now = readings[0].scenario, readings[0].now
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "now": rfc3339(now),
        "accounts": [_account(reading) for reading in readings],
        "redemptions": records,
        "grants": [_grant(grant) for grant in grants],
        "invites": [_invite(tracked) for tracked in invites],
        "requests": dict(traffic.served),
        "faults": traffic.armed,
    }


def _account(reading: Reading) -> Payload:
    return {
        "id": reading.account,
        "plan": reading.plan,
        "email": reading.email,
        "available": reading.spendable,
        "balance": balance(reading.granted, reading.credits, reading.now),
        "windows": [_window(window, reading.now) for window in reading.windows],
        "credits": [_credit(credit, reading.now) for credit in reading.credits],
    }


def _window(window: MeteredWindow, now: float) -> Payload:
    return {
        "limit_id": window.limit_id,
        "kind": window.kind,
        "used_percent": window.used_percent,
        "idle": window.resets_at is None,
        "resets_at": rfc3339(window.reset_at(now)),
    }


def _credit(credit: HeldCredit, now: float) -> Payload:
    return {
        "id": credit.id,
        "type": credit.reset_type,
        "status": credit.status_at(now),
        "granted_at": rfc3339(credit.granted_at),
        "expires_at": rfc3339(credit.expires_at),
        "redeemed_at": rfc3339(credit.redeemed_at),
    }


def _grant(grant: GrantRecord) -> Payload:
    return {
        "account": grant.account,
        "source": grant.source,
        "reason": grant.reason,
        "kind": grant.kind,
        "amount": grant.amount,
        "key": grant.key,
        "at": rfc3339(grant.at),
    }


def _invite(tracked: Tracked) -> Payload:
    invite = tracked.invite
    return {
        "referral_id": invite.id,
        "referrer": invite.referrer,
        "email": invite.email,
        "status": tracked.state,
        "reason": tracked.reason,
        "link": INVITE_PATH + invite.token,
        "emails_sent": invite.emails_sent,
        "friend": invite.friend,
    }
