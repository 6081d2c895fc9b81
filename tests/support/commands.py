"""The resetbank command as a real process."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
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
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"not one JSON document: {self}") from error


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


def leave_open(stub: StubProcess, hours: float) -> None:
    """Leave a spend open whose request came to nothing, and whose consent is so old."""
    allow_unattended()
    stub.set_scenario("at-limit")
    stub.fault("/consume", "status:503", 50)
    assert resetbank("spend", "--unattended", *over_http(stub)).code == 22
    stub.fault("/consume", "none")
    home = Path(os.environ["RESETBANK_HOME"])
    (home / "settings.toml").unlink()
    with closing(sqlite3.connect(home / "resetbank.db")) as database, database:
        (body,) = database.execute("SELECT body FROM spends").fetchone()
        spend = json.loads(body)
        given = datetime.fromisoformat(spend["consent"]["given_at"]) - timedelta(hours=hours)
        spend["consent"]["given_at"] = given.isoformat()
        database.execute("UPDATE spends SET body = ?", (json.dumps(spend),))
