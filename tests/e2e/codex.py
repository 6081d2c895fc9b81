"""The real Codex CLI at work: single turns, and its app-server on a socket."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until


def codex_exec(stub: StubProcess, prompt: str = "say hello") -> subprocess.CompletedProcess[str]:
    """One turn of the real CLI against the stub."""
    return subprocess.run(
        [codex_executable(), "exec", prompt, "--skip-git-repo-check"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=stub.workspace,
        env=codex_environment(stub.codex_home),
    )


@contextmanager
def codex_daemon(stub: StubProcess, executable: Path | str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The real app-server where a running Codex leaves its socket."""
    folder = stub.codex_home / "app-server-control"
    folder.mkdir(mode=0o700, exist_ok=True)
    # A Unix socket's path is short by law, a test's folder is not: as Codex does, the socket lies elsewhere.
    short = Path(os.path.realpath("/tmp")) / f"rb-{os.getpid()}-{stub.port}"
    short.mkdir(mode=0o700, exist_ok=True)
    socket, link = short / "s.sock", folder / "app-server-control.sock"
    socket.unlink(missing_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(socket)
    process = subprocess.Popen(
        [executable or codex_executable(), "app-server", "--listen", f"unix://{socket}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=codex_environment(stub.codex_home),
        start_new_session=True,
    )
    try:
        wait_until(socket.exists)
        yield process
    finally:
        end(process)
        shutil.rmtree(short, ignore_errors=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)
