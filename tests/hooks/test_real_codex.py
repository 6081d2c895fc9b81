"""Our hooks in the real Codex CLI: 0.169 has them all, 0.163 has no hook that a request waits for."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.codex import codex_daemon
from tests.hooks.codex import HookedCodex, sandboxed
from tests.sources.second_client import second_client
from tests.support.codex_cli import codex_executable, npm_codex
from tests.support.waiting import DEADLINE, wait_until
from tui.clock import SystemClock
from tui.domain.gate import held_threads
from tui.domain.hooks import GateMode, GateState
from tui.sources.codex_home import CodexHome
from tui.wire.threads import QUEUE_ADD, queue_params

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex")]

TOOLS = "Please work.\nrun: true\nrun: true\nrun: true\nThanks."
SPEND = 'call: mcp__codex_app__consume_usage_reset {"idempotencyKey": "k"}'
UNSAFE = "--dangerously-bypass-approvals-and-sandbox"
SERVER = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "tools/call":
        open(sys.argv[1], "a").write(line)
    tool = {"name": "consume_usage_reset", "description": "x", "inputSchema": {"type": "object"}}
    about = {"name": "x", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}
    results = {"initialize": hello, "tools/list": {"tools": [tool]}, "tools/call": {"content": []}}
    result = results.get(message["method"], {})
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


@pytest.fixture
def codex() -> Iterator[HookedCodex]:
    with sandboxed() as codex:
        yield codex


def closed(**fields: object) -> GateState:
    known: dict[str, object] = {"account": "acc1", "providers": ("sandbox",), "default_provider": True}
    known["resets_at"] = SystemClock().now() + timedelta(hours=3)
    return GateState(**({"mode": GateMode.CLOSED} | known | fields))  # type: ignore[arg-type]


def test_doctor_names_the_accounts_that_codex_itself_keeps(codex: HookedCodex) -> None:
    (login,) = codex.resetbank("doctor", "--json").json["codex_accounts"]
    assert (login["email"], login["is_active"]) == ("me@example.com", True)
    assert "me@example.com: Codex works with it" in codex.resetbank("doctor").out
    old = codex.home / "settings.toml"
    old.write_text(f'[codex]\ncommand = "{codex_executable()}"\n')
    assert codex.resetbank("doctor", "--json").json["codex_accounts"] is None  # 0.163 does not know the question


def test_foreign_hooks_keep_key_and_trust(codex: HookedCodex) -> None:
    def group(name: str) -> dict[str, object]:
        return {"hooks": [{"type": "command", "command": name}]}

    theirs = {"PreModelRequest": [group("true one")], "PreToolUse": [group("true two")], "Stop": [group("true three")]}
    codex.hooks_file.write_text(json.dumps({"hooks": theirs}, indent=2))
    codex.trust()

    def foreign() -> list[tuple[str, str, str]]:
        return sorted(
            (str(row.key), str(row.current_hash), row.trust) for row in codex.listed() if row.command[:4] == "true"
        )

    before = foreign()
    assert [trust for _, _, trust in before] == ["trusted"] * 3
    for name in ("hold", "guard"):
        assert codex.resetbank(name, "on").code == 0
    assert foreign() == before
    assert len(codex.listed()) == 6
    later = json.loads(codex.hooks_file.read_text())
    later["hooks"]["PreModelRequest"].append(group("true four"))
    codex.hooks_file.write_text(json.dumps(later))
    codex.trust()
    assert codex.resetbank("hold", "status").code == 0
    before = foreign()
    for name in ("hold", "guard", "hold"):
        assert codex.resetbank(name, "off").code == 0
    assert foreign() == before
    assert len(codex.listed()) == 4


def test_a_turn_meets_the_limit_in_its_middle_and_ends_well(codex: HookedCodex) -> None:
    assert "you have not trusted it in Codex" in codex.resetbank("hold", "on").out
    codex.trust()
    assert codex.resetbank("hold", "status").out == "Hold: protected\n"
    with codex.keeper(closed(mode=GateMode.OPEN)) as keeper:
        turn = codex.start(TOOLS)
        (waiter,) = keeper.wait_for(1)
        assert waiter.workspace == str(codex.stub.workspace)
        assert codex.stub.requests("/responses") == 3
        assert codex.stub.account()["windows"][0]["used_percent"] == 100
        codex.stub.set_usage("five_hour", 0)
        codex.gate.write(closed(mode=GateMode.OPEN, open_since=SystemClock().now(), note="one reset was spent"))
        output, _ = turn.communicate(timeout=DEADLINE)
    assert (turn.returncode, codex.stub.requests("/responses")) == (0, 4)
    assert "usage limit" not in output


def let_go(codex: HookedCodex) -> None:
    """There is room again."""
    codex.stub.set_usage("five_hour", 0)
    codex.gate.write(closed(mode=GateMode.OPEN, open_since=SystemClock().now()))


def test_compaction_at_the_wall_is_held_too(codex: HookedCodex) -> None:
    codex.resetbank("hold", "on")
    codex.trust()
    config = codex.stub.codex_home / "config.toml"
    config.write_text("model_auto_compact_token_limit = 1000\n" + config.read_text())
    codex.stub.set_usage("five_hour", 97)
    with codex.keeper(closed(mode=GateMode.OPEN)) as keeper:
        turn = codex.start(TOOLS)
        (waiter,) = keeper.wait_for(1)
        assert waiter.compaction
        let_go(codex)
        output, _ = turn.communicate(timeout=DEADLINE)
    assert turn.returncode == 0, output
    assert "usage limit" not in output


def test_every_kind_of_turn_is_held_and_goes_on(codex: HookedCodex) -> None:
    codex.resetbank("hold", "on")
    codex.trust()
    git = "git -c user.name=a -c user.email=a@example.com"
    commands = f"git init -q . && touch file && git add file && {git} commit -qm file && echo changed > file"
    subprocess.run(commands, shell=True, cwd=codex.stub.workspace, check=True)
    codex.stub.set_usage("five_hour", 0)
    assert codex.turn("say hello")[0] == 0
    kinds: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("resume", "--last"), ()),
        (("review",), ()),
        ((), ("--ephemeral",)),
    ]
    for words, flags in kinds:
        with codex.keeper(closed()) as keeper:
            turn = codex.start("say hello", *flags, words=words)
            keeper.wait_for(1)
            let_go(codex)
            output, _ = turn.communicate(timeout=DEADLINE)
            assert turn.returncode == 0, output


def test_a_subagents_first_request_is_held_as_its_roots(codex: HookedCodex) -> None:
    codex.resetbank("hold", "on")
    codex.trust()
    codex.stub.set_usage("five_hour", 0)
    codex.stub.fault("/responses", "delay:2.5")
    with codex.keeper(closed(mode=GateMode.OPEN)) as keeper:
        turn = codex.start('call: multi_agent_v1__spawn_agent {"message": "say hello"}')
        wait_until(lambda: codex.stub.requests("/responses") == 1)
        codex.gate.write(closed())
        waiters = keeper.wait_for(2)
        assert len({waiter.session_id for waiter in waiters}) == 1
        assert sorted(waiter.agent_id is None for waiter in waiters) == [False, True]
        assert len(held_threads(waiters)) == 1
        let_go(codex)
        output, _ = turn.communicate(timeout=DEADLINE)
    assert turn.returncode == 0, output


async def test_queued_messages_are_held_and_go_on(codex: HookedCodex) -> None:
    codex.resetbank("hold", "on")
    await asyncio.to_thread(codex.trust)
    codex.stub.set_usage("five_hour", 0)
    with codex_daemon(codex.stub, codex.executable), codex.keeper(closed(mode=GateMode.OPEN)) as keeper:
        async with second_client(CodexHome(codex.stub.codex_home).daemon_socket) as client:
            thread = await client.start_thread(codex.stub.workspace)
            await client.start_turn(thread)
            await client.until(lambda message: message["method"] == "turn/completed")
            codex.gate.write(closed())
            for message in ("one", "two"):
                await client.request(QUEUE_ADD, queue_params(thread, message, str(uuid4())))
                (waiter,) = await asyncio.to_thread(keeper.wait_for, 1)
                assert waiter.session_id == thread
            place = ("--source", "http", "--base-url", codex.stub.url)
            listed = (await asyncio.to_thread(codex.resetbank, "sessions", *place)).out.split()
            assert listed[:2] == [thread, "held"]
            assert codex.stub.requests("/responses") == 1
            let_go(codex)
            await asyncio.to_thread(wait_until, lambda: codex.stub.requests("/responses") == 3)


def test_the_same_turn_dies_without_trust(codex: HookedCodex) -> None:
    codex.resetbank("hold", "on")
    with codex.keeper(closed()):
        code, output = codex.turn(TOOLS)
    assert code != 0
    assert "usage limit" in output


@pytest.mark.parametrize("executable", [codex_executable, npm_codex], ids=["0.163", "0.169"])
def test_the_guard_refuses_whatever_codex_was_told(codex: HookedCodex, tmp_path: Path, executable: object) -> None:
    codex.executable = executable()  # type: ignore[operator]
    server, called = tmp_path / "server.py", tmp_path / "called"
    server.write_text(SERVER)
    with (codex.stub.codex_home / "config.toml").open("a") as config:
        config.write(f'\n[mcp_servers.codex_app]\ncommand = "{sys.executable}"\nargs = ["{server}", "{called}"]\n')
    prompt = f"Go.\nrun: echo resetbank-was; resetbank spend\n{SPEND}\nrun: touch {tmp_path / 'after'}"
    codex.stub.set_usage("five_hour", 10)
    assert codex.turn(prompt, UNSAFE)[0] == 0
    assert called.exists()
    called.unlink()
    (tmp_path / "after").unlink()

    codex.resetbank("guard", "on")
    codex.trust()
    assert codex.resetbank("guard", "status").code == 0
    code, output = codex.turn(prompt, UNSAFE)
    assert (code, called.exists(), (tmp_path / "after").exists()) == (0, False, True)
    assert "resetbank-was" not in output.replace(prompt, "").replace("echo resetbank-was; resetbank spend", "")
    assert {attempt.tool for attempt in codex.gate.take_attempts()} == {"Bash", "mcp__codex_app__consume_usage_reset"}


def test_an_older_codex_says_that_it_cannot_hold(codex: HookedCodex) -> None:
    codex.executable = codex_executable()
    told = codex.resetbank("hold", "on").out
    assert "this Codex has no such hook" in told
    assert "press t" not in told  # nobody is sent to trust what is not there
    codex.trust()
    status = codex.resetbank("hold", "status", "--json")
    assert (status.code, status.json["state"], status.json["protects"]) == (1, "not supported by this Codex", False)
