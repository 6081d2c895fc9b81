from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
import pytest

from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tui.stub.database.bank import Bank
from tui.stub.embedded import EmbeddedStub, embedded_stub


@pytest.fixture
def open_bank(clock: ManualClock) -> Iterator[Callable[..., Bank]]:
    """Open banks on the test's clock that are closed after it."""
    banks: list[Bank] = []

    def open_one(scenario: str | None = None, path: Path | None = None) -> Bank:
        banks.append(Bank.open(clock, path, scenario))
        return banks[-1]

    yield open_one
    for bank in banks:
        bank.close()


@pytest.fixture
async def embedded(clock: ManualClock) -> AsyncIterator[Callable[..., "Served"]]:
    """Start scenarios in this process, on the test's clock."""
    async with AsyncExitStack() as stack:

        def start(scenario: str = "busy", host: str = "127.0.0.1") -> Served:
            stub = stack.enter_context(closing(embedded_stub(clock, scenario)))
            transport = httpx.ASGITransport(app=stub.app, client=(host, 50_000))
            client = httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers=bearer_headers("acc1", clock.now())
            )
            stack.push_async_callback(client.aclose)
            return Served(stub, client)

        yield start


class Served:
    """A scenario and a signed-in client of it."""

    def __init__(self, stub: EmbeddedStub, client: httpx.AsyncClient) -> None:
        self.stub = stub
        self.client = client
