import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.domain.worlds import ACCOUNT, FIVE_HOURS, credit, snapshot, window
from tests.support.clocks import START
from tui.companion import ledger_lines
from tui.domain.ledger import Event, EventKind
from tui.domain.spend import Consent, ConsentKind, Outcome, Spend, close, journal, propose, reject, send
from tui.domain.spend_check import verify
from tui.errors import SpendHeld, StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew
from tui.store.database import Database, open_database
from tui.store.events import EventLog
from tui.store.observations import Observations
from tui.store.spends import SpendJournal

BEFORE = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"), credit("c2")))


def new_spend(key: str = "key-1") -> Spend:
    proposal = propose(BEFORE, START, BEFORE.bank.find("c1"))
    return journal(proposal, Consent(ConsentKind.LETTER, START), key, START)


def test_a_spend_survives_its_process_whole(path: Path) -> None:
    first = Database(path)
    spend = new_spend()
    SpendJournal(first).begin(spend, "the screen", ledger_lines.consented(spend))
    first.close()
    second = Database(path)
    assert SpendJournal(second).open_spend(ACCOUNT.key) == spend
    assert [event.kind for event in EventLog(second).events()] == [EventKind.SPEND_CONSENTED]
    second.close()


def test_the_database_allows_one_open_spend_an_account(journal: SpendJournal, log: EventLog) -> None:
    spend = new_spend()
    journal.begin(spend, "the screen, process 4711", ledger_lines.consented(spend))
    with pytest.raises(SpendHeld, match="the screen, process 4711"):
        journal.begin(new_spend("key-2"), "another", ledger_lines.consented(spend))
    assert len(log.events()) == 1
    other = replace(new_spend("key-3"), account=replace(ACCOUNT, id="acc2"))
    journal.begin(other, "another", ledger_lines.consented(other))


def test_a_closed_spend_locks_nothing(journal: SpendJournal) -> None:
    spend = new_spend()
    journal.begin(spend, "the screen", ledger_lines.consented(spend))
    closed = close(verify(reject(send(spend), "403"), BEFORE), START + timedelta(seconds=2))
    journal.advance(closed, ledger_lines.of_step(closed, START, "http"))
    assert journal.open_spend(ACCOUNT.key) is None
    last = journal.last_closed(ACCOUNT.key)
    assert last is not None
    assert last.outcome is Outcome.REFUSED
    journal.begin(new_spend("key-2"), "the screen", ledger_lines.consented(spend))


def test_events_come_back_as_they_went_in(log: EventLog) -> None:
    events = [
        Event(START + timedelta(microseconds=number), EventKind.CREDIT_GRANTED, "acc1", "a; b, 'c' \"d\"\n[/e]", "http")
        for number in range(5)
    ]
    log.record(events)
    assert list(log.events()) == events
    assert list(log.events(2)) == events[-2:]


def test_older_and_newer_lines_are_read_without_those_between(log: EventLog) -> None:
    log.record(Event(START, EventKind.CREDIT_GRANTED, f"acc{number % 2}", str(number), "http") for number in range(10))
    (first, _), *_, (last, _) = shown = log.numbered(2, "acc1")
    assert [event.text for _, event in shown] == ["7", "9"]
    assert [event.text for _, event in log.numbered(2, "acc1", before=first)] == ["3", "5"]
    assert log.numbered(None, "acc1", after=last) == ()
    log.record([Event(START, EventKind.CREDIT_GRANTED, "acc1", "11", "http")])
    assert [event.text for _, event in log.numbered(None, "acc1", after=last)] == ["11"]


def test_the_file_is_the_users_alone(log: EventLog, path: Path) -> None:
    log.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_file_that_was_left_open_to_others_is_tightened(log: EventLog, path: Path) -> None:
    log.record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    files = sorted(path.parent.iterdir())
    assert len(files) == 3
    for file in files:
        file.chmod(0o666)
    open_database(path).close()
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_every_commit_is_on_the_disk(database: Database, path: Path) -> None:
    connection = open_database(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_a_locked_database_says_so(database: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    impatient = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreLocked, match="locked by another program"):
        EventLog(impatient).record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    other.close()
    impatient.close()


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_read_only_database_says_so(path: Path, in_memory: bool) -> None:
    database = Database(None if in_memory else path)
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = 1")  # what a read-only file answers, even where root runs the test
    name = "the database in memory" if in_memory else str(path)
    with pytest.raises(StoreReadOnly, match=f"^{name} cannot be written"):
        EventLog(database).record([Event(START, EventKind.PLAN_CHANGED, "acc1", "x")])
    database.close()


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


def test_a_newer_database_is_left_alone(database: Database, path: Path) -> None:
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


def test_a_change_between_runs_is_noticed_once(database: Database, log: EventLog) -> None:
    observations = Observations(database)
    assert [event.kind for event in observations.observe(BEFORE)] == [EventKind.LIMIT_REACHED]
    later = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"),), at=START + timedelta(hours=1))
    noticed = [EventKind.LIMIT_REACHED, EventKind.CREDIT_VANISHED]
    assert [event.kind for event in Observations(database).observe(later)] == noticed[1:]
    assert observations.observe(later) == ()
    assert observations.observe(BEFORE) == ()
    assert [event.kind for event in log.events()] == noticed


def test_a_spend_of_any_process_explains_its_own_change(database: Database, journal: SpendJournal) -> None:
    observations = Observations(database)
    observations.observe(BEFORE)
    spend = replace(new_spend(), journaled_at=START + timedelta(minutes=1))
    journal.begin(spend, "the screen", ledger_lines.consented(spend))
    journal.advance(send(spend))
    later = snapshot(window(FIVE_HOURS, 0.0), rows=(credit("c2"),), at=START + timedelta(hours=1))
    assert observations.observe(later) == ()


def test_a_bank_without_rows_is_compared_once_they_are_there(database: Database) -> None:
    observations = Observations(database)
    observations.observe(BEFORE)
    rowless = snapshot(window(FIVE_HOURS, 100.0), rows=None, available=1, at=START + timedelta(minutes=1))
    assert observations.observe(rowless) == ()
    later = snapshot(window(FIVE_HOURS, 100.0), rows=(credit("c1"),), at=START + timedelta(minutes=2))
    found = observations.observe(later)
    assert [(event.kind, event.credit_id) for event in found] == [(EventKind.CREDIT_VANISHED, "c2")]


def test_an_observation_of_another_version_is_replaced(database: Database) -> None:
    observations = Observations(database)
    observations.observe(BEFORE)
    with database.writing() as connection:
        connection.execute("UPDATE observations SET body = '{\"new\": 1}'")
    assert (
        observations.observe(replace(BEFORE, provenance=replace(BEFORE.provenance, observed_at=START + timedelta(1))))
        == ()
    )
