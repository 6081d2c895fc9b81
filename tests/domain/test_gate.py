from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.support.clocks import START
from tui.domain.credits import Bank
from tui.domain.gate import PlanUsers, gate_state, held_threads, is_held_for
from tui.domain.hooks import GateMode, GateState, Waiter
from tui.domain.snapshot import Account, PaidCredits, Provenance, Snapshot, SpendControl
from tui.domain.windows import MAIN_LIMIT, Limit, Window

USERS = PlanUsers(("openai", "mine"), default=True)
NATURAL = START + timedelta(hours=3)
NOTHING = GateState(GateMode.OPEN)


def reading(
    used: float | None = 100.0,
    *,
    allowed: bool | None = False,
    reached_type: str | None = None,
    paid: PaidCredits | None = None,
    cap: bool = False,
    at: timedelta = timedelta(0),
) -> Snapshot:
    windows = (
        Window(MAIN_LIMIT, None, 300, used, NATURAL),
        Window(MAIN_LIMIT, None, 10080, 43.0, NATURAL + timedelta(days=3)),
    )
    return Snapshot(
        Provenance("http", START + at),
        Account("acc1"),
        allowed,
        (Limit(MAIN_LIMIT, None, allowed, windows, reached_type),),
        Bank(3, None),
        paid,
        SpendControl(True, 100.0, None) if cap else None,
    )


CREDITS = PaidCredits(True, False, "20")


@pytest.mark.parametrize(
    ("snapshot", "held", "with_credits"),
    [
        (reading(), True, True),
        (reading(reached_type="rate_limit_reached"), True, True),
        (reading(93.0, allowed=True), False, False),
        (reading(None, allowed=None), False, False),
        (reading(reached_type="workspace_member_credits_depleted"), False, False),
        (reading(cap=True), False, False),
        (reading(40.0, allowed=False), False, False),
        (reading(100.0, allowed=True, paid=CREDITS), False, True),
        (reading(93.0, allowed=True, paid=CREDITS), False, False),
    ],
)
def test_what_is_held(snapshot: Snapshot, held: bool, with_credits: bool) -> None:
    assert is_held_for(snapshot, START, before_credits=False) is held
    assert is_held_for(snapshot, START, before_credits=True) is with_credits


def test_a_reached_limit_closes_the_gate_until_its_natural_reset() -> None:
    told = gate_state(reading(), NOTHING, USERS, START)
    assert told == GateState(GateMode.CLOSED, None, NATURAL, "acc1", ("openai", "mine"), True)


def test_the_persons_choice_decides_how() -> None:
    assert gate_state(reading(), NOTHING, USERS, START, waits=True).mode is GateMode.WAIT
    assert gate_state(reading(), NOTHING, USERS, START, lets_fail=True).mode is GateMode.PASS
    assert (
        gate_state(reading(93.0, allowed=True), NOTHING, USERS, START, lets_fail=True, waits=True).mode is GateMode.OPEN
    )


def test_room_opens_it_and_makes_older_meters_say_nothing() -> None:
    closed = gate_state(reading(), NOTHING, USERS, START)
    later = timedelta(minutes=5)
    told = gate_state(reading(0.0, allowed=True, at=later), closed, USERS, START + later, note="one reset was spent")
    assert (told.mode, told.open_since, told.note) == (
        GateMode.OPEN,
        START + later - timedelta(seconds=1),
        "one reset was spent",
    )
    earlier = gate_state(reading(0.0, allowed=True), told, USERS, START + later)
    assert earlier.open_since == told.open_since


def test_a_reading_after_a_spend_makes_every_meter_from_before_the_spend_say_nothing() -> None:
    closed = gate_state(reading(), NOTHING, USERS, START)
    after = timedelta(milliseconds=300)
    spent_at = START + timedelta(milliseconds=100)
    told = gate_state(reading(0.0, allowed=True, at=after), closed, USERS, START + after, spent_at=spent_at)
    assert (told.mode, told.open_since) == (GateMode.OPEN, spent_at)
    early = gate_state(reading(0.0, allowed=True), closed, USERS, START + after, spent_at=spent_at)
    assert early.open_since == START - timedelta(seconds=1)


@pytest.mark.parametrize("mode", [GateMode.OPEN, GateMode.CLOSED])
def test_what_is_unknown_changes_nothing(mode: GateMode) -> None:
    before = GateState(mode, START, NATURAL, "acc1")
    for snapshot in (None, reading(None, allowed=None), reading(99.5, allowed=None)):
        assert gate_state(snapshot, before, USERS, START) == before
    no_windows = replace(reading(None, allowed=None), limits=())
    assert gate_state(no_windows, before, USERS, START) == before


def test_the_requests_of_a_subagent_are_its_roots() -> None:
    def waiter(pid: int, session: str, minutes: int, agent: str | None = None) -> Waiter:
        return Waiter(pid, START + timedelta(minutes=minutes), session, agent_id=agent)

    waiters = (waiter(1, "a", 5), waiter(2, "b", 3), waiter(3, "a", 1, "child"))
    held = [(thread, held.since) for thread, held in held_threads(waiters).items()]
    assert held == [("a", START + timedelta(minutes=1)), ("b", START + timedelta(minutes=3))]
