"""The command line: one module a command, which imports the rest of the program only when it runs.

Scripts depend on the contract of design.md section 7. Errors are one line on stderr that says what to do.
"""

import sys
from collections.abc import Sequence

from tui import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if words == ["--version"]:  # asked by scripts and prompts all the time: not worth a parser
        print(f"resetbank {__version__}")
        return 0
    from tui.cli.parser import parse
    from tui.errors import ResetbankError

    arguments = parse(words)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ResetbankError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone: keep the interpreter from complaining when it flushes at exit.
        sys.stdout = None
        return 0
    return code


def complain(line: str) -> None:
    """Print one line on stderr; what came from outside cannot put escape codes into it."""
    print("resetbank: " + "".join(c if c.isprintable() else " " for c in line), file=sys.stderr)
