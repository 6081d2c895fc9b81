import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.budget import budget
from tests.support.clocks import ManualClock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import WindowKind
from tui.errors import StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew, UsageError
from tui.stub.database.bank import Bank
from tui.stub.refused import Refused, UnknownAccount
from tui.stub.scenarios import SCENARIOS

Opener = Callable[..., Bank]


class BankMachine(RuleBasedStateMachine):
    """Grants, turns, time, restarts and repeated requests in any order: a credit goes only where a key took it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.clock = ManualClock()
        self.path = Path(self.folder.name) / "stub.db"
        self.bank = Bank.open(self.clock, self.path, "busy")
        self.granted = {credit.id for credit in self.bank.read("acc1", all_credits=True).credits}
        self.redeemed: dict[str, str] = {}
        self.asked: dict[str, int] = {}

    def teardown(self) -> None:
        self.bank.close()
        self.folder.cleanup()

    @rule(count=st.integers(1, 3), lifetime=st.none() | st.integers(1, 5_000))
    def grant(self, count: int, lifetime: int | None) -> None:
        new = self.bank.grant("acc1", count, lifetime)
        assert self.granted.isdisjoint(new)
        self.granted.update(new)

    @rule(seconds=st.integers(0, 40_000))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.integers(0, 40_000))
    def advance_the_service(self, seconds: int) -> None:
        self.bank.advance_clock(seconds)

    @rule()
    def take_turn(self) -> None:
        reading, allowed = self.bank.take_turn("acc1")
        assert allowed or max(window.used_percent for window in reading.windows) >= 100

    @rule(kind=st.sampled_from([WindowKind.FIVE_HOUR, WindowKind.WEEKLY]), used=st.integers(0, 120))
    def set_usage(self, kind: WindowKind, used: int) -> None:
        self.bank.set_usage("acc1", kind, used)

    @rule()
    def restart(self) -> None:
        self.bank.close()
        self.bank = Bank.open(self.clock, self.path)

    @rule(key=st.uuids().map(str), pick=st.none() | st.integers(0, 20))
    def consume(self, key: str, pick: int | None) -> None:
        self.ask(key, pick)

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 50), pick=st.none() | st.integers(0, 20))
    def consume_again(self, which: int, pick: int | None) -> None:
        self.ask(list(self.asked)[which % len(self.asked)], pick)

    def ask(self, key: str, pick: int | None) -> None:
        credit_id = None if pick is None else sorted(self.granted)[pick % len(self.granted)]
        before = self.bank.read("acc1")
        result = self.bank.consume("acc1", key, credit_id)
        self.asked[key] = self.asked.get(key, 0) + 1
        if key in self.redeemed:
            assert result.code is ConsumeCode.ALREADY_REDEEMED
            assert result.credit is not None
            assert result.credit.id == self.redeemed[key]
        elif result.code is ConsumeCode.RESET:
            assert result.credit is not None
            assert credit_id in (None, result.credit.id)
            assert result.credit.id not in self.redeemed.values()
            self.redeemed[key] = result.credit.id
            assert all(window.used_percent == 0 for window in self.bank.read("acc1").windows)
        else:
            assert result.code in (ConsumeCode.NO_CREDIT, ConsumeCode.NOTHING_TO_RESET)
            assert self.bank.read("acc1").windows == before.windows

    @invariant()
    def credits_are_conserved(self) -> None:
        reading = self.bank.read("acc1", all_credits=True)
        statuses = [credit.status_at(reading.now) for credit in reading.credits]
        assert {credit.id for credit in reading.credits} == self.granted
        assert set(statuses) <= {"available", "redeemed", "expired"}
        assert statuses.count("redeemed") == len(self.redeemed)
        assert statuses.count("available") == reading.spendable
        assert all(window.used_percent >= 0 for window in reading.windows)

    @invariant()
    def every_key_is_counted(self) -> None:
        records = self.bank.everything()[1]
        assert {record.redeem_request_id: record.requests for record in records} == self.asked
        assert {r.redeem_request_id: r.credit_id for r in records if r.credit_id} == self.redeemed


TestBankMachine = BankMachine.TestCase
TestBankMachine.settings = settings(max_examples=budget(60), stateful_step_count=30)


def test_a_key_is_remembered_across_scenarios(open_bank: Opener) -> None:
    bank = open_bank("busy")
    first = bank.consume("acc1", "key", None)
    assert first.credit is not None
    bank.begin("at-limit")
    again = bank.consume("acc1", "key", bank.read("acc1").credits[0].id)
    assert (again.code, again.credit and again.credit.id) == (ConsumeCode.ALREADY_REDEEMED, first.credit.id)
    assert bank.read("acc1").spendable == 3


def test_keys_belong_to_accounts(open_bank: Opener) -> None:
    bank = open_bank("busy")
    assert bank.consume("acc1", "key", None).code is ConsumeCode.RESET
    assert bank.consume("acc2", "key", None).code is ConsumeCode.RESET


def test_a_credit_of_another_account_is_none(open_bank: Opener) -> None:
    bank = open_bank("busy")
    foreign = bank.read("acc2").credits[0].id
    assert bank.consume("acc1", "key", foreign).code is ConsumeCode.NO_CREDIT
    assert bank.read("acc2").spendable == 1


def test_a_turn_costs_its_own_account(open_bank: Opener) -> None:
    bank = open_bank("busy")
    before = bank.read("acc2").windows
    bank.take_turn("acc1")
    assert bank.read("acc1").windows[0].used_percent == 96
    assert bank.read("acc2").windows == before


def test_credits_lapse_to_the_second(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("empty-bank")
    bank.grant("acc1", 1, 10)
    clock.advance(9.999)
    assert bank.read("acc1").spendable == 1
    clock.advance(0.001)
    assert bank.read("acc1").spendable == 0
    assert bank.consume("acc1", "key", None).code is ConsumeCode.NO_CREDIT


def test_it_goes_on_where_it_stood(open_bank: Opener, tmp_path: Path) -> None:
    path = tmp_path / "stub.db"
    bank = open_bank("many", path)
    bank.take_turn("acc1")
    bank.advance_clock(100)
    before = bank.read("acc1", all_credits=True)
    bank.close()
    for scenario in (None, "many"):
        again = open_bank(scenario, path)
        assert again.read("acc1", all_credits=True) == before
    other = open_bank("calm", path)
    assert other.scenario().name == "calm"
    assert other.read("acc1").now == before.now


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_starts_as_written(name: str, open_bank: Opener) -> None:
    reading = open_bank(name).read("acc1", all_credits=True)
    assert [window.used_percent for window in reading.windows] == [w.used_percent for w in SCENARIOS[name].windows]
    rewarded = [start for start in SCENARIOS[name].invites if start.messaged is not None]
    assert len(reading.credits) == len(SCENARIOS[name].credits) + len(rewarded)


def test_two_servers_on_one_file_spend_no_credit_twice(open_bank: Opener, tmp_path: Path) -> None:
    banks = [open_bank("many", tmp_path / "stub.db"), open_bank(None, tmp_path / "stub.db")]

    def spend_all(bank: Bank) -> list[str]:
        taken = []
        for number in range(20):
            bank.set_usage("acc1", WindowKind.FIVE_HOUR, 50)
            result = bank.consume("acc1", f"{id(bank)}-{number}", None)
            if result.code is ConsumeCode.RESET and result.credit:
                taken.append(result.credit.id)
        return taken

    with ThreadPoolExecutor() as threads:
        taken = [credit_id for spent in threads.map(spend_all, banks) for credit_id in spent]
    assert len(taken) == len(set(taken)) == 12
    assert banks[0].read("acc1").spendable == 0


def test_the_unknown_is_told(open_bank: Opener) -> None:
    with pytest.raises(UsageError, match="did you mean 'busy'"):
        open_bank("bussy")
    bank = open_bank("weekly-only")
    with pytest.raises(UnknownAccount):
        bank.read("acc9")
    with pytest.raises(Refused, match="no window of the kind"):
        bank.set_usage("acc1", WindowKind.FIVE_HOUR, 1)


def refused(clock: ManualClock, path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Bank.open(clock, path)
    assert "--db" in str(caught.value)
    return caught.value


def test_a_file_that_is_no_database(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "stub.db"
    path.write_bytes(b"this is a text, and longer than the header of a database would be. " * 20)
    assert type(refused(clock, path)) is StoreCorrupt
    assert path.read_bytes().startswith(b"this is a text")


def test_another_programs_database_is_left_alone(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE spends (key TEXT)")
    other.close()
    path.chmod(0o644)
    before = path.read_bytes(), path.stat().st_mode
    assert type(refused(clock, path)) is StoreCorrupt
    assert (path.read_bytes(), path.stat().st_mode) == before


def test_a_newer_file(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "stub.db"
    Bank.open(clock, path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert type(refused(clock, path)) is StoreTooNew


def test_a_locked_file(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "stub.db"
    Bank.open(clock, path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert type(refused(clock, path)) is StoreLocked
    holder.close()


def test_a_folder_in_place_of_the_file(clock: ManualClock, tmp_path: Path) -> None:
    assert type(refused(clock, tmp_path)) is StoreReadOnly
    assert type(refused(clock, tmp_path / "missing" / "stub.db")) is StoreReadOnly
