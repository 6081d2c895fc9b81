"""Which reset came from which invite, and which invites hang for so long that a reminder is due."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from tui.domain.credits import Credit
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.referral import RESET_CREDIT, InviteStatus


def with_rewards(records: Sequence[InviteRecord], banked: Iterable[Credit] | None) -> tuple[InviteRecord, ...]:
    """Match rewards with the resets that came for them.

    The service's own word is certain. Where it names none, a reset that a friend is named for belongs to an invite
    only if there is one of each; that is a guess and marked as one, and goes where the service's word contradicts it.
    """
    certain: dict[str, str] = {}
    for record in records:
        if (credit_id := _named_credit(record)) is not None:
            certain.setdefault(credit_id, record.key)  # one reset came for one invite, whatever is said twice
    taken = set(certain)
    matched = [_matched(record, certain, taken) for record in records]
    earned = [credit for credit in banked or () if credit.is_earned and credit.id not in taken]
    waiting = [place for place, record in enumerate(matched) if record.credit_id is None and _awaits_reset(record)]
    if len(earned) == 1 and len(waiting) == 1:
        credit, record = earned[0], matched[waiting[0]]
        if credit.granted_at is None or credit.granted_at >= record.sent_at:
            matched[waiting[0]] = replace(record, credit_id=credit.id, credit_is_certain=False)
    return tuple(matched)


def _named_credit(record: InviteRecord) -> str | None:
    """The reset that is known for certain to have come for it: named now, or named before."""
    own = record.tracked.own_reward if record.tracked else None
    if record.state is InviteStatus.REWARDED and own is not None and own.kind == RESET_CREDIT and own.reward_id:
        return own.reward_id
    return record.credit_id if record.credit_is_certain else None


def _matched(record: InviteRecord, certain: dict[str, str], taken: set[str]) -> InviteRecord:
    named = _named_credit(record)
    if named is not None and certain[named] == record.key:
        return replace(record, credit_id=named, credit_is_certain=True)
    if record.credit_id is None:
        return record
    if named is not None or record.credit_id in taken or not _awaits_reset(record):
        return replace(record, credit_id=None, credit_is_certain=False)
    taken.add(record.credit_id)
    return record


def _awaits_reset(record: InviteRecord) -> bool:
    if record.tracked is None:
        return record.stage is SendStage.NOTED
    own = record.tracked.own_reward
    return record.state is InviteStatus.REWARDED and (own is None or own.kind == RESET_CREDIT)


class ReminderReason(StrEnum):
    """What an invite has been waiting for, for too long."""

    ANSWER = "answer"
    """The friend has not taken it up."""
    FIRST_MESSAGE = "first_message"
    """The friend has joined and sent nothing."""
    END = "end"
    """Its time is nearly over."""


END_IS_NEAR: Final = timedelta(days=2)
"""An invite whose time is over within this long is worth a reminder."""


def reminder_reason(record: InviteRecord, now: datetime, after: timedelta) -> ReminderReason | None:
    """What somebody should be reminded of that stays in one state for too long; None where all takes its course."""
    state = record.state or (InviteStatus.SENT if record.stage in (SendStage.SENT, SendStage.NOTED) else None)
    if state not in (InviteStatus.SENT, InviteStatus.OPENED, InviteStatus.JOINED):
        return None
    ends = record.expires_at
    if ends is not None and now >= ends:
        return None  # over by its date; the service will say so
    if ends is not None and ends - now <= END_IS_NEAR:
        return ReminderReason.END
    since = max(record.sent_at, record.changed_at or record.sent_at)
    if now - since < after:
        return None
    return ReminderReason.FIRST_MESSAGE if state is InviteStatus.JOINED else ReminderReason.ANSWER
