from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START
from tui.domain.credits import Bank, CreditStatus
from tui.domain.findings import findings, mismatches
from tui.domain.spend import (
    Consent,
    ConsentKind,
    ConsumeAnswer,
    ConsumeCode,
    IllegalStep,
    Outcome,
    Spend,
    Stage,
    answer,
    close,
    journal,
    let_go,
    lose_answer,
    propose,
    reject,
    send,
)
from tui.domain.spend_check import infer_from_bank, verify
from tui.errors import ConsumeRejected

CONSENT = Consent(ConsentKind.CODE, START)
BEFORE = snapshot(
    window(FIVE_HOURS, 100.0), window(WEEK, 43.0), rows=(credit("c1", 2), credit("c2", 20)), allowed=False
)
AFTER = snapshot(window(FIVE_HOURS, 0.0), window(WEEK, 0.0, resets_in=timedelta(days=7)), rows=(credit("c2", 20),))


def journaled() -> Spend:
    return journal(propose(BEFORE, START, BEFORE.bank.find("c1")), CONSENT, "key-1", START)


def answered(code: ConsumeCode = ConsumeCode.RESET) -> Spend:
    return answer(send(journaled()), ConsumeAnswer(code))


def test_a_proposal_states_what_moves_and_what_is_lost() -> None:
    proposal = propose(BEFORE, START, BEFORE.bank.find("c1"))
    assert proposal.waiting_saved == timedelta(hours=2, minutes=30)
    assert proposal.unused_week_percent == 57.0
    assert proposal.resets_left == 1
    assert [effect.expected_reset for effect in proposal.effects] == [
        START + timedelta(hours=5),
        START + timedelta(days=7),
    ]
    assert not proposal.nothing_used


def test_no_waiting_is_promised_while_work_goes_on() -> None:
    assert propose(AFTER, START, None).waiting_saved is None
    assert propose(snapshot(window(FIVE_HOURS, 0.0)), START, None).nothing_used


def test_an_outdated_proposal_takes_no_consent() -> None:
    proposal = propose(BEFORE, START, BEFORE.bank.find("c1"))
    with pytest.raises(ConsumeRejected, match="came too late"):
        journal(proposal, CONSENT, "key", START + timedelta(minutes=6))


def test_every_request_of_a_spend_is_the_same() -> None:
    first = send(journaled())
    again = send(lose_answer(first, "timeout"))
    assert again.request == first.request == journaled().request
    assert again.sends == 2


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (ConsumeCode.RESET, Outcome.RESET),
        (ConsumeCode.ALREADY_REDEEMED, Outcome.RESET),
        (ConsumeCode.NOTHING_TO_RESET, Outcome.NOTHING_TO_RESET),
        (ConsumeCode.NO_CREDIT, Outcome.NO_CREDIT),
    ],
)
def test_answers_become_outcomes(code: ConsumeCode, outcome: Outcome) -> None:
    assert answered(code).outcome is outcome


def test_an_unrecognised_answer_is_an_unknown_outcome() -> None:
    spend = answer(send(journaled()), ConsumeAnswer(ConsumeCode.UNRECOGNISED, raw_code="partially"))
    assert spend.stage is Stage.UNKNOWN
    assert spend.doubtful
    assert "partially" in (spend.reason or "")


def test_a_refusal_ends_a_clean_spend_and_not_a_doubtful_one() -> None:
    assert reject(send(journaled()), "429").outcome is Outcome.REFUSED
    doubtful = send(lose_answer(send(journaled()), "timeout"))
    assert reject(doubtful, "401").stage is Stage.UNKNOWN


def test_a_lost_answer_is_settled_only_by_a_bank_that_shows_the_credit_gone() -> None:
    unknown = lose_answer(send(journaled()), "timeout")
    still_there, gone, redeemed = (
        (credit("c1", 2),),
        (credit("c2", 20),),
        (credit("c1", 2, status=CreditStatus.REDEEMED),),
    )
    assert infer_from_bank(unknown, Bank(2, (*still_there, *gone)), START) is unknown
    assert infer_from_bank(unknown, Bank(1, still_there), START).reason == (
        "the answer was lost, and another reset is gone from the bank"
    )
    assert infer_from_bank(unknown, Bank(9, gone), START) is unknown  # capped: it may only be out of sight
    assert infer_from_bank(unknown, Bank(1, None), START) is unknown
    assert infer_from_bank(unknown, Bank(1, gone), START).outcome is Outcome.RESET
    assert infer_from_bank(unknown, Bank(0, redeemed), START).outcome is Outcome.RESET


def test_a_reset_that_may_have_lapsed_meanwhile_is_not_called_spent() -> None:
    lapsed, bank = START + timedelta(days=2), Bank(1, (credit("c2", 20),))
    unknown = lose_answer(send(journaled()), "timeout")
    assert infer_from_bank(unknown, bank, lapsed - timedelta(seconds=1)).outcome is Outcome.RESET
    assert infer_from_bank(unknown, bank, lapsed) is unknown
    redeemed = Bank(1, (credit("c1", 2, status=CreditStatus.REDEEMED), *(bank.credits or ())))
    assert infer_from_bank(unknown, redeemed, lapsed).outcome is Outcome.RESET
    late = replace(AFTER, provenance=replace(AFTER.provenance, observed_at=lapsed))
    assert verify(answered(ConsumeCode.NOTHING_TO_RESET), late).outcome is Outcome.NOTHING_TO_RESET


def test_a_mismatch_is_said_plainly() -> None:
    week_stayed = snapshot(window(FIVE_HOURS, 0.0), window(WEEK, 43.0), rows=(credit("c2", 20),))
    assert mismatches(verify(answered(), week_stayed)) == ("spent, but Week still 43 %",)
    bank_stayed = replace(AFTER, bank=BEFORE.bank)
    assert mismatches(verify(answered(), bank_stayed)) == ("spent, but the bank still counts 2",)
    burnt = verify(answered(ConsumeCode.NOTHING_TO_RESET), AFTER)
    assert (burnt.outcome, mismatches(burnt)) == (Outcome.RESET, ())
    assert burnt.reason == "the service said that nothing was to be reset, but the reset is gone from the bank"
    elsewhere = verify(answered(ConsumeCode.NO_CREDIT), AFTER)
    assert elsewhere.outcome is Outcome.NO_CREDIT
    assert mismatches(elsewhere) == ("the reset is gone from the bank: spent by this request, or elsewhere",)


def test_another_credit_or_a_second_one_that_is_gone_is_said() -> None:
    other = verify(answered(), replace(AFTER, bank=Bank(1, (credit("c1", 2),))))
    assert mismatches(other) == ("another reset is gone instead of the one that was consented to",)
    both = verify(answered(), replace(AFTER, bank=Bank(0, ())))
    assert mismatches(both) == ("1 more reset is gone: c2",)
    late = replace(
        AFTER, bank=Bank(0, ()), provenance=replace(AFTER.provenance, observed_at=START + timedelta(days=21))
    )
    assert mismatches(verify(answered(), late)) == ()  # it expired meanwhile


def test_nothing_is_called_unspent_before_the_bank_was_read() -> None:
    refused = reject(send(journaled()), "403")
    with pytest.raises(IllegalStep, match="before the bank was read again"):
        close(refused, START)
    assert close(verify(refused, BEFORE), START).outcome is Outcome.REFUSED
    gone = verify(refused, AFTER)
    assert (gone.outcome, gone.reason) == (Outcome.RESET, "the service refused, but the reset is gone from the bank")


def test_a_consent_from_the_future_or_too_old_is_none() -> None:
    proposal = propose(BEFORE, START, BEFORE.bank.find("c1"))
    for given_at in (START + timedelta(seconds=1), START - timedelta(minutes=6)):
        with pytest.raises(ConsumeRejected):
            journal(proposal, Consent(ConsentKind.CODE, given_at), "key", START)
    assert not journaled().is_fresh(START - timedelta(hours=1))


def test_a_moved_week_is_a_fact_not_a_mismatch() -> None:
    spend = verify(answered(), AFTER)
    assert mismatches(spend) == ()
    assert findings(spend) == ("the week now resets 2026-11-30 14:07 UTC",)


def test_unverified_is_said() -> None:
    assert findings(close(answered(), START)) == ("the limits could not be read again, so nothing is verified",)


def test_nothing_stays_locked_for_ever() -> None:
    unknown = lose_answer(send(journaled()), "timeout")
    assert not unknown.is_moot(START + timedelta(days=1))
    assert unknown.is_moot(START + timedelta(days=2))
    gone = let_go(unknown, START + timedelta(days=2), "lapsed")
    assert (gone.is_open, gone.outcome) == (False, Outcome.UNKNOWN)
    assert let_go(journaled(), START, "nothing was sent").outcome is Outcome.REFUSED


STEPS: dict[str, Callable[[Spend], Spend]] = {
    "send": send,
    "lose": lambda spend: lose_answer(spend, "timeout"),
    "reset": lambda spend: answer(spend, ConsumeAnswer(ConsumeCode.RESET)),
    "kept": lambda spend: answer(spend, ConsumeAnswer(ConsumeCode.NOTHING_TO_RESET)),
    "reject": lambda spend: reject(spend, "403"),
    "infer": lambda spend: infer_from_bank(spend, AFTER.bank, START),
    "verify": lambda spend: verify(spend, AFTER),
    "close": lambda spend: close(spend, START),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=14))
def test_no_order_of_steps_changes_the_key_or_forgets_a_doubt(names: list[str]) -> None:
    spend = journaled()
    for name in names:
        before = spend
        try:
            spend = STEPS[name](spend)
        except IllegalStep:
            continue
        assert before.is_open
        assert spend.request == before.request
        assert spend.doubtful or not before.doubtful
        assert spend.sends == before.sends + (name == "send")
    if spend.outcome is Outcome.REFUSED:
        assert not spend.doubtful
