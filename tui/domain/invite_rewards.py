"""Which reset came from which invite, and which invites hang for so long that a reminder is due."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from tui.domain.credits import Credit
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.referral import RESET_CREDIT, InviteState


def with_rewards(records: Sequence[InviteRecord], banked: Iterable[Credit] | None) -> tuple[InviteRecord, ...]:
    """Match rewards with the resets that came for them.

    The service's own word is certain. Where it names none, a reset that a friend is named for belongs to an invite
    only if there is one of each; that is a guess and marked as one.

    Args:
        records: The account's invites.
        banked: The banked resets; None where they are not listed.
    """
    named = [_named(record) for record in records]
    taken = {record.credit_id for record in named if record.credit_id is not None}
    earned = [credit for credit in banked or () if is_earned(credit) and credit.id not in taken]
    waiting = [record for record in named if record.credit_id is None and _awaits_reset(record)]
    if len(earned) == 1 and len(waiting) == 1:
        credit, record = earned[0], waiting[0]
        if credit.granted_at is None or credit.granted_at >= record.sent_at:
            named[named.index(record)] = replace(record, credit_id=credit.id, credit_is_certain=False)
    return tuple(named)


def _named(record: InviteRecord) -> InviteRecord:
    own = record.tracked.own_reward if record.tracked else None
    if record.state is not InviteState.REWARDED or own is None or own.kind != RESET_CREDIT or not own.reward_id:
        return record
    return replace(record, credit_id=own.reward_id, credit_is_certain=True)


def _awaits_reset(record: InviteRecord) -> bool:
    if record.tracked is None:
        return record.stage is SendStage.NOTED
    own = record.tracked.own_reward
    return record.state is InviteState.REWARDED and (own is None or own.kind == RESET_CREDIT)


class Hanging(StrEnum):
    """What an invite has been waiting for, for too long."""

    ANSWER = "answer"
    """The friend has not taken it up."""
    FIRST_MESSAGE = "first_message"
    """The friend has joined and sent nothing."""
    END = "end"
    """Its time is nearly over."""


END_IS_NEAR: Final = timedelta(days=2)
"""An invite whose time is over within this long is worth a reminder."""


def hanging(record: InviteRecord, now: datetime, after: timedelta) -> Hanging | None:
    """What somebody should be reminded of; None where all takes its course.

    Args:
        record: The invite.
        now: The present moment.
        after: How long it may stay in one state.
    """
    state = record.state or (InviteState.SENT if record.stage in (SendStage.SENT, SendStage.NOTED) else None)
    if state not in (InviteState.SENT, InviteState.OPENED, InviteState.JOINED):
        return None
    ends = record.expires_at
    if ends is not None and now >= ends:
        return None  # over by its date; the service will say so
    if ends is not None and ends - now <= END_IS_NEAR:
        return Hanging.END
    since = max(record.sent_at, record.changed_at or record.sent_at)
    if now - since < after:
        return None
    return Hanging.FIRST_MESSAGE if state is InviteState.JOINED else Hanging.ANSWER


def is_earned(credit: Credit) -> bool:
    """Whether a friend is named for it (wire.md 2.1)."""
    return (credit.granted_by or "").startswith("@")
