"""Rollout files on disk: which can be live, and what was added to each since it was read last. Blocking.

Nothing is read twice: of every file that was looked at, the offset is kept. Of a large one only the head, which says
whose it is, and enough of its end to know its state are ever read.
"""

import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.sessions import SessionState, SessionUpdate
from tui.wire.rollout import LONGEST_LINE, TURN_MARKS
from tui.wire.rollout_reader import RolloutReader, condense

COMPRESSED: Final = ".zst"
_PIECE: Final = 4 << 20
_WHOLE: Final = 1 << 20
_HEAD: Final = 64 << 10
_TAIL: Final = 256 << 10
_LONGEST_TAIL: Final = 16 << 20
_LONGEST_START: Final = 4096
"""A line's marks stand within so many bytes."""
_LONGEST_COMPRESSED: Final = 32 << 20
_LONGEST_UNPACKED: Final = 512 << 20
_NAME: Final = re.compile(
    r"rollout-.*-?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl(?:\.zst)?", re.IGNORECASE | re.ASCII
)


def thread_of(path: str) -> str | None:
    """The thread whose rollout a file is, by its name; None for any other file."""
    match = _NAME.fullmatch(path.rpartition(os.sep)[2])
    return match[1].lower() if match else None


class Found(msgspec.Struct, frozen=True):
    """A rollout in a listing."""

    path: str
    modified_at: float
    size: int
    inode: int


class _Followed(msgspec.Struct):
    reader: RolloutReader
    inode: int
    offset: int


class Added(msgspec.Struct, frozen=True):
    """What reading on in a file brought."""

    updates: list[SessionUpdate]
    more: bool = False
    """Whether there is more to read already."""


class RolloutFiles:
    """The files that are followed.

    Args:
        sessions: The folder that Codex keeps rollouts in, by year, month and day.
    """

    def __init__(self, sessions: Path) -> None:
        self._sessions = sessions
        self._followed: dict[str, _Followed] = {}
        self._next_order: dict[str, int] = {}

    @property
    def followed(self) -> tuple[str, ...]:
        """The files that are known."""
        return tuple(self._followed)

    def identity(self) -> tuple[int, int] | None:
        """Which folder it is; None while there is none."""
        try:
            found = self._sessions.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None

    def days(self) -> Iterator[str]:
        """The folders of all days, the latest first; looks no further than it is asked."""
        for year in _subfolders(str(self._sessions)):
            for month in _subfolders(year):
                yield from _subfolders(month)

    def listing(self, day: str) -> list[Found]:
        """The rollouts of one day with what can be known without opening them."""
        found = []
        try:
            with os.scandir(day) as entries:
                for entry in entries:
                    if thread_of(entry.name) is None:
                        continue
                    try:
                        status = entry.stat()
                    except OSError:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        found.append(Found(entry.path, status.st_mtime, status.st_size, status.st_ino))
        except OSError:
            return []
        return found

    def is_read(self, found: Found) -> bool:
        """Whether everything in it was read already."""
        known = self._followed.get(found.path)
        return known is not None and (known.inode, known.offset) == (found.inode, found.size)

    def read(self, path: str, now: datetime) -> Added:
        """Read what is new in a file: at first its head and its end, later what was added.

        Args:
            path: The file.
            now: For what has no moment of its own.

        Returns:
            At most a bounded piece; `more` tells to call again.
        """
        thread_id = thread_of(path)
        if thread_id is None:
            return Added([])
        if path.endswith(COMPRESSED):
            return self._read_compressed(path, thread_id, now)
        try:
            # Whatever lies there must not block: a pipe in the place of a file does on opening.
            file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            return Added(self._lose(path, now))
        except OSError:
            return Added([])
        with file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Added([])
            try:
                known = self._followed.get(path)
                if known is None or known.inode != status.st_ino or status.st_size < known.offset:
                    return Added(self._begin(file.fileno(), path, thread_id, status, now))
                return self._continue(file.fileno(), known, status.st_size, now)
            except OSError:
                return Added([])

    def stale(self) -> list[str]:
        """The known files in which there is something new, or which are no longer there."""
        stale = []
        for path, known in self._followed.items():
            try:
                status = os.stat(path)  # noqa: PTH116  # hundreds of them every second
            except OSError:
                stale.append(path)
                continue
            if (status.st_ino, status.st_size) != (known.inode, known.offset):
                stale.append(path)
        return stale

    def _lose(self, path: str, now: datetime) -> list[SessionUpdate]:
        known = self._followed.pop(path, None)
        if known is None:
            return []
        self._next_order[path] = known.reader.order + 1
        twin = path.removesuffix(COMPRESSED) if path.endswith(COMPRESSED) else path + COMPRESSED
        if Path(twin).exists():
            return []  # gone cold, or taken up again; not away
        thread_id = thread_of(path)
        assert thread_id is not None
        return [
            SessionUpdate(thread_id, now, "rollout", SessionState.GONE, rollout_path=path, order=known.reader.order)
        ]

    def _begin(
        self, file: int, path: str, thread_id: str, status: os.stat_result, now: datetime
    ) -> list[SessionUpdate]:
        before = self._followed.pop(path, None)
        first_order = before.reader.order + 1 if before else self._next_order.get(path, 0)
        reader = RolloutReader(thread_id, path, first_order)
        size = status.st_size
        if size <= _WHOLE:
            data = _read_range(file, 0, size)
            updates = reader.feed(data, now)
            size = len(data)
        else:
            head = _first_line(file)
            tail = _tail(file, size)
            updates = reader.feed(head, now)
            gap = size - len(tail) - len(head)
            if gap > 0:
                reader.skip(gap)
            updates += reader.feed(tail[max(0, -gap) :], now)
        self._followed[path] = _Followed(reader, status.st_ino, size)
        told = condense(updates)
        if told and reader.state is None and size > _WHOLE:
            # So long without the end of a turn: it is in the middle of one.
            told[0] = replace(told[0], state=SessionState.RUNNING, since=None)
        return told

    def _continue(self, file: int, known: _Followed, size: int, now: datetime) -> Added:
        data = _read_range(file, known.offset, min(size - known.offset, _PIECE))
        known.offset += len(data)
        return Added(known.reader.feed(data, now), more=bool(data) and known.offset < size)

    def _read_compressed(self, path: str, thread_id: str, now: datetime) -> Added:
        if not Path(path).exists():
            return Added(self._lose(path, now))
        plain = path.removesuffix(COMPRESSED)
        if path in self._followed or plain in self._followed or plain in self._next_order:
            return Added([])  # read already, or followed until it went cold
        from tui.sources.zstd import unpack

        try:
            status = Path(path).stat()
            if status.st_size > _LONGEST_COMPRESSED or not stat.S_ISREG(status.st_mode):
                return Added([])
            reader = RolloutReader(thread_id, path)
            told: list[SessionUpdate] = []
            for data in unpack(path, _LONGEST_UNPACKED):
                told = _condense_more(told, reader.feed(data, now))
        except OSError:
            return Added([])
        self._followed[path] = _Followed(reader, status.st_ino, status.st_size)
        return Added(told)


def _condense_more(before: list[SessionUpdate], more: list[SessionUpdate]) -> list[SessionUpdate]:
    return condense([*before[1:], *before[:1], *more])


def _subfolders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.path for entry in entries if entry.name.isdigit() and entry.is_dir()), reverse=True)
    except OSError:
        return []


def _read_range(file: int, start: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (data := os.pread(file, size, start)):
        pieces.append(data)
        start += len(data)
        size -= len(data)
    return b"".join(pieces)


def _first_line(file: int) -> bytes:
    head = b""
    while b"\n" not in head and len(head) <= LONGEST_LINE:
        more = _read_range(file, len(head), _HEAD)
        if not more:
            break
        head += more
    return head[: head.find(b"\n") + 1]


def _tail(file: int, size: int) -> bytes:
    """The end of a file, from before the last line that begins or ends a turn."""
    start = size
    tail = b""
    step = _TAIL
    while start > 0 and len(tail) < _LONGEST_TAIL:
        step = min(step, start)
        start -= step
        piece = _read_range(file, start, step)
        tail = piece + tail
        # The first line is cut, so that a mark in it does not count; it may be whole after the next step.
        whole = tail[piece.find(b"\n") + 1 : len(piece) + _LONGEST_START] if b"\n" in piece else b""
        if any(mark in whole for mark in TURN_MARKS):
            break
        step = len(tail)
    return tail
