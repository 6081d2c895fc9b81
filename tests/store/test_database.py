"""The database of the version before opens, and a row that this version cannot read breaks nothing."""

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, credit, snapshot, window
from tests.support.clocks import START
from tests.support.waiting import DEADLINE
from tui.companion import ledger_lines
from tui.domain.account_state import AccountState
from tui.domain.ledger import Event, EventKind
from tui.domain.queue import arm
from tui.domain.resumes import LimitStop, ResumeStage
from tui.domain.spend import Consent, ConsentKind, Spend, Stage, journal, propose, send
from tui.errors import SpendHeld, StoreError
from tui.store.accounts import Accounts
from tui.store.database import APPLICATION_ID, Database
from tui.store.events import EventLog
from tui.store.observations import Observations
from tui.store.spends import SpendJournal

BEFORE = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"), credit("c2")))

VERSION_3 = """
    CREATE TABLE spends (key TEXT PRIMARY KEY, account TEXT NOT NULL, stage TEXT NOT NULL, holder TEXT NOT NULL,
        journaled_at TEXT NOT NULL, closed_at TEXT, body TEXT NOT NULL) STRICT;
    CREATE UNIQUE INDEX one_open_spend_an_account ON spends (account) WHERE closed_at IS NULL;
    CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL,
        text TEXT NOT NULL, source TEXT, credit_id TEXT, request_id TEXT, "window" TEXT, before TEXT,
        after TEXT) STRICT;
    CREATE TABLE observations (account TEXT PRIMARY KEY, observed_at TEXT NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE TABLE desks (account TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE invites (key TEXT PRIMARY KEY, account TEXT NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE INDEX invites_by_account ON invites (account);
    INSERT INTO spends VALUES ('key-1', 'acc1', 'unknown', 'the screen', '2026-11-23T14:00:00.000000Z', NULL,
        '{"key":"key-1","account":{"id":"acc1","plan":"plus","email":null},"credit_id":"c1",
          "credit_expires_at":"2026-12-10T00:00:00Z","consent":{"kind":"letter","given_at":"2026-11-23T14:00:00Z",
          "armed_at":null},"before":[],"resets_before":2,"journaled_at":"2026-11-23T14:00:00Z","stage":"unknown",
          "sends":1,"doubtful":true,"outcome":null,"windows_reset":null,"reason":"no answer","after":null,
          "resets_left":null,"closed_at":null}');
    INSERT INTO events (at, kind, account, text) VALUES
        ('2026-11-23T14:00:00.000000Z', 'carried_on', 'acc1', 'thread x was told to go on');
    INSERT INTO observations VALUES ('acc1', '2026-11-23T14:00:00.000000Z',
        '{"provenance":{"source":"http","observed_at":"2026-11-23T14:00:00Z"},"account":{"id":"acc1"},
          "ordinary_usage_allowed":true,"limits":[],"bank":{"available":2,"credits":null,"rows_observed_at":null,
          "applicable":null,"price":null}}');
    INSERT INTO desks VALUES ('acc1', '{"memory":{"account":{"id":"acc1"},"windows":[
        {"mark":{"limit_id":"codex","minutes":300,"used_percent":100.0,"resets_at":"2026-11-23T17:00:00Z",
         "seen_at":"2026-11-23T14:00:00Z"},"asked":["stopped"],"snoozes":[],"settled":"not_until_reset"},
        {"mark":{"limit_id":"codex","minutes":10080,"used_percent":50.0,"resets_at":"2026-11-27T08:00:00Z",
         "seen_at":"2026-11-23T14:00:00Z"},"asked":["stopped"],"snoozes":[],"settled":"wait"}],
        "asked_at":["2026-11-23T14:00:00Z"],"open_at":null},
      "queued":{"account":{"id":"acc1"},"credit_id":"c1","credit_expires_at":null,
        "window":{"limit_id":"codex","minutes":300,"used_percent":93.0,"resets_at":null,"seen_at":"2026-11-23T14:00:00Z"},
        "armed_at":"2026-11-23T14:00:00Z","consent":{"kind":"queued","given_at":"2026-11-23T14:00:00Z",
        "armed_at":"2026-11-23T14:00:00Z"},"carry_on":["t1"],"needs_fresh_yes":false,"fired_at":null},
      "queue_owner":"abc","waiting":null,
      "carries":{"carries":[{"stop":{"thread_id":"t1","stopped_at":"2026-11-23T14:00:00Z"},
        "claimed_at":"2026-11-23T14:01:00Z","stage":"sent","reason":null,"done_at":null}]}}');
    INSERT INTO desks VALUES ('acc2', '');
    INSERT INTO desks VALUES ('acc3', '{"queued":{"fired_at":"2026-11-23T14:00:00Z"},"queue_owner":"abc"}');
"""
"""The database as version 3 made it, with the field names that it had."""


@pytest.fixture
def version_3(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_3)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()
    return path


def test_the_database_of_the_version_before_is_carried_over(version_3: Path) -> None:
    database = Database(version_3)
    state = Accounts(database).read("acc1")
    assert [(entry.mark.minutes, entry.muted, entry.asked) for entry in state.memory.windows] == [
        (300, True, ("stopped",)),
        (10080, False, ("stopped",)),
    ]
    assert state.queued is not None
    assert (state.queued.credit_id, state.queued.whom, state.queue_owner) == ("c1", ("t1",), "abc")
    assert [(entry.stop.thread_id, entry.stage) for entry in state.resumes.entries] == [("t1", ResumeStage.SENT)]
    assert Accounts(database).read("acc2") == AccountState()
    assert Accounts(database).read("acc3").queued is None
    spend = SpendJournal(database).open_spend("acc1")
    assert spend is not None
    assert (spend.stage, spend.credit_id, spend.resume) == (Stage.UNKNOWN, "c1", None)
    assert [event.kind for event in EventLog(database).events()] == [EventKind.RESUMED]
    last = Observations(database).last()
    assert last is not None
    assert last.bank.available == 2
    database.close()


def new_spend(key: str = "key-1") -> Spend:
    return journal(propose(BEFORE, START, BEFORE.bank.find("c1")), Consent(ConsentKind.LETTER, START), key, START)


@pytest.mark.parametrize("body", ["", "{}", "null", '{"stage": "of next year"}'])
def test_a_spend_that_cannot_be_read_is_shown_and_locks_its_account(
    database: Database, journal: SpendJournal, body: str
) -> None:
    spend = new_spend()
    journal.begin(spend, "a newer version", ledger_lines.consented(spend))
    with database.writing() as connection:
        connection.execute("UPDATE spends SET body = ?, stage = 'of next year'", (body,))
    found = journal.open_spend(spend.account.key)
    assert found is not None
    assert (found.key, found.stage, found.is_open, found.may_have_spent) == ("key-1", Stage.UNREADABLE, True, True)
    with pytest.raises(SpendHeld, match="a newer version"):
        journal.begin(new_spend("key-2"), "this one", ledger_lines.consented(spend))
    observed = replace(BEFORE.provenance, observed_at=START + timedelta(hours=1))
    Observations(database).observe(replace(BEFORE, provenance=observed))
    with database.writing() as connection:
        connection.execute("UPDATE spends SET closed_at = 'some day'")
    closed = journal.last_closed(spend.account.key)
    assert closed is not None
    assert closed.stage is Stage.CLOSED


def test_a_line_of_an_unknown_kind_is_shown_as_such(database: Database, log: EventLog) -> None:
    log.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "first")])
    with database.writing() as connection:
        connection.execute(
            "INSERT INTO events (at, kind, account, text) VALUES ('some day', 'teleported', 'acc1', 'to the moon')"
        )
    log.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "last")])
    assert [(event.kind, event.text) for event in log.events()] == [
        (EventKind.PLAN_CHANGED, "first"),
        (EventKind.UNREADABLE, "teleported: to the moon"),
        (EventKind.PLAN_CHANGED, "last"),
    ]


def test_a_step_of_a_spend_that_the_journal_does_not_have_is_an_error(journal: SpendJournal, log: EventLog) -> None:
    spend = new_spend()
    with pytest.raises(StoreError, match="no spend with the key key-1"):
        journal.advance(send(spend), ledger_lines.of_step(send(spend), START, "http"))
    assert log.events() == ()


def test_a_queued_reset_leaves_the_queue_with_its_spend_or_stays(database: Database, journal: SpendJournal) -> None:
    accounts, spend = Accounts(database), new_spend()
    account = spend.account.key
    queued = arm(BEFORE, BEFORE.windows[0], BEFORE.bank.find("c1"), True, START)
    accounts.change(account, lambda state: replace(state, queued=queued, queue_owner="me"))
    journal.begin(spend, "me", ledger_lines.consented(spend), queued)
    assert accounts.read(account).queued is None
    with pytest.raises(SpendHeld, match="taken out or spent elsewhere"):
        journal.begin(new_spend("key-2"), "me", ledger_lines.consented(spend), queued)
    accounts.change(account, lambda state: replace(state, queued=queued, queue_owner="me"))
    with pytest.raises(SpendHeld, match="being spent by me"):
        journal.begin(new_spend("key-3"), "me", ledger_lines.consented(spend), queued)
    assert accounts.read(account).queued == queued


def test_reading_and_a_step_that_changes_nothing_wait_for_no_writer(path: Path, database: Database) -> None:
    Accounts(database).change("acc1", lambda state: replace(state, queue_owner="me"))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert Accounts(database).read("acc1").queue_owner == "me"
    assert Accounts(database).change("acc1", lambda state: replace(state, queue_owner="me")).queue_owner == "me"
    assert EventLog(database).events() == ()
    assert SpendJournal(database).open_spend() is None
    writer.close()


def test_of_many_processes_each_step_is_done_once(path: Path) -> None:
    databases = [Database(path) for _ in range(6)]
    start, claims = threading.Barrier(len(databases)), []
    stop = LimitStop("t1", START)

    def claim(number: int) -> None:
        mine = False

        def step(state: AccountState) -> AccountState:
            nonlocal mine
            mine = state.queue_owner is None
            return replace(state, queue_owner=f"{number} {stop.thread_id}") if mine else state

        start.wait(DEADLINE)
        Accounts(databases[number]).change("acc1", step)
        if mine:
            claims.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(len(databases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(claims) == 1
    for database in databases:
        database.close()


def test_the_lines_after_a_line_are_all_of_them(log: EventLog) -> None:
    newest, lines = log.after(-1)
    assert (newest, lines) == (0, ())
    events = tuple(Event(START, EventKind.CREDIT_GRANTED, "acc1", f"{number}") for number in range(12))
    log.record(events)
    assert log.after(newest) == (12, events)
    assert log.after(11) == (12, events[-1:])
    assert log.after(12) == (12, ())
