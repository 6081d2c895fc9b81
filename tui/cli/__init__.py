"""The command line: one module per command, which imports the rest of the program only when it runs.

Scripts depend on the exit codes and the JSON; the README describes both. Errors are one line on stderr that says what
to do.
"""

import sys

from tui.cli.output import forgive_output

TYPE_CHECKING = False  # checkers know the name; importing typing would cost a third of --help
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run a command, by the words after the program's name; its exit code, whether anybody reads the output or not."""
    words = sys.argv[1:] if argv is None else list(argv)
    forgive_output()
    try:
        code = _run(words)
    except KeyboardInterrupt:
        code = 130
    if sys.stdout is not None:  # closed from the start
        sys.stdout.flush()
    return code


def _run(words: list[str]) -> int:
    if words in (["--version"], ["--help"], ["-h"]):  # asked all the time: not worth a parser
        from tui.cli.commands import VERSION, overview

        print(VERSION if words == ["--version"] else overview(), end="")
        return 0
    if words[:1] == ["line"]:  # drawn with every prompt
        from tui.cli.line import run_quickly

        if (quick := run_quickly(words[1:])) is not None:
            return quick
    from tui.cli.parser import parse
    from tui.errors import EXIT_FAILURE

    try:
        arguments = parse(words)
        code: int = arguments.run(arguments)
    except SystemExit as end:  # the parser printed help, or complained
        return end.code if isinstance(end.code, int) else EXIT_FAILURE
    except Exception as error:
        return _fail(error)
    return code


def confirm_auth_link(arguments: "argparse.Namespace") -> None:
    """Ask once, on a terminal, whether a login is used that a link in the Codex home leads to elsewhere."""
    import os
    from pathlib import Path

    chosen = Path(getattr(arguments, "codex_home", None) or os.environ.get("CODEX_HOME") or "~/.codex").expanduser()
    if not os.path.islink(chosen / "auth.json") or not (sys.stdin.isatty() and sys.stderr.isatty()):  # noqa: PTH114
        return  # a broken folder is for the source to explain
    from tui.sources.codex_home import CodexHome, allow_link, outside_link
    from tui.ui.view.text import clean

    home = CodexHome(chosen)
    target = outside_link(home)
    if target is None:
        return
    question = f"{home.auth_file} is a link out of its folder, to {target}. Use the login there? Type yes: "
    print(clean(question), end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() == "yes":
        allow_link(home, target)


def _fail(error: Exception) -> int:
    """Say in one line what went wrong, also where nobody foresaw it."""
    import os

    from tui.errors import EXIT_FAILURE, ResetbankError, SourceError

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ResetbankError):
        complain(with_next_step(str(error)) if isinstance(error, SourceError) else str(error))
        return error.exit_code
    if os.environ.get("RESETBANK_DEBUG"):
        import traceback

        traceback.print_exception(error)
        return EXIT_FAILURE
    place = error.__traceback__
    while place is not None and place.tb_next is not None and "/tui/" in place.tb_next.tb_frame.f_code.co_filename:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rpartition('/tui/')[2]}, line {place.tb_lineno}" if place else "?"
    # Without its message: nobody knows what an unforeseen error quotes.
    complain(f"unforeseen {type(error).__name__} in {where}; RESETBANK_DEBUG=1 shows more")
    return EXIT_FAILURE


def with_next_step(line: str) -> str:
    """Why something could not be read, with what to do where that is not said yet."""
    return line if "; " in line else f"{line}; run it again later"


def complain(line: str) -> None:
    """Print one line on stderr; what came from outside cannot put escape codes into it."""
    print("resetbank: " + "".join(c if c.isprintable() else " " for c in line), file=sys.stderr)
