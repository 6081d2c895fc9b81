import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.domain.worlds import ACCOUNT, FIVE_HOURS, credit, snapshot, window
from tests.support.clocks import START
from tui.companion import receipts
from tui.domain.ledger import Event, EventKind
from tui.domain.spend import Consent, ConsentKind, Outcome, Spend, close, journal, propose, reject, send
from tui.errors import SpendHeld, StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew
from tui.store.history import History
from tui.store.ledger import Ledger
from tui.store.schema import open_database

BEFORE = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"), credit("c2")))


def new_spend(key: str = "key-1") -> Spend:
    proposal = propose(BEFORE, START, BEFORE.bank.find("c1"))
    return journal(proposal, Consent(ConsentKind.LETTER, START), key, START)


def test_a_spend_survives_its_process_whole(path: Path) -> None:
    first = Ledger(open_database(path), path)
    spend = new_spend()
    first.begin(spend, "the screen", receipts.consented(spend))
    first.close()
    second = Ledger(open_database(path), path)
    assert second.open_spend(ACCOUNT.key) == spend
    assert [event.kind for event in second.events()] == [EventKind.SPEND_CONSENTED]
    second.close()


def test_the_database_allows_one_open_spend_an_account(ledger: Ledger) -> None:
    spend = new_spend()
    ledger.begin(spend, "the screen, process 4711", receipts.consented(spend))
    with pytest.raises(SpendHeld, match="the screen, process 4711"):
        ledger.begin(new_spend("key-2"), "another", receipts.consented(spend))
    assert len(ledger.events()) == 1
    other = replace(new_spend("key-3"), account=replace(ACCOUNT, id="acc2"))
    ledger.begin(other, "another", receipts.consented(other))


def test_a_closed_spend_locks_nothing(ledger: Ledger) -> None:
    spend = new_spend()
    ledger.begin(spend, "the screen", receipts.consented(spend))
    closed = close(reject(send(spend), "403"), START + timedelta(seconds=2))
    ledger.advance(closed, receipts.of_step(closed, START, "http"))
    assert ledger.open_spend(ACCOUNT.key) is None
    last = ledger.last_closed(ACCOUNT.key)
    assert last is not None
    assert last.outcome is Outcome.REFUSED
    ledger.begin(new_spend("key-2"), "the screen", receipts.consented(spend))


def test_events_come_back_as_they_went_in(ledger: Ledger) -> None:
    events = [
        Event(START + timedelta(microseconds=number), EventKind.CREDIT_GRANTED, "acc1", "a; b, 'c' \"d\"\n[/e]", "http")
        for number in range(5)
    ]
    ledger.record(events)
    assert list(ledger.events()) == events
    assert list(ledger.events(2)) == events[-2:]


def test_the_file_is_the_users_alone(ledger: Ledger, path: Path) -> None:
    ledger.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_every_commit_is_on_the_disk(ledger: Ledger, path: Path) -> None:
    connection = open_database(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_a_locked_database_says_so(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.store.schema.BUSY_SECONDS", 0.01)
    impatient = Ledger(open_database(path), path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreLocked, match="locked by another program"):
        impatient.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    other.close()
    impatient.close()


def test_a_read_only_database_says_so(path: Path) -> None:
    connection = open_database(path)
    connection.execute("PRAGMA query_only = 1")  # what a read-only file answers, even where root runs the test
    ledger = Ledger(connection, path)
    with pytest.raises(StoreReadOnly, match="cannot be written"):
        ledger.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    ledger.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_foreign_or_damaged_file_is_told_and_kept(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match="not a database, or a damaged one"):
        open_database(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    content = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program's database"):
        open_database(path)
    assert path.read_bytes() == content


def test_a_newer_database_is_left_alone(ledger: Ledger, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreTooNew, match="newer resetbank"):
        open_database(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreReadOnly, match="cannot be written"):
        open_database(tmp_path / "file" / "resetbank.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match=r"folder\.db"):
        open_database(tmp_path / "folder.db")


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")
    connection = open_database(path)
    assert connection.execute("SELECT count(*) FROM spends").fetchone() == (0,)
    connection.close()


def test_a_change_between_runs_is_noticed_once(ledger: Ledger) -> None:
    history = History(ledger)
    assert history.fold(BEFORE) == ()
    later = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"),), at=START + timedelta(hours=1))
    assert [event.kind for event in History(ledger).fold(later)] == [EventKind.CREDIT_VANISHED]
    assert history.fold(later) == ()
    assert history.fold(BEFORE) == ()
    assert [event.kind for event in ledger.events()] == [EventKind.CREDIT_VANISHED]


def test_a_spend_of_any_process_explains_its_own_change(ledger: Ledger) -> None:
    history = History(ledger)
    history.fold(BEFORE)
    spend = replace(new_spend(), journaled_at=START + timedelta(minutes=1))
    ledger.begin(spend, "the screen", receipts.consented(spend))
    ledger.advance(send(spend))
    later = snapshot(window(FIVE_HOURS, 0.0), rows=(credit("c2"),), at=START + timedelta(hours=1))
    assert history.fold(later) == ()


def test_a_bank_without_rows_is_compared_once_they_are_there(ledger: Ledger) -> None:
    history = History(ledger)
    history.fold(BEFORE)
    rowless = snapshot(window(FIVE_HOURS, 100.0), rows=None, available=1, at=START + timedelta(minutes=1))
    assert history.fold(rowless) == ()
    later = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"),), at=START + timedelta(minutes=2))
    assert [(event.kind, event.credit_id) for event in history.fold(later)] == [(EventKind.CREDIT_VANISHED, "c2")]


def test_an_observation_of_another_version_is_replaced(ledger: Ledger) -> None:
    history = History(ledger)
    history.fold(BEFORE)
    with ledger.writing() as connection:
        connection.execute("UPDATE observations SET body = '{\"new\": 1}'")
    assert history.fold(replace(BEFORE, provenance=replace(BEFORE.provenance, observed_at=START + timedelta(1)))) == ()
