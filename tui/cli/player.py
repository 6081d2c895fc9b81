"""Plays what `resetbank replay` reads: feeds it to the foresight, and prints what that says."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from tui.cli import complain
from tui.domain.advice import window_name
from tui.domain.forecast import Forecast
from tui.domain.foresight import LEAD, Foresight, Warned
from tui.domain.reading import Reading
from tui.errors import BadPayload, UsageError
from tui.wire.recording import Ask, Head, advice_line, decode_line, encode_line, forecast_line, time_text, warning_line

_EVERY = 900.0
"""Seconds between two questions where a recording asks none itself."""

_MOVED = 0.1
"""A moment that is expected is said again once it has moved by about this share of its window."""

_LONGEST_LINE = 8 << 20


class Player:
    """Feeds lines to the foresight and prints what it says."""

    def __init__(self, as_json: bool, speed: float | None) -> None:
        self._foresight = Foresight(0)
        self._json = as_json
        self._speed = speed
        self._warned: list[Warned] = []
        self._bad = 0
        self._asks = True
        self._asked_at = 0.0
        self._clock_at: float | None = None
        self._headline = ""
        self._expected: dict[int, int] = {}
        """When each window was last said to be full, in steps; 0 where it is."""

    def play_path(self, path: Path) -> None:
        """Play a recording, or all of a folder: the recordings each by itself, then the rollouts together.

        Raises:
            UsageError: There is nothing to play, or it cannot be read.
        """
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
                        self.play(lines, str(file), asks=asks)
            if rollouts:
                self._play_rollouts(rollouts)
                if self._foresight.record.last is None:
                    raise UsageError(f"{path} shows no limits", "Codex writes them into a session's file as it works")
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", "check its name and its rights") from error

    def play(self, lines: BinaryIO, name: str, *, asks: bool) -> None:
        """Play the lines of one recording, which complaints call by its name.

        One that `asks` has its own questions; otherwise every quarter of an hour and its end is one.
        """
        self._asks = asks
        for number, line in enumerate(_lines(lines), 1):
            try:
                found = decode_line(line)
            except BadPayload as error:
                self._bad += 1
                complain(f"line {number} of {name} is left out: {error.message}")
                continue
            if isinstance(found, Reading):
                self._read(found)
            elif isinstance(found, Ask):
                if found.at is None:
                    self._bad += 1
                    complain(f"line {number} of {name} asks at no time that makes sense: the last reading's counts")
                self._answer(found.at, found.at_text)
            elif isinstance(found, Head):
                self._foresight = Foresight(found.utc_offset_minutes)

    def _play_rollouts(self, files: list[Path]) -> None:
        """Play the meter readings of rollouts, in the order of time."""
        from tui.sources.rollout_history import all_readings

        self._asks = False
        for reading in all_readings(files):
            self._read(reading)

    def finish(self) -> int:
        """Say the last word; returns the exit code."""
        last = self._foresight.record.last
        if not self._asks and last is not None and last.at > self._asked_at:
            self._answer(last.at, None)
        return 1 if self._bad else 0

    def _read(self, reading: Reading) -> None:
        self._pace(reading.at)
        self._warned += self._foresight.add(reading)
        if not self._asks and reading.at - self._asked_at >= _EVERY:
            self._answer(reading.at, None)

    def _answer(self, at: float | None, at_text: str | None) -> None:
        last = self._foresight.record.last
        moment = max(at or 0.0, last.at if last is not None else 0.0)
        self._asked_at = moment
        forecasts = self._foresight.forecasts(moment)
        advice = self._foresight.advice(moment)
        warned, self._warned = self._warned, []
        if not self._json:
            self._print(moment, forecasts, advice.headline, warned)
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

    def _print(self, at: float, forecasts: Iterable[Forecast], headline: str, warned: list[Warned]) -> None:
        for warning in warned:
            limit = window_name(warning.minutes)
            _say(warning.at, f"warning: the {limit} may be reached within {LEAD / 60:.0f} min")
        for forecast in forecasts:
            full_at = forecast.limit_at.p50 if forecast.limit_at is not None else None
            if full_at is None:
                self._expected.pop(forecast.minutes, None)
                continue
            place = 0 if full_at <= at else round(full_at / 60 / forecast.minutes / _MOVED)
            if place != self._expected.get(forecast.minutes):
                when = f"is expected to be reached at about {time_text(full_at // 60 * 60)}: {forecast.basis}"
                _say(at, f"the {window_name(forecast.minutes)} {when if place else 'is reached'}")
            self._expected[forecast.minutes] = place
        if headline != self._headline:
            _say(at, headline)
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


def _say(at: float, what: str) -> None:
    print(f"{time_text(at // 1)}  {what}")
