"""`resetbank replay`: forecasts, warnings and advice over a recording, or over real rollouts."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument(
        "recording",
        metavar="FILE|DIR|-",
        help="a recording, a folder of recordings or rollouts, or - for standard input",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON, one object a line")
    parser.add_argument(
        "--speed", type=_speed, metavar="N", help="play N times as fast as it happened (default: as fast as possible)"
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e9:
        raise argparse.ArgumentTypeError("a speed is a number above zero")
    return speed


def run(arguments: argparse.Namespace) -> int:
    """Play it; exit code 1 where a line could not be understood."""
    from pathlib import Path

    from tui.cli.player import Player

    player = Player(arguments.json, arguments.speed)
    if arguments.recording == "-":
        player.play(sys.stdin.buffer, "standard input", asks=True)
    else:
        player.play_path(Path(arguments.recording))
    return player.finish()
