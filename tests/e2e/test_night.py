"""A night of six held sessions: two queued resets, then the natural one; the hook is the real script, Codex is not run.

The service's clock is moved on; the companion and the hook keep the machine's own.
"""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.test_queue import NIGHT, code_of, kinds
from tests.e2e.attending import attended
from tests.hooks.scripts import Workbench, compact, meter_line
from tests.support.commands import over_http
from tests.support.pty import resetbank_terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.clock import SystemClock
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.ledger import EventKind
from tui.domain.question import Cause, Choice
from tui.hooks.gate import Gate, gate_folder
from tui.hooks.scripts import packaged_script
from tui.paths import resetbank_paths

SESSIONS = 6


@pytest.fixture
def bench(stub: StubProcess, tmp_path: Path) -> Workbench:
    gate = Gate(gate_folder(resetbank_paths().gates, stub.codex_home))
    gate.make()
    (tmp_path / "hold.sh").write_bytes(packaged_script("hold"))
    return Workbench(tmp_path, gate)


@contextmanager
def six_in_their_turns(bench: Workbench) -> Iterator[list["subprocess.Popen[str]"]]:
    """Six requests in the middle of a turn whose last answer said that the window is full, as Codex has them held."""
    turns = []
    for _ in range(SESSIONS):
        command = ["dash", str(bench.folder / "hold.sh"), str(bench.gate.folder)]
        pipe = subprocess.PIPE
        turns.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
    full = meter_line(at=SystemClock().now())
    for number, turn in enumerate(turns):  # all have begun by now, so that they ask at nearly the same time
        transcript = bench.transcript(full, name=f"rollout-{number}.jsonl")
        about = {"session_id": f"thread-{number}", "cwd": f"/work/{number}", "transcript_path": str(transcript)}
        assert turn.stdin
        turn.stdin.write(compact(about))
        turn.stdin.close()
        turn.stdin = None
    try:
        yield turns
    finally:
        for turn in turns:
            turn.kill()
            turn.wait(DEADLINE)


def words_of(turns: "list[subprocess.Popen[str]]") -> set[str]:
    """What each request's hook said when it was let go."""
    said = [turn.communicate(timeout=DEADLINE)[1].strip() for turn in turns]
    assert [turn.returncode for turn in turns] == [0] * SESSIONS
    return set(said)


def go_on_by_a_spend(turns: "list[subprocess.Popen[str]]") -> bool:
    """Whether those that were held heard of the spend; who asks only after it is not held and hears nothing."""
    return words_of(turns) - {""} == {"resetbank: one reset was spent; the request goes on"}


ROOM = {"resetbank: there is room again; the request goes on"}


async def test_six_held_sessions_go_on_by_two_queued_resets_and_then_by_the_natural_one(
    stub: StubProcess, bench: Workbench
) -> None:
    async with attended(stub, "http") as running:
        questions = running.companion.questions
        await running.until(lambda state: state.gate is GateMode.OPEN)
        await questions.queue(True, 2, running.companion.clock.now() + timedelta(hours=8))
        for spent in (1, 2):
            stub.set_usage("five_hour", 100)
            with six_in_their_turns(bench) as turns:
                assert await asyncio.to_thread(go_on_by_a_spend, turns)
            assert stub.spent() == spent
            await running.until(lambda state: not held(state.sessions) and not state.spending)
        stub.set_usage("five_hour", 100)
        with six_in_their_turns(bench) as turns:
            state = await running.until(
                lambda state: (
                    len(held(state.sessions)) == SESSIONS
                    and state.question is not None
                    and state.question.cause is Cause.HELD
                )
            )
            assert state.question is not None
            await questions.answer(state.question, Choice.WAIT)
            await running.until(lambda state: state.gate is GateMode.WAIT)
            assert len(bench.gate.waiters()) == SESSIONS
            stub.advance(5 * 3600 + 60)
            running.companion.refresh()
            assert await asyncio.to_thread(words_of, turns) == ROOM
        await running.until(lambda state: state.announcement is not None)
        events = await running.companion.records.events()
    assert stub.spent() == 2
    told = Counter(event.kind for event in events)
    steps = ("QUEUED", "SPEND_CONSENTED", "SPEND_SENT", "SPEND_CLOSED", "WAITING", "WAIT_OVER")
    assert [told[EventKind[step]] for step in steps] == [1, 2, 2, 2, 1, 1]


def test_resetbank_queue_holds_and_spends_through_two_limits_and_ends(stub: StubProcess, bench: Workbench) -> None:
    with resetbank_terminal(*NIGHT, *over_http(stub), columns=100, rows=40) as running:
        running.type(f"{code_of(running)}\n")
        running.wait_for("left in the queue: 2")
        wait_until(lambda: bench.gate.has_heartbeat() and bench.gate.read() is not None)  # until then nobody is held
        for left in (1, 0):
            stub.set_usage("five_hour", 100)
            with six_in_their_turns(bench) as turns:
                assert go_on_by_a_spend(turns)
            running.wait_for(f"left in the queue: {left}" if left else "the queue is over")
        assert running.wait_for_end() == 0
    assert (stub.spent(), kinds().count("spend_consented")) == (2, 2)
