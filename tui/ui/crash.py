"""What is said of an unforeseen error: where it arose, and nothing that its text or a variable may quote."""

from pathlib import Path

from rich.console import Console
from rich.segment import Segments
from rich.traceback import Traceback

from tui.domain.masking import without_addresses


def crash_report(console: Console) -> Segments:
    """The traceback of the present exception without local variables, addresses in its texts masked."""
    report = Traceback(show_locals=False, width=None)
    for stack in report.trace.stacks:
        stack.exc_value = without_addresses(stack.exc_value)
    return Segments(console.render(report, console.options))


def unforeseen_text(error: BaseException | None, worker: str) -> str:
    """One line about a worker that failed: the error's type and place alone, since its text might quote anything."""
    text = f"unexpected {type(error).__name__} in {worker}{_place(error)}"
    return text + ("; refresh tries again" if worker in ("connect", "poll") else "")


def _place(error: BaseException | None) -> str:
    """Where an error was raised: file and line, without the path."""
    trace = error.__traceback__ if error else None
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
