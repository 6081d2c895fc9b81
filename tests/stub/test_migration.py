"""A file of the first version, as it was written then: everything in it stays, and the rest of the programme joins."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clocks import START, ManualClock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import WindowKind
from tui.stub.database.bank import Bank
from tui.stub.database.schema import APPLICATION_ID
from tui.stub.rules.invites import NotOffered
from tui.stub.rules.plans import PLANS

Opener = Callable[..., Bank]
NOW = START.timestamp()
DAY = 86_400
FIRST_VERSION = f"""
    CREATE TABLE world (scenario TEXT NOT NULL, clock_offset REAL NOT NULL) STRICT;
    CREATE TABLE account (id TEXT PRIMARY KEY, plan TEXT NOT NULL, email TEXT NOT NULL) STRICT;
    CREATE TABLE usage_window (
        account TEXT NOT NULL, slot INTEGER NOT NULL, kind TEXT NOT NULL, used_percent REAL NOT NULL, resets_at REAL,
        limit_id TEXT NOT NULL, PRIMARY KEY (account, slot)
    ) STRICT;
    CREATE TABLE credit (
        number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, id TEXT UNIQUE NOT NULL, status TEXT NOT NULL,
        granted_at REAL NOT NULL, expires_at REAL, reset_type TEXT NOT NULL, redeemed_at REAL, title TEXT,
        description TEXT, granted_by TEXT, supported INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX credit_by_status ON credit (account, status);
    CREATE TABLE redemption (
        account TEXT NOT NULL, redeem_request_id TEXT NOT NULL, requests INTEGER NOT NULL, last_code TEXT NOT NULL,
        credit_id TEXT, redeemed_at REAL, PRIMARY KEY (account, redeem_request_id)
    ) STRICT;
    CREATE UNIQUE INDEX one_redemption_a_credit ON redemption (credit_id) WHERE credit_id IS NOT NULL;
    INSERT INTO world VALUES ('busy', 3600.0);
    INSERT INTO account VALUES ('acc1', 'plus', 'me@example.com'), ('acc2', 'plus', 'other@example.com');
    INSERT INTO usage_window VALUES ('acc1', 0, 'five_hour', 93.0, {NOW + 9_000}, 'codex');
    INSERT INTO usage_window VALUES ('acc1', 1, 'weekly', 41.0, {NOW + 90_000}, 'codex');
    INSERT INTO credit VALUES
        (7, 'acc1', 'RateLimitResetCredit_a', 'redeemed', {NOW - 9}, {NOW + 9}, 'codex_rate_limits', {NOW}, 't', 'd',
            'Codex Team', 1),
        (8, 'acc1', 'RateLimitResetCredit_b', 'available', {NOW - DAY}, {NOW + 29 * DAY}, 'codex_rate_limits', NULL,
            't', 'd', '@friend', 1),
        (9, 'acc2', 'RateLimitResetCredit_c', 'available', {NOW}, NULL, 'codex_rate_limits', NULL, 't', NULL, NULL, 1);
    INSERT INTO redemption VALUES ('acc1', 'key', 2, 'already_redeemed', 'RateLimitResetCredit_a', {NOW});
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = 1;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "stub.db"
    connection = sqlite3.connect(file)
    connection.executescript(FIRST_VERSION)
    connection.close()
    return file


def test_its_state_goes_on(open_bank: Opener, path: Path) -> None:
    bank = open_bank(None, path)
    reading = bank.read("acc1", all_credits=True)
    assert (reading.scenario.name, reading.plan, reading.email) == ("busy", "plus", "me@example.com")
    assert reading.now == NOW + 3_600
    assert [(window.used_percent, window.resets_at) for window in reading.windows] == [
        (93.0, NOW + 9_000),
        (41.0, NOW + 90_000),
    ]
    assert [(credit.id[-1], credit.status, credit.granted_by) for credit in reading.credits] == [
        ("a", "redeemed", "Codex Team"),
        ("b", "available", "@friend"),
    ]
    again = bank.consume("acc1", "key", "RateLimitResetCredit_b")
    assert (again.code, again.credit and again.credit.id) == (ConsumeCode.ALREADY_REDEEMED, "RateLimitResetCredit_a")


def test_its_credits_have_a_grant_and_its_accounts_their_complimentary_reset(open_bank: Opener, path: Path) -> None:
    bank = open_bank(None, path)
    grants = bank.grants()
    assert [(grant.account, grant.source, grant.amount, grant.at) for grant in grants] == [
        ("acc1", "goodwill", 1, NOW - 9),
        ("acc1", "goodwill", 1, NOW - DAY),
        ("acc2", "goodwill", 1, NOW),
        ("acc1", "programme", 0, 0),
        ("acc2", "programme", 0, 0),
    ]
    for reading in bank.everything()[0]:
        assert reading.granted == len(reading.credits)
    assert bank.change_plan("acc2", PLANS["go"]).spendable == 1
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM credit WHERE grant_id IS NULL").fetchone() == (0,)
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


def test_its_pilot_begins_when_it_is_first_opened(open_bank: Opener, path: Path, clock: ManualClock) -> None:
    bank = open_bank(None, path)
    (sent,), _ = bank.referrals.send("acc1", ["other@example.com"])
    assert bank.referrals.accept(sent.invite.token, "acc2").reason == "This person has used Codex in the last 60 days."
    bank.close()
    clock.advance(14 * DAY - 1)
    assert open_bank(None, path).referrals.offer("acc1").refused is None
    clock.advance(1)
    assert open_bank(None, path).referrals.offer("acc1").refused is NotOffered.ENDED


def test_no_credit_id_is_used_twice(open_bank: Opener, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM credit WHERE number = 9")
    connection.commit()
    connection.close()
    bank = open_bank(None, path)
    bank.grant("acc1", 1, None)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT max(number) FROM credit").fetchone() == (10,)
    connection.close()


def test_it_can_be_put_into_another_world(open_bank: Opener, path: Path) -> None:
    bank = open_bank("rollout", path)
    assert (bank.scenario().name, bank.read("acc1").spendable) == ("rollout", 0)
    bank.set_usage("acc1", WindowKind.WEEKLY, 50)
    assert bank.consume("acc1", "key", None).code is ConsumeCode.ALREADY_REDEEMED
