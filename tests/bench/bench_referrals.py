"""How long each call of the referral programme takes in a database of 10,000 accounts and 30,000 invites.

`python -m tests.bench.bench_referrals` prints the figures.
"""

import json
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from msgspec.structs import replace

from tests.support.logins import bearer_headers
from tests.support.stub_process import StubProcess, start_stub
from tui.clock import SystemClock
from tui.stub.database import accounts, grants, invites
from tui.stub.database.accounts import Account
from tui.stub.database.bank import Bank
from tui.stub.database.transactions import StubDatabase, Transaction
from tui.stub.rules.grants import complimentary
from tui.stub.rules.invites import Invite
from tui.stub.rules.plans import PLANS
from tui.stub.rules.windows import fresh_window
from tui.stub.scenarios import find_scenario

ACCOUNTS = 10_000
INVITES_EACH = 3
CALLS = 400
KEEN = "keen"
"""An account with many invites, so that its pages are full."""
INVITE = "/backend-api/referrals/invite"
PROGRAM = "codex_referral_consumer"
_SCENARIO = "pilot"


def measure() -> list[str]:
    """The figures, one a line."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stub.db"
        _fill(path)
        with start_stub(db=path) as stub:
            client = _Client(stub)
            figures = {name: _latencies(call) for name, call in _calls(client).items()}
            client.close()
            rewarded = sum(invite["status"] == "rewarded" for invite in stub.state()["invites"])
            assert rewarded >= CALLS, rewarded
    return [f"{ACCOUNTS:,} accounts, {ACCOUNTS * INVITES_EACH:,} invites, {CALLS} calls each over one connection:"] + [
        f"{name}: median {_percentile(latencies, 50):.1f} ms, p99 {_percentile(latencies, 99):.1f} ms"
        for name, latencies in figures.items()
    ]


def _fill(path: Path) -> None:
    """All in one transaction, by the service's own rules; of three invites one is opened, and some are joined."""
    clock, scenario = SystemClock(), find_scenario(_SCENARIO)
    Bank.open(clock, path, _SCENARIO).close()
    database = StubDatabase(path, clock)
    with database.writing() as transaction:
        campaign = scenario.campaign
        assert campaign is not None
        members = [_account(transaction, f"a{number}") for number in range(ACCOUNTS)]
        # Sent earlier, so that its e-mail may be sent again.
        earlier = replace(transaction, now=transaction.now - 3_600)
        for account in members:
            sent = [
                invites.send(earlier, campaign, account, f"{account.id}-{number}@example.org")
                for number in range(INVITES_EACH)
            ]
            assert isinstance(sent[0], Invite)
            invites.open_link(transaction, sent[0])
        for account in members[:CALLS]:
            joined = invites.select(transaction, "referrer = ? ORDER BY number DESC LIMIT 1", account.id)[0]
            invites.join(transaction, campaign, joined, _account(transaction, f"friend-of-{account.id}"))
        keen = _account(transaction, KEEN)
        for number in range(4 * CALLS):
            invites.send(transaction, replace(campaign, send_capacity=None), keen, f"{number}@example.org")
    database.close()


def _account(transaction: Transaction, account_id: str) -> Account:
    account = Account(account_id, "plus", f"{account_id}@example.com", transaction.now, None)
    accounts.add_account(transaction, account, [fresh_window(kind, transaction.now) for kind in PLANS["plus"].windows])
    grants.land(transaction, account.id, complimentary(account.id), PLANS["plus"])
    return account


class _Client:
    """Signed-in requests on one connection, each by another account."""

    def __init__(self, stub: StubProcess) -> None:
        self._connection = HTTPConnection("127.0.0.1", stub.port)
        self._now = SystemClock().now()

    def ask(self, method: str, path: str, account: str, body: object = None) -> bytes:
        headers = bearer_headers(account, self._now) | {"Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return content

    def close(self) -> None:
        self._connection.close()


def _calls(client: _Client) -> dict[str, Callable[[int], float]]:
    """Each call by its name; it takes a number that it was not given before, and answers its seconds."""
    new = count()

    def timed(method: str, path: str, account: str, body: object = None) -> float:
        began = perf_counter()
        client.ask(method, path, account, body)
        return perf_counter() - began

    def resend(number: int) -> float:
        listed = client.ask("GET", f"{INVITE}/tracking?program_id={PROGRAM}", f"a{number}")
        waiting = next(item for item in json.loads(listed)["items"] if item["can_resend"])
        return timed("POST", f"{INVITE}/{waiting['referral_id']}/send-email", f"a{number}")

    return {
        "eligibility": lambda n: timed("GET", f"{INVITE}/eligibility?program_id={PROGRAM}", f"a{n}"),
        "invite": lambda n: timed(
            "POST", INVITE, f"a{n}", {"program_id": PROGRAM, "emails": [f"new{next(new)}@example.net"]}
        ),
        "tracking": lambda n: timed("GET", f"{INVITE}/tracking?program_id={PROGRAM}", f"a{n}"),
        "tracking, a page of 100": lambda n: timed("GET", f"{INVITE}/tracking?program_id={PROGRAM}&limit=100", KEEN),
        "resend": resend,
        "usage": lambda n: timed("GET", "/backend-api/wham/usage", f"a{n}"),
        "credits": lambda n: timed("GET", "/backend-api/wham/rate-limit-reset-credits", f"a{n}"),
        "first message": lambda n: timed("POST", "/backend-api/codex/responses", f"friend-of-a{n}", {}),
    }


def _latencies(call: Callable[[int], float]) -> list[float]:
    return [call(number) for number in range(CALLS)]


def _percentile(latencies: list[float], percent: int) -> float:
    return quantiles(latencies, n=100)[percent - 1] * 1_000


if __name__ == "__main__":
    print("\n".join(measure()))
