"""The state behind the service: every method is one transaction.

A `redeem_request_id` that redeemed a credit is remembered for ever, also across restarts and scenarios: it answers
`already_redeemed`, and by its own credit, whatever credit is named with it. One that came to nothing has no effect to
repeat and is judged afresh. The complimentary reset is given when an account is next looked at, with the moment at
which it was due.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from tui import DEFAULT_SCENARIO
from tui.clock import Clock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.stub.database import accounts, grants, invites
from tui.stub.database.accounts import Account, Reading
from tui.stub.database.grants import GrantRecord
from tui.stub.database.referrals import Referrals
from tui.stub.database.start import begin
from tui.stub.database.transactions import StubDatabase, Transaction
from tui.stub.refused import Refused
from tui.stub.rules.grants import Grant, goodwill, purchase
from tui.stub.rules.plans import Plan
from tui.stub.rules.resets import HeldCredit, HeldStatus, Redemption, redeem
from tui.stub.rules.windows import blocking, change_windows, charge_turn, fresh_window, set_usage
from tui.stub.scenario import Scenario
from tui.stub.scenarios import find_scenario


class RequestRecord(msgspec.Struct, frozen=True):
    """What became of one `redeem_request_id`."""

    account: str
    redeem_request_id: str
    requests: int
    """How often it came."""
    last_code: str
    credit_id: str | None
    """The credit that it redeemed; None if none."""
    redeemed_at: float | None


class Bank:
    """The service's state; safe from any thread, one caller at a time.

    A method that is given an account raises `UnknownAccount` where there is none of this id.
    """

    def __init__(self, database: StubDatabase) -> None:
        self._database = database
        self.referrals = Referrals(database)
        """The same state's invites."""

    @classmethod
    def open(cls, clock: Clock, path: Path | None = None, scenario: str | None = None) -> "Bank":
        """Open the state, in a file or with None in memory, and go on from where it stands.

        Another scenario than the one that it is in begins anew; None goes on with any.

        Raises:
            StoreError: The file cannot be used.
            UsageError: There is no such scenario.
        """
        wanted = find_scenario(scenario or DEFAULT_SCENARIO)
        database = StubDatabase(path, clock)
        try:
            with database.entering(wanted) as (transaction, is_new):
                if is_new or (scenario is not None and transaction.scenario.name != wanted.name):
                    begin(database, transaction, wanted)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close the database; fine to call twice."""
        self._database.close()

    # What the service's clients ask for

    def read(self, account: str, *, all_credits: bool = False) -> Reading:
        """Read one account."""
        with self._database.reading() as transaction:
            reading = accounts.read(transaction, account, all_credits=all_credits)
        if reading.owed_since is None:
            return reading
        with self._database.writing() as transaction:
            return accounts.settle(transaction, account, all_credits=all_credits)

    def consume(self, account: str, redeem_request_id: str, credit_id: str | None) -> Redemption:
        """Redeem the credit asked for, or the soonest to expire; at most once for this key."""
        with self._database.writing() as transaction:
            reading = accounts.settle(transaction, account)
            done = _redeemed_by(transaction, account, redeem_request_id)
            if done is not None:
                result = Redemption(ConsumeCode.ALREADY_REDEEMED, done, reading.windows, 0)
            else:
                flags = reading.scenario.flags
                result = redeem(reading.windows, reading.credits, reading.now, credit_id=credit_id, flags=flags)
            redeemed = result.credit if result.code is ConsumeCode.RESET else None
            if redeemed is not None:
                transaction.execute(
                    "UPDATE credit SET status = ?, redeemed_at = ? WHERE id = ?",
                    *(redeemed.status, redeemed.redeemed_at, redeemed.id),
                )
                accounts.write_windows(transaction, account, result.windows)
            transaction.execute(
                "INSERT INTO redemption VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " requests = requests + 1, last_code = excluded.last_code,"
                " credit_id = coalesce(credit_id, excluded.credit_id),"
                " redeemed_at = coalesce(redeemed_at, excluded.redeemed_at)",
                *(account, redeem_request_id, result.code),
                *((redeemed.id, redeemed.redeemed_at) if redeemed else (None, None)),
            )
            return result

    def take_turn(self, account: str, thread: str | None = None) -> tuple[Reading, bool]:
        """One model turn: its cost, unless a limit is reached; and what it earns, where it is a friend's first.

        Returns:
            The account after it, and whether the turn was allowed.
        """
        with self._database.writing() as transaction:
            reading = accounts.settle(transaction, account)
            if blocking(reading.windows):
                return reading, False
            windows = charge_turn(reading.windows, reading.terms.turn_costs, reading.now)
            accounts.write_windows(transaction, account, windows)
            if thread is not None:
                transaction.execute(
                    "INSERT INTO thread VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET requests = requests + 1",
                    *(account, thread),
                )
            if invites.note_turn(transaction, account):
                return accounts.read(transaction, account), True
            return replace(reading, windows=windows), True

    def thread_requests(self, account: str) -> tuple[Reading, dict[str, int]]:
        """An account, and how many requests of each of its threads were metered."""
        with self._database.reading() as transaction:
            found = transaction.execute("SELECT id, requests FROM thread WHERE account = ?", account)
            return accounts.read(transaction, account), dict(found.fetchall())

    # What the controls ask for

    def set_usage(self, account: str, kind: WindowKind, used_percent: float) -> None:
        """Put the main limit's window of this kind to a share; raises `Refused` where there is none."""
        with self._database.writing() as transaction:
            reading = accounts.settle(transaction, account)
            if all(window.kind is not kind for window in reading.main_windows):
                raise Refused(400, f"{account} has no window of the kind {kind}")
            windows = tuple(
                set_usage(window, used_percent, reading.now)
                if window.kind is kind and window.limit_id == MAIN_LIMIT
                else window
                for window in reading.windows
            )
            accounts.write_windows(transaction, account, windows)

    def advance_clock(self, seconds: float) -> float:
        """Let time pass for the service; its new time in unix seconds."""
        with self._database.writing() as transaction:
            return self._database.advance(transaction, seconds).now

    def grant(self, account: str, count: int, expires_in: float | None) -> list[str]:
        """Grant so many credits out of kindness, each for so many seconds (None: for ever); their ids."""
        return self._land(account, goodwill(uuid4().hex, count, expires_in))

    def buy(self, account: str, purchase_id: str) -> list[str]:
        """Buy a single reset, once for this purchase; its id. Raises `Refused` where none is sold to this plan."""
        return self._land(account, purchase(account, purchase_id), is_sold=True)

    def _land(self, account: str, grant: Grant, *, is_sold: bool = False) -> list[str]:
        with self._database.writing() as transaction:
            reading = accounts.settle(transaction, account)
            if is_sold and transaction.scenario.resets.price_for(reading.terms) is None:
                raise Refused(400, f"no single reset is sold to {account}")
            return grants.land(transaction, account, grant, reading.terms)

    def change_plan(self, account: str, plan: Plan) -> Reading:
        """Give an account another plan, after what is due under the old one; the account, with all its credits."""
        with self._database.writing() as transaction:
            reading = accounts.settle(transaction, account)
            if plan.name != reading.plan:
                windows = change_windows(reading.windows, plan.windows, transaction.now)
                accounts.change_plan(transaction, account, plan.name, windows)
                if not plan.banks:
                    grants.revoke(transaction, account)
            return accounts.settle(transaction, account, all_credits=True)

    @contextmanager
    def adding_account(self, account: str, plan: Plan, email: str, last_used_ago: float | None) -> Iterator[None]:
        """Make a further account, with the windows of its plan, unused; none where the block inside fails.

        `last_used_ago` is in seconds; None: never. Raises `Refused` where there is one of this id.
        """
        with self._database.writing() as transaction:
            used_at = None if last_used_ago is None else transaction.now - last_used_ago
            windows = [fresh_window(kind, transaction.now) for kind in plan.windows]
            accounts.add_account(transaction, Account(account, plan.name, email, transaction.now, used_at), windows)
            accounts.settle(transaction, account)
            yield

    def begin(self, scenario: str) -> None:
        """Start a scenario, or raise `UsageError`; the clock goes on, and redemptions stay remembered."""
        wanted = find_scenario(scenario)
        with self._database.writing() as transaction:
            begin(self._database, transaction, wanted)

    def scenario(self) -> Scenario:
        """The scenario it is in."""
        with self._database.reading() as transaction:
            return transaction.scenario

    def everything(self) -> tuple[list[Reading], list[RequestRecord]]:
        """Every account with all its credits, and every key that ever came, in the order of accounts and arrival."""
        with self._database.reading() as transaction:
            known = transaction.execute("SELECT id FROM account ORDER BY id").fetchall()
            readings = [accounts.read(transaction, account, all_credits=True) for (account,) in known]
            found = transaction.execute(
                "SELECT account, redeem_request_id, requests, last_code, credit_id, redeemed_at FROM redemption"
                " ORDER BY rowid"
            ).fetchall()
        if any(reading.owed_since is not None for reading in readings):
            with self._database.writing() as transaction:
                readings = [accounts.settle(transaction, reading.account, all_credits=True) for reading in readings]
        return readings, [RequestRecord(*row) for row in found]

    def grants(self) -> list[GrantRecord]:
        """Every grant, in the order in which they landed."""
        with self._database.reading() as transaction:
            query = "SELECT account, source, reason, kind, amount, key, granted_at FROM grant ORDER BY id"
            return [GrantRecord(*row) for row in transaction.execute(query)]


def _redeemed_by(transaction: Transaction, account: str, key: str) -> HeldCredit | None:
    row = transaction.execute(
        "SELECT credit_id, redeemed_at FROM redemption"
        " WHERE account = ? AND redeem_request_id = ? AND credit_id IS NOT NULL",
        *(account, key),
    ).fetchone()
    if row is None:
        return None
    # Its credit may belong to a former scenario; what the answer says of it is known all the same.
    return HeldCredit(row[0], HeldStatus.REDEEMED, granted_at=row[1], expires_at=None, redeemed_at=row[1])
