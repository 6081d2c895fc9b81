"""Small files, read with a limit and put in their place in one step."""

import stat
from contextlib import suppress
from pathlib import Path

from tui import paths
from tui.errors import HooksError


def read_small_file(path: Path) -> bytes | None:
    """A file's bytes, None where there is none; `HooksError` if it cannot be read, is no file, or is above 1 MiB."""
    try:
        return paths.read_small_file(path)
    except OSError as error:
        raise HooksError(f"cannot read {path}: {error.strerror}", "check who owns it") from error


def replace_file(path: Path, data: bytes, *, mode: int = 0o600, like: Path | None = None) -> None:
    """Write a file so that every reader sees the former one or the new one, whole; its folder exists.

    Its permissions are `mode`, or those of the file `like` where that exists.

    Raises:
        HooksError: It cannot be written; the former one is as it was.
    """
    try:
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(like.stat().st_mode) if like else mode
        paths.replace_file(path, data, mode)
    except OSError as error:
        raise HooksError(f"cannot write {path}: {error.strerror}", "check the folder's permissions") from error
