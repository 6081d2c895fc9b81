"""The real companion over real sockets to the stub, with deadlines and pauses made short."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.referrals import NO_REFERRALS
from tests.support.stub_process import StubProcess
from tui.clock import SystemClock
from tui.companion.companion import Companion
from tui.companion.connection import SourceChain
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.spend import Consent, ConsentKind, Spend
from tui.paths import resetbank_paths
from tui.sources.backend import Backend, Deadlines
from tui.sources.base import Source
from tui.sources.base_url import parse_base_url
from tui.sources.codex_home import CodexHome
from tui.sources.logins import Logins
from tui.store.database import Database

SHORT = Deadlines(usage=1.0, rows=1.0, consume=1.0)


class HastyClock(SystemClock):
    """The machine's clock, with pauses that last no time."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


class HttpChain(SourceChain):
    """One source: http, with short deadlines."""

    def __init__(self, stub: StubProcess) -> None:
        self._stub = stub
        self._clock = HastyClock()

    async def open(self) -> Source:
        base_url = parse_base_url(self._stub.url)
        login = Logins(CodexHome(self._stub.codex_home), base_url, True, self._clock)
        return Backend(base_url, login, self._clock, deadlines=SHORT)


@asynccontextmanager
async def companion_over(stub: StubProcess, *, keys: list[str] | None = None) -> AsyncIterator[Companion]:
    """A companion with the database of RESETBANK_HOME; `keys` gathers every key it mints."""
    import uuid

    minted = [] if keys is None else keys

    def new_key() -> str:
        minted.append(str(uuid.uuid4()))
        return minted[-1]

    paths = resetbank_paths()
    companion = Companion(
        chain=HttpChain(stub),
        tables=Tables(Database(paths.database), AccountLocks(paths.locks)),
        referrals=lambda: NO_REFERRALS,
        clock=HastyClock(),
        holder="the test",
        new_key=new_key,
        random_share=lambda: 0.5,
    )
    try:
        yield companion
    finally:
        await companion.aclose()


async def spend_once(companion: Companion) -> Spend:
    """One question, one consent."""
    proposal = await companion.spender.propose()
    return await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()))


def database_files() -> list[Path]:
    return sorted(resetbank_paths().database.parent.glob("resetbank.db*"))
