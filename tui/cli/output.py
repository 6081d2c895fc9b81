"""Standard output that never stops a command and never drives a terminal."""

import io
import os
import sys

TYPE_CHECKING = False  # checkers know the name; importing typing would cost a third of --help
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from typing_extensions import Buffer


_DANGEROUS = dict.fromkeys(
    [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "?"
)
"""Characters that drive a terminal or turn the direction of text; no command prints one on purpose."""


class _PlainText(io.TextIOWrapper):
    """Lets no escape code pass, wherever a text comes from."""

    def write(self, text: str, /) -> int:
        """Write the text without what drives a terminal."""
        return super().write(text.translate(_DANGEROUS))


class _Forgiving(io.FileIO):
    """Writes to a descriptor until that fails once; from then on everything is dropped."""

    gone = False

    def write(self, data: "Buffer", /) -> int:
        """Write, or drop."""
        if not self.gone:
            try:
                return super().write(data) or 0
            except OSError:
                self.gone = True
        return memoryview(data).nbytes


def forgive_output() -> None:
    """Put forgiving streams in the place of the process's own.

    What an encoding lacks is replaced. Descriptors that were closed become /dev/null, so that no file of ours gets
    their number. Streams that a test has put in their place stay.
    """
    if sys.__stdin__ is None or sys.__stdout__ is None or sys.__stderr__ is None:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = _forgiving(sys.stdout, sys.__stdout__)
    sys.stderr = _forgiving(sys.stderr, sys.__stderr__)


def nobody_reads() -> bool:
    """Whether writing to standard output has failed: its reader has gone, or its disk is full."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, _Forgiving) and raw.gone


def _forgiving(stream: "TextIO", original: "TextIO | None") -> "TextIO":
    if stream is not original or not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = _Forgiving(stream.fileno(), "wb", closefd=False)
    lines = stream.line_buffering or stream.write_through or raw.isatty()  # the second: PYTHONUNBUFFERED
    return _PlainText(io.BufferedWriter(raw), encoding=stream.encoding, errors="replace", line_buffering=lines)


def print_csv(names: "Sequence[str]", rows: "Iterable[Mapping[str, object]]") -> None:
    """Print rows under a header line; what a row lacks stays empty."""
    import csv

    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: object) -> object:
    """Keep a spreadsheet from reading outside text as a formula."""
    return "'" + value if isinstance(value, str) and value and value[0] in "=+-@\t\r" else value
