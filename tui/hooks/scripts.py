"""Our scripts where Codex runs them: a folder of our own that no agent can write to."""

import os
import stat
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from tui.errors import HooksError
from tui.hooks.files import read_small_file, replace_file

HOLD: Final = "hold"
GUARD: Final = "guard"
_MODE: Final = 0o500
_TEMPORARY: Final = ("/tmp", "/var/tmp", "/dev/shm", "/run/shm")  # noqa: S108  # refused, not used
_ELSEWHERE: Final = "set RESETBANK_HOME to a folder of your own outside of it"


class ScriptState(StrEnum):
    """How an installed script compares with the packaged one."""

    MISSING = "missing"
    SAME = "same"
    MODIFIED = "modified"
    """Its text differs, or others may write to it: it must not be trusted."""


def packaged_script(name: str) -> bytes:
    """The text of a script as it came with resetbank."""
    return Path(__file__).with_name(f"{name}.sh").read_bytes()


def script_path(folder: Path, name: str) -> Path:
    """Where a script is installed."""
    return folder / f"{name}.sh"


def script_state(folder: Path, name: str) -> ScriptState:
    """Compare an installed script with the packaged one."""
    path = script_path(folder, name)
    try:
        data = read_small_file(path)
        if data is None:
            return ScriptState.MISSING
        about = path.lstat()
    except (HooksError, OSError):
        return ScriptState.MODIFIED
    foreign = about.st_uid not in (0, os.getuid()) or about.st_mode & 0o022 or not stat.S_ISREG(about.st_mode)
    return ScriptState.MODIFIED if foreign or data != packaged_script(name) else ScriptState.SAME


def install_script(folder: Path, name: str, workspaces: Sequence[Path]) -> bool:
    """Put a script into our folder, readable and executable by its owner alone; whether it was not there as it is.

    Agents work in the workspaces. The folder is made if it is missing.

    Raises:
        HooksError: An agent or another user could put another script in its place there; or it cannot be written.
    """
    refuse_unsafe(folder, workspaces)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # a missing parent gets the umask's mode alone
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HooksError(f"cannot make {folder}: {error.strerror}", "set RESETBANK_HOME") from error
    refuse_unsafe(folder, workspaces)
    if script_state(folder, name) is ScriptState.SAME:
        return False
    replace_file(script_path(folder, name), packaged_script(name), mode=_MODE)
    return True


def refuse_unsafe(folder: Path, workspaces: Sequence[Path]) -> None:
    """Refuse a folder in which a trusted script could be swapped.

    Raises:
        HooksError: It lies under a temporary folder or in a workspace, or others may write to it or above it.
    """
    folder = folder.expanduser().resolve()
    for temporary in {*_TEMPORARY, tempfile.gettempdir(), os.environ.get("TMPDIR") or tempfile.gettempdir()}:
        if folder.is_relative_to(Path(temporary).resolve()):
            raise HooksError(f"{folder} lies under the temporary folder {temporary}", _ELSEWHERE)
    for workspace in workspaces:
        if folder.is_relative_to(workspace.expanduser().resolve()):
            raise HooksError(f"{folder} lies in the workspace {workspace}", _ELSEWHERE)
    for each in (folder, *folder.parents):
        if each not in (Path.home().resolve(), Path("/")) and (each / ".git").exists():
            raise HooksError(f"{folder} lies in the repository {each}", _ELSEWHERE)
        _refuse_writable(each)


def _refuse_writable(folder: Path) -> None:
    try:
        about = folder.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise HooksError(f"cannot look at {folder}: {error.strerror}", _ELSEWHERE) from error
    by_group = about.st_mode & stat.S_IWGRP and about.st_gid not in (0, os.getgid())
    if about.st_uid not in (0, os.getuid()) or about.st_mode & stat.S_IWOTH or by_group:
        raise HooksError(f"{folder} can be written by others", f"take that right away, or {_ELSEWHERE}")
