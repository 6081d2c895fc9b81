"""The daemon's feed of sessions against a real socket whose server says what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, unix_serve

from tests.sources import scripted
from tests.sources.conftest import CodexFolder
from tests.sources.following import Following, following
from tests.support.clocks import START, ManualClock
from tui.domain.sessions import SessionState
from tui.errors import CarryOnRejected, CarryOnUnknown, SourceDown
from tui.sources.base import CarriesOn, SessionFeed
from tui.sources.daemon import DaemonSource, open_daemon
from tui.wire.jsonrpc import News
from tui.wire.threads import decode_list, decode_loaded, decode_news, decode_thread

RUNNING, IDLE, ERROR = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_BY_ERROR
WAITING, GONE = SessionState.WAITING_APPROVAL, SessionState.GONE
ACTIVE = {"type": "active", "activeFlags": []}
ROW: dict[str, Any] = {
    "id": "t1",
    "cwd": "/w/api",
    "model": "gpt-5.5",
    "cliVersion": "0.163.0",
    "originator": "codex-tui",
    "path": "/h/sessions/r.jsonl",
    "status": {"type": "idle"},
    "updatedAt": 1795461314,
    "source": "cli",
    "preview": "fix the login",
}
REFUSED = {"error": {"code": -32601, "message": "unknown method"}}


class Daemon:
    """A server of one client."""

    def __init__(self) -> None:
        self.script: dict[str, list[Any]] = scripted.GOOD | {
            "thread/list": [{"result": {"data": [ROW]}}],
            "thread/loaded/list": [{"result": {"data": ["t1"]}}],
            "thread/read": [{"result": {"thread": ROW}}],
            "thread/queue/add": [{"result": {"queuedSubmission": {"id": "q"}}}],
        }
        self.heard: list[dict[str, Any]] = []
        self._connected: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def speak(self, connection: ServerConnection) -> None:
        self._connected.set_result(connection)
        async for line in connection:
            self.heard.append(json.loads(line))
            for word in scripted.answers(self.script, str(line).encode()):
                if word == "exit":
                    connection.transport.abort()
                elif word != "silence":
                    await connection.send(word)

    async def tell(self, method: str, **params: Any) -> None:
        await (await self._connected).send(json.dumps({"method": method, "params": params}))

    async def tell_status(self, status: object, thread: str = "t1") -> None:
        await self.tell("thread/status/changed", threadId=thread, status=status)

    async def ask(self, method: str) -> None:
        await (await self._connected).send(json.dumps({"id": 99, "method": method, "params": {"threadId": "t1"}}))

    async def die(self) -> None:
        (await self._connected).transport.abort()

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [message["params"] for message in self.heard if message.get("method") == method]


@pytest.fixture
async def daemon(socket_path: Path) -> AsyncIterator[Daemon]:
    served = Daemon()
    server = await unix_serve(served.speak, str(socket_path))
    yield served
    server.close()
    await server.wait_closed()


@pytest.fixture
def connect(daemon: Daemon, codex: CodexFolder, clock: ManualClock) -> Callable[[], Awaitable[DaemonSource]]:
    return lambda: open_daemon(codex.home, clock)


@pytest.fixture
async def source(connect: Callable[[], Awaitable[DaemonSource]]) -> AsyncIterator[DaemonSource]:
    opened = await connect()
    yield opened
    await opened.aclose()


async def test_what_the_source_is(source: DaemonSource, daemon: Daemon) -> None:
    assert isinstance(source, SessionFeed)
    assert isinstance(source, CarriesOn)
    assert daemon.asked("initialize")[0]["capabilities"]["experimentalApi"] is True


async def test_the_list_and_then_every_change(source: DaemonSource, daemon: Daemon) -> None:
    async with following(source) as seen:
        session = await seen.until_state(IDLE)
        assert (session.workspace, session.model) == ("/w/api", "gpt-5.5")
        assert (session.name, session.rollout_path) == ("fix the login", "/h/sessions/r.jsonl")
        for status, state in (
            (ACTIVE, RUNNING),
            ({"type": "active", "activeFlags": ["waitingOnApproval"]}, WAITING),
            ({"type": "active", "activeFlags": ["waitingOnUserInput"]}, WAITING),
            (ACTIVE, RUNNING),
            ({"type": "systemError"}, ERROR),
            ({"type": "idle"}, IDLE),
            (ACTIVE, RUNNING),
            ({"type": "notLoaded"}, GONE),
        ):
            await daemon.tell_status(status)
            await seen.until_state(state)


@pytest.mark.parametrize("method", ["thread/closed", "thread/archived", "thread/deleted"])
async def test_closed(source: DaemonSource, daemon: Daemon, method: str) -> None:
    async with following(source) as seen:
        await seen.until_state(IDLE)
        await daemon.tell(method, threadId="t1")
        await seen.until_state(GONE)


async def test_a_new_thread(source: DaemonSource, daemon: Daemon) -> None:
    async with following(source) as seen:
        await daemon.tell("thread/started", thread=ROW | {"id": "t2", "status": ACTIVE})
        assert (await seen.until_state(RUNNING, "t2")).workspace == "/w/api"
    assert daemon.asked("thread/read") == []


async def test_a_thread_of_which_only_the_state_was_told(source: DaemonSource, daemon: Daemon) -> None:
    daemon.script["thread/read"] = [{"result": {"thread": ROW | {"id": "t3", "cwd": "/w/docs", "status": ACTIVE}}}]
    async with following(source) as seen:
        await daemon.tell_status(ACTIVE, "t3")
        await seen.until(lambda: "t3" in seen.sessions and seen.sessions["t3"].workspace == "/w/docs")
        await daemon.tell_status({"type": "idle"}, "t3")
        await seen.until_state(IDLE, "t3")
    assert daemon.asked("thread/read") == [{"threadId": "t3", "includeTurns": False}]


@pytest.mark.parametrize(
    "row", [{"ephemeral": True, "path": None}, {"threadSource": "thread_title"}, {"source": {"subAgent": "review"}}]
)
async def test_a_thread_that_nobody_started_is_never_shown(
    source: DaemonSource, daemon: Daemon, row: dict[str, Any]
) -> None:
    daemon.script["thread/read"] = [{"result": {"thread": ROW | {"id": "t5", "status": ACTIVE} | row}}]
    async with following(source) as seen:
        await daemon.tell_status(ACTIVE, "t5")
        await daemon.tell("thread/started", thread=ROW | {"id": "t6", "status": ACTIVE} | row)
        await daemon.tell_status(ACTIVE, "t6")
        await daemon.tell_status({"type": "idle"}, "t5")
        await daemon.tell_status(ACTIVE)
        await seen.until_state(RUNNING, "t1")
        assert set(seen.sessions) == {"t1"}
        assert not [
            update for update in seen.updates if update.state and not update.internal and update.thread_id != "t1"
        ]


async def test_a_provider_of_one_s_own_is_seen(
    connect: Callable[[], Awaitable[DaemonSource]], codex: CodexFolder, daemon: Daemon
) -> None:
    codex.home.config_file.write_text("[model_providers.mine]\nrequires_openai_auth = true\n")
    rows = [ROW | {"id": name, "modelProvider": name} for name in ("openai", "mine", "ollama")]
    daemon.script["thread/list"] = [{"result": {"data": rows}}]
    source = await connect()
    async with following(source) as seen:
        await seen.until(lambda: len(seen.sessions) == 3)
        assert {name: session.uses_plan for name, session in seen.sessions.items()} == {
            "openai": True,
            "mine": True,
            "ollama": False,
        }


async def test_a_loaded_thread_that_is_in_no_list(source: DaemonSource, daemon: Daemon) -> None:
    daemon.script["thread/loaded/list"] = [{"result": {"data": ["t1", "t4"]}}]
    daemon.script["thread/read"] = [{"result": {"thread": ROW | {"id": "t4"}}}]
    async with following(source) as seen:
        await seen.until_state(IDLE, "t4")


async def test_threads_that_are_not_loaded_are_no_sessions(source: DaemonSource, daemon: Daemon) -> None:
    rows = [ROW, ROW | {"id": "t2", "status": {"type": "notLoaded"}}]
    daemon.script["thread/list"] = [{"result": {"data": rows}}]
    async with following(source) as seen:
        await seen.until(lambda: len(seen.updates) == 2)
        assert set(seen.sessions) == {"t1"}


async def test_subagents_are_no_sessions(source: DaemonSource, daemon: Daemon) -> None:
    rows = [ROW, ROW | {"id": "t2", "source": {"subAgent": "review"}}, ROW | {"id": "t3", "parentThreadId": "t1"}]
    daemon.script["thread/list"] = [{"result": {"data": rows}}]
    async with following(source) as seen:
        await seen.until(lambda: len(seen.updates) == 3)
        assert set(seen.sessions) == {"t1"}


@pytest.mark.parametrize("answer", [REFUSED, {"result": {"data": "odd"}}, {"result": 7}])
async def test_a_codex_that_lists_nothing(source: DaemonSource, daemon: Daemon, answer: dict[str, Any]) -> None:
    for method in ("thread/list", "thread/loaded/list", "thread/read"):
        daemon.script[method] = [answer]
    async with following(source) as seen:
        await daemon.tell_status(ACTIVE)
        await seen.until_state(RUNNING)


async def test_news_on_the_way_are_newer_than_the_list(source: DaemonSource, daemon: Daemon) -> None:
    news = {"method": "thread/status/changed", "params": {"threadId": "t1", "status": ACTIVE}}
    daemon.script["thread/list"] = [[news, {"result": {"data": [ROW]}}]]
    async with following(source) as seen:
        await seen.until(lambda: len(seen.updates) == 2)
        assert seen.sessions["t1"].state is RUNNING


async def test_news_before_the_list_was_asked_for_are_older(source: DaemonSource, daemon: Daemon) -> None:
    await daemon.tell_status(ACTIVE)
    await source.changed()
    async with following(source) as seen:
        await seen.until(lambda: len(seen.updates) == 2)
        assert seen.sessions["t1"].state is IDLE


async def test_two_thousand_status_changes(source: DaemonSource, daemon: Daemon) -> None:
    async with following(source) as seen:
        await seen.until_state(IDLE)
        for number in range(2000):
            await daemon.tell_status({"type": "idle"} if number % 2 else ACTIVE)
        await daemon.tell_status({"type": "systemError"})
        await seen.until_state(ERROR)


async def test_a_flood_that_nobody_listens_to(source: DaemonSource, daemon: Daemon) -> None:
    for number in range(12_000):
        await daemon.tell_status({"type": "idle"} if number % 2 else ACTIVE, f"t{number % 7}")
    await daemon.tell_status({"type": "systemError"}, "t6")
    await source.read(with_credits=False)
    assert len(source._heard) <= 5000
    async with following(source) as seen:
        await seen.until_state(ERROR, "t6")


async def test_what_the_server_asks_is_never_answered(source: DaemonSource, daemon: Daemon) -> None:
    async with following(source) as seen:
        for method in ("item/commandExecution/requestApproval", "execCommandApproval", "elicitation/create"):
            await daemon.ask(method)
        await daemon.tell_status({"type": "active", "activeFlags": ["waitingOnApproval"]})
        await seen.until_state(WAITING)
        await source.read(with_credits=False)
    assert all("method" in message for message in daemon.heard)
    assert all(message.get("id") != 99 for message in daemon.heard)
    assert not any("resume" in message["method"] for message in daemon.heard)


async def test_the_line_breaks(source: DaemonSource, daemon: Daemon) -> None:
    async with following(source) as seen:
        await seen.until_state(IDLE)
        await daemon.die()
        await seen.until(lambda: isinstance(seen.ended, SourceDown))


async def test_a_message_is_queued_once(source: DaemonSource, daemon: Daemon) -> None:
    await source.carry_on("t1", "go on", "m1")
    assert daemon.asked("thread/queue/add") == [
        {"threadId": "t1", "clientUserMessageId": "m1", "input": [{"type": "text", "text": "go on"}]}
    ]


@pytest.mark.parametrize(
    ("method", "answer", "error", "reason"),
    [
        ("thread/queue/add", "exit", CarryOnUnknown, "was sent, but the Codex daemon is gone"),
        ("thread/queue/add", {"error": {"code": -32603, "message": "x"}}, CarryOnUnknown, "could not tell"),
        ("thread/queue/add", {"error": {"code": -32600, "message": "x"}}, CarryOnRejected, "refused the message"),
        ("thread/queue/add", REFUSED, CarryOnRejected, "too old"),
        ("thread/read", "exit", CarryOnRejected, "was not sent"),
        ("thread/read", REFUSED, CarryOnRejected, "does not know the session"),
        ("thread/read", {"result": {}}, CarryOnRejected, "not open in the daemon"),
        ("thread/read", {"result": {"thread": ROW | {"status": {"type": "notLoaded"}}}}, CarryOnRejected, "not open"),
    ],
)
async def test_a_message_that_is_not_taken(
    source: DaemonSource, daemon: Daemon, method: str, answer: Any, error: type[Exception], reason: str
) -> None:
    daemon.script[method] = [answer]
    with pytest.raises(error, match=reason):
        await source.carry_on("t1", "go on", "m1")
    assert len(daemon.asked("thread/queue/add")) == (method == "thread/queue/add")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["thread", "id", "threadId", "status", "type", "activeFlags", "data", "cwd", "source"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


def all_pay(provider: str | None) -> bool:
    return True


@given(st.sampled_from(["thread/started", "thread/status/changed", "thread/closed", "other"]), JSON)
def test_odd_words_never_crash(method: str, value: object) -> None:
    body = json.dumps(value).encode()
    decode_news(News(method, body), START, 0, all_pay)
    decode_news(News(method, body[:-1]), START, 0, all_pay)
    if isinstance(value, dict):
        decode_list(body, START, 0, all_pay)
        decode_loaded(body)
        decode_thread(body, START, 0, all_pay)


async def test_following_ends_quickly(source: DaemonSource, daemon: Daemon) -> None:
    daemon.script["thread/list"] = ["silence"]
    seen = Following()
    task = asyncio.create_task(seen.follow(source))
    while not daemon.asked("thread/list"):
        await daemon.tell("account/updated")
        await source.changed()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
