"""Everything the service knows, for `GET /stub/state`."""

import msgspec

from tui.stub.database.accounts import Reading
from tui.stub.database.bank import Bank
from tui.stub.database.referrals import Tracked
from tui.stub.faults import FaultState
from tui.stub.http.answers import Payload, rfc3339
from tui.stub.http.invites import INVITE_PATH


def state(bank: Bank, faults: FaultState) -> Payload:
    """The whole state, for a test to count."""
    readings, records = bank.everything()
    scenario, now = readings[0].scenario, readings[0].now
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "now": rfc3339(now),
        "accounts": [_account(reading) for reading in readings],
        "redemptions": records,
        "grants": [msgspec.structs.asdict(grant) | {"at": rfc3339(grant.at)} for grant in bank.grants()],
        "invites": [_invite(tracked) for tracked in bank.referrals.everything()],
        "requests": dict(faults.served),
        "faults": faults.armed,
    }


def _account(reading: Reading) -> Payload:
    now = reading.now
    return {
        "id": reading.account,
        "plan": reading.plan,
        "email": reading.email,
        "available": reading.spendable,
        "windows": [
            {
                "limit_id": window.limit_id,
                "kind": window.kind,
                "used_percent": window.used_percent,
                "idle": window.resets_at is None,
                "resets_at": rfc3339(window.reset_at(now)),
            }
            for window in reading.windows
        ],
        "credits": [
            {
                "id": credit.id,
                "type": credit.reset_type,
                "status": credit.status_at(now),
                "granted_at": rfc3339(credit.granted_at),
                "expires_at": rfc3339(credit.expires_at),
                "redeemed_at": rfc3339(credit.redeemed_at),
            }
            for credit in reading.credits
        ],
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
