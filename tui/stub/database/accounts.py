"""Accounts with their windows, and one account as it stands at one moment; inside a transaction."""

from collections.abc import Mapping, Sequence

import msgspec

from tui.domain.referral import RESET_CREDIT
from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.stub.database.grants import land
from tui.stub.database.transactions import Transaction
from tui.stub.refused import Refused, UnknownAccount
from tui.stub.rules.grants import GrantSource, complimentary, complimentary_key
from tui.stub.rules.plans import Plan, plan_named
from tui.stub.rules.resets import HeldCredit, HeldStatus, soonest_first
from tui.stub.rules.windows import MeteredWindow, roll_over
from tui.stub.scenario import Scenario
from tui.stub.scenarios import MAIN_ACCOUNT


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


class Reading(msgspec.Struct, frozen=True):
    """One account as it stands at one moment."""

    now: float
    """The service's own time, unix seconds."""
    scenario: Scenario
    began: float
    """When the scenario began."""
    account: str
    plan: str
    email: str
    windows: tuple[MeteredWindow, ...]
    """Rolled over, in the order of their slots."""
    credits: tuple[HeldCredit, ...]
    """Soonest to expire first: all of them, or those with the status `available` alone."""
    granted: int
    """How many resets it was ever granted in this scenario."""
    earned: int
    """How many of them for invites."""
    personal_credits: int
    """The balance of what it earned that is no reset."""
    owed_since: float | None
    """Since when its complimentary reset is due, and not granted yet; None: nothing is due."""
    extras: Mapping[str, object]
    """What its usage payload says otherwise in this scenario."""

    @property
    def terms(self) -> Plan:
        """What its plan includes."""
        return plan_named(self.plan)

    @property
    def main_windows(self) -> tuple[MeteredWindow, ...]:
        """The windows of ordinary use."""
        return tuple(window for window in self.windows if window.limit_id == MAIN_LIMIT)

    @property
    def spendable(self) -> int:
        """How many credits can be redeemed now."""
        return sum(credit.is_spendable(self.now) for credit in self.credits)


def find_account(transaction: Transaction, account: str) -> Account:
    """Look an account up, or raise `UnknownAccount`."""
    row = transaction.execute(
        "SELECT id, plan, email, plan_since, last_used_at FROM account WHERE id = ?", account
    ).fetchone()
    if row is None:
        raise UnknownAccount(account)
    return Account(*row)


def add_account(transaction: Transaction, account: Account, windows: Sequence[MeteredWindow]) -> None:
    """Make an account, or raise `Refused` where there is one of this id."""
    added = transaction.execute(
        "INSERT INTO account (id, plan, email, plan_since, last_used_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        *msgspec.structs.astuple(account),
    ).rowcount
    if not added:
        raise Refused(400, f"there is an account {account.id!r} already")
    write_windows(transaction, account.id, windows)


def write_windows(transaction: Transaction, account: str, windows: Sequence[MeteredWindow]) -> None:
    """Put an account's windows into their slots; slots beyond them stay."""
    transaction.connection.executemany(
        "INSERT OR REPLACE INTO usage_window VALUES (?, ?, ?, ?, ?, ?)",
        [(account, slot, *msgspec.structs.astuple(window)) for slot, window in enumerate(windows)],
    )


def change_plan(transaction: Transaction, account: str, plan: str, windows: Sequence[MeteredWindow]) -> None:
    """Give an account another plan, with the windows that come with it."""
    transaction.execute("UPDATE account SET plan = ?, plan_since = ? WHERE id = ?", plan, transaction.now, account)
    transaction.execute("DELETE FROM usage_window WHERE account = ?", account)
    write_windows(transaction, account, windows)


def read(transaction: Transaction, account: str, *, all_credits: bool = False) -> Reading:
    """Read one account as its rows stand, or raise `UnknownAccount`; its complimentary reset may still be owed."""
    found, now = find_account(transaction, account), transaction.now
    windows = transaction.execute(
        "SELECT kind, used_percent, resets_at, limit_id FROM usage_window WHERE account = ? ORDER BY slot", account
    ).fetchall()
    held = transaction.execute(
        "SELECT id, status, granted_at, expires_at, reset_type, redeemed_at, title, description, granted_by, supported"
        " FROM credit WHERE account = ?1 AND (?2 OR status = ?3)",
        account,
        all_credits,
        HeldStatus.AVAILABLE,
    ).fetchall()
    granted, earned, others, was_given = transaction.execute(
        "SELECT coalesce(sum(amount) FILTER (WHERE kind = ?2), 0),"
        " coalesce(sum(amount) FILTER (WHERE kind = ?2 AND source = ?3), 0),"
        " coalesce(sum(amount) FILTER (WHERE kind != ?2), 0), coalesce(max(key = ?4), 0)"
        " FROM grant WHERE account = ?1",
        *(account, RESET_CREDIT, GrantSource.REFERRAL, complimentary_key(account)),
    ).fetchone()
    reached = transaction.scenario.resets.reached_at(found.terms, transaction.began, found.plan_since)
    return Reading(
        now=now,
        scenario=transaction.scenario,
        began=transaction.began,
        account=account,
        plan=found.plan,
        email=found.email,
        windows=tuple(roll_over(MeteredWindow(WindowKind(kind), *rest), now) for kind, *rest in windows),
        credits=tuple(sorted((HeldCredit(*row[:-1], *map(bool, row[-1:])) for row in held), key=soonest_first)),
        granted=granted,
        earned=earned,
        personal_credits=others,
        owed_since=reached if not was_given and reached is not None and reached <= now else None,
        extras=transaction.scenario.extras if account == MAIN_ACCOUNT else {},
    )


def settle(transaction: Transaction, account: str, *, all_credits: bool = False) -> Reading:
    """Read one account after it was given the complimentary reset that it is owed, from the moment it was owed on."""
    reading = read(transaction, account, all_credits=all_credits)
    if reading.owed_since is None:
        return reading
    land(transaction, account, complimentary(account), reading.terms, at=reading.owed_since)
    return read(transaction, account, all_credits=all_credits)
