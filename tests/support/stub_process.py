"""`resetbank stub` as a real process, and a client for its controls."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from tests.support.forked import Forked
from tests.support.waiting import DEADLINE

OPENER = build_opener(ProxyHandler({}))


@dataclass
class StubProcess:
    """A running service; every control raises AssertionError with the service's own line where it refuses."""

    process: subprocess.Popen[str]
    url: str
    """The base URL of the quota endpoint, ending in `/backend-api`."""
    port: int
    scenario: str
    sandbox: Path | None

    @property
    def origin(self) -> str:
        """Scheme, host and port alone: the other path style's base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def box(self) -> Path:
        """The main account's sandbox; that of a further one is what `add_account` gives back."""
        assert self.sandbox is not None, "started without a sandbox"
        return self.sandbox

    @property
    def codex_home(self) -> Path:
        return self.box / "codex-home"

    @property
    def workspace(self) -> Path:
        return self.box / "workspace"

    def state(self) -> dict[str, Any]:
        return self._call("GET", "/stub/state", None)

    def account(self, account: str = "acc1") -> dict[str, Any]:
        """One account's part of the state."""
        return next(entry for entry in self.state()["accounts"] if entry["id"] == account)

    def spent(self, account: str = "acc1") -> int:
        """How many credits are redeemed."""
        return sum(credit["status"] == "redeemed" for credit in self.account(account)["credits"])

    def requests(self, path_end: str) -> int:
        """How many requests came for paths with this end."""
        return sum(count for path, count in self.state()["requests"].items() if path.endswith(path_end))

    def set_usage(self, kind: str, used_percent: float, account: str = "acc1") -> None:
        self._call("POST", "/stub/usage", {"account": account, "kind": kind, "used_percent": used_percent})

    def advance(self, seconds: float) -> None:
        """Let time pass for the service alone."""
        self._call("POST", "/stub/clock", {"advance_seconds": seconds})

    def grant(self, count: int = 1, expires_in_seconds: float | None = None, account: str = "acc1") -> list[str]:
        """Grant credits; the ids of the new ones."""
        body: dict[str, object] = {"account": account, "count": count}
        if expires_in_seconds is not None:
            body["expires_in_seconds"] = expires_in_seconds
        granted: list[str] = self._call("POST", "/stub/grant", body)["granted"]
        return granted

    def fault(self, path: str, kind: str, count: int = 1) -> None:
        self._call("POST", "/stub/faults", {"path": path, "kind": kind, "count": count})

    def set_scenario(self, name: str) -> None:
        self._call("POST", "/stub/scenario", {"name": name})

    def add_account(
        self, account: str, plan: str = "plus", email: str | None = None, last_used_days_ago: float | None = None
    ) -> Path | None:
        """Make a further account; its sandbox, where the service was started with one."""
        body: dict[str, object] = {"id": account, "plan": plan, "last_used_days_ago": last_used_days_ago}
        sandbox = self._call("POST", "/stub/accounts", body | ({"email": email} if email else {}))["sandbox"]
        return Path(sandbox) if sandbox else None

    def set_plan(self, plan: str, account: str = "acc1") -> None:
        self._call("POST", "/stub/plan", {"account": account, "plan": plan})

    def buy(self, purchase_id: str, account: str = "acc1") -> str:
        """Buy a single reset, once for this id; the credit's id."""
        body: dict[str, object] = {"account": account, "purchase_id": purchase_id}
        credit_id: str = self._call("POST", "/stub/purchase", body)["credit_id"]
        return credit_id

    def invites(self, account: str = "acc1") -> list[dict[str, Any]]:
        """The invites that an account has sent, oldest first, as the state tells them."""
        return [invite for invite in self.state()["invites"] if invite["referrer"] == account]

    def grants(self, account: str = "acc1") -> list[dict[str, Any]]:
        """Everything an account was granted, in its order."""
        return [grant for grant in self.state()["grants"] if grant["account"] == account]

    def open_invite(self, link: str) -> dict[str, Any]:
        """Look at an invite's link, as the friend does; the invite's id, status and reason."""
        return self._call("POST", "/stub/invites/open", {"link": link})

    def accept_invite(self, link: str, account: str) -> dict[str, Any]:
        """Join by an invite's link; the invite's id, status and reason."""
        return self._call("POST", "/stub/invites/accept", {"link": link, "account": account})

    def reverse_invite(self, referral_id: str) -> dict[str, Any]:
        """Take both rewards back, as far as they are still there; also tells which resets that were."""
        return self._call("POST", "/stub/invites/reverse", {"referral_id": referral_id})

    def kill(self) -> None:
        """End it the hard way: SIGKILL."""
        self.process.kill()
        self.process.wait(DEADLINE)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """End it the ordinary way; it must obey with exit code 0 and say nothing."""
        self.process.send_signal(sig)
        stdout, stderr = self.process.communicate(timeout=DEADLINE)
        assert (self.process.returncode, stdout, stderr) == (0, "", "")

    def _call(self, method: str, path: str, body: dict[str, object] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.origin + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with OPENER.open(request, timeout=DEADLINE) as response:
                said = response.read()
        except HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None
        try:
            answer: dict[str, Any] = json.loads(said)
        except ValueError as error:
            raise AssertionError(f"{path}: {said!r}") from error
        return answer


def launch(
    *arguments: str, cwd: Path | None = None, start: type[subprocess.Popen[str]] = subprocess.Popen
) -> subprocess.Popen[str]:
    """Start the command as a person would; the caller ends it."""
    return start(
        [sys.executable, "-m", "tui", "stub", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )


@contextmanager
def start_stub(
    *,
    scenario: str | None = None,
    db: Path | None = None,
    sandbox: Path | None = None,
    port: int = 0,
    cwd: Path | None = None,
) -> Iterator[StubProcess]:
    """Run the service until the block ends; it must then obey SIGTERM with exit code 0, unless the test ended it."""
    arguments = ["--port", str(port)]
    for flag, value in (("--scenario", scenario), ("--db", db), ("--sandbox", sandbox)):
        if value is not None:
            arguments += [flag, str(value)]
    process = launch(*arguments, cwd=cwd, start=Forked)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            _, stderr = process.communicate(timeout=DEADLINE)
            raise AssertionError(f"the stub did not start: {stderr}")
        ready = json.loads(line)
        assert urlsplit(ready["url"]).port == ready["port"]
        folder = Path(ready["sandbox"]) if ready["sandbox"] else None
        running = StubProcess(process, ready["url"], ready["port"], ready["scenario"], folder)
        yield running
        if process.poll() is None:
            running.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=DEADLINE)
