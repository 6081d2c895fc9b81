import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import astuple

from tests.domain.inviting import DAY, FRIEND, HOUR, record, record_lists, tracked
from tests.support.clocks import START
from tests.support.waiting import DEADLINE
from tui.companion import invite_lines
from tui.domain.invites import InviteRecord, Resend, ResendStage, SendStage, address_refusal
from tui.domain.ledger import Event, EventKind
from tui.errors import StoreError, StoreLocked, UsageError
from tui.store.database import APPLICATION_ID, MIGRATIONS, Database, open_database
from tui.store.events import EventLog
from tui.store.invites import Invites

ROOT = Path(__file__).parents[2]
EVENT = Event(START, EventKind.INVITE_NOTED, "acc1", "an invite was noted")


@pytest.fixture
def invites(database: Database) -> Invites:
    return Invites(database)


def put(invites: Invites, *records: InviteRecord, account: str = "acc1") -> tuple[InviteRecord, ...]:
    return invites.change(account, lambda known: ((*known, *records), ()))


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def test_an_invite_comes_back_as_it_went_in_also_for_the_next_process(path: Path) -> None:
    first = Database(path)
    kept = record(
        referral_id="ref-1",
        link="https://x.example/é",
        tracked=tracked(expires_at=START + DAY, can_resend=True, resend_at=START + HOUR),
        resend=Resend(ResendStage.UNKNOWN, START, "a; b 'c' \"d\""),
        credit_id="c1",
        credit_is_certain=True,
        changed_at=START + HOUR,
    )
    put(Invites(first), kept)
    first.close()
    second = Database(path)
    assert Invites(second).records("acc1") == (kept,)
    second.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record_lists())
def test_any_records_come_back_as_they_went_in(records: tuple[InviteRecord, ...]) -> None:
    database = Database(None)
    invites = Invites(database)
    written = put(invites, *records)
    assert set(written) == set(records)
    assert invites.records("acc1") == written
    database.close()


def test_the_newest_is_first(invites: Invites) -> None:
    rows = [record("a", at=START), record("b", at=START + HOUR), record("c", at=START - HOUR)]
    assert [row.key for row in put(invites, *rows)] == ["b", "a", "c"]
    assert [row.key for row in invites.records("acc1")] == ["b", "a", "c"]


def test_accounts_do_not_see_each_other(invites: Invites) -> None:
    put(invites, record("mine"))
    put(invites, record("theirs"), account="acc2")
    assert [row.key for row in invites.records("acc1")] == ["mine"]
    invites.change("acc1", lambda known: ((), ()))
    assert [row.key for row in invites.records("acc2")] == ["theirs"]
    assert invites.records("acc1") == ()


def test_a_step_and_its_lines_are_one(invites: Invites, database: Database) -> None:
    invites.change("acc1", lambda known: ((record(),), (EVENT,)))
    assert EventLog(database).events() == (EVENT,)
    assert len(invites.records("acc1")) == 1


@pytest.mark.parametrize("error", [UsageError("no"), RuntimeError("bug"), KeyboardInterrupt()])
def test_a_step_that_refuses_changes_nothing(invites: Invites, database: Database, error: BaseException) -> None:
    put(invites, record())

    def refuse(known: tuple[InviteRecord, ...]) -> tuple[tuple[InviteRecord, ...], tuple[Event, ...]]:
        assert known == (record(),)
        raise error

    with pytest.raises(type(error)):
        invites.change("acc1", refuse)
    assert invites.records("acc1") == (record(),)
    put(invites, record("next"))


def test_lines_that_cannot_be_written_take_the_change_back(invites: Invites, database: Database) -> None:
    broken = Event(START, EventKind.INVITE_NOTED, "acc1", None)  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        invites.change("acc1", lambda known: ((record(),), (EVENT, broken)))
    assert (invites.records("acc1"), EventLog(database).events()) == ((), ())


def test_what_a_step_leaves_alone_is_not_written_again(invites: Invites, database: Database) -> None:
    put(invites, record("a"), record("b"))
    with database.writing() as connection:
        connection.execute("CREATE TEMP TABLE touched (key TEXT)")
        connection.execute(
            "CREATE TEMP TRIGGER watch AFTER UPDATE ON main.invites BEGIN INSERT INTO touched VALUES (new.key); END"
        )
    changed = record("b", SendStage.REFUSED)
    invites.change("acc1", lambda known: ([changed if row.key == "b" else row for row in known], ()))
    with database.writing() as connection:
        assert connection.execute("SELECT key FROM touched").fetchall() == [("b",)]
    assert changed in invites.records("acc1")


def begin(invites: Invites, key: str) -> bool:
    """What the inviter does before it sends."""

    def step(known: tuple[InviteRecord, ...]) -> tuple[tuple[InviteRecord, ...], tuple[Event, ...]]:
        if (why := address_refusal(FRIEND, None, known)) is not None:
            raise UsageError(why)
        return (*known, record(key, SendStage.SENDING)), ()

    try:
        invites.change("acc1", step)
    except UsageError:
        return False
    return True


def test_of_many_threads_one_begins(path: Path) -> None:
    databases = [Database(path) for _ in range(6)]
    start = threading.Barrier(len(databases))
    begun: list[bool] = []

    def run(number: int) -> None:
        start.wait(DEADLINE)
        begun.append(begin(Invites(databases[number]), f"key-{number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(databases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(begun) == [False] * 5 + [True]
    assert len(Invites(databases[0]).records("acc1")) == 1
    for database in databases:
        database.close()


RACER = """
import sys
from pathlib import Path
from tests.store.test_invites import begin
from tui.store.invites import Invites
from tui.store.database import Database
path = Path(sys.argv[1])
database = Database(path)
print("ready", flush=True)
sys.stdin.readline()
print(begin(Invites(database), sys.argv[2]), flush=True)
database.close()
"""


def test_of_many_processes_one_begins(path: Path, database: Database) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path), f"key-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ.copy(),
        )
        for number in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=DEADLINE)[0].strip() for racer in racers]
    assert sorted(answers) == ["False", "False", "True"]
    assert len(Invites(database).records("acc1")) == 1


def test_a_lock_of_another_program_is_said_and_nothing_is_changed(
    invites: Invites, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    impatient = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="locked by another program"):
        put(Invites(impatient), record())
    other.execute("ROLLBACK")
    assert Invites(impatient).records("acc1") == ()
    other.close()
    impatient.close()


def test_the_list_can_be_read_while_another_writes(
    invites: Invites, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.store.database.BUSY_SECONDS", 0.01)
    put(invites, record())
    impatient = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert Invites(impatient).records("acc1") == (record(),)
    other.execute("ROLLBACK")
    other.close()
    impatient.close()


def test_other_people_s_addresses_are_the_user_s_alone(invites: Invites, path: Path) -> None:
    put(invites, record())
    files = list(path.parent.iterdir())
    assert path in files
    assert len(files) > 1, "the log of the database too"
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_forgotten_address_is_gone_from_every_byte(path: Path) -> None:
    database = Database(path)
    invites = Invites(database)
    many = [record(f"key-{n}", SendStage.NOTED, address=f"somebody-{n}@hidden.example") for n in range(200)]
    put(invites, *many)
    assert b"somebody-7@hidden.example" in bytes_of(path)
    invites.change("acc1", lambda known: ([row for row in known if row.key != "key-7"], ()))
    database.close()
    left = bytes_of(path)
    assert b"somebody-7@" not in left
    assert b"somebody-8@hidden.example" in left


def test_a_rewritten_invite_leaves_nothing_of_its_former_self(path: Path) -> None:
    database = Database(path)
    put(Invites(database), record(link="https://x.example/" + "former" * 900))
    Invites(database).change("acc1", lambda known: ((record(),), ()))
    database.close()
    assert b"former" not in bytes_of(path)


def make_version_2(path: Path) -> None:
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    for script in MIGRATIONS[:2]:
        assert isinstance(script, str)
        connection.executescript(script)
    connection.execute("INSERT INTO desks VALUES ('acc1', '{}')")
    connection.execute(
        "INSERT INTO events (at, kind, account, text) VALUES (?, 'plan_changed', 'acc1', 'x')",
        ("2026-11-23T14:07:31.000000Z",),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()


def test_a_database_from_before_invites_is_carried_over(path: Path) -> None:
    make_version_2(path)
    database = Database(path)
    put(Invites(database), record())
    assert Invites(database).records("acc1") == (record(),)
    assert [event.kind for event in EventLog(database).events()] == [EventKind.PLAN_CHANGED]
    with database.writing() as connection:
        assert connection.execute("SELECT * FROM accounts").fetchall() == [("acc1", "{}")]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    database.close()


def test_two_processes_carry_it_over_once(path: Path) -> None:
    make_version_2(path)
    start = threading.Barrier(4)
    opened: list[sqlite3.Connection] = []

    def run() -> None:
        start.wait(DEADLINE)
        opened.append(open_database(path))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened) == 4
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(
    "body", ['{"new": 1}', "not json", "[]", '{"key":"k","account":"acc1","address":null,"stage":"teleported"}']
)
def test_an_invite_of_another_version_is_left_alone(invites: Invites, database: Database, body: str) -> None:
    put(invites, record())
    with database.writing() as connection:
        connection.execute("INSERT INTO invites VALUES ('odd', 'acc1', ?)", (body,))
    assert invites.records("acc1") == (record(),)
    invites.change("acc1", lambda known: ((), ()))
    with database.writing() as connection:
        assert connection.execute("SELECT key, body FROM invites").fetchall() == [("odd", body)]


def test_a_field_of_a_newer_version_does_not_hide_an_invite(invites: Invites, database: Database) -> None:
    fields = msgspec.json.decode(msgspec.json.encode(record())) | {"moon_phase": "full"}
    with database.writing() as connection:
        body = msgspec.json.encode(fields).decode()
        connection.execute("INSERT INTO invites VALUES ('key-1', 'acc1', ?)", (body,))
    assert invites.records("acc1") == (record(),)


def test_every_line_of_the_ledger_masks_its_address() -> None:
    name = "very.private"
    rows = [record(stage=stage, address=f"{name}@example.com", reason="why") for stage in SendStage]
    lines = [
        invite_lines.consented(rows[0], START),
        *(invite_lines.of_stage(row, START) for row in rows if row.stage not in (SendStage.SENDING, SendStage.FOUND)),
        *(
            invite_lines.of_resend(record(address=f"{name}@example.com", resend=Resend(stage, START)), START)
            for stage in ResendStage
        ),
        invite_lines.forgotten(rows[0], START),
        *invite_lines.rewarded(rows, [record(address=f"{name}@example.com", credit_id="c1")], START),
    ]
    assert len(lines) > 10
    for line in lines:
        assert name not in str(astuple(line))
        assert "v…@example.com" in line.text
        assert line.request_id == "key-1"
