"""Where resetbank keeps its own files. `RESETBANK_HOME` moves all of them."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from tui.folders import database_file, folders

LARGEST_SMALL_FILE: Final = 1 << 20


class Paths(msgspec.Struct, frozen=True):
    """The files of one installation."""

    settings: Path
    """The user's settings, TOML; need not exist."""
    database: Path
    """Ledger, journal and history, SQLite, mode 0600."""
    locks: Path
    """Folder of one lock file an account, held while a spend is driven."""
    hooks: Path
    """Folder of the scripts that Codex runs."""
    gates: Path
    """Folder of one gate per Codex home, through which requests are held and let go."""
    links: Path
    """Which links to a login elsewhere the person allowed, JSON, mode 0600."""


def resetbank_paths(home: Path | None = None) -> Paths:
    """Find the files, in `RESETBANK_HOME` or else the platform's own folders where no home is given; create nothing."""
    config, state = (home, home) if home is not None else map(Path, folders())
    return Paths(
        settings=config / "settings.toml",
        database=Path(database_file(str(state))),
        locks=state / "locks",
        hooks=state / "hooks",
        gates=state / "gates",
        links=state / "links.json",
    )


def read_small_file(path: Path) -> bytes | None:
    """The bytes of a file such as a person or another program writes by hand; None where there is none.

    Raises:
        OSError: It cannot be read, is larger than 1 MiB, or is a pipe or device, which would block or never end.
    """
    try:
        # Opening a pipe to read blocks until somebody writes, unless opened without blocking.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(LARGEST_SMALL_FILE + 1)
    if len(data) > LARGEST_SMALL_FILE:
        raise OSError(errno.EFBIG, "it is larger than 1 MiB")
    return data


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Write a file, in a folder that is there, so that every reader sees the former one or the new one, whole.

    Raises:
        OSError: It cannot be written; the former one is as it was.
    """
    import tempfile  # takes longer to import than the rest of this

    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def private_folder(path: Path) -> None:
    """Make a folder that its owner alone may enter, whatever the umask; one that is there already is tightened.

    Raises:
        OSError: It cannot be made, or it is somebody else's.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)


def private_file(path: Path) -> None:
    """Make a file, empty if it is new, that its owner alone may read; one that is there already is tightened.

    Raises:
        OSError: It cannot be made, or it is somebody else's.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab"):
        if os.fstat(descriptor).st_mode & 0o777 != 0o600:
            os.fchmod(descriptor, 0o600)
