"""The real Codex CLI between us and the service: it reads what we read, and spends what we spend."""

import asyncio
import os
import signal
import socket
import uuid
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE, deadline, wait_until
from tui.clock import SystemClock
from tui.domain.credits import CODEX_RATE_LIMITS, Credit
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeCode, ConsumeRequest
from tui.errors import ConsumeRejected, OutcomeUnknown, ResetbankError, SignedOut, SourceDown
from tui.sources.appserver import AppServerSource, open_codex
from tui.sources.appserver_transports import ChildTransport, connect_daemon
from tui.sources.backend import Backend, open_backend
from tui.sources.base import Source
from tui.sources.codex_home import CodexHome
from tui.sources.daemon import open_daemon
from tui.sources.logins import Logins, choose_base_url
from tui.stub.scenarios import SCENARIOS

pytestmark = [
    pytest.mark.codex,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("real_codex_sources"),
]

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubProcess]:
    with start_stub(sandbox=tmp_path_factory.mktemp("service") / "sandbox") as stub:
        yield stub


@pytest.fixture(autouse=True)
def fresh(service: StubProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in codex_environment(service.codex_home).items():
        monkeypatch.setenv(name, value)
    service.set_scenario("busy")


async def open_child(service: StubProcess) -> AppServerSource:
    return await open_codex(str(codex_executable()), CodexHome(service.codex_home), CLOCK)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def codex(service: StubProcess) -> AsyncIterator[AppServerSource]:
    """One child for all tests; a single test's environment would come too late for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in codex_environment(service.codex_home).items():
            patch.setenv(name, value)
        source = await open_child(service)
    yield source
    await source.aclose()


@pytest.fixture
def our_clock() -> ManualClock:
    """The present moment, which only a test moves on."""
    return ManualClock(CLOCK.now())


@pytest_asyncio.fixture(loop_scope="module")
async def http(service: StubProcess, our_clock: ManualClock) -> AsyncIterator[Backend]:
    home = CodexHome(service.codex_home)
    base_url, own = choose_base_url(None, home)
    source = await open_backend(base_url, Logins(home, base_url, own, our_clock), our_clock)
    yield source
    await source.aclose()


def as_codex_tells(credit: Credit) -> Credit:
    """As the app-server tells it: times to the second, nothing of who gave it and for whom, new types as `unknown`."""
    granted, expires = (moment and moment.replace(microsecond=0) for moment in (credit.granted_at, credit.expires_at))
    kind = credit.type if credit.type == CODEX_RATE_LIMITS else "unknown"
    return replace(credit, type=kind, granted_by=None, supported=True, granted_at=granted, expires_at=expires)


def comparable(seen: Snapshot) -> dict[str, object]:
    """What both interfaces tell."""
    return {
        "account": (seen.account.id, seen.account.email),
        "allowed": seen.ordinary_usage_allowed,
        "windows": [(w.limit_id, w.limit_name, w.minutes, w.used_percent) for w in seen.windows],
        "count": seen.bank.available,
        "credits": None if seen.bank.credits is None else [as_codex_tells(credit) for credit in seen.bank.credits],
        "paid": seen.paid,
        "cap": seen.spend_control,
    }


async def patiently(source: Source, clock: ManualClock) -> Snapshot:
    """Read until the scenario's recurring faults let one through; a minute goes by between two tries."""
    for _ in range(10):
        clock.advance(60)
        try:
            seen = await source.read(with_credits=True)
        except (SourceDown, SignedOut):
            continue
        if seen.bank.credits is not None:
            return seen
    raise AssertionError("ten readings failed in a row")


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
async def test_the_real_codex_reads_what_we_read(
    service: StubProcess, codex: AppServerSource, http: Backend, our_clock: ManualClock, scenario: str
) -> None:
    service.set_scenario(scenario)
    through_codex, ours = await patiently(codex, our_clock), await patiently(http, our_clock)
    assert comparable(through_codex) == comparable(ours)
    for theirs, direct in zip(through_codex.windows, ours.windows, strict=True):
        assert (theirs.resets_at is None) == (direct.resets_at is None)
        if theirs.resets_at and direct.resets_at:
            # The service says in how many seconds, counted from our clock, which the test has let run ahead; an idle
            # window's reset slides along with the service's between the two readings.
            ahead = (direct.resets_at - theirs.resets_at).total_seconds() - our_clock.monotonic()
            assert abs(ahead) <= DEADLINE
    plan = ours.account.plan if ours.account.plan in ("plus", "pro", "go", "business") else "unknown"
    assert through_codex.account.plan == plan


async def test_a_background_reading_counts_the_same(codex: AppServerSource, http: Backend) -> None:
    through_codex, ours = await codex.read(with_credits=False), await http.read(with_credits=False)
    assert (through_codex.bank.available, through_codex.bank.credits) == (3, None)
    assert (ours.bank.available, ours.bank.credits) == (3, None)


async def outcomes(service: StubProcess, source: Source) -> None:
    """Each of the four outcomes arrives, and the bank agrees."""
    service.set_scenario("at-limit")
    bank = (await source.read(with_credits=True)).bank
    assert bank.credits is not None
    first = ConsumeRequest(str(uuid.uuid4()), bank.credits[0].id, "acc1")
    assert (await source.consume(first)).code is ConsumeCode.RESET
    assert (await source.consume(first)).code is ConsumeCode.ALREADY_REDEEMED
    again = replace(first, key=str(uuid.uuid4()))
    assert (await source.consume(again)).code is ConsumeCode.NO_CREDIT
    assert service.spent() == 1
    after = await source.read(with_credits=True)
    assert after.bank.available == 2
    assert [window.used_percent for window in after.windows] == [0.0, 0.0]
    other = ConsumeRequest(str(uuid.uuid4()), bank.credits[1].id, "acc1")
    assert (await source.consume(other)).code is ConsumeCode.NOTHING_TO_RESET
    assert service.spent() == 1


async def test_each_outcome_arrives_through_the_real_codex(service: StubProcess, codex: AppServerSource) -> None:
    await outcomes(service, codex)


async def test_each_outcome_arrives_over_http(service: StubProcess, http: Backend) -> None:
    await outcomes(service, http)


async def test_a_spend_without_a_chosen_credit(service: StubProcess, codex: AppServerSource) -> None:
    service.set_scenario("at-limit")
    assert (await codex.consume(ConsumeRequest(str(uuid.uuid4()), None, "acc1"))).code is ConsumeCode.RESET
    assert service.spent() == 1


@pytest.mark.parametrize(
    ("kind", "error", "spent"),
    [
        ("drop_before", OutcomeUnknown, 0),
        ("drop_after", OutcomeUnknown, 1),
        ("garbage", OutcomeUnknown, 1),
        ("status:500", OutcomeUnknown, 0),
        ("status:503", OutcomeUnknown, 0),
        ("status:409", OutcomeUnknown, 0),
        ("status:429", ConsumeRejected, 0),
        ("status:400", ConsumeRejected, 0),
        ("html", ConsumeRejected, 0),
    ],
)
@pytest.mark.parametrize("name", ["codex", "http"])
async def test_a_lost_answer_is_unknown_and_the_same_key_finishes_it(
    service: StubProcess,
    codex: AppServerSource,
    http: Backend,
    name: str,
    kind: str,
    error: type[ResetbankError],
    spent: int,
) -> None:
    source: Source = codex if name == "codex" else http
    service.set_scenario("at-limit")
    bank = (await source.read(with_credits=True)).bank
    assert bank.credits is not None
    request = ConsumeRequest(str(uuid.uuid4()), bank.credits[0].id, "acc1")
    service.fault("consume", kind)
    with pytest.raises(error):
        await source.consume(request)
    assert service.spent() == spent
    finished = await source.consume(request)
    assert finished.code is (ConsumeCode.ALREADY_REDEEMED if spent else ConsumeCode.RESET)
    assert service.spent() == 1


async def test_the_other_account_s_spend_is_refused(
    service: StubProcess, codex: AppServerSource, http: Backend
) -> None:
    source: Source
    before = service.requests("consume")
    for source in (codex, http):
        with pytest.raises(ConsumeRejected, match="another account"):
            await source.consume(ConsumeRequest(str(uuid.uuid4()), None, "acc2"))
    assert service.requests("consume") == before
    assert service.spent("acc2") == service.spent("acc1") == 0


async def test_a_killed_child_is_down_and_a_fresh_one_recovers(service: StubProcess) -> None:
    source = await open_child(service)
    assert (await source.read(with_credits=True)).bank.available == 3
    transport = source._client._transport
    assert isinstance(transport, ChildTransport)
    os.kill(transport.pid, signal.SIGKILL)
    async with deadline():
        await source.changed()
    with pytest.raises(SourceDown):
        await source.read(with_credits=True)
    await source.aclose()
    again = await open_child(service)
    assert (await again.read(with_credits=True)).bank.available == 3
    await again.aclose()


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@asynccontextmanager
async def real_daemon(service: StubProcess) -> AsyncIterator[asyncio.subprocess.Process]:
    """`codex app-server` on a socket, linked to where the daemon's belongs."""
    place = CodexHome(service.codex_home).daemon_socket
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with TemporaryDirectory(prefix="rb") as nook:
        real = Path(nook) / "d.sock"
        place.unlink(missing_ok=True)
        place.symlink_to(real)
        process = await asyncio.create_subprocess_exec(
            codex_executable(),
            "app-server",
            "--listen",
            f"unix://{real}",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            await asyncio.to_thread(wait_until, lambda: listens(real))
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_the_real_daemon_reads_and_spends(service: StubProcess, http: Backend) -> None:
    async with real_daemon(service):
        source = await open_daemon(CodexHome(service.codex_home), CLOCK)
        assert comparable(await source.read(with_credits=True)) == comparable(await http.read(with_credits=True))
        await outcomes(service, source)
        await source.aclose()


async def test_a_killed_daemon_is_down_and_a_fresh_one_recovers(service: StubProcess) -> None:
    home = CodexHome(service.codex_home)
    async with real_daemon(service) as process:
        source = await open_daemon(home, CLOCK)
        await source.read(with_credits=True)
        process.kill()
        async with deadline():
            await source.changed()
        with pytest.raises(SourceDown, match="the Codex daemon is gone"):
            await source.read(with_credits=True)
        with pytest.raises(ConsumeRejected, match="nothing was sent"):
            await source.consume(ConsumeRequest(str(uuid.uuid4()), None, "acc1"))
        await source.aclose()
    async with real_daemon(service):
        again = await open_daemon(home, CLOCK)
        assert (await again.read(with_credits=True)).bank.available == 3
        await again.aclose()


async def test_news_of_a_thread_wake_the_daemon_s_reader(service: StubProcess) -> None:
    """A turn in one client of the daemon is news to another that subscribes to nothing."""
    async with real_daemon(service):
        source = await open_daemon(CodexHome(service.codex_home), CLOCK)
        other = AppServerSource(await connect_daemon(CodexHome(service.codex_home).daemon_socket), CLOCK)
        await other.prove()
        started = await other._client.request("thread/start", {"cwd": str(service.workspace)}, deadline=DEADLINE)
        waiting = asyncio.create_task(source.changed())
        thread = msgspec.json.decode(started)["thread"]["id"]
        turn = {"threadId": thread, "input": [{"type": "text", "text": "hello"}]}
        await other._client.request("turn/start", turn, deadline=DEADLINE)
        async with deadline():
            await waiting
        await other.aclose()
        await source.aclose()
