"""The resetbank command as a real process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tui", *words],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=os.environ | environment,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def over_http(stub: StubProcess) -> tuple[str, ...]:
    """The words that make a command ask the stub by the source http."""
    return ("--source", "http", "--base-url", stub.url, "--codex-home", str(stub.codex_home))


def allow_unattended() -> None:
    """Write the setting that lets `spend --unattended` spend."""
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text("[spend]\nunattended = true\n")
