"""The service's state: accounts, windows, credits, redemptions and the clock, in SQLite.

Every method is one transaction. A `redeem_request_id` that redeemed a credit is remembered for ever, also across
restarts and scenarios: it answers `already_redeemed`, and by its own credit, whatever credit is named with it. One
that came to nothing has no effect to repeat and is judged afresh.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from tui.clock import Clock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.store.schema import transaction
from tui.stub import programme
from tui.stub.database import open_database, readable
from tui.stub.programme import HeldCredit, HeldStatus, MeteredWindow, Redemption
from tui.stub.reading import Reading, RequestRecord, UnknownAccount, UnknownWindow
from tui.stub.scenarios import (
    DEFAULT_SCENARIO,
    MAIN_ACCOUNT,
    OTHER_ACCOUNT,
    OTHER_ACCOUNT_START,
    CreditStart,
    Scenario,
    find_scenario,
)

_CREDIT_IDS: Final = UUID("b265c388-14b8-5191-99f4-6730968366f5")
_CREDIT_FIELDS = (
    "id, status, granted_at, expires_at, reset_type, redeemed_at, title, description, granted_by, supported"
)


class Bank:
    """The state behind the service; safe from any thread, one caller at a time."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, path: Path | None) -> None:
        self._connection = connection
        self._clock = clock
        self._path = path
        self._lock = threading.RLock()

    @classmethod
    def open(cls, clock: Clock, path: Path | None = None, scenario: str | None = None) -> "Bank":
        """Open the state and go on from where it stands.

        Args:
            clock: The machine's clock, which the service's own runs ahead of by its offset.
            path: The SQLite file; None keeps the state in memory.
            scenario: The world to be in. A state that is in this one already goes on; None goes on with any.

        Raises:
            StoreError: The file cannot be used.
            UsageError: There is no such scenario.
        """
        wanted = find_scenario(scenario or DEFAULT_SCENARIO)
        bank = cls(open_database(path), clock, path)
        try:
            with bank._writing() as connection:
                row = connection.execute("SELECT scenario FROM world").fetchone()
                if row is None:
                    connection.execute("INSERT INTO world VALUES (?, 0)", (wanted.name,))
                if row is None or (scenario is not None and row[0] != wanted.name):
                    bank._begin(connection, wanted)
        except BaseException:
            bank.close()
            raise
        return bank

    def close(self) -> None:
        """Close the database; fine to call twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, readable(self._path), transaction(self._connection):
            yield self._connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside belongs to one moment, also where another process writes."""
        with self._lock, readable(self._path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.rollback()

    def _world(self, connection: sqlite3.Connection) -> tuple[Scenario, float]:
        name, offset = connection.execute("SELECT scenario, clock_offset FROM world").fetchone()
        return find_scenario(name), self._clock.now().timestamp() + offset

    # What the service's clients ask for

    def read(self, account: str, *, all_credits: bool = False) -> Reading:
        """Read one account.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._reading() as connection:
            return self._read(connection, account, all_credits)

    def consume(self, account: str, redeem_request_id: str, credit_id: str | None) -> Redemption:
        """Redeem a credit, at most once for this key (wire.md 3.1 to 3.4).

        Args:
            account: Whose.
            redeem_request_id: The client's key.
            credit_id: The credit asked for; None takes the soonest to expire.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._writing() as connection:
            reading = self._read(connection, account, all_credits=False)
            done = self._redeemed_by(connection, account, redeem_request_id)
            if done is not None:
                result = Redemption(ConsumeCode.ALREADY_REDEEMED, done, reading.windows, 0)
            else:
                result = programme.redeem(
                    reading.windows,
                    reading.credits,
                    reading.now,
                    credit_id=credit_id,
                    switches=reading.scenario.switches,
                )
            redeemed = result.credit if result.code is ConsumeCode.RESET else None
            if redeemed is not None:
                connection.execute(
                    "UPDATE credit SET status = ?, redeemed_at = ? WHERE id = ?",
                    (redeemed.status, redeemed.redeemed_at, redeemed.id),
                )
                _write_windows(connection, account, result.windows)
            connection.execute(
                "INSERT INTO redemption VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " requests = requests + 1, last_code = excluded.last_code,"
                " credit_id = coalesce(credit_id, excluded.credit_id),"
                " redeemed_at = coalesce(redeemed_at, excluded.redeemed_at)",
                (
                    account,
                    redeem_request_id,
                    result.code,
                    redeemed.id if redeemed else None,
                    redeemed.redeemed_at if redeemed else None,
                ),
            )
            return result

    def take_turn(self, account: str) -> tuple[Reading, bool]:
        """One model turn: its cost, unless a limit is reached.

        Returns:
            The account after it, and whether the turn was allowed.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._writing() as connection:
            reading = self._read(connection, account, all_credits=False)
            if programme.blocking(reading.windows):
                return reading, False
            windows = programme.charge_turn(reading.windows, reading.now)
            _write_windows(connection, account, windows)
            return replace(reading, windows=windows), True

    # What the controls ask for

    def set_usage(self, account: str, kind: WindowKind, used_percent: float) -> None:
        """Put the main limit's window of this kind to a share.

        Raises:
            UnknownAccount: There is none of this id.
            UnknownWindow: It has no such window.
        """
        with self._writing() as connection:
            reading = self._read(connection, account, all_credits=False)
            if all(window.kind is not kind for window in reading.main_windows):
                raise UnknownWindow(kind)
            windows = tuple(
                programme.set_usage(window, used_percent, reading.now)
                if window.kind is kind and window.limit_id == MAIN_LIMIT
                else window
                for window in reading.windows
            )
            _write_windows(connection, account, windows)

    def advance_clock(self, seconds: float) -> float:
        """Let time pass for the service; its new time in unix seconds."""
        with self._writing() as connection:
            connection.execute("UPDATE world SET clock_offset = clock_offset + ?", (seconds,))
            return self._world(connection)[1]

    def grant(self, account: str, count: int, expires_in: float | None) -> list[str]:
        """Grant credits; their ids.

        Args:
            account: To whom.
            count: How many.
            expires_in: Seconds to their last moment; None means never.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._writing() as connection:
            now = self._read(connection, account, all_credits=False).now
            return [_insert_credit(connection, account, CreditStart(expires_in), now, now) for _ in range(count)]

    def begin(self, scenario: str) -> None:
        """Start a scenario; the clock goes on, and redemptions stay remembered.

        Raises:
            UsageError: There is no such scenario.
        """
        wanted = find_scenario(scenario)
        with self._writing() as connection:
            self._begin(connection, wanted)

    def scenario(self) -> Scenario:
        """The scenario it is in."""
        with self._reading() as connection:
            return self._world(connection)[0]

    def everything(self) -> tuple[list[Reading], list[RequestRecord]]:
        """Every account with all its credits, and every key that ever came, in the order of accounts and arrival."""
        with self._reading() as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM account ORDER BY id").fetchall()]
            readings = [self._read(connection, account, all_credits=True) for account in ids]
            rows = connection.execute(
                "SELECT account, redeem_request_id, requests, last_code, credit_id, redeemed_at FROM redemption"
                " ORDER BY rowid"
            ).fetchall()
        return readings, [RequestRecord(*row) for row in rows]

    def _read(self, connection: sqlite3.Connection, account: str, all_credits: bool) -> Reading:
        row = connection.execute("SELECT plan, email FROM account WHERE id = ?", (account,)).fetchone()
        if row is None:
            raise UnknownAccount(account)
        scenario, now = self._world(connection)
        windows = connection.execute(
            "SELECT kind, used_percent, resets_at, limit_id FROM usage_window WHERE account = ? ORDER BY slot",
            (account,),
        ).fetchall()
        only = "" if all_credits else f" AND status = '{HeldStatus.AVAILABLE}'"
        held = connection.execute(
            f"SELECT {_CREDIT_FIELDS} FROM credit WHERE account = ?{only}",  # noqa: S608 - our own words
            (account,),
        ).fetchall()
        ever = connection.execute("SELECT EXISTS (SELECT 1 FROM credit WHERE account = ?)", (account,)).fetchone()[0]
        return Reading(
            now=now,
            scenario=scenario,
            account=account,
            plan=row[0],
            email=row[1],
            windows=tuple(programme.roll_over(MeteredWindow(WindowKind(kind), *rest), now) for kind, *rest in windows),
            credits=tuple(sorted((_credit(row) for row in held), key=programme.soonest_first)),
            ever_granted=bool(ever),
            extras=scenario.extras if account == MAIN_ACCOUNT else {},
        )

    def _redeemed_by(self, connection: sqlite3.Connection, account: str, key: str) -> HeldCredit | None:
        row = connection.execute(
            "SELECT credit_id, redeemed_at FROM redemption"
            " WHERE account = ? AND redeem_request_id = ? AND credit_id IS NOT NULL",
            (account, key),
        ).fetchone()
        if row is None:
            return None
        # Its credit may belong to a former scenario; what the answer says of it is known all the same.
        return HeldCredit(row[0], HeldStatus.REDEEMED, granted_at=row[1], expires_at=None, redeemed_at=row[1])

    def _begin(self, connection: sqlite3.Connection, scenario: Scenario) -> None:
        connection.execute("UPDATE world SET scenario = ?", (scenario.name,))
        for table in ("account", "usage_window", "credit"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        now = self._world(connection)[1]
        starts = (MAIN_ACCOUNT, "me@example.com", scenario), (OTHER_ACCOUNT, "other@example.com", OTHER_ACCOUNT_START)
        for account, email, start in starts:
            connection.execute("INSERT INTO account VALUES (?, ?, ?)", (account, start.plan, email))
            windows = [
                MeteredWindow(
                    window.kind,
                    window.used_percent,
                    None if window.resets_in is None else float(int(now + window.resets_in)),
                    window.limit_id,
                )
                for window in start.windows
            ]
            _write_windows(connection, account, windows)
            for credit in start.credits:
                _insert_credit(connection, account, credit, now, now - credit.granted_ago)


def _write_windows(connection: sqlite3.Connection, account: str, windows: Sequence[MeteredWindow]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO usage_window VALUES (?, ?, ?, ?, ?, ?)",
        [
            (account, slot, window.kind, window.used_percent, window.resets_at, window.limit_id)
            for slot, window in enumerate(windows)
        ],
    )


def _insert_credit(
    connection: sqlite3.Connection, account: str, start: CreditStart, now: float, granted_at: float
) -> str:
    # Whole seconds: Codex knows no finer ones, so that every reader sees the same moment.
    cursor = connection.execute(
        "INSERT INTO credit VALUES (NULL, ?, '', ?, ?, ?, ?, NULL, ?, ?, ?, ?)",
        (
            account,
            start.status,
            float(int(granted_at)),
            None if start.expires_in is None else float(int(now + start.expires_in)),
            start.reset_type,
            start.title,
            start.description,
            start.granted_by,
            start.supported,
        ),
    )
    credit_id = f"RateLimitResetCredit_{uuid5(_CREDIT_IDS, str(cursor.lastrowid)).hex}"
    connection.execute("UPDATE credit SET id = ? WHERE number = ?", (credit_id, cursor.lastrowid))
    return credit_id


def _credit(row: tuple[Any, ...]) -> HeldCredit:
    return HeldCredit(*row[:-1], *map(bool, row[-1:]))
