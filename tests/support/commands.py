"""The resetbank command as a real process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forked import Forked
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def resetbank(*words: str, stdin: str | None = None, **environment: str) -> Result:
    """Run one command to its end, with no terminal."""
    with Forked(
        [sys.executable, "-W", "error", "-m", "tui", *words],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    ) as process:
        try:
            out, err = process.communicate(stdin, DEADLINE)
        finally:
            process.kill()
    return Result(process.returncode, out, err)


def over_http(stub: StubProcess) -> tuple[str, ...]:
    """The words that make a command ask the stub by the source http."""
    return ("--source", "http", "--base-url", stub.url, "--codex-home", str(stub.codex_home))


def allow_unattended() -> None:
    """Write the setting that lets `spend --unattended` spend."""
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text("[spend]\nunattended = true\n")
