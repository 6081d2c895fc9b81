"""Live sessions of the real Codex CLI: through rollouts alone, and through its daemon without a subscription."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.codex import codex_daemon, codex_exec
from tests.sources.following import Following, following
from tests.sources.second_client import SecondClient, second_client
from tests.sources.servers import Request, running
from tests.support.stub_process import StubProcess
from tui.clock import SystemClock
from tui.domain.sessions import Session, SessionState, forget_daemon
from tui.domain.spend import ConsumeCode, ConsumeRequest
from tui.errors import CarryOnRejected, SourceDown
from tui.sources.appserver_transports import SocketTransport
from tui.sources.codex_home import CodexHome
from tui.sources.daemon import DaemonSource, open_daemon
from tui.sources.rollouts import RolloutFeed

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex")]

RUNNING, IDLE, LIMIT = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_AT_LIMIT
ERROR, WAITING, GONE = SessionState.STOPPED_BY_ERROR, SessionState.WAITING_APPROVAL, SessionState.GONE
CLOCK = SystemClock()
MESSAGE = "Continue where you left off."


@pytest.fixture
def home(stub: StubProcess) -> CodexHome:
    return CodexHome(stub.codex_home)


@pytest.fixture
async def daemon(stub: StubProcess, home: CodexHome) -> AsyncIterator[DaemonSource]:
    """The real daemon, and our source on it."""
    with codex_daemon(stub):
        source = await open_daemon(home, CLOCK)
        yield source
        await source.aclose()


@pytest.fixture
async def codex(daemon: DaemonSource, home: CodexHome) -> AsyncIterator[SecondClient]:
    async with second_client(home.daemon_socket) as client:
        yield client


def rollout_lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def states(seen: Following, thread: str, feed: str) -> list[SessionState]:
    """The states that a feed told of a thread, repetitions left out."""
    told = [s.state for s in seen.updates if (s.thread_id, s.feed) == (thread, feed) and s.state is not None]
    return [state for number, state in enumerate(told) if number == 0 or told[number - 1] is not state]


async def test_single_turns_through_rollouts_alone(stub: StubProcess, home: CodexHome) -> None:
    async with following(RolloutFeed(home, CLOCK)) as seen:
        assert (await asyncio.to_thread(codex_exec, stub)).returncode == 0
        await seen.until(lambda: any(s.limits for s in seen.updates))
        first = await seen.until_state(IDLE)
        stub.set_usage("five_hour", 100)
        assert (await asyncio.to_thread(codex_exec, stub)).returncode == 1
        stopped = await seen.until_state(LIMIT)
    assert (first.workspace, first.model) == (str(stub.workspace), "gpt-5.5")
    assert (first.account_id, first.uses_plan, seen.sessions[first.thread_id].name) == ("acc1", True, "say hello")
    assert stopped.thread_id != first.thread_id
    used = [w.used_percent for s in seen.updates for limit in s.limits for w in limit.windows if w.minutes == 300]
    assert used[-1] == 100
    # Read again from the start, the folder tells the same.
    async with following(RolloutFeed(home, CLOCK)) as again:
        await again.until(lambda: len(again.sessions) == 2)
    assert {s.thread_id: s.state for s in again.sessions.values()} == {first.thread_id: IDLE, stopped.thread_id: LIMIT}


async def test_a_turn_through_the_daemon_without_a_subscription(
    stub: StubProcess, daemon: DaemonSource, codex: SecondClient
) -> None:
    async with following(daemon) as seen:
        thread = await codex.start_thread(stub.workspace)
        await seen.until_state(IDLE, thread)
        await codex.start_turn(thread)
        await seen.until(lambda: states(seen, thread, "daemon")[-2:] == [RUNNING, IDLE])
    session = seen.sessions[thread]
    assert (session.workspace, session.model) == (str(stub.workspace), "gpt-5.5")
    assert session.rollout_path is None or Path(session.rollout_path).is_relative_to(stub.codex_home)


async def test_what_ran_before_we_came(stub: StubProcess, daemon: DaemonSource, codex: SecondClient) -> None:
    silent = await codex.start_thread(stub.workspace)
    thread = await codex.start_thread(stub.workspace)
    await codex.start_turn(thread)
    await codex.until(lambda message: message["method"] == "turn/completed")
    async with following(daemon) as seen:
        session = await seen.until_state(IDLE, thread)
        assert (session.workspace, session.model) == (str(stub.workspace), "gpt-5.5")
        assert session.rollout_path is not None
        await seen.until_state(IDLE, silent)


async def stop_at_limit(stub: StubProcess, codex: SecondClient, seen: Following) -> Session:
    """Run into the limit in a new thread."""
    stub.set_scenario("busy")
    thread = await codex.start_thread(stub.workspace)
    await codex.start_turn(thread)
    await seen.until(lambda: states(seen, thread, "daemon")[-1:] == [IDLE] and len(states(seen, thread, "daemon")) > 1)
    stub.set_usage("five_hour", 100)
    await codex.start_turn(thread)
    return await seen.until_state(LIMIT, thread)


async def test_the_limit_is_recognised_and_the_session_carried_on_once(
    stub: StubProcess, home: CodexHome, daemon: DaemonSource, codex: SecondClient
) -> None:
    async with following(daemon, RolloutFeed(home, CLOCK)) as seen:
        stopped = await stop_at_limit(stub, codex, seen)
        thread = stopped.thread_id
        await seen.until(lambda: states(seen, thread, "daemon")[-1] is ERROR)
        assert seen.sessions[thread].state is LIMIT
        assert forget_daemon(seen.sessions)[thread].state is LIMIT
        spent = await daemon.consume(ConsumeRequest(str(uuid.uuid4()), None, "acc1"))
        assert spent.code is ConsumeCode.RESET
        turns = stub.requests("/responses")
        await daemon.carry_on(thread, MESSAGE, str(uuid.uuid4()))
        await seen.until(lambda: states(seen, thread, "daemon")[-3:] == [ERROR, RUNNING, IDLE])
        await seen.until(lambda: states(seen, thread, "rollout")[-3:] == [LIMIT, RUNNING, IDLE])
        assert seen.sessions[thread].state is IDLE
        assert stub.requests("/responses") == turns + 1
        assert stub.spent() == 1
        assert stopped.rollout_path is not None
        lines = rollout_lines(stopped.rollout_path)
    told = [line for line in lines if line["type"] == "event_msg" and MESSAGE in json.dumps(line)]
    assert [line["payload"]["item"]["type"] for line in told] == ["UserMessage"]


async def test_a_fork_has_its_own_turns_and_not_its_parent_s_stop(
    stub: StubProcess, home: CodexHome, daemon: DaemonSource, codex: SecondClient
) -> None:
    async with following(daemon, RolloutFeed(home, CLOCK)) as seen:
        stopped = await stop_at_limit(stub, codex, seen)
        forked = await codex.request("thread/fork", {"threadId": stopped.thread_id})
        thread = forked["thread"]["id"]
        await seen.until_state(IDLE, thread)
        stub.set_usage("five_hour", 20)
        await codex.start_turn(thread)
        await seen.until(lambda: states(seen, thread, "daemon")[-2:] == [RUNNING, IDLE])
        await seen.until(lambda: any(s.limits and s.thread_id == thread for s in seen.updates))
        assert seen.sessions[thread].state is IDLE
        assert seen.sessions[stopped.thread_id].state is LIMIT
        assert LIMIT not in states(seen, thread, "rollout")


async def test_a_thread_that_is_not_there_takes_no_message(daemon: DaemonSource) -> None:
    with pytest.raises(CarryOnRejected, match=r"does not know the session; carry on by hand with `codex resume`"):
        await daemon.carry_on(str(uuid.uuid4()), MESSAGE, str(uuid.uuid4()))


async def test_a_thread_that_runs_elsewhere_takes_no_message(
    stub: StubProcess, home: CodexHome, daemon: DaemonSource
) -> None:
    stub.set_usage("five_hour", 100)
    await asyncio.to_thread(codex_exec, stub)
    async with following(daemon, RolloutFeed(home, CLOCK)) as seen:
        stopped = await seen.until_state(LIMIT)
        with pytest.raises(CarryOnRejected, match="not open in the daemon"):
            await daemon.carry_on(stopped.thread_id, MESSAGE, str(uuid.uuid4()))


async def test_the_daemon_dies_and_the_rollouts_stay(stub: StubProcess, home: CodexHome) -> None:
    with codex_daemon(stub) as process:
        source = await open_daemon(home, CLOCK)
        async with second_client(home.daemon_socket) as codex, following(source, RolloutFeed(home, CLOCK)) as seen:
            stopped = await stop_at_limit(stub, codex, seen)
            process.kill()
            await seen.until(lambda: isinstance(seen.ended, SourceDown))
            with pytest.raises(CarryOnRejected, match="was not sent"):
                await source.carry_on(stopped.thread_id, MESSAGE, str(uuid.uuid4()))
            assert forget_daemon(seen.sessions)[stopped.thread_id].state is LIMIT


@contextmanager
def model_at(home: CodexHome, url: str) -> Iterator[None]:
    """Let the sandbox's model provider be another server."""
    config = home.config_file.read_text()
    line = next(line for line in config.splitlines() if line.startswith("base_url"))
    home.config_file.write_text(config.replace(line, f'base_url = "{url}"'))
    yield


async def wants_a_command(request: Request, writer: asyncio.StreamWriter) -> None:
    """A model that asks for a command with consequences, in whatever tool it is offered, and then is content."""
    body = json.loads(request.body)
    tools = {tool.get("name") for tool in body["tools"]}
    item: dict[str, Any] = {"type": "message", "role": "assistant", "id": "m", "content": []}
    if not any(entry["type"] == "function_call_output" for entry in body["input"]):
        name = next(name for name in ("exec_command", "shell_command", "shell") if name in tools)
        command: Any = ["touch", "made-by-the-model"] if name == "shell" else "touch made-by-the-model"
        key = "cmd" if name == "exec_command" else "command"
        item = {"type": "function_call", "name": name, "call_id": "c", "arguments": json.dumps({key: command})}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    events = (
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": "r", "usage": usage}},
    )
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(text)}\r\n\r\n"
    writer.write(head.encode() + text)
    await writer.drain()


async def test_a_question_that_waits_is_seen_and_never_answered_by_us(
    stub: StubProcess, home: CodexHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    send = SocketTransport.send

    async def recorded(self: SocketTransport, message: bytes) -> None:
        sent.append(json.loads(message))
        await send(self, message)

    monkeypatch.setattr(SocketTransport, "send", recorded)
    async with running(wants_a_command) as model:
        with model_at(home, f"{model.url}/codex"), codex_daemon(stub):
            source = await open_daemon(home, CLOCK)
            async with second_client(home.daemon_socket) as codex, following(source) as seen:
                thread = await codex.start_thread(stub.workspace, approvalPolicy="untrusted", sandbox="read-only")
                await codex.start_turn(thread)
                asked = await codex.until(lambda message: message["method"].endswith("requestApproval"))
                await seen.until_state(WAITING, thread)
                assert (await source.read(with_credits=True)).bank.available == 3
                assert not any(message["method"] == "serverRequest/resolved" for message in codex.heard)
                await codex.answer(asked, {"decision": "decline"})
                await seen.until(lambda: states(seen, thread, "daemon")[-1] is not WAITING)
                await codex.until(lambda message: message["method"] == "turn/completed")
    assert all("method" in message and "result" not in message for message in sent)
    assert not {message["method"] for message in sent} & {"thread/resume", "thread/start", "turn/start"}
    assert not (stub.workspace / "made-by-the-model").exists()
