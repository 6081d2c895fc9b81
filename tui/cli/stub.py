"""`resetbank stub`: the whole quota service on loopback, to try things out and to test against."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="listen here; 0, the default, picks one")
    parser.add_argument("--db", type=Path, metavar="FILE", help="keep the state in this file, across restarts")
    parser.add_argument(
        "--scenario", metavar="NAME", help="start in this world (busy by default); a file that is in it already goes on"
    )
    parser.add_argument("--sandbox", type=Path, metavar="DIR", help="write a sandbox for the real Codex CLI there")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ResetbankError: The service cannot start.
    """
    from tui.cli.json_output import print_json_line
    from tui.clock import SystemClock
    from tui.stub.serve import serve

    serve(SystemClock(), print_json_line, port=args.port, db=args.db, scenario=args.scenario, sandbox=args.sandbox)
    return 0


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
