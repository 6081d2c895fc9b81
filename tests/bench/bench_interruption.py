"""How soon the companion knows that the real Codex was stopped: through the daemon, and through rollouts alone.

Counted from the moment that Codex itself wrote into its rollout, which is after the 429 by a few milliseconds.
"""

import asyncio
import os
import tempfile
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from tests.e2e.attending import Attended, attended, stopped
from tests.e2e.codex import codex_daemon, codex_exec
from tests.sources.second_client import second_client
from tests.support.stub_process import start_stub
from tui.companion.state import State
from tui.domain.sessions import SessionState
from tui.sources.codex_home import CodexHome

DAEMON_STOPS = 50
EXEC_STOPS = 20


def measure() -> list[str]:
    """Medians and 95th percentiles in milliseconds."""
    return [asyncio.run(_through_daemon()), asyncio.run(_through_rollouts())]


def _summary(name: str, delays: list[timedelta], target: str) -> str:
    milliseconds = sorted(delay / timedelta(milliseconds=1) for delay in delays)
    p95 = milliseconds[int(len(milliseconds) * 0.95) - 1]
    middle = milliseconds[len(milliseconds) // 2]
    return f"{name}: median {middle:.0f} ms, p95 {p95:.0f} ms of {len(delays)}  (target {target})"


def _isolate(folder: str) -> Path:
    for name in ("HOME", "RESETBANK_HOME", "CODEX_HOME"):
        os.environ[name] = str(Path(folder) / name.lower())
    return Path(folder) / "sandbox"


async def _stop_known(ours: Attended, thread: str, after: datetime) -> timedelta:
    await ours.until(lambda state: stopped(state, thread) and state.sessions[thread].since > after)
    return ours.companion.clock.now() - ours.state.sessions[thread].since


async def _through_daemon() -> str:
    delays = []
    with tempfile.TemporaryDirectory() as folder, start_stub(sandbox=_isolate(folder)) as stub, codex_daemon(stub):
        async with second_client(CodexHome(stub.codex_home).daemon_socket) as codex, attended(stub, "daemon") as ours:
            thread = await codex.start_thread(stub.workspace)
            await codex.start_turn(thread)
            await ours.until(lambda state: thread in state.sessions)
            await ours.until(lambda state: state.sessions[thread].state is SessionState.IDLE)
            stub.set_usage("five_hour", 100)
            for _ in range(DAEMON_STOPS):
                began = ours.companion.clock.now()
                await codex.start_turn(thread)
                delays.append(await _stop_known(ours, thread, began))
    return _summary("stop known through the daemon", delays, "300 ms")


async def _through_rollouts() -> str:
    delays = []
    with tempfile.TemporaryDirectory() as folder, start_stub(sandbox=_isolate(folder)) as stub:
        async with attended(stub, "http") as ours:
            stub.set_usage("five_hour", 100)
            for _ in range(EXEC_STOPS):
                known = set(ours.state.sessions)
                run = asyncio.create_task(asyncio.to_thread(codex_exec, stub))
                state = await ours.until(partial(_has_new_stop, known))
                now = ours.companion.clock.now()
                (thread,) = [thread for thread in state.sessions if thread not in known]
                delays.append(now - state.sessions[thread].since)
                await run
    return _summary("stop known through rollouts alone", delays, "1 s")


def _has_new_stop(known: set[str], state: State) -> bool:
    return any(stopped(state, thread) for thread in state.sessions if thread not in known)


if __name__ == "__main__":
    print("\n".join(measure()))
