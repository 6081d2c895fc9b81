"""The database: connection, pragmas, migrations, file mode, one writer, and SQLite's errors in plain words.

WAL with `synchronous=FULL`: a commit is on the disk when it returns, which the journal of spends rests on.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tui.errors import StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew, StoreUnclear

T = TypeVar("T")

BUSY_SECONDS: Final = 1.0
"""How long another program's transaction is waited for."""

APPLICATION_ID: Final = 0x72736274
"""Marks the file as ours ("rsbt")."""

Migration = str | Callable[[sqlite3.Connection], None]


class Schema(msgspec.Struct, frozen=True):
    """Whose database a file is, and how it came to be as it is."""

    application_id: int
    """Marks the file, so that no other program's database is ever written to."""
    migrations: tuple[Migration, ...]
    """One script or function per version; never edited once released, only added to."""
    makes_folder: bool = False
    """Whether a folder that is missing is made."""
    busy_seconds: float | None = None
    """How long another program's transaction is waited for; None: as long as for ours."""


def _rename_in_hand(connection: sqlite3.Connection) -> None:
    """What is in hand got plainer names, and settled answers are derived now; see `AccountState`."""
    import json

    connection.execute("ALTER TABLE desks RENAME TO accounts")
    for account, body in connection.execute("SELECT account, body FROM accounts").fetchall():
        try:
            state = json.loads(body)
            _rename_fields(state)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # unreadable before, and read as empty
        connection.execute("UPDATE accounts SET body = ? WHERE account = ?", (json.dumps(state), account))


def _rename_fields(state: dict[str, Any]) -> None:
    resumes = state.pop("carries", None)
    if resumes is not None:
        state["resumes"] = {"entries": resumes.pop("carries", [])}
    queued = state.get("queued")
    if queued is not None:
        queued["whom"] = queued.pop("carry_on", False)
        if queued.pop("fired_at", None) is not None:
            state["queued"] = state["queue_owner"] = None
    for window in (state.get("memory") or {}).get("windows", []):
        window["muted"] = window.pop("settled", None) == "not_until_reset"


MIGRATIONS: Final[tuple[Migration, ...]] = (
    """
    CREATE TABLE spends (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        stage TEXT NOT NULL,
        holder TEXT NOT NULL,
        journaled_at TEXT NOT NULL,
        closed_at TEXT,
        body TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_open_spend_an_account ON spends (account) WHERE closed_at IS NULL;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        text TEXT NOT NULL,
        source TEXT,
        credit_id TEXT,
        request_id TEXT,
        "window" TEXT,
        before TEXT,
        after TEXT
    ) STRICT;
    CREATE TABLE observations (
        account TEXT PRIMARY KEY,
        observed_at TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE desks (
        account TEXT PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE invites (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX invites_by_account ON invites (account);
    """,
    _rename_in_hand,
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        limit_id TEXT NOT NULL,
        minutes INTEGER NOT NULL,
        UNIQUE (account, limit_id, minutes)
    ) STRICT;
    CREATE TABLE readings (
        series INTEGER NOT NULL,
        at INTEGER NOT NULL,
        used REAL,
        resets_at INTEGER,
        allowed INTEGER,
        available INTEGER,
        source INTEGER NOT NULL,
        PRIMARY KEY (series, at)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE imports (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        modified REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE observations ADD COLUMN summary TEXT",
    """
    CREATE TABLE deliveries (
        fact TEXT NOT NULL,
        channel TEXT NOT NULL,
        at REAL NOT NULL,
        claimed_until REAL NOT NULL,
        told INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX deliveries_by_fact ON deliveries (fact, channel);
    """,
    """
    CREATE TABLE names (
        name TEXT PRIMARY KEY,
        account TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    ALTER TABLE observations ADD COLUMN first_at TEXT;
    ALTER TABLE observations ADD COLUMN offered_at TEXT;
    UPDATE observations SET first_at = observed_at
    """,
    """
    CREATE TABLE remembered (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE pauses (
        account TEXT NOT NULL,
        thread TEXT NOT NULL,
        kind TEXT NOT NULL,
        since TEXT NOT NULL,
        until TEXT,
        resets_at TEXT,
        PRIMARY KEY (account, thread, kind, since)
    ) STRICT, WITHOUT ROWID
    """,
)
_OURS: Final = Schema(APPLICATION_ID, MIGRATIONS, makes_folder=True)


class Database:
    """One open database, safe from any thread; every use of it raises `StoreError` where that fails."""

    def __init__(self, path: Path | None, schema: Schema = _OURS) -> None:
        self._path = path
        self._connection = open_database(path, schema)
        self._lock = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For reading; takes no write lock, and whoever writes at the same time is not waited for."""
        with self._lock, explained(self._path):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it is on the disk afterwards, or nothing."""
        with self._lock, explained(self._path), transaction(self._connection):
            yield self._connection

    def close(self) -> None:
        """Close it; fine to call twice."""
        with self._lock:
            self._connection.close()


class Table:
    """One part of the database; every method raises `StoreError` where that cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database


def stamp(moment: datetime) -> str:
    """A moment as the database keeps it: RFC 3339, UTC, microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    """The moment of a stamp; 1970 where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def to_text(value: msgspec.Struct) -> str:
    """A value as the database keeps it."""
    return msgspec.json.encode(value).decode()


def from_text(text: str, kind: type[T]) -> T | None:
    """A value that the database kept; None where another version wrote it."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError:
        return None


def open_database(path: Path | None, schema: Schema = _OURS) -> sqlite3.Connection:
    """Open the file, or with None a database in memory, and create or migrate it where needed.

    Returns:
        A connection in autocommit mode that any thread may use, one at a time.

    Raises:
        StoreError: It is locked, read-only, corrupt, too new, or its folder cannot be made.
    """
    with explained(path):
        if path is not None:
            if schema.makes_folder:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # It names accounts and other people's addresses: nobody else may read it. SQLite gives its side files
            # the same mode.
            path.touch(mode=0o600, exist_ok=True)
        patience = schema.busy_seconds or BUSY_SECONDS
        connection = sqlite3.connect(
            path or ":memory:", timeout=patience, isolation_level=None, check_same_thread=False
        )
        try:
            _refuse_foreign(connection, path, schema)
            if path is not None:
                _keep_to_owner(path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")  # an address that is forgotten is gone from the file too
            _migrate(connection, schema)
        except BaseException:
            connection.close()
            raise
    return connection


def _keep_to_owner(path: Path) -> None:
    """Tighten the file and its side files, where somebody left them open to others."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):  # somebody else's, which `doctor` says
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _refuse_foreign(connection: sqlite3.Connection, path: Path | None, schema: Schema) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and connection.execute("PRAGMA application_id").fetchone()[0] != schema.application_id:
        raise StoreCorrupt(f"{path} is another program's database", "move it away, or set RESETBANK_HOME")
    if _version(connection) > len(schema.migrations):
        raise StoreTooNew(f"{path} was written by a newer resetbank", "upgrade resetbank, or set RESETBANK_HOME")


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    if _version(connection) == len(schema.migrations):
        return
    with transaction(connection):
        version = _version(connection)  # another process may have migrated in the meantime
        for script in schema.migrations[version:]:
            if callable(script):
                script(connection)
                continue
            # Not executescript(): that would commit the transaction around it.
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside happens together or not at all; takes the write lock at once.

    Raises:
        StoreUnclear: The commit itself failed in a way that does not tell whether it is on the disk.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    try:
        connection.commit()
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            connection.rollback()
        if _code(error) in _NOT_COMMITTED:
            raise
        raise StoreUnclear(f"a commit failed: {error}", "check the disk") from error


_NOT_COMMITTED: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""A commit that fails with these has surely not happened."""


def _code(error: sqlite3.Error) -> int:
    return (error.sqlite_errorcode if hasattr(error, "sqlite_errorcode") else 0) & 0xFF


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into a `StoreError` with the file's name and what to do."""
    name = path or "the database in memory"
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreLocked(f"{name} is locked by another program", "close it and try again") from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise StoreReadOnly(f"{name} cannot be written", "check its permissions, or set RESETBANK_HOME") from error
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            hint = "move it away (it may hold an open spend) and start again"
            raise StoreCorrupt(f"{name} is not a database, or a damaged one", hint) from error
        raise StoreError(f"{name} cannot be used: {error}", "check the disk, or set RESETBANK_HOME") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreReadOnly(
            f"{name} cannot be written: {reason}", "check its permissions, or set RESETBANK_HOME"
        ) from error
