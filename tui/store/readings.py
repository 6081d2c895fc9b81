"""Every reading of every window, for forecasts and pictures: written when something changed, thinned with age.

A series is one window of one limit of one account. Whole days are kept as read for a hundred days, then one row an
hour, then one a day, always with the highest and the lowest share between two resets; after 400 days they are deleted.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tui.domain.reading import PastPeriod, Reading, WindowReading
from tui.domain.windows import MAIN_LIMIT
from tui.store.database import Database, Table

UNCHANGED: Final = 600.0
"""An unchanged window is written again after so many seconds."""

DAY: Final = 86400
WHOLE_DAYS: Final = 100
HOURLY_DAYS: Final = 200
KEPT_DAYS: Final = 400

_SOURCES: Final = ("daemon", "codex", "http", "stub", "rollout", "history")
_STEP: Final = 300
"""For forecasts the last reading in so many seconds is enough."""


_LAST: Final = (
    "SELECT at, used, resets_at, allowed, available FROM readings JOIN series ON id = series"
    " WHERE account = ? AND limit_id = ? AND minutes = ? AND at <= ? ORDER BY at DESC LIMIT 1"
)


class Row(msgspec.Struct, frozen=True):
    """One reading of one window as it is kept."""

    at: float
    limit_id: str
    minutes: int
    used_percent: float | None
    resets_at: float | None
    allowed: bool | None
    available: int | None
    source: str


class Readings(Table):
    """The readings of all accounts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._series: dict[tuple[str, str, int], int] = {}

    def save(self, account: str, source: str, reading: Reading, limit_id: str = MAIN_LIMIT) -> int:
        """Write what changed since any process kept it last, and say how many windows that were."""
        keyed = [((account, limit_id, window.minutes), window) for window in reading.windows]
        with self._database.reading() as connection:
            kept = [connection.execute(_LAST, (*key, int(reading.at))).fetchone() for key, _ in keyed]
        rows = [(*pair, reading) for pair, last in zip(keyed, kept, strict=True) if _changed(last, pair[1], reading)]
        return self._insert(source, rows) if rows else 0

    def add_past(self, account: str, source: str, readings: Iterable[Reading]) -> int:
        """Write readings of the past, but for what is known already, in one transaction; how many rows are new."""
        rows = []
        last: dict[int, tuple[WindowReading, float]] = {}
        for reading in readings:
            for window in reading.windows:
                known = last.get(window.minutes)
                if known is not None and known[0] == window and reading.at - known[1] < UNCHANGED:
                    continue
                last[window.minutes] = window, reading.at
                rows.append(((account, MAIN_LIMIT, window.minutes), window, reading))
        return self._insert(source, rows)

    def add_periods(self, account: str, periods: Iterable[PastPeriod]) -> int:
        """Write how full past windows were at their end, where nothing was read during one; how many rows are new.

        What happened in between is not known, so that no forecast rests on them.
        """
        query = (
            "SELECT 1 FROM readings JOIN series ON id = series"
            " WHERE account = ? AND limit_id = ? AND minutes = ? AND at >= ? AND at < ? LIMIT 1"
        )
        rows = []
        with self._database.reading() as connection:
            for period in periods:
                key = (account, MAIN_LIMIT, period.minutes)
                if connection.execute(query, (*key, int(period.starts_at), int(period.ends_at))).fetchone() is None:
                    window = WindowReading(period.minutes, period.used_percent, period.ends_at)
                    rows.append((key, window, Reading(period.ends_at - 1, (window,))))
        return self._insert("history", rows) if rows else 0

    def _insert(self, source: str, rows: list[tuple[tuple[str, str, int], WindowReading, Reading]]) -> int:
        code = _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)
        with self._database.writing() as connection:
            before = connection.total_changes
            values = []
            for key, window, reading in rows:
                if key not in self._series:
                    connection.execute(
                        "INSERT OR IGNORE INTO series (account, limit_id, minutes) VALUES (?, ?, ?)", key
                    )
                    found = connection.execute(
                        "SELECT id FROM series WHERE account = ? AND limit_id = ? AND minutes = ?", key
                    ).fetchone()
                    self._series[key] = found[0]
                series = self._series[key]
                resets = None if window.resets_at is None else round(window.resets_at)
                more = reading.allowed, reading.available
                values.append((series, int(reading.at), window.used_percent, resets, *more, code))
            made = connection.total_changes
            connection.executemany("INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            return connection.total_changes - max(before, made)

    def load(self, account: str, since: float) -> Iterator[Reading]:
        """The readings of the main limit, oldest first, at most one in five minutes: what a forecast needs."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT max(at), minutes, used, resets_at, allowed, available FROM readings JOIN series ON id = series"
                " WHERE account = ? AND limit_id = ? AND at >= ? AND source <> ? GROUP BY at / ?, minutes ORDER BY 1",
                (account, MAIN_LIMIT, int(since), _SOURCES.index("history"), _STEP),
            ).fetchall()
        windows: dict[int, WindowReading] = {}
        for place, (at, minutes, used, resets_at, allowed, available) in enumerate(rows):
            windows[minutes] = WindowReading(minutes, used, resets_at)
            if place + 1 == len(rows) or rows[place + 1][0] != at:
                yield Reading(at, tuple(windows.values()), None if allowed is None else bool(allowed), available)
                windows = {}

    def rows(self, account: str | None, since: float) -> list[Row]:
        """Every row, oldest first; `account` None gives every account's."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT at, limit_id, minutes, used, resets_at, allowed, available, source FROM readings"
                " JOIN series ON id = series WHERE at >= ? AND (?2 IS NULL OR account = ?2)"
                " ORDER BY at, limit_id, minutes",
                (int(since), account),
            ).fetchall()
        return [
            Row(at, limit, minutes, used, resets, None if ok is None else bool(ok), left, _source(code))
            for at, limit, minutes, used, resets, ok, left, code in found
        ]

    def thin(self, now: float) -> int:
        """Thin what is old; returns how many rows went."""
        with self._database.writing() as connection:
            before = connection.total_changes
            connection.execute("DELETE FROM readings WHERE at < ?", (int(now) - KEPT_DAYS * DAY,))
            for days, bucket in ((HOURLY_DAYS, DAY), (WHOLE_DAYS, 3600)):
                connection.execute(
                    "DELETE FROM readings WHERE (series, at) IN (SELECT series, at FROM (SELECT series, at,"
                    " row_number() OVER (PARTITION BY series, at / ?1, turn ORDER BY used DESC, at) AS highest,"
                    " row_number() OVER (PARTITION BY series, at / ?1, turn ORDER BY used, at) AS lowest"
                    " FROM (SELECT series, at, used, CASE WHEN used > 0 THEN resets_at / 300 END AS turn"
                    " FROM readings WHERE at < ?2)) WHERE highest > 1 AND lowest > 1)",
                    (bucket, int(now) - days * DAY),
                )
            return connection.total_changes - before

    def is_imported(self, path: str, size: int, modified: float) -> bool:
        """Whether a file was read as it is now."""
        with self._database.reading() as connection:
            query = "SELECT 1 FROM imports WHERE path = ? AND size = ? AND modified = ?"
            return connection.execute(query, (path, size, modified)).fetchone() is not None

    def note_import(self, path: str, size: int, modified: float) -> None:
        """Remember that a file was read."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?)", (path, size, modified))


def _changed(last: tuple[float, ...] | None, window: WindowReading, reading: Reading) -> bool:
    """Whether a window is to be kept again after the row that was kept last."""
    if last is None or reading.at - last[0] >= UNCHANGED:
        return True
    at, used, resets_at, *more = last
    slides = 1 if window.used_percent else reading.at - at + 60
    moved = abs((resets_at or 0) - (window.resets_at or 0)) > slides
    return moved or used != window.used_percent or more != [reading.allowed, reading.available]


def _source(code: int) -> str:
    return _SOURCES[code] if code < len(_SOURCES) else "other"
