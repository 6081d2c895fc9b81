"""Whether a command was started by an agent: what takes a person's consent refuses there."""

import os
from collections.abc import Mapping
from typing import Final

from tui.errors import UnderCodex

MARKS: Final = ("CODEX_THREAD_ID", "CODEX_TOOL_CALL_ID", "CODEX_SESSION_ID", "CODEX_CI", "CODEX_SANDBOX")
"""What Codex sets for the commands of its agent; the last one also begins others. CODEX_HOME is not among them: people
set it."""


def mark_of_codex(environment: Mapping[str, str] | None = None) -> str | None:
    """The variable that shows that Codex started this process; None where none does."""
    variables = os.environ if environment is None else environment
    for name in sorted(variables):
        if variables[name] and (name in MARKS or name.startswith("CODEX_SANDBOX_")):
            return name
    return None


def refuse_under_codex(what: str) -> None:
    """Refuse what begins a sentence ("spending a reset") where an agent may have typed the command.

    Raises:
        UnderCodex: A command of Codex's agent started this process.
    """
    mark = mark_of_codex()
    if mark is not None:
        raise UnderCodex(f"{what} is refused under Codex ({mark} is set)", "do it in a terminal of your own")
