"""The one-shot commands against their floors: a bare interpreter, and a script that only asks over httpx."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.stub_process import StubProcess, start_stub

ROUNDS = 15

_ASK = """
import json, os, sys, httpx
auth = json.load(open(os.path.join(sys.argv[2], "auth.json")))["tokens"]
headers = {"Authorization": "Bearer " + auth["access_token"], "ChatGPT-Account-Id": auth["account_id"]}
with httpx.Client(headers=headers) as client:
    for path in sys.argv[3:]:
        client.get(sys.argv[1] + path).raise_for_status()
"""


def measure() -> list[str]:
    """Median times and their ratios; interleaved, so that a noisy moment hits all alike."""
    with tempfile.TemporaryDirectory() as folder, start_stub(sandbox=Path(folder) / "sandbox") as stub:
        return _measure(stub, Path(folder))


def _measure(stub: StubProcess, folder: Path) -> list[str]:
    python, command = sys.executable, str(Path(sys.executable).parent / "resetbank")
    home = str(stub.codex_home)
    reads = ["/wham/usage", "/wham/rate-limit-reset-credits"]
    ask = [python, "-c", _ASK, stub.url, home]
    runs = {
        "bare interpreter": [python, "-c", "import re, sys"],  # as every installed script begins
        "resetbank --version": [command, "--version"],
        "resetbank --help": [command, "--help"],
        "resetbank line --format tmux": [command, "line", "--format", "tmux"],
        "bare httpx, the same two requests": [*ask, *reads],
        "resetbank status --json": [
            *[command, "status", "--json", "--source", "http"],
            *["--base-url", stub.url, "--codex-home", home],
        ],
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["RESETBANK_HOME"] = str(folder / "home")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for round_number in range(ROUNDS + 1):
        for name, words in runs.items():
            started, used = time.perf_counter(), _cpu_of_children()
            subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False)
            if round_number:  # the first one compiles
                times[name].append((time.perf_counter() - started, _cpu_of_children() - used))
    wall, cpu = (
        {name: statistics.median(value[which] for value in values) * 1000 for name, values in times.items()}
        for which in (0, 1)
    )
    bare, two, status = "bare interpreter", "bare httpx, the same two requests", "resetbank status --json"
    ratios = (
        ("--version / bare interpreter", "resetbank --version", bare, "1.25"),
        ("--help / bare interpreter", "resetbank --help", bare, "1.5"),
        ("line / bare interpreter", "resetbank line --format tmux", bare, "1.8"),
        ("status / bare httpx, same requests", status, two, "1.15"),
    )
    return [
        *(f"{name:<36} {wall[name]:7.1f} ms, of it {cpu[name]:6.1f} ms on the processor" for name in runs),
        *(
            f"{title:<36} {wall[ours] / wall[floor]:7.2f}, on the processor {cpu[ours] / cpu[floor]:.2f}"
            f"  (target ≤ {target})"
            for title, ours, floor, target in ratios
        ),
    ]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print("\n".join(measure()))
