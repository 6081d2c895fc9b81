"""The meter readings in rollout files, for the history and for replay. Blocking.

Every request to the model writes the limits into the rollout, so that months of readings lie on disk before resetbank
was ever started.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui.domain.reading import PastFile, Reading, WindowReading
from tui.domain.snapshot import Account
from tui.domain.windows import MAIN_LIMIT
from tui.sources.rollout_files import COMPRESSED, unpack
from tui.wire.rollout import LimitHit, Metered, TurnEnd, TurnEnded, decode_line, relevant_lines

_PIECE: Final = 8 << 20
_LONGEST_UNPACKED: Final = 4 << 30
_HEAD: Final = 64 << 10
_CREATOR: Final = re.compile(rb'"creator_account_id":"([^"\\]+)"')
_PLAN: Final = re.compile(rb'"plan_type":"([^"\\]+)"')


IsKnown = Callable[[str, int, float], bool]


def file_readings(path: Path) -> Iterator[Reading]:
    """The readings of one rollout, in the order of the file; raises `OSError` where it cannot be read."""
    last: Reading | None = None
    for block in _blocks(path):
        for _, line in relevant_lines(block):
            if b'"token_count"' not in line and b'"task_complete"' not in line and b'"error"' not in line:
                continue
            found = decode_line(line)
            if found is None or found.at is None:
                continue
            at = found.at.timestamp()
            fact = found.fact
            if isinstance(fact, Metered):
                limit = fact.limit
                if limit is None or limit.limit_id != MAIN_LIMIT or not limit.windows:
                    continue
                windows = tuple(
                    WindowReading(w.minutes, w.used_percent, w.resets_at.timestamp() if w.resets_at else None)
                    for w in limit.windows
                    if w.minutes
                )
                full = any((w.used_percent or 0) >= 100 for w in windows)
                last = Reading(at, windows, False if full else None, running=int(not full))
                yield last
            elif last is not None and (
                isinstance(fact, LimitHit) or (isinstance(fact, TurnEnded) and fact.how is TurnEnd.LIMIT)
            ):
                yield Reading(max(at, last.at), last.windows, False, running=0)


def past_rollouts(folder: Path, account: Account, is_known: IsKnown) -> Iterator[PastFile]:
    """The readings of an account's rollouts, file by file; files known by path, size and time of change are left out.

    Whose a rollout is, its first line says; one that says nothing counts where its plan is the account's.
    """
    files = []
    for path in sorted(folder.rglob("rollout-*.jsonl*")):
        with suppress(OSError):  # gone by now
            status = path.stat()
            if not is_known(str(path), status.st_size, status.st_mtime):
                files.append((path, status.st_size, status.st_mtime))
    total, read = sum(size for _, size, _ in files) or 1, 0
    for path, size, modified in files:
        read += size
        try:
            found = tuple(file_readings(path)) if _belongs(path, account) else ()
        except OSError:
            continue
        yield PastFile(str(path), size, modified, found, read / total)


def _belongs(path: Path, account: Account) -> bool:
    begin = next(_pieces(path), b"")
    creator = _CREATOR.search(begin, 0, _HEAD)
    if creator is not None:
        return account.id is not None and creator[1] == account.id.encode()
    plan = _PLAN.search(begin)
    return plan is not None and account.plan is not None and plan[1] == account.plan.encode()


def all_readings(files: Iterable[Path]) -> list[Reading]:
    """The readings of many rollouts, in the order of time; raises as `file_readings`."""
    return sorted((reading for file in files for reading in file_readings(file)), key=lambda reading: reading.at)


def _blocks(path: Path) -> Iterator[bytes]:
    """Pieces of a file that end with a line's end."""
    rest = b""
    for piece in _pieces(path):
        whole, end, rest = (rest + piece).rpartition(b"\n")
        yield whole + end
    yield rest


def _pieces(path: Path) -> Iterator[bytes]:
    if path.name.endswith(COMPRESSED):
        yield from unpack(str(path), _LONGEST_UNPACKED)
        return
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
