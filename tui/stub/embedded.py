"""The service inside this process, for `--demo` and for tests: no socket, no file, no login of one's own."""

from typing import Final

import msgspec

from tui import DEFAULT_SCENARIO
from tui.clock import Clock
from tui.stub.database.bank import Bank
from tui.stub.faults import FaultState
from tui.stub.http.app import create_app
from tui.stub.http.exchange import App
from tui.stub.http.logins import make_token
from tui.stub.scenarios import MAIN_ACCOUNT

EMBEDDED_BASE_URL: Final = "http://127.0.0.1/backend-api"
"""A base URL to ask it by; with an in-process transport nothing is ever dialled."""


class EmbeddedStub(msgspec.Struct, frozen=True):
    """A running service without a server."""

    app: App
    """What an in-process transport talks to."""
    bank: Bank
    faults: FaultState
    token: str
    account_id: str = MAIN_ACCOUNT
    base_url: str = EMBEDDED_BASE_URL

    def __repr__(self) -> str:
        return "EmbeddedStub()"  # its token is nobody's business

    def close(self) -> None:
        """Let its state go."""
        self.bank.close()


def embedded_stub(clock: Clock, scenario: str = DEFAULT_SCENARIO) -> EmbeddedStub:
    """Start a scenario in memory, or raise `UsageError` where there is none of this name.

    It may be made in one thread and used in another; its token is the main account's.
    """
    bank = Bank.open(clock, scenario=scenario)
    faults = FaultState(bank.scenario().faults)
    return EmbeddedStub(create_app(bank, clock, faults), bank, faults, make_token(MAIN_ACCOUNT, clock.now()))
