from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.stub.conftest import Served
from tests.support.clocks import START, ManualClock
from tui.domain.spend import ConsumeCode
from tui.domain.windows import WindowKind
from tui.stub.database.bank import Bank
from tui.stub.refused import Refused, UnknownAccount
from tui.stub.rules.grants import ResetRules
from tui.stub.rules.plans import PLANS, plan_named
from tui.stub.scenarios import SCENARIOS

Opener = Callable[..., Bank]
Start = Callable[..., Served]
HOUR = 3_600.0
DAY = 24 * HOUR
BEGAN = START.timestamp()


def add(bank: Bank, account: str, plan: str) -> None:
    with bank.adding_account(account, PLANS[plan], f"{account}@example.com", None):
        pass


def complimentary(bank: Bank, account: str = "acc1") -> list[int]:
    return [grant.amount for grant in bank.grants() if grant.account == account and grant.source == "programme"]


def whole(bank: Bank) -> bool:
    readings, _ = bank.everything()
    return all(reading.granted == len(reading.credits) for reading in readings)


def test_a_plan_is_reached_at_its_moment() -> None:
    rules = ResetRules(reaches={"plus": 60.0})
    assert rules.reached_at(PLANS["plus"], BEGAN, BEGAN) == BEGAN + 60
    assert rules.reached_at(PLANS["plus"], BEGAN, BEGAN + 90) == BEGAN + 90
    assert rules.reached_at(PLANS["go"], BEGAN, BEGAN) == BEGAN
    assert rules.reached_at(PLANS["free"], BEGAN, BEGAN) is None
    assert rules.reached_at(plan_named("galaxy_brain"), BEGAN, BEGAN) is None


@pytest.mark.parametrize(("plan", "hours"), [("go", 0), ("plus", 1), ("pro", 2), ("business", 3)])
def test_each_plan_is_reached_in_its_turn(open_bank: Opener, clock: ManualClock, plan: str, hours: int) -> None:
    bank = open_bank("rollout")
    add(bank, "ada", plan)
    if hours:
        clock.advance(hours * HOUR - 1)
        assert bank.read("ada").spendable == 0
        clock.advance(1)
    (credit,) = bank.read("ada").credits
    assert (credit.granted_at, credit.expires_at) == (BEGAN + hours * HOUR, BEGAN + hours * HOUR + 30 * DAY)


def test_its_life_counts_from_the_moment_it_was_due(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("rollout")
    clock.advance(HOUR + 29 * DAY)
    (credit,) = bank.read("acc1").credits
    assert (credit.granted_at, credit.expires_at) == (BEGAN + HOUR, BEGAN + HOUR + 30 * DAY)
    clock.advance(DAY - 1)
    assert bank.read("acc1").spendable == 1
    clock.advance(1)
    assert bank.read("acc1").spendable == 0


def test_one_that_is_looked_at_too_late_has_lapsed(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("rollout")
    clock.advance(60 * DAY)
    reading = bank.read("acc1", all_credits=True)
    assert [credit.status_at(reading.now) for credit in reading.credits] == ["expired"]
    assert whole(bank)


def test_it_is_given_whoever_looks_first(open_bank: Opener, clock: ManualClock) -> None:
    looks: tuple[Callable[[Bank], object], ...] = (
        lambda bank: bank.read("acc1"),
        lambda bank: bank.everything(),
        lambda bank: bank.consume("acc1", "key", None),
        lambda bank: bank.take_turn("acc1"),
        lambda bank: bank.set_usage("acc1", WindowKind.WEEKLY, 5),
        lambda bank: bank.change_plan("acc1", PLANS["pro"]),
        lambda bank: bank.grant("acc1", 1, None),
    )
    for look in looks:
        bank = open_bank("rollout")
        clock.advance(HOUR)
        look(bank)
        assert complimentary(bank) == [1]


def test_back_and_forth_gives_no_second(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("rollout")
    clock.advance(5 * HOUR)
    for plan in ("pro", "free", "plus", "go", "business", "plus"):
        bank.change_plan("acc1", PLANS[plan])
        clock.advance(HOUR)
    assert complimentary(bank) == [1]
    assert [credit.status for credit in bank.read("acc1", all_credits=True).credits] == ["revoked"]
    assert whole(bank)


def test_what_was_due_under_the_old_plan_comes_first(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("rollout")
    add(bank, "ada", "plus")
    clock.advance(2 * HOUR)
    reading = bank.change_plan("ada", PLANS["business"])
    assert [credit.granted_at for credit in reading.credits] == [BEGAN + HOUR]


def test_a_plan_that_does_not_bank_waits_for_one_that_does(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada", "free")
    clock.advance(DAY)
    assert bank.read("ada").spendable == 0
    (credit,) = bank.change_plan("ada", PLANS["plus"]).credits
    assert credit.granted_at == BEGAN + DAY


def test_every_account_of_the_old_scenarios_has_had_it(open_bank: Opener) -> None:
    for name in set(SCENARIOS) - {"rollout"}:
        bank = open_bank(name)
        for reading in bank.everything()[0]:
            assert len(complimentary(bank, reading.account)) == 1, (name, reading.account)


def test_a_new_account_gets_it_at_once(open_bank: Opener) -> None:
    bank = open_bank("busy")
    add(bank, "ada", "go")
    reading = bank.read("ada")
    assert [(credit.title, credit.granted_by) for credit in reading.credits] == [("Full reset (Monthly)", "Codex Team")]
    assert [(window.kind, window.used_percent) for window in reading.windows] == [("monthly", 0)]
    with pytest.raises(Refused):
        add(bank, "ada", "go")


def test_no_account_is_left_behind_by_a_failure(open_bank: Opener) -> None:
    bank = open_bank("busy")
    with pytest.raises(ZeroDivisionError), bank.adding_account("ada", PLANS["plus"], "ada@example.com", None):
        raise ZeroDivisionError
    with pytest.raises(UnknownAccount):
        bank.read("ada")


def test_a_change_of_plan_keeps_what_both_have(open_bank: Opener) -> None:
    bank = open_bank("busy")
    before = bank.read("acc1")
    business = bank.change_plan("acc1", PLANS["business"])
    assert (business.windows, business.spendable) == (before.windows, 3)
    pro = bank.change_plan("acc1", PLANS["pro"])
    assert (pro.windows, pro.spendable) == (before.windows[1:], 3)
    go = bank.change_plan("acc1", PLANS["go"])
    assert [(w.kind, w.used_percent, w.resets_at) for w in go.windows] == [("monthly", 0, BEGAN + 30 * DAY)]
    plus = bank.change_plan("acc1", PLANS["plus"])
    assert [(w.kind, w.used_percent, w.resets_at) for w in plus.windows] == [
        ("five_hour", 0, None),
        ("weekly", 0, BEGAN + 7 * DAY),
    ]


def test_a_single_models_window_survives_a_change_of_plan(open_bank: Opener) -> None:
    bank = open_bank("many")
    windows = bank.change_plan("acc1", PLANS["pro"]).windows
    assert [(window.kind, window.limit_id) for window in windows] == [
        ("weekly", "codex"),
        ("five_hour", "codex_bengalfox"),
    ]


def test_what_is_dropped_can_never_be_redeemed(open_bank: Opener) -> None:
    bank = open_bank("busy")
    spent = bank.consume("acc1", "spent", None).credit
    assert spent is not None
    kept = bank.read("acc1").credits[0].id
    bank.change_plan("acc1", PLANS["free"])
    bank.change_plan("acc1", PLANS["plus"])
    bank.set_usage("acc1", WindowKind.WEEKLY, 90)
    assert bank.consume("acc1", "key", kept).code is ConsumeCode.NO_CREDIT
    statuses = [credit.status for credit in bank.read("acc1", all_credits=True).credits]
    assert sorted(statuses) == ["redeemed", "revoked", "revoked"]
    assert whole(bank)


async def test_dropped_resets_are_told_to_nobody(embedded: Start) -> None:
    served = embedded("weekly-wall")
    answer = await served.client.post("/stub/plan", json={"plan": "free"})
    assert answer.json() == {"plan": "free", "available": 0}
    listed = (await served.client.get("/api/codex/rate-limit-reset-credits")).json()
    assert (listed["credits"], listed["available_count"]) == ([], 0)
    usage = (await served.client.get("/api/codex/usage")).json()
    assert (usage["plan_type"], usage["rate_limit_reset_credits"]["available_count"]) == ("free", 0)
    assert usage["rate_limit"]["primary_window"]["limit_window_seconds"] == 30 * DAY


async def test_a_turn_costs_what_the_plan_says(embedded: Start) -> None:
    served = embedded("calm")
    for plan, used in (("pro", [12.1]), ("free", [4.0]), ("plus", [3.0, 0.5])):
        await served.client.post("/stub/plan", json={"plan": plan})
        await served.client.post("/backend-api/codex/responses", json={})
        assert [window.used_percent for window in served.stub.bank.read("acc1").windows] == pytest.approx(used)


async def test_an_unknown_plan_is_refused(embedded: Start) -> None:
    answer = await embedded().client.post("/stub/plan", json={"account": "acc1", "plan": "plsu"})
    assert (answer.status_code, "there is no plan 'plsu'" in answer.json()["detail"]) == (400, True)


def test_a_purchase_happens_once(open_bank: Opener) -> None:
    bank = open_bank("priced")
    first = bank.buy("acc1", "one")
    assert bank.buy("acc1", "one") == first
    assert bank.read("acc1").spendable == 1
    assert bank.buy("acc1", "two") != first
    assert bank.buy("acc2", "one") != first
    assert [grant.source for grant in bank.grants() if grant.account == "acc1" and grant.amount] == ["purchase"] * 2
    assert whole(bank)


def test_nothing_is_sold_where_there_is_no_price(open_bank: Opener) -> None:
    bank = open_bank("priced")
    bank.change_plan("acc1", PLANS["free"])
    for shop in (bank, open_bank("busy")):
        with pytest.raises(Refused, match="is sold"):
            shop.buy("acc1", "one")


async def test_the_price_is_told_where_there_is_one(embedded: Start) -> None:
    for name, price in (("priced", {"amount": "4.00", "currency": "USD"}), ("busy", None)):
        served = embedded(name)
        usage = (await served.client.get("/api/codex/usage")).json()["rate_limit_reset_credits"]
        listed = (await served.client.get("/api/codex/rate-limit-reset-credits")).json()
        assert listed.get("reset_purchase") == price
        assert ("reset_purchase" in listed) == (price is not None)
        assert usage["immediate_reset_purchase_eligible"] == (price is not None)
        assert listed["immediate_reset_purchase_eligible"] == (price is not None)


async def test_buying(embedded: Start) -> None:
    served = embedded("priced")
    bought = [(await served.client.post("/stub/purchase", json={"purchase_id": "p1"})).json() for _ in range(2)]
    listed = (await served.client.get("/api/codex/rate-limit-reset-credits")).json()["credits"]
    assert bought == [{"credit_id": listed[0]["id"]}] * 2
    assert listed[0]["expires_at"] == datetime.fromtimestamp(BEGAN + 30 * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    refused = await embedded("busy").client.post("/stub/purchase", json={"purchase_id": "p1"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "no single reset is sold to acc1")
    nobody = await served.client.post("/stub/purchase", json={"account": "acc9", "purchase_id": "p1"})
    assert (nobody.status_code, nobody.json()["detail"]) == (400, "there is no account 'acc9'")


async def test_earned_resets_are_counted(embedded: Start) -> None:
    for name, earned in (("busy", 1), ("monthly", 0), ("pilot", 2)):
        served = embedded(name)
        usage = (await served.client.get("/api/codex/usage")).json()["rate_limit_reset_credits"]
        listed = (await served.client.get("/api/codex/rate-limit-reset-credits")).json()
        assert usage["total_earned_count"] == listed["total_earned_count"] == earned
