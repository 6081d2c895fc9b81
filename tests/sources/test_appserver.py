"""The source `codex` against a small real process that follows a script."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.sources import scripted
from tests.sources.conftest import CodexFolder
from tests.support.clocks import ManualClock
from tests.support.waiting import deadline
from tui.domain.spend import ConsumeCode, ConsumeRequest
from tui.errors import (
    BadPayload,
    ConsumeRejected,
    NotViable,
    OutcomeUnknown,
    RateLimited,
    ResetbankError,
    SignedOut,
    SourceDown,
)
from tui.sources import appserver
from tui.sources.appserver import AppServerSource, open_codex
from tui.sources.appserver_transports import ChildTransport

SPEND = ConsumeRequest("key-1", "credit-1", "acc1")
LIMITS, CONSUME = "account/rateLimits/read", "account/rateLimitResetCredit/consume"


class Child:
    """Opens the source `codex` on scripts; closes all that it opened."""

    def __init__(self, codex: CodexFolder, clock: ManualClock) -> None:
        self._codex = codex
        self._clock = clock
        self._log = codex.home.path / "heard"
        self._opened: list[AppServerSource] = []

    async def open(self, **script: list[Any]) -> AppServerSource:
        told = json.dumps(scripted.GOOD | {name.replace("__", "/"): steps for name, steps in script.items()})
        arguments = (scripted.__file__, told, str(self._log))
        source = await open_codex(sys.executable, self._codex.home, self._clock, arguments=arguments)
        self._opened.append(source)
        return source

    def heard(self, method: str) -> list[dict[str, Any]]:
        messages = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [message for message in messages if message["method"] == method]

    async def close(self) -> None:
        for source in self._opened:
            await source.aclose()


@pytest.fixture
async def child(codex: CodexFolder, clock: ManualClock) -> AsyncIterator[Child]:
    children = Child(codex, clock)
    yield children
    await children.close()


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def limits(**changes: Any) -> dict[str, Any]:
    return {"result": scripted.LIMITS | changes}


async def test_a_reading(child: Child, clock: ManualClock) -> None:
    source = await child.open()
    seen = await source.read(with_credits=True)
    assert (seen.provenance.source, seen.provenance.observed_at) == ("codex", clock.now())
    assert (seen.account.id, seen.account.email, seen.account.plan) == ("acc1", "me@example.com", "plus")
    assert seen.windows[0].used_percent == 7.0
    assert "params" not in child.heard(LIMITS)[0]


async def test_the_handshake_subscribes_to_nothing(child: Child) -> None:
    source = await child.open()
    await source.read(with_credits=False)
    assert child.heard("initialize")[0]["params"]["clientInfo"]["name"] == "resetbank"
    assert child.heard("initialized") == [{"method": "initialized"}]
    assert child.heard("account/read")[0]["params"] == {"refreshToken": False}
    assert child.heard(LIMITS)[0]["params"] == {"excludeResetCreditDetails": True}


@pytest.mark.parametrize("code", [-32600, -32602])
async def test_an_old_server_is_asked_again_with_null(child: Child, code: int) -> None:
    source = await child.open(account__rateLimits__read=[error(code, "unexpected params"), limits()])
    await source.read(with_credits=False)
    await source.read(with_credits=False)
    first, second, third = child.heard(LIMITS)
    assert first["params"] == {"excludeResetCreditDetails": True}
    assert second["params"] is None
    assert "params" not in third, "it is remembered"


async def test_rows_that_codex_did_not_pass_on_are_said_to_be_missing(child: Child) -> None:
    source = await child.open(
        account__rateLimits__read=[limits(rateLimitResetCredits={"availableCount": 2, "credits": None})]
    )
    assert "the list of resets could not be read" in (await source.read(with_credits=True)).unknowns[-1]
    assert (await source.read(with_credits=False)).unknowns == ()


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (error(-32600, "codex account authentication required to read rate limits"), SignedOut),
        (error(-32603, "failed to fetch codex rate limits: GET u failed: 401 Unauthorized; body=hunter2"), SignedOut),
        (
            error(-32603, "failed to fetch codex rate limits: GET u failed: 402 X; body=deactivated_workspace"),
            SignedOut,
        ),
        (error(-32603, "failed to fetch codex rate limits: GET u failed: 429 Too Many Requests"), RateLimited),
        (error(-32603, "failed to fetch codex rate limits: GET u failed: 503 hunter2"), SourceDown),
        (error(-32603, "failed to fetch codex rate limits: error sending request hunter2"), SourceDown),
        (error(-32601, "method not found"), BadPayload),
        (error(-32001, "overloaded"), SourceDown),
        ({"error": []}, SourceDown),
        ({"result": None}, BadPayload),
        ({"result": [1]}, BadPayload),
        ("exit", SourceDown),
        ("garbage", SourceDown),
        ("flood", SourceDown),
    ],
)
async def test_each_failure_of_a_reading(child: Child, refusal: Any, kind: type[ResetbankError]) -> None:
    source = await child.open(account__rateLimits__read=[refusal])
    with pytest.raises(kind) as caught:
        await source.read(with_credits=True)
    assert "hunter2" not in str(caught.value), "an error text may quote a body"


async def test_a_spend_is_sent_once_and_exactly(child: Child) -> None:
    source = await child.open()
    await source.read(with_credits=True)
    assert (await source.consume(SPEND)).code is ConsumeCode.RESET
    assert [m["params"] for m in child.heard(CONSUME)] == [{"idempotencyKey": "key-1", "creditId": "credit-1"}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(-32600, "creditId must not be empty"), ConsumeRejected),
        (error(-32600, "chatgpt authentication required for rate limit reset credits"), ConsumeRejected),
        (error(-32601, "no such method"), ConsumeRejected),
        (error(-32001, "overloaded"), ConsumeRejected),
        *(
            (error(-32603, f"failed to consume rate limit reset: POST u failed: {s} X"), ConsumeRejected)
            for s in (400, 401, 403, 404, 429)
        ),
        *(
            (error(-32603, f"failed to consume rate limit reset: POST u failed: {s} X"), OutcomeUnknown)
            for s in (408, 409, 500, 503)
        ),
        (error(-32603, "rate limit reset consume timed out"), OutcomeUnknown),
        (error(-32603, "failed to consume rate limit reset: error sending request for url"), OutcomeUnknown),
        ({"error": "odd"}, OutcomeUnknown),
        ({"result": {}}, OutcomeUnknown),
        ({"result": None}, OutcomeUnknown),
        ("exit", OutcomeUnknown),
        ("garbage", OutcomeUnknown),
        ("flood", OutcomeUnknown),
    ],
)
async def test_each_failure_of_a_spend(child: Child, answer: Any, kind: type[ResetbankError]) -> None:
    source = await child.open(account__rateLimitResetCredit__consume=[answer])
    with pytest.raises(kind):
        await source.consume(SPEND)
    assert len(child.heard(CONSUME)) == 1


async def test_a_spend_without_an_answer_is_unknown(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appserver, "CONSUME_DEADLINE", 0.05)
    source = await child.open(account__rateLimitResetCredit__consume=["silence"])
    with pytest.raises(OutcomeUnknown, match=r"did not answer within 0\.05 s"):
        await source.consume(SPEND)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (limits(accountId="acc2"), "another account"),
        (limits(accountId=None), "does not say whose login"),
        (error(-32603, "failed: 503"), "answers Codex with 503"),
    ],
)
async def test_another_account_s_spend_is_never_sent(child: Child, answer: Any, reason: str) -> None:
    source = await child.open(account__rateLimits__read=[answer])
    with pytest.raises(ConsumeRejected, match=f"nothing was sent: .*{reason}"):
        await source.consume(SPEND)
    assert child.heard(CONSUME) == []


@pytest.mark.parametrize(
    ("email", "sent"), [("me@example.com", 1), ("you@example.com", 0)], ids=["the same", "another"]
)
async def test_a_spend_for_an_account_without_an_id_is_checked_by_its_address(
    child: Child, email: str, sent: int
) -> None:
    news = {"method": "account/updated", "params": {"authMode": "chatgpt"}}
    nameless = limits(accountId=None)
    later = {"result": {"account": {"type": "chatgpt", "email": email, "planType": "plus"}}}
    source = await child.open(
        account__read=[*scripted.GOOD["account/read"], later], account__rateLimits__read=[[nameless, news], nameless]
    )
    read = await source.read(with_credits=True)
    assert (read.account.id, read.account.email) == (None, "me@example.com")
    async with deadline():
        await source.changed()
    spend = ConsumeRequest(SPEND.key, None, None, "me@example.com")
    with nullcontext() if sent else pytest.raises(ConsumeRejected, match="another account"):
        await source.consume(spend)
    assert len(child.heard(CONSUME)) == sent


async def test_news_of_the_account_make_it_ask_again_whose_it_is(child: Child) -> None:
    news = {"method": "account/updated", "params": {"authMode": "chatgpt"}}
    source = await child.open(account__rateLimits__read=[[limits(), news], limits(accountId="acc2")])
    await source.read(with_credits=True)
    async with deadline():
        await source.changed()
    with pytest.raises(ConsumeRejected, match="another account"):
        await source.consume(SPEND)
    assert len(child.heard("account/read")) == 2


@pytest.mark.parametrize("method", ["account/rateLimits/updated", "thread/status/changed", "account/updated"])
async def test_news_wake_and_chatter_does_not(child: Child, method: str) -> None:
    chatter = [{"method": "turn/started"}, {"id": 99, "method": "item/commandExecution/requestApproval", "params": {}}]
    source = await child.open(account__rateLimits__read=[[*chatter, limits()], [{"method": method}, limits()]])
    await source.read(with_credits=True)
    waiting = asyncio.create_task(source.changed())
    await asyncio.wait([waiting], timeout=0)
    assert not waiting.done()
    await source.read(with_credits=True)
    async with deadline():
        await waiting


async def test_the_server_s_own_requests_are_never_answered(child: Child) -> None:
    asks = {"id": 0, "method": "item/commandExecution/requestApproval", "params": {}}
    source = await child.open(account__rateLimits__read=[[asks, limits()]])
    await source.read(with_credits=True)
    await source.read(with_credits=True)
    log = (await asyncio.to_thread(child._log.read_text)).splitlines()
    assert all("method" in json.loads(line) for line in log)


async def test_a_killed_child_wakes_once_and_is_down(child: Child) -> None:
    source = await child.open()
    os.kill(pid(source), signal.SIGKILL)
    async with deadline():
        await source.changed()
    with pytest.raises(SourceDown, match="ended by signal 9"):
        await source.read(with_credits=True)
    with pytest.raises(ConsumeRejected, match="nothing was sent"):
        await source.consume(ConsumeRequest("key-1", None, None))
    again = asyncio.create_task(source.changed())
    await asyncio.wait([again], timeout=0)
    assert not again.done(), "a dead source must not wake for ever"
    again.cancel()


async def test_closing_ends_the_child_and_what_it_started(codex: CodexFolder, clock: ManualClock) -> None:
    stubborn = "import signal,subprocess,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + (
        f"p=subprocess.Popen([sys.executable,'-c','import signal;signal.signal(15,signal.SIG_IGN);signal.pause()']);"
        f"open({str(codex.home.path / 'grandchild')!r},'w').write(str(p.pid));"
        f"sys.argv=['x',{json.dumps(scripted.GOOD)!r},'/dev/null'];"
        f"sys.path.insert(0,{str(Path(scripted.__file__).parents[2])!r});"
        "from tests.sources.scripted import main; main(); signal.pause()"
    )
    source = await open_codex(sys.executable, codex.home, clock, arguments=("-c", stubborn))
    pids = [pid(source), int((codex.home.path / "grandchild").read_text())]
    async with deadline():
        await source.aclose()
        await source.aclose()
    for one in pids:
        assert await asyncio.to_thread(gone, one)


def gone(one: int) -> bool:
    """Wait until a process has ended; what nobody reaps yet counts as ended."""
    from tests.support.waiting import wait_until

    def ended() -> bool:
        try:
            return Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(ended)
    return True


def pid(source: AppServerSource) -> int:
    transport = source._client._transport
    assert isinstance(transport, ChildTransport)
    return transport.pid


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ({"result": {"account": None, "requiresOpenaiAuth": True}}, "not signed in; sign in with `codex login`"),
        ({"result": {"account": {"type": "apiKey"}}}, "by apiKey, which has no banked resets"),
        ({"result": {"account": {"type": "amazonBedrock"}}}, "by amazonBedrock"),
        ({"result": "odd"}, "not a JSON object"),
        (error(-32601, "no"), "refuses the connection"),
        ("exit", "ended with code 7"),
        ("garbage", "does not speak the app-server's protocol"),
    ],
)
async def test_what_is_not_viable_says_why(child: Child, account: Any, reason: str) -> None:
    with pytest.raises(NotViable, match=reason):
        await child.open(account__read=[account])


@pytest.mark.parametrize(
    "noise",
    [
        "mise codex@0.169.0 installed\\n",
        "\\x1b[?2004h",
        "\\x1b[32mentering devshell\\x1b[0m\\n\\n  menu: build\\n",
        '["a list"]\\n7\\n"text"\\n{"level":"info"}\\n{no json}\\n',
        'using {"profile":"x"} {dev} \\x1b]0;a title\\x07',
    ],
)
async def test_a_launcher_may_print_before_the_first_message(
    codex: CodexFolder, clock: ManualClock, tmp_path: Path, noise: str
) -> None:
    launcher = tmp_path / "codex"
    script = json.dumps(scripted.GOOD)
    launcher.write_text(
        f"#!/bin/sh\nprintf '{noise}'\nexec {sys.executable} {scripted.__file__} '{script}' {tmp_path / 'heard'}\n"
    )
    launcher.chmod(0o755)
    source = await open_codex(str(launcher), codex.home, clock)
    assert (await source.read(with_credits=True)).windows[0].used_percent == 7
    await source.aclose()


async def test_noise_without_end_is_another_program(codex: CodexFolder, clock: ManualClock, tmp_path: Path) -> None:
    launcher = tmp_path / "codex"
    launcher.write_text("#!/bin/sh\nexec yes 'not an app-server'\n")
    launcher.chmod(0o755)
    with pytest.raises(NotViable, match="does not speak the app-server's protocol"):
        await open_codex(str(launcher), codex.home, clock)


async def test_an_executable_that_is_not_there(codex: CodexFolder, clock: ManualClock) -> None:
    with pytest.raises(NotViable, match=r"'no-such-codex' is not there; install the Codex CLI"):
        await open_codex("no-such-codex", codex.home, clock)


async def test_an_executable_that_cannot_be_run(codex: CodexFolder, clock: ManualClock) -> None:
    fake = codex.home.path / "codex"
    fake.write_text("not a program")
    with pytest.raises(NotViable, match="cannot be run: Permission denied"):
        await open_codex(str(fake), codex.home, clock)
    fake.chmod(0o755)
    with pytest.raises(NotViable, match="cannot be run: Exec format error"):
        await open_codex(str(fake), codex.home, clock)


async def test_an_executable_that_is_another_program(codex: CodexFolder, clock: ManualClock) -> None:
    with pytest.raises(NotViable, match=r"`true app-server` ended with code 0|`true app-server` is gone"):
        await open_codex("true", codex.home, clock)


async def test_without_a_codex_home_no_process_is_started(codex: CodexFolder, clock: ManualClock) -> None:
    codex.home.path.rmdir()
    with pytest.raises(NotViable, match="there is no Codex home"):
        await open_codex("no-such-codex", codex.home, clock)
