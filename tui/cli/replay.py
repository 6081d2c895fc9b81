"""`resetbank replay`: forecasts, warnings and advice over a recording, or over real rollouts."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from tui.errors import BadPayload, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tui.domain.foresight import Warned
    from tui.domain.reading import Reading

_EVERY = 900.0
"""Seconds between two questions where a recording asks none itself."""

_LONGEST_LINE = 8 << 20


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
    player = _Player(arguments.json, arguments.speed)
    if arguments.recording == "-":
        player.play(sys.stdin.buffer, "standard input", asks=True)
    else:
        from pathlib import Path

        _play_path(player, Path(arguments.recording))
    return player.finish()


def _play_path(player: "_Player", path: "Path") -> None:

    if not path.exists():
        raise UsageError(f"there is no {path}", "name a recording, a folder or - for standard input")
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.rglob("*.jsonl*") if p.is_file())
        if not files:
            raise UsageError(f"{path} holds no recordings", "recordings and rollouts are files that end in .jsonl")
    try:
        rollouts = [file for file in files if file.name.startswith("rollout-")]
        for file in files:
            if file not in rollouts:
                with file.open("rb") as lines:
                    asks = any(b'"ask"' in line for line in _lines(lines))
                    lines.seek(0)
                    player.play(lines, str(file), asks=asks)
        if rollouts:
            player.play_rollouts(rollouts)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "check its name and its rights") from error


class _Player:
    """Feeds lines to the foresight and prints what it says."""

    def __init__(self, as_json: bool, speed: float | None) -> None:
        from tui.domain.foresight import Foresight

        self._new = Foresight
        self._foresight: Foresight = Foresight(0)
        self._json = as_json
        self._speed = speed
        self._warned: list[Warned] = []
        self._bad = 0
        self._asks = True
        self._asked_at = 0.0
        self._clock_at: float | None = None
        self._headline = ""

    def play(self, lines: BinaryIO, name: str, *, asks: bool) -> None:
        """Play the lines of one recording.

        Args:
            lines: The recording.
            name: What it is called in complaints.
            asks: Whether it asks itself; otherwise every quarter of an hour and its end is a question.
        """
        from tui.cli import complain
        from tui.domain.reading import Reading
        from tui.wire.recording import Ask, Head, decode_line

        self._asks = asks
        for number, line in enumerate(_lines(lines), 1):
            try:
                found = decode_line(line)
            except BadPayload as error:
                self._bad += 1
                complain(f"line {number} of {name} is left out: {error.message}")
                continue
            if isinstance(found, Reading):
                self._pace(found.at)
                self._read(found)
            elif isinstance(found, Ask):
                if found.at is None:
                    self._bad += 1
                    complain(f"line {number} of {name} asks at no time that makes sense: the last reading's counts")
                self._answer(found.at, found.at_text)
            elif isinstance(found, Head):
                self._foresight = self._new(found.utc_offset_minutes)

    def play_rollouts(self, files: "list[Path]") -> None:
        """Play the meter readings of rollouts, in the order of time."""
        from tui.sources.rollout_history import all_readings

        self._asks = False
        for reading in all_readings(files):
            self._pace(reading.at)
            self._read(reading)

    def finish(self) -> int:
        """Say the last word; returns the exit code."""
        last = self._foresight.record.last
        if not self._asks and last is not None and last.at > self._asked_at:
            self._answer(last.at, None)
        return 1 if self._bad else 0

    def _read(self, reading: "Reading") -> None:
        self._warned += self._foresight.add(reading)
        if not self._asks and reading.at - self._asked_at >= _EVERY:
            self._answer(reading.at, None)

    def _answer(self, at: float | None, at_text: str | None) -> None:
        from tui.wire.recording import advice_line, encode_line, forecast_line, time_text, warning_line

        last = self._foresight.record.last
        moment = max(at or 0.0, last.at if last is not None else 0.0)
        self._asked_at = moment
        forecasts = self._foresight.forecasts(moment)
        advice = self._foresight.advice(moment)
        warned, self._warned = self._warned, []
        if not self._json:
            self._print(moment, advice.headline, warned)
            return
        text = at_text or time_text(moment if at is None else at)
        out = [forecast_line(forecast) for forecast in forecasts]
        out += [warning_line(warning) for warning in warned]
        out.append(advice_line(advice))
        for line in out:
            if line["type"] != "warning":
                line["at"] = text
        out.append({"type": "answered", "at": text})
        sys.stdout.buffer.write(b"".join(map(encode_line, out)))
        sys.stdout.buffer.flush()

    def _print(self, at: float, headline: str, warned: "list[Warned]") -> None:
        from tui.domain.advice import window_name
        from tui.wire.recording import time_text

        for warning in warned:
            print(f"{time_text(warning.at)}  warning: the {window_name(warning.minutes)} is likely within 30 min")
        if headline != self._headline:
            print(f"{time_text(at)}  {headline}")
            self._headline = headline

    def _pace(self, at: float) -> None:
        if self._speed is None:
            return
        import asyncio

        from tui.clock import SystemClock

        if self._clock_at is not None and at > self._clock_at:
            sys.stdout.flush()
            asyncio.run(SystemClock().sleep((at - self._clock_at) / self._speed))
        self._clock_at = at


def _lines(lines: BinaryIO) -> Iterator[bytes]:
    """Every line; of one that is far too long only the beginning, which makes no sense and is said so."""
    while line := lines.readline(_LONGEST_LINE):
        yield line
        while line and not line.endswith(b"\n"):
            line = lines.readline(_LONGEST_LINE)
