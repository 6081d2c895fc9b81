"""Every fault on every path: never a second key, never two resets, an honest outcome."""

import asyncio

import pytest

from tests.safety.headless import companion_over, spend_once
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess
from tui.domain.sessions import SessionState, SessionUpdate, merge_update
from tui.domain.spend import Consent, ConsentKind, Outcome, Stage

LOSING = ["drop_before", "drop_after", "delay:5", "status:500", "status:503", "garbage"]
"""After these nobody can know whether the reset was spent."""

HAVING_AN_EFFECT = ["drop_after", "delay:5", "garbage"]

REFUSING = ["status:429", "status:401"]


@pytest.mark.parametrize("fault", LOSING)
async def test_a_lost_answer_is_learnt_with_the_same_key(stub: StubProcess, fault: str) -> None:
    keys: list[str] = []
    async with companion_over(stub, keys=keys) as companion:
        stub.fault("/consume", fault)
        done = await spend_once(companion)
    sends = 1 if fault in HAVING_AN_EFFECT else 2  # what is gone from the bank is not asked for again
    assert (done.stage, done.outcome, done.sends) == (Stage.CLOSED, Outcome.RESET, sends)
    assert stub.spent() == 1
    assert [record["redeem_request_id"] for record in stub.state()["redemptions"]] == keys
    assert len(keys) == 1


@pytest.mark.parametrize("fault", LOSING)
async def test_an_outage_leaves_it_open_until_the_service_is_back(stub: StubProcess, fault: str) -> None:
    keys: list[str] = []
    async with companion_over(stub, keys=keys) as companion:
        stub.fault("/consume", fault, 100)
        left = await spend_once(companion)
        # The bank tells where the effect happened; where it did not, the outcome stays unknown and the account locked.
        assert left.is_open == (stub.spent() == 0)
        assert left.is_open or left.outcome is Outcome.RESET
        stub.fault("/consume", "none")
        done = await companion.spender.finish() or left
    assert (done.is_open, done.outcome) == (False, Outcome.RESET)
    assert stub.spent() == 1
    assert len(keys) == 1


@pytest.mark.parametrize("fault", REFUSING)
async def test_a_refusal_spends_nothing_and_locks_nothing(stub: StubProcess, fault: str) -> None:
    async with companion_over(stub) as companion:
        stub.fault("/consume", fault)
        refused = await spend_once(companion)
        assert (refused.is_open, refused.outcome, refused.sends) == (False, Outcome.REFUSED, 1)
        assert stub.spent() == 0
        assert (await spend_once(companion)).outcome is Outcome.RESET
    assert stub.spent() == 1


@pytest.mark.parametrize("path", ["/usage", "/rate-limit-reset-credits"])
@pytest.mark.parametrize("fault", [*LOSING, *REFUSING])
async def test_a_fault_while_verifying_changes_no_outcome(stub: StubProcess, path: str, fault: str) -> None:
    async with companion_over(stub) as companion:
        proposal = await companion.spender.propose()
        stub.fault(path, fault, 2)
        done = await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()))
    assert (done.is_open, done.outcome) == (False, Outcome.RESET)
    assert stub.spent() == 1


@pytest.mark.parametrize("fault", [*LOSING, *REFUSING])
async def test_a_fault_on_the_reads_keeps_the_last_numbers(stub: StubProcess, fault: str) -> None:
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        good = companion.state.snapshot
        assert good is not None
        stub.fault("/usage", fault, 100)
        await companion.poller.poll()
        state = companion.state
        assert state.snapshot is not None
        assert state.snapshot.windows == good.windows
        assert state.link.failure
        stub.fault("/usage", "none")
        await companion.poller.poll()
        assert companion.state.link.failure is None


async def test_the_service_killed_and_started_again(stub: StubProcess) -> None:
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        proposal = await companion.spender.propose()
        stub.kill()
        done = await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()))
        # Nothing is called unspent before the bank was looked at, and it cannot be.
        assert (done.is_open, done.sends) == (True, 1)


async def test_the_services_history_is_the_witness_where_the_bank_does_not_tell(stub: StubProcess) -> None:
    async with companion_over(stub) as companion:
        proposal = await companion.spender.propose()
        stub.fault("/consume", "drop_after")
        stub.fault("/rate-limit-reset-credits", "status:503", 100)
        done = await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()))
        assert done.used_before is not None
        assert (done.is_open, done.outcome, done.sends) == (False, Outcome.RESET, 1)
        assert done.reason == "the answer was lost, but the service's history has a reset used since"
    assert stub.spent() == 1


async def test_a_command_that_finishes_a_spend_carries_on_who_was_to_go_on(stub: StubProcess) -> None:
    thread = "0a7d5b1e-0000-4000-8000-000000000001"
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        stop = SessionUpdate(thread, companion.clock.now(), "rollout", SessionState.STOPPED_AT_LIMIT)
        companion.store.update(sessions=merge_update({}, stop), watches_sessions=True)
        proposal = await companion.spender.propose()
        stub.fault("/consume", "drop_before", 2)
        consent = Consent(ConsentKind.CODE, companion.clock.now())
        assert (await companion.spender.spend(proposal, consent, whom=True)).is_open
    result = await asyncio.to_thread(resetbank, "spend", "--json", *over_http(stub))
    assert (result.code, stub.spent()) == (0, 1), result
    lines = resetbank("ledger", "--json").json["events"]
    assert [line["text"] for line in lines if line["event"] == "carried_on"] == [
        f"the command to resume thread {thread} was shown: no Codex daemon takes messages here"
    ]
