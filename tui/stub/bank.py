"""The service's state: accounts, windows, credits, grants, redemptions and the clock, in SQLite.

Every method is one transaction. A `redeem_request_id` that redeemed a credit is remembered for ever, also across
restarts and scenarios: it answers `already_redeemed`, and by its own credit, whatever credit is named with it. One
that came to nothing has no effect to repeat and is judged afresh.

The complimentary reset is given when an account is next looked at, with the moment at which it was due.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from msgspec.structs import replace

from tui.clock import Clock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.stub import invites, programme, rows
from tui.stub.database import open_database
from tui.stub.grants import goodwill, purchase
from tui.stub.plans import Plan
from tui.stub.programme import HeldCredit, HeldStatus, Redemption, change_windows, fresh_window
from tui.stub.reading import GrantRecord, NotForSale, Reading, RequestRecord, UnknownWindow
from tui.stub.referrals import Referrals
from tui.stub.rows import Account
from tui.stub.scenario import Scenario
from tui.stub.scenarios import DEFAULT_SCENARIO, find_scenario
from tui.stub.start import begin
from tui.stub.world import StubDatabase, Transaction


class Bank:
    """The state behind the service; safe from any thread, one caller at a time."""

    def __init__(self, world: StubDatabase) -> None:
        self._world = world
        self.referrals = Referrals(world)
        """The same state's invites."""

    @classmethod
    def open(cls, clock: Clock, path: Path | None = None, scenario: str | None = None) -> "Bank":
        """Open the state and go on from where it stands.

        Args:
            clock: The machine's clock, which the service's own runs ahead of by its offset.
            path: The SQLite file; None keeps the state in memory.
            scenario: The world to be in. A state that is in this one already goes on; None goes on with any.

        Raises:
            StoreError: The file cannot be used.
            UsageError: There is no such scenario.
        """
        wanted = find_scenario(scenario or DEFAULT_SCENARIO)
        world = StubDatabase(open_database(path), clock, path)
        try:
            with world.entering(wanted) as (moment, is_new):
                if is_new or (scenario is not None and moment.scenario.name != wanted.name):
                    begin(world, moment, wanted)
        except BaseException:
            world.close()
            raise
        return cls(world)

    def close(self) -> None:
        """Close the database; fine to call twice."""
        self._world.close()

    # What the service's clients ask for

    def read(self, account: str, *, all_credits: bool = False) -> Reading:
        """Read one account.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.reading() as moment:
            reading = rows.read(moment, account, all_credits=all_credits)
        if reading.owed_since is None:
            return reading
        with self._world.writing() as moment:
            return rows.settle(moment, account, all_credits=all_credits)

    def consume(self, account: str, redeem_request_id: str, credit_id: str | None) -> Redemption:
        """Redeem a credit, at most once for this key (wire.md 3.1 to 3.4).

        Args:
            account: Whose.
            redeem_request_id: The client's key.
            credit_id: The credit asked for; None takes the soonest to expire.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.writing() as moment:
            reading = rows.settle(moment, account)
            done = _redeemed_by(moment, account, redeem_request_id)
            if done is not None:
                result = Redemption(ConsumeCode.ALREADY_REDEEMED, done, reading.windows, 0)
            else:
                result = programme.redeem(
                    reading.windows,
                    reading.credits,
                    reading.now,
                    credit_id=credit_id,
                    switches=reading.scenario.switches,
                )
            redeemed = result.credit if result.code is ConsumeCode.RESET else None
            if redeemed is not None:
                moment.connection.execute(
                    "UPDATE credit SET status = ?, redeemed_at = ? WHERE id = ?",
                    (redeemed.status, redeemed.redeemed_at, redeemed.id),
                )
                rows.write_windows(moment, account, result.windows)
            moment.connection.execute(
                "INSERT INTO redemption VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " requests = requests + 1, last_code = excluded.last_code,"
                " credit_id = coalesce(credit_id, excluded.credit_id),"
                " redeemed_at = coalesce(redeemed_at, excluded.redeemed_at)",
                (
                    account,
                    redeem_request_id,
                    result.code,
                    redeemed.id if redeemed else None,
                    redeemed.redeemed_at if redeemed else None,
                ),
            )
            return result

    def take_turn(self, account: str, thread: str | None = None) -> tuple[Reading, bool]:
        """One model turn: its cost, unless a limit is reached; and what it earns, where it is a friend's first.

        Args:
            account: Whose.
            thread: The thread that it is part of, where the request names one.

        Returns:
            The account after it, and whether the turn was allowed.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.writing() as moment:
            reading = rows.settle(moment, account)
            if programme.blocking(reading.windows):
                return reading, False
            windows = programme.charge_turn(reading.windows, reading.terms.turn_costs, reading.now)
            rows.write_windows(moment, account, windows)
            if thread is not None:
                moment.connection.execute(
                    "INSERT INTO thread VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET requests = requests + 1",
                    (account, thread),
                )
            if invites.note_turn(moment, account):
                return rows.read(moment, account), True
            return replace(reading, windows=windows), True

    def thread_requests(self, account: str) -> tuple[Reading, dict[str, int]]:
        """An account, and how many requests of each of its threads were metered.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.reading() as moment:
            found = moment.connection.execute("SELECT id, requests FROM thread WHERE account = ?", (account,))
            return rows.read(moment, account), dict(found.fetchall())

    # What the controls ask for

    def set_usage(self, account: str, kind: WindowKind, used_percent: float) -> None:
        """Put the main limit's window of this kind to a share.

        Raises:
            UnknownAccount: There is none of this id.
            UnknownWindow: It has no such window.
        """
        with self._world.writing() as moment:
            reading = rows.settle(moment, account)
            if all(window.kind is not kind for window in reading.main_windows):
                raise UnknownWindow(kind)
            windows = tuple(
                programme.set_usage(window, used_percent, reading.now)
                if window.kind is kind and window.limit_id == MAIN_LIMIT
                else window
                for window in reading.windows
            )
            rows.write_windows(moment, account, windows)

    def advance_clock(self, seconds: float) -> float:
        """Let time pass for the service; its new time in unix seconds."""
        with self._world.writing() as moment:
            return self._world.advance(moment, seconds).now

    def grant(self, account: str, count: int, expires_in: float | None) -> list[str]:
        """Grant credits out of kindness; their ids.

        Args:
            account: To whom.
            count: How many.
            expires_in: Seconds to their last moment; None means never.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.writing() as moment:
            rows.settle(moment, account)
            return rows.land(moment, account, goodwill(uuid4().hex, count, expires_in))

    def buy(self, account: str, purchase_id: str) -> list[str]:
        """Buy a single reset, once for this purchase; its id, also where it was bought before.

        Raises:
            UnknownAccount: There is none of this id.
            NotForSale: None is sold, or not to this plan.
        """
        with self._world.writing() as moment:
            reading = rows.settle(moment, account)
            if moment.scenario.programme.price_for(reading.terms) is None:
                raise NotForSale(reading.plan)
            return rows.land(moment, account, purchase(account, purchase_id))

    def change_plan(self, account: str, plan: Plan) -> Reading:
        """Give an account another plan; what is due to it under the old one comes first.

        Returns:
            The account after it, with all its credits.

        Raises:
            UnknownAccount: There is none of this id.
        """
        with self._world.writing() as moment:
            reading = rows.settle(moment, account)
            if plan.name != reading.plan:
                windows = change_windows(reading.windows, plan.windows, moment.now)
                rows.change_plan(moment, account, plan.name, windows)
                if not moment.scenario.programme.keeps_credits(plan):
                    rows.revoke(moment, account)
            return rows.settle(moment, account, all_credits=True)

    @contextmanager
    def adding_account(self, account: str, plan: Plan, email: str, last_used_ago: float | None) -> Iterator[None]:
        """Make a further account, with the windows of its plan, unused; none where the block inside fails.

        Args:
            account: Its id.
            plan: Its plan.
            email: Its address.
            last_used_ago: Seconds since it last used Codex; None: never.

        Raises:
            AccountExists: There is one of this id.
        """
        with self._world.writing() as moment:
            used_at = None if last_used_ago is None else moment.now - last_used_ago
            windows = [fresh_window(kind, moment.now) for kind in plan.windows]
            rows.add_account(moment, Account(account, plan.name, email, moment.now, used_at), windows)
            rows.settle(moment, account)
            yield

    def begin(self, scenario: str) -> None:
        """Start a scenario; the clock goes on, and redemptions stay remembered.

        Raises:
            UsageError: There is no such scenario.
        """
        wanted = find_scenario(scenario)
        with self._world.writing() as moment:
            begin(self._world, moment, wanted)

    def scenario(self) -> Scenario:
        """The scenario it is in."""
        with self._world.reading() as moment:
            return moment.scenario

    def everything(self) -> tuple[list[Reading], list[RequestRecord]]:
        """Every account with all its credits, and every key that ever came, in the order of accounts and arrival."""
        with self._world.reading() as moment:
            readings = [rows.read(moment, account, all_credits=True) for account in rows.account_ids(moment)]
            found = moment.connection.execute(
                "SELECT account, redeem_request_id, requests, last_code, credit_id, redeemed_at FROM redemption"
                " ORDER BY rowid"
            ).fetchall()
        if any(reading.owed_since is not None for reading in readings):
            with self._world.writing() as moment:
                readings = [rows.settle(moment, reading.account, all_credits=True) for reading in readings]
        return readings, [RequestRecord(*row) for row in found]

    def grants(self) -> list[GrantRecord]:
        """Every grant, in the order in which they landed."""
        with self._world.reading() as moment:
            return rows.grant_records(moment)


def _redeemed_by(moment: Transaction, account: str, key: str) -> HeldCredit | None:
    row = moment.connection.execute(
        "SELECT credit_id, redeemed_at FROM redemption"
        " WHERE account = ? AND redeem_request_id = ? AND credit_id IS NOT NULL",
        (account, key),
    ).fetchone()
    if row is None:
        return None
    # Its credit may belong to a former scenario; what the answer says of it is known all the same.
    return HeldCredit(row[0], HeldStatus.REDEEMED, granted_at=row[1], expires_at=None, redeemed_at=row[1])
