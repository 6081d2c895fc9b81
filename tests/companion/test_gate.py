"""Keeping the gate: one keeper, who is held, what the hooks are told, and what is left behind."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.companion.test_spending import cleared, spend
from tests.support.clocks import ManualClock
from tests.support.waiting import DEADLINE, Patience, rest
from tui.companion.gate import ABSENT_SECONDS, CHECK_SECONDS, GateKeeper
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode, HookState, HookStatus
from tui.domain.ledger import EventKind
from tui.domain.spend import Outcome
from tui.hooks.gate import Gate, process_start
from tui.hooks.installation import Installation


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    gate = Gate(tmp_path / "gate")
    gate.make()
    return gate


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path)
    await world.companion.poller.poll()
    yield world
    await world.companion.aclose()


def keeper(world: World, gate: Gate) -> GateKeeper:
    companion = world.companion
    parts = companion.store, companion.poller, companion.records, world.clock
    return GateKeeper(*parts, hooks=ScriptedInstallation(gate), before_credits=False)


class ScriptedInstallation(Installation):
    """Our hooks in a Codex home with nothing in it, and a gate of the test's own."""

    def __init__(self, gate: Gate) -> None:
        folder = gate.folder.parent
        super().__init__(folder / "codex", folder / "scripts", folder / "gates", ())
        self.gate = gate


@asynccontextmanager
async def keeping(world: World, gate: Gate) -> AsyncIterator[None]:
    task = asyncio.create_task(keeper(world, gate).follow())
    try:
        yield
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(world: World, holds: Callable[[], bool]) -> None:
    """Let time pass until it holds."""
    patience = Patience()
    while not holds():
        assert not patience.is_over, world.companion.state
        await rest()
        if not holds():
            world.clock.advance(1)


def wait_at(gate: Gate, session: str = "thread-1", **fields: str) -> None:
    """Wait at the gate, as a hook does; this very process is the hook."""
    pid = os.getpid()
    body = json.dumps({"session_id": session, "cwd": "/work/api"} | fields)
    (gate.folder / "waiting" / str(pid)).write_text(f"{pid} 1795640902\n{process_start(pid)}\n{body}")


def mode(gate: Gate) -> GateMode | None:
    said = gate.read()
    return said.mode if said else None


def note(gate: Gate) -> str | None:
    said = gate.read()
    return said.note if said else None


async def test_it_says_what_the_readings_show(world: World, gate: Gate) -> None:
    async with keeping(world, gate):
        await until(world, lambda: mode(gate) is GateMode.OPEN)
        assert gate.has_heartbeat()
        for reading, wanted in ((AT_LIMIT, GateMode.CLOSED), (CLEARED, GateMode.OPEN), (AT_LIMIT, GateMode.CLOSED)):
            world.source.reading = reading
            world.clock.advance(60)
            await world.companion.poller.poll()
            await until(world, lambda wanted=wanted: mode(gate) is wanted)  # type: ignore[misc]
            await until(world, lambda wanted=wanted: world.companion.state.gate is wanted)  # type: ignore[misc]
        said = gate.read()
        assert said is not None
        assert (said.providers, said.default_provider, said.resets_at is not None) == (("openai",), True, True)
        states = {hook.name: hook.state for hook in world.companion.state.hooks}
        assert states == {"hold": HookState.NOT_INSTALLED, "guard": HookState.NOT_INSTALLED}
    assert not gate.has_heartbeat()
    assert world.companion.state.gate is None


async def test_who_waits_is_seen_and_the_keeper_lives_for_them(world: World, gate: Gate) -> None:
    world.source.reading = AT_LIMIT
    async with keeping(world, gate):
        await until(world, lambda: mode(gate) is not None)
        reads = len(world.source.reads)
        quiet = (gate.folder / "heartbeat").read_bytes()
        wait_at(gate)
        await until(world, lambda: bool(held(world.companion.state.sessions)))
        (session,) = held(world.companion.state.sessions)
        assert (session.thread_id, session.workspace) == ("thread-1", "/work/api")
        await until(world, lambda: (gate.folder / "heartbeat").read_bytes() > quiet)
        assert len(world.source.reads) == reads  # the poller does not run here; it was only asked to
        (gate.folder / "heartbeat").unlink()
        await until(world, gate.has_heartbeat)
        (gate.folder / "waiting" / str(os.getpid())).unlink()
        await until(world, lambda: not held(world.companion.state.sessions))


async def test_a_waiting_request_makes_the_limits_be_read_at_once(world: World, gate: Gate) -> None:
    reads = len(world.source.reads)
    polling = asyncio.create_task(world.companion.poller.follow())
    async with keeping(world, gate):
        await until(world, lambda: mode(gate) is GateMode.OPEN)
        world.source.reading = AT_LIMIT
        wait_at(gate)
        await until(world, lambda: mode(gate) is GateMode.CLOSED)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert len(world.source.reads) > reads


async def test_one_keeper_and_the_other_takes_over(
    world: World, gate: Gate, tmp_path: Path, clock: ManualClock
) -> None:
    other = World(clock, tmp_path, process="another")
    await other.companion.poller.poll()
    async with keeping(other, gate):
        async with keeping(world, gate):
            await until(world, lambda: mode(gate) is not None)
            both = (world.companion, other.companion)
            await until(world, lambda: any(each.state.gate is not None for each in both))
            assert sum(each.state.gate is not None for each in both) == 1
            wait_at(gate)
            for each in (world, other):
                await until(world, lambda each=each: bool(held(each.companion.state.sessions)))  # type: ignore[misc]
        await until(other, lambda: other.companion.state.gate is not None and gate.has_heartbeat())
    await other.companion.aclose()


async def test_what_is_let_go_is_told_why_however_late_the_keeper_looks(
    world: World, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.reading = AT_LIMIT
    await world.companion.poller.poll()
    world.source.answers.append(lambda: cleared(world))
    may_look = threading.Event()
    status = Installation.status

    def look(hooks: Installation, name: str) -> HookStatus:
        assert may_look.wait(DEADLINE)
        return status(hooks, name)

    async with keeping(world, gate):
        may_look.set()
        await until(world, lambda: mode(gate) is GateMode.CLOSED)
        wait_at(gate)
        await until(world, lambda: bool(held(world.companion.state.sessions)))
        may_look.clear()
        monkeypatch.setattr(Installation, "status", look)
        world.clock.advance(CHECK_SECONDS)
        assert (await spend(world)).outcome is Outcome.RESET
        assert mode(gate) is GateMode.CLOSED
        may_look.set()
        await until(world, lambda: mode(gate) is GateMode.OPEN)
        assert note(gate) == "one reset was spent; the request goes on"
        for reading, wanted in ((AT_LIMIT, GateMode.CLOSED), (CLEARED, GateMode.OPEN)):
            world.source.reading = reading
            await world.companion.poller.poll()
            await until(world, lambda wanted=wanted: mode(gate) is wanted)  # type: ignore[misc]
        assert note(gate) == "there is room again; the request goes on"


async def test_a_refused_spend_is_a_line_of_the_ledger(world: World, gate: Gate) -> None:
    body = '{"session_id":"thread-1","tool_name":"mcp__codex_app__consume_usage_reset"}'
    (gate.folder / "attempts" / "7").write_text(f"1795640902\n{body}")
    async with keeping(world, gate):
        await until(world, lambda: bool(world.companion.state.recent))
        lines = [(line.kind, line.text) for line in world.ledger.events()]
    kind, text = EventKind.SPEND_REFUSED, "an agent's own spend was refused in thread thread-1"
    assert lines[-1] == (kind, f"{text}: mcp__codex_app__consume_usage_reset")


async def test_without_a_gate_nothing_is_made(world: World, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "none")
    async with keeping(world, gate):
        await world.clock.until_sleeping(1)
        world.clock.advance(ABSENT_SECONDS)
        await world.clock.until_sleeping(1)
        assert not gate.folder.exists()
        gate.make()
        await until(world, lambda: mode(gate) is GateMode.OPEN)


async def test_what_was_said_before_is_taken_up_again(world: World, gate: Gate) -> None:
    async with keeping(world, gate):
        await until(world, lambda: mode(gate) is GateMode.OPEN)
    before = gate.read()
    world.source.reading = READING
    async with keeping(world, gate):
        await until(world, gate.has_heartbeat)
    assert gate.read() == before
