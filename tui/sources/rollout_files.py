"""Rollout files on disk: which can be live, and what was added to each since it was read last. Blocking.

Nothing is read twice: of every file that was looked at, the offset is kept. Of a large one only the head, which says
whose it is, and enough of its end to know its state are ever read.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.clock import Clock, SystemClock
from tui.domain.sessions import SessionState, SessionUpdate
from tui.wire.rollout import LONGEST_LINE, TURN_MARKS
from tui.wire.rollout_reader import RolloutReader, condense

COMPRESSED: Final = ".zst"
_PIECE: Final = 4 << 20
_WHOLE: Final = 1 << 20
_HEAD: Final = 128 << 10
_TAIL: Final = 256 << 10
_LONGEST_TAIL: Final = 16 << 20
_LONGEST_START: Final = 4096
"""A turn's marks stand within so many bytes of a line."""
_SETTLED: Final = 2.0
"""Seconds after which a folder's date is sure to change with the next file."""
_HOT: Final = 600.0
"""Seconds after its last change that a file counts as written to."""
_DAYS_LOOKED_AT: Final = 8
_LONGEST_COMPRESSED: Final = 32 << 20
_LONGEST_UNPACKED: Final = 512 << 20
_NAME: Final = re.compile(
    r"rollout-.*?-?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:_[0-9a-f-]+)?\.jsonl(?:\.zst)?",
    re.IGNORECASE | re.ASCII,
)


def thread_of(path: str) -> str | None:
    """The thread whose rollout a file is, by its name; None for any other file.

    A thread that was taken back to an earlier turn goes on in a second file, whose name ends in that rollout's own id.
    """
    match = _NAME.fullmatch(path.rpartition(os.sep)[2])
    return match[1].lower() if match else None


def written_since(codex_home: Path, moment: float) -> bool:
    """Whether Codex wrote a prompt or a rollout of the last days since a moment, in seconds since 1970. Blocking."""
    with suppress(OSError):
        if (codex_home / "history.jsonl").stat().st_mtime >= moment:
            return True
    files = RolloutFiles(codex_home / "sessions", SystemClock())
    days = islice(files.days(), _DAYS_LOOKED_AT)
    return any(found.modified_at >= moment for day in days for found in files.listing(day))


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
    hot_until: float = 0.0


class Added(msgspec.Struct, frozen=True):
    """What reading on in a file brought."""

    updates: list[SessionUpdate]
    more: bool = False
    """Whether there is more to read already."""


class RolloutFiles:
    """The files that are followed, in the folder where Codex keeps rollouts by year, month and day."""

    def __init__(self, sessions: Path, clock: Clock, pays_plan: Callable[[str | None], bool] = lambda _: True) -> None:
        self._sessions = sessions
        self._clock = clock
        self._pays_plan = pays_plan
        self._followed: dict[str, _Followed] = {}
        self._next_order: dict[str, int] = {}
        self._listed: dict[str, float] = {}

    def days(self) -> Iterator[str]:
        """The folders of all days, the latest first; looks no further than it is asked."""
        for year in _subfolders(str(self._sessions)):
            for month in _subfolders(year):
                yield from _subfolders(month)

    @staticmethod
    def date_of(day: str) -> str:
        """A day's folder as `2026/11/25`, which sorts by date."""
        return "/".join(Path(day).parts[-3:])

    def listing(self, day: str, *, anew: bool = True) -> list[Found]:
        """The rollouts of one day's folder with what can be known without opening them.

        Without `anew` a folder to which nothing was added since is not listed again.
        """
        found = []
        try:
            changed_at = os.stat(day).st_mtime  # noqa: PTH116
            if not anew and self._listed.get(day) == changed_at:
                return []
            if (
                self._clock.now().timestamp() - changed_at > _SETTLED
            ):  # else more may come in the same tick of its clock
                self._listed[day] = changed_at
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

    def read(self, path: str) -> Added:
        """Read what is new in a file: at first its head and its end, later what was added; at most a bounded piece."""
        now = self._clock.now()
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

    @property
    def _hot_until(self) -> float:
        return self._clock.monotonic() + _HOT

    @property
    def any_hot(self) -> bool:
        """Whether any file was written to lately."""
        now = self._clock.monotonic()
        return any(known.hot_until > now for known in self._followed.values())

    def stale(self, *, hot: bool = False) -> list[str]:
        """The known files that have something new, or are gone; of those written to lately alone where `hot`."""
        stale, now = [], self._clock.monotonic()
        for path, known in self._followed.items():
            if hot and known.hot_until <= now:
                continue
            try:
                status = os.stat(path)  # noqa: PTH116  # dozens of them many times a second
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
        reader = RolloutReader(thread_id, path, first_order, self._pays_plan)
        size = status.st_size
        if size <= _WHOLE:
            data = _read_range(file, 0, size)
            updates = reader.feed(data, now)
            size = len(data)
        else:
            head = _head(file)
            tail = _tail(file, size)
            updates = reader.feed(head, now)
            gap = size - len(tail) - len(head)
            if gap > 0:
                reader.skip(gap)
            updates += reader.feed(tail[max(0, -gap) :], now)
        recent = now.timestamp() - status.st_mtime < _HOT
        self._followed[path] = _Followed(reader, status.st_ino, size, self._hot_until if recent else 0.0)
        condensed = condense(updates)
        if condensed and reader.state is None and size > _WHOLE and not reader.is_copy:
            # So long without the end of a turn: it is in the middle of one.
            condensed[0] = replace(condensed[0], state=SessionState.RUNNING, since=None)
        return condensed

    def _continue(self, file: int, known: _Followed, size: int, now: datetime) -> Added:
        data = _read_range(file, known.offset, min(size - known.offset, _PIECE))
        known.offset += len(data)
        known.hot_until = self._hot_until
        return Added(known.reader.feed(data, now), more=bool(data) and known.offset < size)

    def _read_compressed(self, path: str, thread_id: str, now: datetime) -> Added:
        if not Path(path).exists():
            return Added(self._lose(path, now))
        plain = path.removesuffix(COMPRESSED)
        if path in self._followed or plain in self._followed or plain in self._next_order:
            return Added([])  # read already, or followed until it went cold
        try:
            status = Path(path).stat()
            if status.st_size > _LONGEST_COMPRESSED or not stat.S_ISREG(status.st_mode):
                return Added([])
            reader = RolloutReader(thread_id, path, 0, self._pays_plan)
            updates: list[SessionUpdate] = []
            for data in unpack(path, _LONGEST_UNPACKED):
                updates = condense([*updates[1:], *updates[:1], *reader.feed(data, now)])
        except OSError:
            return Added([])
        self._followed[path] = _Followed(reader, status.st_ino, status.st_size)
        return Added(updates)


def unpack(path: str, most: int) -> Iterator[bytes]:
    """Unpack a file piece by piece, up to so many bytes, since a small file can hold a flood; or raise `OSError`."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        import backports.zstd as zstd

    try:
        with zstd.open(path, "rb") as unpacked:
            while most > 0 and (data := unpacked.read(min(_WHOLE, most))):
                most -= len(data)
                yield data
    except (zstd.ZstdError, EOFError, MemoryError) as error:
        raise OSError(f"{path} is damaged") from error


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


def _head(file: int) -> bytes:
    """The first line, which says whose it is, and what follows at once: the person's first message."""
    head = b""
    while b"\n" not in head and len(head) <= LONGEST_LINE:
        more = _read_range(file, len(head), _HEAD)
        if not more:
            break
        head += more
    return head[: head.rfind(b"\n") + 1]


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
