"""Taking in the service's list of invites: what it settles, what is new, and what differs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.invites import LISTED_FOR, InviteRecord, Resend, ResendStage, SendStage, comparable, newest_first
from tui.domain.referral import InviteList, TrackedInvite

SETTLING: Final = timedelta(minutes=1)
"""For so long after a send a list without it proves nothing."""

_CLOCKS_APART: Final = timedelta(minutes=5)
"""An invite that the service dates this much before ours may still be the one that was sent."""


class Change(msgspec.Struct, frozen=True):
    """Something new about an invite in the service's list."""

    record: InviteRecord
    before: InviteRecord | None
    """None for one that was found."""


def merge_list(
    records: Sequence[InviteRecord], tracking: InviteList, account: str, now: datetime, new_key: Callable[[], str]
) -> tuple[tuple[InviteRecord, ...], tuple[Change, ...]]:
    """Take in the service's list of invites: the records, newest first, and what differs."""
    unmatched = _Unmatched(records)
    merged: list[InviteRecord] = []
    changes: list[Change] = []
    listed: dict[str, TrackedInvite] = {}
    for tracked in tracking.invites:
        listed.setdefault(tracked.id, _as_of(tracked, now))
    for tracked in listed.values():
        known = unmatched.take(tracked)
        record = _updated(known, tracked, now) if known else _found(tracked, account, now, new_key())
        merged.append(record)
        if known is None or _shown(known) != _shown(record):
            changes.append(Change(record, known))
    shown = tuple(merged)
    for record in unmatched.left():
        settled = tracking.complete and record.is_open and SETTLING <= now - record.written_at < LISTED_FOR
        if settled and not any(_may_hide(other, record) for other in shown):
            lost = replace(record, stage=SendStage.LOST, reason="no answer came, and the service does not list it")
            changes.append(Change(lost, record))
            merged.append(lost)
        else:
            merged.append(record)
    return newest_first(merged), tuple(changes)


def _as_of(tracked: TrackedInvite, now: datetime) -> TrackedInvite:
    """A no to another e-mail that is only a pause is over with it; any other no stands."""
    is_paused = tracked.resend_at is not None and tracked.resend_at > now
    return replace(tracked, can_resend=None) if is_paused and tracked.can_resend is False else tracked


class _Unmatched:
    """The records that no invite of the list has been found for yet; a long list is looked up, not searched."""

    def __init__(self, records: Iterable[InviteRecord]) -> None:
        self._left = {record.key: record for record in records}
        self._by_id: dict[str, list[InviteRecord]] = {}
        self._by_address: dict[str, list[InviteRecord]] = {}
        for record in self._left.values():
            if record.referral_id is not None:
                self._by_id.setdefault(record.referral_id, []).append(record)
            elif (address := comparable(record.address)) is not None:
                self._by_address.setdefault(address, []).append(record)

    def take(self, tracked: TrackedInvite) -> InviteRecord | None:
        """The record of an invite: by its id, or by its address where the id was never learnt."""
        twins = self._by_id.get(tracked.id, [])
        if twins:
            # Found in the list by one process while another sent it: the record with the consent says more.
            best = next((twin for twin in twins if twin.stage is not SendStage.FOUND), twins[0])
            for twin in twins:
                if twin is best or twin.stage is SendStage.FOUND:
                    del self._left[twin.key]
            return best
        same = self._by_address.get(comparable(tracked.address) or "", [])
        record = next((record for record in same if record.key in self._left and _may_be(record, tracked)), None)
        if record is not None:
            del self._left[record.key]
        return record

    def left(self) -> Iterable[InviteRecord]:
        """Those that the list does not show."""
        return self._left.values()


def _may_be(record: InviteRecord, tracked: TrackedInvite) -> bool:
    if record.stage is SendStage.REFUSED:
        return False
    if record.stage is SendStage.NOTED or tracked.created_at is None:
        return True
    return tracked.created_at >= record.written_at - _CLOCKS_APART  # not an older one to the same address


def _may_hide(listed: InviteRecord, record: InviteRecord) -> bool:
    """Whether an invite that is listed without a readable address may be the one that is looked for."""
    readable = listed.address is not None and "@" in listed.address and not set("…*") & set(listed.address)
    return not readable and listed.sent_at >= record.written_at - _CLOCKS_APART


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


def _shown(record: InviteRecord) -> tuple[object, ...]:
    """What is worth telling a person when it differs."""
    return record.word, record.stage, record.resend
