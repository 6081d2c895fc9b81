import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.domain.worlds import credit, snapshot
from tests.support.clocks import ManualClock
from tests.support.waiting import until
from tui.domain.findings import mismatches
from tui.domain.ledger import EventKind
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Consent, ConsentKind, ConsumeAnswer, ConsumeCode, Outcome, Spend, Stage
from tui.errors import ConsumeRejected, NoCredit, OutcomeUnknown, SourceDown, SpendHeld, StoreCorrupt, StoreError

RESET = ConsumeAnswer(ConsumeCode.RESET)
LOST = OutcomeUnknown("the answer never came")


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path)
    world.source.reading = AT_LIMIT
    yield world
    await world.companion.aclose()


def cleared(world: World) -> ConsumeAnswer:
    """The service's effect and its answer."""
    world.source.reading = CLEARED
    return RESET


async def spend(world: World) -> Spend:
    proposal = await world.companion.spender.propose()
    return await driven(world, world.companion.spender.spend(proposal, consent(world)))


def consent(world: World) -> Consent:
    return Consent(ConsentKind.LETTER, world.clock.now())


async def driven(world: World, work: object) -> Spend:
    """Let the pauses between tries pass until the work is done."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    while not task.done():
        waiting = asyncio.ensure_future(world.clock.until_sleeping())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if not task.done():
            world.clock.advance(5)
    result: Spend = task.result()
    return result


def kinds(world: World) -> list[EventKind]:
    return [event.kind for event in world.ledger.events()]


async def test_one_consent_spends_the_soonest_to_lapse_once_and_verifies_it(world: World) -> None:
    world.source.answers.append(lambda: cleared(world))
    done = await spend(world)
    assert (done.stage, done.outcome, done.credit_id, done.sends) == (Stage.CLOSED, Outcome.RESET, "c1", 1)
    assert done.resets_left == 1
    assert mismatches(done) == ()
    assert [request.key for request in world.source.requests] == ["key-1"]
    assert kinds(world) == [
        EventKind.LIMIT_REACHED,
        EventKind.SPEND_CONSENTED,
        EventKind.SPEND_SENT,
        EventKind.SPEND_ANSWERED,
        EventKind.SPEND_CLOSED,
    ]


async def test_it_is_on_the_disk_before_it_is_sent(world: World) -> None:
    def look() -> ConsumeAnswer:
        open_spend = world.spends.open_spend()
        assert open_spend is not None
        assert (open_spend.stage, open_spend.key, open_spend.credit_id) == (Stage.SENT, "key-1", "c1")
        return cleared(world)

    world.source.answers.append(look)
    assert (await spend(world)).outcome is Outcome.RESET


async def test_a_lost_answer_is_asked_for_with_the_same_request(world: World) -> None:
    world.source.answers.extend([LOST, lambda: cleared(world)])
    done = await spend(world)
    assert done.outcome is Outcome.RESET
    assert len(world.source.requests) == 2
    assert len(set(world.source.requests)) == 1


async def test_an_outcome_that_stays_unknown_stays_open_and_locks(world: World) -> None:
    world.source.answers.extend([LOST] * 2)
    left = await spend(world)
    assert (left.stage, left.is_open) == (Stage.UNKNOWN, True)
    assert world.companion.state.open_spend == left
    with pytest.raises(SpendHeld, match="still open"):
        await world.companion.spender.propose()
    world.source.answers.append(lambda: cleared(world))
    done = await driven(world, world.companion.spender.finish())
    assert done.outcome is Outcome.RESET
    assert {request.key for request in world.source.requests} == {"key-1"}
    assert world.companion.state.open_spend is None


async def test_a_bank_that_shows_the_credit_gone_settles_it(world: World) -> None:
    def effect_without_answer() -> ConsumeAnswer:
        world.source.reading = CLEARED
        raise LOST

    world.source.answers.extend([effect_without_answer, LOST, LOST])
    done = await spend(world)
    assert (done.stage, done.outcome) == (Stage.CLOSED, Outcome.RESET)
    assert done.reason == "the answer was lost, but the reset is gone from the bank"


async def test_a_refusal_closes_with_nothing_spent(world: World) -> None:
    world.source.answers.append(ConsumeRejected("the service refuses the login"))
    done = await spend(world)
    assert (done.is_open, done.outcome, done.reason) == (False, Outcome.REFUSED, "the service refuses the login")


async def test_a_refusal_after_a_lost_answer_proves_nothing(world: World) -> None:
    world.source.answers.extend([LOST, ConsumeRejected("429"), ConsumeRejected("429")])
    assert (await spend(world)).stage is Stage.UNKNOWN


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(ConsumeCode.NOTHING_TO_RESET, Outcome.NOTHING_TO_RESET), (ConsumeCode.NO_CREDIT, Outcome.NO_CREDIT)],
)
async def test_an_unspent_reset_is_said(world: World, code: ConsumeCode, outcome: Outcome) -> None:
    world.source.answers.append(ConsumeAnswer(code))
    done = await spend(world)
    assert (done.is_open, done.outcome, done.resets_left) == (False, outcome, 2)


async def test_a_mismatch_is_looked_at_twice_and_then_said(world: World) -> None:
    world.source.answers.append(RESET)
    done = await spend(world)
    assert "spent, but 5 hours still 100 %" in mismatches(done)
    assert "spent, but the bank still counts 2" in mismatches(done)


async def test_a_service_that_lags_behind_its_answer_is_believed_on_the_second_look(world: World) -> None:
    world.source.answers.append(RESET)
    proposal = await world.companion.spender.propose()
    task = asyncio.ensure_future(world.companion.spender.spend(proposal, consent(world)))
    await world.clock.until_sleeping()
    world.source.reading = CLEARED
    world.clock.advance(5)
    assert mismatches(await task) == ()


async def test_unverified_when_nothing_can_be_read_again(world: World) -> None:
    def go_dark() -> ConsumeAnswer:
        world.source.reading = SourceDown("503")
        return RESET

    world.source.answers.append(go_dark)
    done = await spend(world)
    assert (done.is_open, done.outcome, done.after) == (False, Outcome.RESET, None)


async def test_an_empty_bank_proposes_nothing(world: World) -> None:
    world.source.reading = snapshot(rows=())
    with pytest.raises(NoCredit, match="no reset that could be spent"):
        await world.companion.spender.propose()
    world.source.reading = AT_LIMIT
    with pytest.raises(NoCredit, match="no reset with the id nope"):
        await world.companion.spender.propose("nope")


async def test_a_question_that_stood_while_another_spend_ended_takes_no_consent(world: World) -> None:
    first, second = await world.companion.spender.propose(), await world.companion.spender.propose()
    world.clock.advance(1)
    world.source.answers.append(lambda: cleared(world))
    await driven(world, world.companion.spender.spend(first, consent(world)))
    with pytest.raises(SpendHeld, match="while this question stood"):
        await world.companion.spender.spend(second, consent(world))
    assert len(world.source.requests) == 1


async def test_a_reading_under_way_while_another_process_spends_takes_no_consent(
    world: World, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = World(clock, tmp_path, process="another process")
    other.keys = (f"other-{number}" for number in range(9))
    other.source.reading = AT_LIMIT
    other.source.answers.append(lambda: cleared(other))
    read = world.source.read

    async def read_slowly(*, with_credits: bool) -> Snapshot:
        answer = await read(with_credits=with_credits)
        assert (await spend(other)).stage is Stage.CLOSED
        clock.advance(1)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(world.source, "read", read_slowly)
        proposal = await world.companion.spender.propose()
    assert proposal.credit is not None
    assert proposal.credit.id == "c1"
    with pytest.raises(SpendHeld, match="another spend of this account ended while this question stood"):
        await world.companion.spender.spend(proposal, consent(world))
    assert world.source.requests == []
    assert world.spends.open_spend() is None
    await other.companion.aclose()


async def test_nothing_is_spent_without_a_database(clock: ManualClock, tmp_path: Path) -> None:
    world = World(clock, tmp_path, tables=StoreCorrupt("resetbank.db is damaged"))
    await world.companion.poller.poll()
    assert world.companion.state.snapshot is not None
    with pytest.raises(StoreError, match="nothing can be written down"):
        await world.companion.spender.propose()
    assert world.source.requests == []
    world.tables.database.close()


async def test_a_spend_that_was_never_sent_is_dropped_when_its_moment_has_passed(world: World, tmp_path: Path) -> None:
    proposal = await world.companion.spender.propose()
    world.chain.failure = SourceDown("gone")
    await world.companion.connection.aclose()
    done = await driven(world, world.companion.spender.spend(proposal, consent(world)))
    assert (done.is_open, done.outcome) == (False, Outcome.REFUSED)
    assert "nothing was sent" in (done.reason or "")
    assert world.source.requests == []


async def test_an_open_spend_of_long_ago_waits_for_a_person(world: World) -> None:
    world.source.answers.extend([LOST] * 2)
    await spend(world)
    world.clock.advance(timedelta(hours=2).total_seconds())
    task = asyncio.create_task(world.companion.run())
    await world.clock.until_sleeping(3)
    assert len(world.source.requests) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    world.source.answers.append(lambda: cleared(world))
    assert (await driven(world, world.companion.spender.finish())).outcome is Outcome.RESET


async def test_a_fresh_open_spend_is_finished_unasked_by_looking_at_the_bank(world: World) -> None:
    world.source.answers.extend([LOST] * 2)
    await spend(world)
    world.source.reading = CLEARED
    world.clock.advance(60)
    task = asyncio.create_task(world.companion.run())
    await until(lambda: world.companion.state.open_spend is None)
    assert [request.key for request in world.source.requests] == ["key-1"] * 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_credit_that_was_asked_for_is_the_one(world: World) -> None:
    world.source.answers.append(RESET)
    proposal = await world.companion.spender.propose("c2")
    assert proposal.credit == credit("c2", 20)
    await driven(world, world.companion.spender.spend(proposal, consent(world)))
    assert world.source.requests[0].credit_id == "c2"
    assert READING.bank.find("c2") is not None


async def test_an_open_spend_is_looked_at_less_and_less_often(world: World) -> None:
    world.source.answers.extend([LOST] * 2)
    await spend(world)
    task = asyncio.create_task(world.companion.run())
    before = len(world.source.reads)
    for _ in range(80):  # 20 minutes, in which the poller alone reads every five seconds
        await world.clock.until_sleeping(3)
        world.clock.advance(15)
    await world.clock.until_sleeping(3)
    with_credits = sum(world.source.reads[before:])
    assert 3 <= with_credits <= 12
    assert len(world.source.requests) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
