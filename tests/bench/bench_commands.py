"""The one-shot commands against their floors: a bare interpreter, and a script that only asks over httpx."""

import os
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
        "bare interpreter": [python, "-c", "pass"],
        "resetbank --version": [command, "--version"],
        "resetbank --help": [command, "--help"],
        "bare httpx, the same two requests": [*ask, *reads],
        "bare httpx, three requests": [*ask, *reads, "/wham/accounts/check"],
        "resetbank status --json": [
            *[command, "status", "--json", "--source", "http"],
            *["--base-url", stub.url, "--codex-home", home],
        ],
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["RESETBANK_HOME"] = str(folder / "home")
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(ROUNDS + 1):
        for name, words in runs.items():
            started = time.perf_counter()
            subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False)
            if round_number:  # the first one compiles
                times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    bare, two, three = (value for name, value in medians.items() if name.startswith("bare"))
    status = medians["resetbank status --json"]
    return [
        *(f"{name:<36} {value:7.1f} ms" for name, value in medians.items()),
        f"--version / bare interpreter         {medians['resetbank --version'] / bare:7.2f}  (target ≤ 3)",
        f"--help / bare interpreter            {medians['resetbank --help'] / bare:7.2f}  (target ≤ 3)",
        f"status / bare httpx, two requests    {status / two:7.2f}",
        f"status / bare httpx, three requests  {status / three:7.2f}  (target ≤ 1.5)",
    ]


if __name__ == "__main__":
    print("\n".join(measure()))
