"""Codex's own program: which file its name means, and which version that is."""

import re
import shutil
import subprocess
from typing import Final

from tui.errors import NotViable

_PATIENCE: Final = 2.0
"""Seconds that it may take to say its version."""
_VERSION: Final = re.compile(r"\d{1,6}(?:\.\d{1,6}){1,3}(?:-[0-9A-Za-z.]{1,24})?")


def codex_program(command: str) -> str:
    """The file that a command's name means, by the rules of this system; the name as it is where none is found.

    On Windows npm installs `codex.cmd`, which is found by PATHEXT and can be started by its whole name alone.
    """
    return shutil.which(command) or command


def codex_version(command: str) -> str:
    """Ask the program for its version; `NotViable` where it is not there, or does not say."""
    try:
        said = subprocess.run(
            [codex_program(command), "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        ).stdout[:1_000]
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotViable("the Codex program is not there, or does not start") from error
    found = _VERSION.search(said.decode("utf-8", "replace"))
    if found is None:
        raise NotViable("the Codex program does not say its version")
    return found[0]
