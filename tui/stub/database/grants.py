"""Grants and the credits that come with them; inside a transaction."""

from typing import Final
from uuid import UUID, uuid5

import msgspec

from tui.domain.referral import RESET_CREDIT
from tui.stub.database.transactions import Transaction
from tui.stub.rules.grants import Grant
from tui.stub.rules.plans import Plan
from tui.stub.rules.resets import HeldStatus
from tui.stub.scenario import CreditStart

_CREDIT_IDS: Final = UUID("b265c388-14b8-5191-99f4-6730968366f5")


class GrantRecord(msgspec.Struct, frozen=True):
    """One grant that landed."""

    account: str
    source: str
    reason: str
    kind: str
    amount: int
    key: str
    at: float


def land(
    transaction: Transaction,
    account: str,
    grant: Grant,
    plan: Plan,
    *,
    at: float | None = None,
    start: CreditStart | None = None,
) -> list[str]:
    """Carry a grant out, once: the only way to get anything. One whose key has landed before changes nothing.

    The account's plan gives a reset its title, and `start` says what its credits look like where they are not ordinary.

    Returns:
        The ids of its credits, also where it landed before; none for what is no reset.
    """
    granted_at = transaction.now if at is None else at
    row = transaction.execute(
        "INSERT INTO grant (key, account, source, reason, kind, amount, life, granted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        *(grant.key, account, grant.source, grant.reason, grant.kind, grant.amount, grant.life, granted_at),
    ).fetchone()
    if row is not None and grant.kind == RESET_CREDIT:
        look = start or CreditStart(
            grant.life, title=plan.reset_title, description=grant.description, granted_by=grant.granted_by
        )
        for _ in range(grant.amount):
            _insert_credit(transaction, account, row[0], granted_at, grant.life, look)
    return credits_of(transaction, grant.key)


def _insert_credit(
    transaction: Transaction, account: str, grant_id: int, granted_at: float, life: float | None, look: CreditStart
) -> None:
    # Whole seconds: Codex knows no finer ones, so that every reader sees the same moment.
    expires_at = None if life is None else float(int(granted_at + life))
    number = transaction.execute(
        "INSERT INTO credit (account, id, status, granted_at, expires_at, reset_type, title, description, granted_by,"
        " supported, grant_id) VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(account, look.status, float(int(granted_at)), expires_at, look.reset_type, look.title, look.description),
        *(look.granted_by, look.supported, grant_id),
    ).lastrowid
    credit_id = f"RateLimitResetCredit_{uuid5(_CREDIT_IDS, str(number)).hex}"
    transaction.execute("UPDATE credit SET id = ? WHERE number = ?", credit_id, number)


def credits_of(transaction: Transaction, key: str) -> list[str]:
    """The ids of the credits that came with a grant."""
    rows = transaction.execute(
        "SELECT credit.id FROM credit JOIN grant ON grant.id = credit.grant_id WHERE grant.key = ? ORDER BY number", key
    )
    return [row[0] for row in rows]


def revoke(transaction: Transaction, account: str, key: str | None = None) -> list[str]:
    """Take back what an account still holds, or only what came with the grant of this key; the ids."""
    rows = transaction.execute(
        "UPDATE credit SET status = ?1 WHERE account = ?2 AND status NOT IN (?1, ?3)"
        " AND NOT (status = ?4 AND coalesce(expires_at <= ?5, 0))"
        " AND (?6 IS NULL OR grant_id = (SELECT id FROM grant WHERE key = ?6)) RETURNING id",
        *(HeldStatus.REVOKED, account, HeldStatus.REDEEMED, HeldStatus.AVAILABLE, transaction.now, key),
    ).fetchall()
    return sorted(row[0] for row in rows)
