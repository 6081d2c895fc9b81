"""Taking in the service's list of invites: what it settles, what is new, and what differs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tui.domain.invites import InviteRecord, Resend, ResendStage, SendStage, newest_first, same_address
from tui.domain.referral import TrackedInvite, Tracking, masked

SETTLING: Final = timedelta(minutes=1)
"""For so long after a send a list without it proves nothing."""

_CLOCKS_APART: Final = timedelta(minutes=5)
"""An invite that the service dates this much before ours may still be the one that was sent."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a list of the service told about an invite."""

    record: InviteRecord
    before: InviteRecord | None
    """None for one that was found."""

    @property
    def who(self) -> str:
        """The address, masked."""
        return masked(self.record.address or "")


def fold_tracking(
    records: Sequence[InviteRecord], tracking: Tracking, account: str, now: datetime, new_key: Callable[[], str]
) -> tuple[tuple[InviteRecord, ...], tuple[Change, ...]]:
    """Take in the service's list of invites.

    Args:
        records: What is known of the account's invites.
        tracking: The list.
        account: Whose it is.
        now: When it was read.
        new_key: Makes a key for an invite that is new here.

    Returns:
        The records, newest first, and what differs.
    """
    left = list(records)
    folded: list[InviteRecord] = []
    changes: list[Change] = []
    for tracked in tracking.invites:
        known = _find(left, tracked)
        if known is not None:
            left.remove(known)
        record = _updated(known, tracked, now) if known else _found(tracked, account, now, new_key())
        folded.append(record)
        if known is None or _told(known) != _told(record):
            changes.append(Change(record, known))
    for record in left:
        if tracking.complete and record.is_open and now - record.written_at >= SETTLING:
            lost = replace(record, stage=SendStage.LOST, reason="no answer came, and the service does not list it")
            changes.append(Change(lost, record))
            folded.append(lost)
        else:
            folded.append(record)
    return newest_first(folded), tuple(changes)


def _find(records: Iterable[InviteRecord], tracked: TrackedInvite) -> InviteRecord | None:
    """The record that an invite of the list belongs to: by its id, or by its address where the id was never learnt."""
    records = tuple(records)
    by_id = next((record for record in records if record.referral_id == tracked.id), None)
    if by_id is not None:
        return by_id
    return next((record for record in records if _may_be(record, tracked)), None)


def _may_be(record: InviteRecord, tracked: TrackedInvite) -> bool:
    if record.referral_id is not None or not same_address(record.address, tracked.address):
        return False
    if record.stage is SendStage.REFUSED:
        return False
    if record.stage is SendStage.NOTED or tracked.created_at is None:
        return True
    return tracked.created_at >= record.written_at - _CLOCKS_APART  # not an older one to the same address


def _updated(record: InviteRecord, tracked: TrackedInvite, now: datetime) -> InviteRecord:
    stage, reason = record.stage, record.reason
    if stage in (SendStage.SENDING, SendStage.UNKNOWN, SendStage.LOST):
        stage, reason = SendStage.SENT, None
    changed = record.state is not tracked.state
    return replace(
        record,
        stage=stage,
        reason=reason,
        address=record.address or tracked.address,
        referral_id=tracked.id,
        tracked=tracked,
        changed_at=now if changed else record.changed_at,
        resend=_settled(record, tracked, now),
    )


def _found(tracked: TrackedInvite, account: str, now: datetime, key: str) -> InviteRecord:
    written = tracked.created_at or now
    record = InviteRecord(key, account, tracked.address, SendStage.FOUND, written, referral_id=tracked.id)
    return replace(record, tracked=tracked)


def _settled(record: InviteRecord, tracked: TrackedInvite, now: datetime) -> Resend | None:
    """Whether an e-mail whose answer was lost went out: it did where the service has begun a new pause since."""
    resend, before = record.resend, record.tracked
    if resend is None or not resend.is_open or tracked.resend_at is None:
        return resend
    former = before.resend_at if before else None
    if tracked.resend_at > max(resend.at, former or resend.at):
        return replace(resend, stage=ResendStage.SENT, reason=None)
    if now - resend.at >= SETTLING:
        reason = "no answer came, and the service has not begun a new pause"
        return replace(resend, stage=ResendStage.REFUSED, reason=reason)
    return resend


def _told(record: InviteRecord) -> tuple[object, ...]:
    """What is worth telling a person when it differs."""
    return record.word, record.stage, record.resend
