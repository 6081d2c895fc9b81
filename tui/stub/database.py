"""The service's SQLite file: its tables, and what is wrong with a file that cannot be used."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tui.errors import StoreCorrupt, StoreError, StoreTooNew
from tui.store.schema import explained, transaction

APPLICATION_ID: Final = 0x72626B73
"""Marks the file as the stub's, so that no other program's database is ever written over."""

VERSION: Final = 1
BUSY_SECONDS: Final = 2.0
_HINT = "choose another file with --db"

_TABLES = (
    "CREATE TABLE world (scenario TEXT NOT NULL, clock_offset REAL NOT NULL) STRICT",
    "CREATE TABLE account (id TEXT PRIMARY KEY, plan TEXT NOT NULL, email TEXT NOT NULL) STRICT",
    """CREATE TABLE usage_window (
        account TEXT NOT NULL,
        slot INTEGER NOT NULL,
        kind TEXT NOT NULL,
        used_percent REAL NOT NULL,
        resets_at REAL,
        limit_id TEXT NOT NULL,
        PRIMARY KEY (account, slot)
    ) STRICT""",
    # AUTOINCREMENT: a number is never used twice, so that no credit of a former world shares an id with a later one.
    """CREATE TABLE credit (
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
    ) STRICT""",
    "CREATE INDEX credit_by_status ON credit (account, status)",
    # One row a redeem_request_id that was ever seen; its credit is set once, at the redemption, and never changed.
    """CREATE TABLE redemption (
        account TEXT NOT NULL,
        redeem_request_id TEXT NOT NULL,
        requests INTEGER NOT NULL,
        last_code TEXT NOT NULL,
        credit_id TEXT,
        redeemed_at REAL,
        PRIMARY KEY (account, redeem_request_id)
    ) STRICT""",
    "CREATE UNIQUE INDEX one_redemption_a_credit ON redemption (credit_id) WHERE credit_id IS NOT NULL",
)


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open the file, or make it.

    Args:
        path: The file; None keeps everything in memory.

    Returns:
        A connection in autocommit mode that any thread may use, one at a time. A commit is on the disk when it
        returns: what was answered stays true whatever happens to the process.

    Raises:
        StoreError: It is locked, read-only, corrupt, another program's, or a newer version's.
    """
    with readable(path):
        connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _claim(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _claim(connection: sqlite3.Connection, path: Path | None) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if tables and application != APPLICATION_ID:
        raise StoreCorrupt(f"{path} belongs to another program", _HINT)
    if version > VERSION:
        raise StoreTooNew(f"{path} was written by a newer resetbank", _HINT)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    with transaction(connection):
        if _pragma(connection, "user_version") == VERSION:
            return
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def readable(path: Path | None) -> Iterator[None]:
    """Turn SQLite's errors into ours, with a hint that fits a file the user named on the command line.

    Raises:
        StoreError: One of its kinds.
    """
    try:
        with explained(path):
            yield
    except StoreError as error:
        raise type(error)(error.message, _HINT) from error
