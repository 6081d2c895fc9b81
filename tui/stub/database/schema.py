"""The tables from version to version."""

from typing import Final

from tui.store.database import Schema

APPLICATION_ID: Final = 0x72626B73
"""Marks the file as the stub's."""

_FIRST: Final = """
    CREATE TABLE world (scenario TEXT NOT NULL, clock_offset REAL NOT NULL) STRICT;
    CREATE TABLE account (id TEXT PRIMARY KEY, plan TEXT NOT NULL, email TEXT NOT NULL) STRICT;
    CREATE TABLE usage_window (
        account TEXT NOT NULL,
        slot INTEGER NOT NULL,
        kind TEXT NOT NULL,
        used_percent REAL NOT NULL,
        resets_at REAL,
        limit_id TEXT NOT NULL,
        PRIMARY KEY (account, slot)
    ) STRICT;
    -- AUTOINCREMENT: a number is never used twice, so that no credit of a former world shares an id with a later one.
    CREATE TABLE credit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        id TEXT UNIQUE NOT NULL,
        status TEXT NOT NULL,
        granted_at REAL NOT NULL,
        expires_at REAL,
        reset_type TEXT NOT NULL,
        redeemed_at REAL,
        title TEXT,
        description TEXT,
        granted_by TEXT,
        supported INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX credit_by_status ON credit (account, status);
    -- One row per redeem_request_id that was ever seen, its credit is set once, at the redemption, and never changed.
    CREATE TABLE redemption (
        account TEXT NOT NULL,
        redeem_request_id TEXT NOT NULL,
        requests INTEGER NOT NULL,
        last_code TEXT NOT NULL,
        credit_id TEXT,
        redeemed_at REAL,
        PRIMARY KEY (account, redeem_request_id)
    ) STRICT;
    CREATE UNIQUE INDEX one_redemption_a_credit ON redemption (credit_id) WHERE credit_id IS NOT NULL;
"""

_WITH_GRANTS_AND_INVITES: Final = """
    -- Both stay empty until the world is opened: only then is it known what time it is there.
    ALTER TABLE world ADD COLUMN began REAL;
    ALTER TABLE account ADD COLUMN plan_since REAL;
    ALTER TABLE account ADD COLUMN last_used_at REAL;
    CREATE TABLE grant (
        id INTEGER PRIMARY KEY,
        key TEXT UNIQUE NOT NULL,
        account TEXT NOT NULL,
        source TEXT NOT NULL,
        reason TEXT NOT NULL,
        kind TEXT NOT NULL,
        amount INTEGER NOT NULL,
        life REAL,
        granted_at REAL NOT NULL
    ) STRICT;
    CREATE INDEX grant_by_account ON grant (account);
    ALTER TABLE credit ADD COLUMN grant_id INTEGER REFERENCES grant (id);
    CREATE INDEX credit_by_grant ON credit (grant_id);
    INSERT INTO grant (key, account, source, reason, kind, amount, life, granted_at)
        SELECT 'goodwill:before:' || id, account, 'goodwill', 'Codex Team', 'rate_limit_reset_credit', 1,
            expires_at - granted_at, granted_at
        FROM credit ORDER BY number;
    UPDATE credit SET grant_id = (SELECT id FROM grant WHERE key = 'goodwill:before:' || credit.id);
    INSERT INTO grant (key, account, source, reason, kind, amount, granted_at)
        SELECT 'complimentary:' || id, id, 'programme', 'Had its complimentary reset before',
            'rate_limit_reset_credit', 0, 0
        FROM account ORDER BY id;
    CREATE TABLE invite (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT UNIQUE NOT NULL,
        campaign TEXT NOT NULL,
        referrer TEXT NOT NULL,
        email TEXT NOT NULL,
        address TEXT NOT NULL,
        token TEXT UNIQUE NOT NULL,
        sent_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        emails_sent INTEGER NOT NULL,
        resend_at REAL NOT NULL,
        opened_at REAL,
        friend TEXT,
        joined_at REAL,
        ineligible TEXT,
        first_message_at REAL,
        unrewarded TEXT,
        reward_slot INTEGER CHECK (reward_slot >= 1),
        reversed_at REAL,
        CHECK (joined_at IS NULL OR friend IS NOT NULL),
        CHECK (reward_slot IS NULL OR (first_message_at IS NOT NULL AND ineligible IS NULL AND unrewarded IS NULL))
    ) STRICT;
    CREATE UNIQUE INDEX one_invite_an_address ON invite (referrer, campaign, address);
    CREATE UNIQUE INDEX one_reward_a_slot ON invite (referrer, campaign, reward_slot) WHERE reward_slot IS NOT NULL;
    -- Whoever has joined once has joined for ever, so that a friend earns one reward at most.
    CREATE UNIQUE INDEX one_join_a_friend ON invite (friend) WHERE joined_at IS NOT NULL;
    CREATE INDEX invite_by_referrer ON invite (referrer, campaign, number);
    CREATE INDEX invite_by_address ON invite (address);
"""

_WITH_THREADS: Final = """
    CREATE TABLE thread (
        account TEXT NOT NULL,
        id TEXT NOT NULL,
        requests INTEGER NOT NULL,
        PRIMARY KEY (account, id)
    ) STRICT;
"""

SCHEMA: Final = Schema(APPLICATION_ID, (_FIRST, _WITH_GRANTS_AND_INVITES, _WITH_THREADS), busy_seconds=2.0)
