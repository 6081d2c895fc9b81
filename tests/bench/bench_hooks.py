"""What our hooks cost: a request with nothing to hold, beside an empty hook; alone and inside the real Codex."""

import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from tests.hooks.codex import HookedCodex, hooked_codex
from tests.hooks.scripts import NOW, Workbench, meter_line, talk
from tests.support.codex_cli import private_folder
from tests.support.stub_process import start_stub
from tui.domain.hooks import GateMode, GateState
from tui.hooks.gate import Gate
from tui.hooks.scripts import install_script

_ALONE = 1000
_CALLS = 99
"""A turn of the real Codex has a hundred requests."""


def measure(turns: int = 2) -> Iterator[str]:
    """Measure both.

    Args:
        turns: Of the real Codex, with each kind of hook.
    """
    with private_folder() as folder:
        yield from _alone(folder)
    with private_folder() as folder, start_stub(sandbox=folder / "box") as stub:
        yield from _inside(hooked_codex(stub, folder), folder, turns)


def _alone(folder: Path) -> Iterator[str]:
    """Both as Codex starts them, by the shell; the transcript is longer than what is read of it."""
    bench = Workbench(folder, Gate(folder / "gate"))
    bench.gate.make()
    bench.say(GateMode.OPEN, open_since=NOW)
    transcript = bench.transcript(*(talk(800) for _ in range(500)), meter_line(50.0), *(talk(800) for _ in range(10)))
    install_script(folder / "hooks", "hold", [])
    script = folder / "hooks" / "hold.sh"
    commands = {"empty": _empty(folder), "hold": f"test ! -x '{script}' || exec '{script}' '{bench.gate.folder}'"}
    times: dict[str, list[float]] = {name: [] for name in commands}
    stdin = json.dumps({"session_id": "s", "transcript_path": str(transcript)}, separators=(",", ":")).encode()
    for _ in range(_ALONE):
        for name, command in commands.items():
            started = perf_counter()
            subprocess.run(["bash", "-c", command], input=stdin, capture_output=True, check=True)
            times[name].append(perf_counter() - started)
    yield from _report(f"{_ALONE} runs, nothing to hold", times)


def _empty(folder: Path) -> str:
    path = folder / "empty.sh"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o700)
    return str(path)


def _inside(codex: HookedCodex, folder: Path, turns: int) -> Iterator[str]:
    """The time between two requests of one turn, by the meter lines that Codex writes after each."""
    empty = {"hooks": {"PreModelRequest": [{"hooks": [{"type": "command", "command": _empty(folder)}]}]}}

    def none() -> None:
        codex.hooks_file.write_text('{"hooks": {}}')

    def hollow() -> None:
        codex.hooks_file.write_text(json.dumps(empty))
        codex.trust()

    def ours() -> None:
        codex.hooks_file.write_text('{"hooks": {}}')
        codex.resetbank("hold", "on")
        codex.trust()

    kinds: dict[str, Callable[[], None]] = {"none": none, "empty": hollow, "hold": ours}
    times: dict[str, list[float]] = {name: [] for name in kinds}
    codex.stub.set_plan("pro")  # a hundred requests fit into its window
    prompt = "\n".join(["run: true"] * _CALLS)
    with codex.keeper(GateState(GateMode.OPEN, NOW, account="acc1", providers=("sandbox",))):
        for _ in range(turns):
            for name, prepare in kinds.items():
                prepare()
                known = _rollouts(codex)
                codex.stub.set_usage("weekly", 0)
                code, output = codex.turn(prompt, "--dangerously-bypass-approvals-and-sandbox")
                assert code == 0, output
                (rollout,) = _rollouts(codex) - known
                times[name] += _gaps(rollout)
    yield from _report(f"{turns} turns of {_CALLS + 1} requests in the real Codex", times)


def _rollouts(codex: HookedCodex) -> set[Path]:
    return set((codex.stub.codex_home / "sessions").rglob("*.jsonl"))


def _gaps(rollout: Path) -> list[float]:
    moments = [
        datetime.fromisoformat(line["timestamp"])
        for line in map(json.loads, rollout.read_text().splitlines())
        if line["type"] == "event_msg" and line["payload"]["type"] == "token_count" and line["payload"]["info"]
    ]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


def _report(title: str, times: dict[str, list[float]]) -> Iterator[str]:
    def figures(name: str) -> tuple[float, float]:
        ordered = sorted(times[name])
        return statistics.median(ordered) * 1000, ordered[int(len(ordered) * 0.99)] * 1000

    median, worst = figures("hold")
    for name in times:
        if name != "hold":
            other = figures(name)
            yield (
                f"{title}: hold {median:.1f} ms (p99 {worst:.1f}), {name} {other[0]:.1f} ms (p99 {other[1]:.1f}),"
                f" added {median - other[0]:.1f} ms (p99 {worst - other[1]:.1f})"
            )
