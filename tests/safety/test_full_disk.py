"""A disk that is full, for real: nothing is sent, the exit code says so, and no start sends it later."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE


def spend_with_files_up_to(size: int, stub: StubProcess) -> tuple[int, dict[str, object], str]:
    """`resetbank spend` in a process that can write no file beyond a size, as on a full disk."""
    run = subprocess.run(
        [sys.executable, "-m", "tui", "spend", "--unattended", "--json", *over_http(stub)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    return run.returncode, json.loads(run.stdout), run.stderr


@pytest.mark.parametrize("more", [0, 4096, 8192, 16384])
def test_a_full_disk_sends_nothing_that_is_not_written_down(stub: StubProcess, more: int) -> None:
    allow_unattended()
    resetbank("status", *over_http(stub))
    home = Path(os.environ["RESETBANK_HOME"])
    largest = max(file.stat().st_size for file in home.glob("resetbank.db*"))
    code, report, errors = spend_with_files_up_to(largest + more, stub)
    assert "Traceback" not in errors
    sent = stub.requests("/consume")
    if sent == 0:
        assert (code, report["outcome"]) in ((23, "refused"), (22, "unknown"), (1, "refused")), errors
        assert "nothing was sent" in errors or "nothing can be written down" in errors
    else:
        assert code in (0, 22), errors
        assert sent == 1
    if report["outcome"] == "refused":
        assert resetbank("status", "--json", *over_http(stub)).json["open_spend"] is None
        assert stub.spent() == 0
    again = resetbank("spend", "--json", "--unattended", *over_http(stub))
    # What was left open is finished with its own key; what was not begun is begun; what was done leaves nothing to do.
    assert (again.code, stub.spent()) in ((0, 1), (20, 1)), again
