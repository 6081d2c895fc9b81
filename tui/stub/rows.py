"""Accounts, windows, credits and grants as rows; every function works inside a transaction of `StubDatabase`."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from tui.domain.referral import RESET_CREDIT
from tui.domain.windows import WindowKind
from tui.stub import programme
from tui.stub.grants import Grant, GrantSource, complimentary, complimentary_key
from tui.stub.plans import Plan, plan_named
from tui.stub.programme import HeldCredit, HeldStatus, MeteredWindow
from tui.stub.reading import AccountExists, GrantRecord, Reading, UnknownAccount
from tui.stub.scenario import CreditStart
from tui.stub.scenarios import MAIN_ACCOUNT
from tui.stub.world import Transaction

_CREDIT_IDS: Final = UUID("b265c388-14b8-5191-99f4-6730968366f5")
_CREDIT_FIELDS = (
    "id, status, granted_at, expires_at, reset_type, redeemed_at, title, description, granted_by, supported"
)


class Account(msgspec.Struct, frozen=True):
    """Who somebody is."""

    id: str
    plan: str
    email: str
    plan_since: float
    last_used_at: float | None
    """When it last used Codex; None: never."""

    @property
    def terms(self) -> Plan:
        """What its plan includes."""
        return plan_named(self.plan)


def find_account(moment: Transaction, account: str) -> Account:
    """Look an account up.

    Raises:
        UnknownAccount: There is none of this id.
    """
    row = moment.connection.execute(
        "SELECT id, plan, email, plan_since, last_used_at FROM account WHERE id = ?", (account,)
    ).fetchone()
    if row is None:
        raise UnknownAccount(account)
    return Account(*row)


def add_account(moment: Transaction, account: Account, windows: Sequence[MeteredWindow]) -> None:
    """Make an account.

    Raises:
        AccountExists: There is one of this id.
    """
    added = moment.connection.execute(
        "INSERT INTO account (id, plan, email, plan_since, last_used_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (account.id, account.plan, account.email, account.plan_since, account.last_used_at),
    ).rowcount
    if not added:
        raise AccountExists(account.id)
    write_windows(moment, account.id, windows)


def write_windows(moment: Transaction, account: str, windows: Sequence[MeteredWindow]) -> None:
    """Put an account's windows into their slots; slots beyond them stay."""
    moment.connection.executemany(
        "INSERT OR REPLACE INTO usage_window VALUES (?, ?, ?, ?, ?, ?)",
        [
            (account, slot, window.kind, window.used_percent, window.resets_at, window.limit_id)
            for slot, window in enumerate(windows)
        ],
    )


def change_plan(moment: Transaction, account: str, plan: str, windows: Sequence[MeteredWindow]) -> None:
    """Give an account another plan, with the windows that come with it."""
    moment.connection.execute("UPDATE account SET plan = ?, plan_since = ? WHERE id = ?", (plan, moment.now, account))
    moment.connection.execute("DELETE FROM usage_window WHERE account = ?", (account,))
    write_windows(moment, account, windows)


def read(moment: Transaction, account: str, *, all_credits: bool = False) -> Reading:
    """Read one account as its rows stand; its complimentary reset may still be owed.

    Raises:
        UnknownAccount: There is none of this id.
    """
    found, now, connection = find_account(moment, account), moment.now, moment.connection
    windows = connection.execute(
        "SELECT kind, used_percent, resets_at, limit_id FROM usage_window WHERE account = ? ORDER BY slot", (account,)
    ).fetchall()
    only = "" if all_credits else f" AND status = '{HeldStatus.AVAILABLE}'"
    held = connection.execute(
        f"SELECT {_CREDIT_FIELDS} FROM credit WHERE account = ?{only}",  # noqa: S608 - our own words
        (account,),
    ).fetchall()
    granted, earned, others, was_given = connection.execute(
        "SELECT coalesce(sum(amount) FILTER (WHERE kind = ?2), 0),"
        " coalesce(sum(amount) FILTER (WHERE kind = ?2 AND source = ?3), 0),"
        " coalesce(sum(amount) FILTER (WHERE kind != ?2), 0), coalesce(max(key = ?4), 0)"
        " FROM grant WHERE account = ?1",
        (account, RESET_CREDIT, GrantSource.REFERRAL, complimentary_key(account)),
    ).fetchone()
    reached = moment.scenario.programme.reached_at(found.terms, moment.began, found.plan_since)
    return Reading(
        now=now,
        scenario=moment.scenario,
        began=moment.began,
        account=account,
        plan=found.plan,
        email=found.email,
        windows=tuple(programme.roll_over(MeteredWindow(WindowKind(kind), *rest), now) for kind, *rest in windows),
        credits=tuple(sorted((_credit(row) for row in held), key=programme.soonest_first)),
        granted=granted,
        earned=earned,
        personal_credits=others,
        owed_since=reached if not was_given and reached is not None and reached <= now else None,
        extras=moment.scenario.extras if account == MAIN_ACCOUNT else {},
    )


def settle(moment: Transaction, account: str, *, all_credits: bool = False) -> Reading:
    """Read one account after it was given the complimentary reset that it is owed, from the moment it was owed on.

    Raises:
        UnknownAccount: There is none of this id.
    """
    reading = read(moment, account, all_credits=all_credits)
    if reading.owed_since is None:
        return reading
    land(moment, account, complimentary(account), at=reading.owed_since)
    return read(moment, account, all_credits=all_credits)


def land(
    moment: Transaction, account: str, grant: Grant, *, at: float | None = None, start: CreditStart | None = None
) -> list[str]:
    """Carry a grant out, once: the only way to get anything.

    Args:
        moment: The transaction.
        account: To whom.
        grant: What; one whose key has landed before changes nothing.
        at: When; None: now.
        start: What its credits look like, where they are not ordinary ones.

    Returns:
        The ids of its credits, also where it landed before; none for what is no reset.

    Raises:
        UnknownAccount: There is no such account.
    """
    granted_at = moment.now if at is None else at
    row = moment.connection.execute(
        "INSERT INTO grant (key, account, source, reason, kind, amount, life, granted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        (grant.key, account, grant.source, grant.reason, grant.kind, grant.amount, grant.life, granted_at),
    ).fetchone()
    if row is not None and grant.kind == RESET_CREDIT:
        look = start or CreditStart(
            grant.life,
            title=find_account(moment, account).terms.reset_title,
            description=grant.description,
            granted_by=grant.granted_by,
        )
        for _ in range(grant.amount):
            _insert_credit(moment, account, row[0], granted_at, grant.life, look)
    return credits_of(moment, grant.key)


def _insert_credit(
    moment: Transaction, account: str, grant_id: int, granted_at: float, life: float | None, look: CreditStart
) -> None:
    # Whole seconds: Codex knows no finer ones, so that every reader sees the same moment.
    cursor = moment.connection.execute(
        "INSERT INTO credit (account, id, status, granted_at, expires_at, reset_type, title, description, granted_by,"
        " supported, grant_id) VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account,
            look.status,
            float(int(granted_at)),
            None if life is None else float(int(granted_at + life)),
            look.reset_type,
            look.title,
            look.description,
            look.granted_by,
            look.supported,
            grant_id,
        ),
    )
    credit_id = f"RateLimitResetCredit_{uuid5(_CREDIT_IDS, str(cursor.lastrowid)).hex}"
    moment.connection.execute("UPDATE credit SET id = ? WHERE number = ?", (credit_id, cursor.lastrowid))


def credits_of(moment: Transaction, key: str) -> list[str]:
    """The ids of the credits that came with a grant."""
    rows = moment.connection.execute(
        "SELECT credit.id FROM credit JOIN grant ON grant.id = credit.grant_id WHERE grant.key = ? ORDER BY number",
        (key,),
    )
    return [row[0] for row in rows]


def revoke(moment: Transaction, account: str, key: str | None = None) -> list[str]:
    """Take back what an account still holds; the ids.

    Args:
        moment: The transaction.
        account: Whose.
        key: Only what came with this grant; None: all.
    """
    only = "" if key is None else " AND grant_id = (SELECT id FROM grant WHERE key = :key)"
    rows = moment.connection.execute(
        f"UPDATE credit SET status = :revoked WHERE account = :account{only}"  # noqa: S608 - our own words
        " AND status NOT IN (:revoked, :redeemed)"
        " AND NOT (status = :available AND coalesce(expires_at <= :now, 0)) RETURNING id",
        {
            "account": account,
            "key": key,
            "now": moment.now,
            "revoked": HeldStatus.REVOKED,
            "redeemed": HeldStatus.REDEEMED,
            "available": HeldStatus.AVAILABLE,
        },
    ).fetchall()
    return sorted(row[0] for row in rows)


def account_ids(moment: Transaction) -> list[str]:
    """Every account, in order."""
    return [row[0] for row in moment.connection.execute("SELECT id FROM account ORDER BY id")]


def grant_records(moment: Transaction) -> list[GrantRecord]:
    """Every grant, in the order in which they landed."""
    rows = moment.connection.execute(
        "SELECT account, source, reason, kind, amount, key, granted_at FROM grant ORDER BY id"
    )
    return [GrantRecord(*row) for row in rows]


def _credit(row: tuple[Any, ...]) -> HeldCredit:
    return HeldCredit(*row[:-1], *map(bool, row[-1:]))
