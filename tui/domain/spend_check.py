"""What the bank says about a spend: it outranks whatever the service answered."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tui.domain.credits import Bank, CreditStatus
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Outcome, Spend, Stage, require

_KEPT: Final = (CreditStatus.AVAILABLE, CreditStatus.UNKNOWN)


def is_still_there(spend: Spend, bank: Bank) -> bool | None:
    """Whether the bank still holds what the spend was consented for; None where it does not tell."""
    if spend.credit_id is None:
        before, left = spend.resets_before, bank.available
        return None if before is None or left is None else left >= before
    if bank.credits is None:
        return None
    credit = bank.find(spend.credit_id)
    if credit is None:  # a list that the service capped proves no absence, unless the count fell too
        return None if bank.unlisted and not _has_fewer(spend, bank) else False
    if credit.status is CreditStatus.UNKNOWN:
        return None
    return credit.status is CreditStatus.AVAILABLE


def is_told(spend: Spend, bank: Bank) -> bool:
    """Whether a reading of the bank is enough to say that nothing was spent."""
    return is_still_there(spend, bank) is not None or (spend.resets_before is not None and bank.available is not None)


def may_send_again(spend: Spend, bank: Bank, now: datetime, *, asked: bool) -> bool:
    """Whether the request had no effect so far by what the bank shows.

    Where a person asks for it, a bank that does not tell stands in no way.
    """
    still = is_still_there(spend, bank)
    is_there = still is not False if asked else still is True
    return is_there and not _has_fewer(spend, bank) and not _gone(spend, bank, now)


def _has_fewer(spend: Spend, bank: Bank) -> bool:
    before, left = spend.resets_before, bank.available
    return before is not None and left is not None and left < before


def infer_from_history(spend: Spend, used: Collection[str] | None) -> Spend:
    """Settle an unknown outcome by the service's own history: a reset that was used since is this one."""
    require(spend, Stage.UNKNOWN)
    if used is None or spend.used_before is None or not set(used) - set(spend.used_before):
        return spend
    reason = "the answer was lost, but the service's history has a reset used since"
    return replace(spend, stage=Stage.ANSWERED, outcome=Outcome.RESET, reason=reason)


def infer_from_bank(spend: Spend, bank: Bank, now: datetime) -> Spend:
    """Settle an unknown outcome by what the bank shows: a credit that is gone cannot be spent by this key any more.

    A service that takes another credit than the one it was asked for is found out here, and not asked again.
    """
    require(spend, Stage.UNKNOWN)
    credit = bank.find(spend.credit_id) if spend.credit_id is not None else None
    if credit is not None and credit.status is CreditStatus.REDEEMING:
        return spend
    if _is_taken(spend, bank, now):
        reason = "the answer was lost, but the reset is gone from the bank"
    elif _gone(spend, bank, now):
        reason = "the answer was lost, and another reset is gone from the bank"
    else:
        return spend
    return replace(spend, stage=Stage.ANSWERED, outcome=Outcome.RESET, reason=reason)


def verify(spend: Spend, after: Snapshot) -> Spend:
    """A fresh reading shows what really happened.

    It outranks the service's answer: a reset that is gone although the service refused is one that was spent. An
    answer that there is no such reset stands, unless an earlier request went unanswered: somebody else may have it.
    A spend that a process verified and did not close is verified anew.
    """
    require(spend, Stage.ANSWERED, Stage.VERIFIED)
    gone = _gone(spend, after.bank, after.provenance.observed_at)
    outcome, reason = spend.outcome, spend.reason
    contradicts = outcome in (Outcome.REFUSED, Outcome.NOTHING_TO_RESET) or (
        outcome is Outcome.NO_CREDIT and spend.doubtful
    )
    if contradicts and _is_taken(spend, after.bank, after.provenance.observed_at):
        answers = {Outcome.REFUSED: "refused", Outcome.NOTHING_TO_RESET: "said that nothing was to be reset"}
        what = answers.get(outcome or Outcome.REFUSED, "said that there is no such reset")
        outcome, reason = Outcome.RESET, f"the service {what}, but the reset is gone from the bank"
    left = after.bank.available
    return replace(
        spend, stage=Stage.VERIFIED, outcome=outcome, reason=reason, after=after.windows, resets_left=left, gone=gone
    )


def _is_taken(spend: Spend, bank: Bank, now: datetime) -> bool:
    """Whether the bank shows that its reset was spent; one that is listed no more may have lapsed, once it is time."""
    lapses = spend.credit_id is not None and bank.find(spend.credit_id) is None and spend.is_moot(now)
    return is_still_there(spend, bank) is False and not lapses


def _gone(spend: Spend, bank: Bank, now: datetime) -> tuple[str, ...] | None:
    """The credits that left the bank, but for those that expired; None where that is unknown."""
    if spend.credits_before is None or bank.credits is None or bank.unlisted:
        return None
    left = {credit.id for credit in bank.credits if credit.status in _KEPT}
    return tuple(credit.id for credit in spend.credits_before if credit.id not in left and not credit.is_expired(now))
