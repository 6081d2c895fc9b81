"""The exact command that carries a session on by hand."""

from typing import Final

from tui.domain.resuming import resume_command
from tui.errors import UsageError
from tui.ui.view.text import Level, Line, Span, clean, fit

_BY_HAND: Final = "its id is none that fits a command line: pick it in Codex"


def resume_text(thread_id: str, codex: str) -> str | None:
    """The command; None where what came from outside is no thread id and has no place on a command line."""
    try:
        return resume_command(thread_id, codex)
    except UsageError:
        return None


def command_lines(thread_id: str, codex: str, width: int) -> tuple[Line, ...]:
    """The command, whole however narrow the screen is; broken at spaces where it can be."""
    command = resume_text(thread_id, codex)
    if command is None:
        return ((Span(fit(_BY_HAND, width), Level.DIM),),)
    rows = [""]
    for word in clean(command).split(" "):
        if rows[-1] and len(rows[-1]) + 1 + len(word) <= width:
            rows[-1] += f" {word}"
            continue
        pieces = [word[start : start + width] for start in range(0, len(word), width)]
        rows[-1:] = [rows[-1], *pieces] if rows[-1] else pieces
    return tuple((Span(row, Level.STRONG),) for row in rows)
