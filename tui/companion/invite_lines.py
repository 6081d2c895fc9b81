"""The lines of the ledger about invites. The ledger is exported and shown: addresses in it are masked."""

from collections.abc import Iterable
from datetime import datetime

from tui.domain.invite_tracking import Change
from tui.domain.invites import InviteRecord, ResendStage, SendStage
from tui.domain.ledger import Event, EventKind
from tui.domain.masking import masked
from tui.domain.referral import InviteStatus

_STAGES = {
    SendStage.SENT: (EventKind.INVITE_SENT, "the service took the invite to {who}"),
    SendStage.REFUSED: (EventKind.INVITE_REFUSED, "the invite to {who} was refused, and no e-mail went out: {reason}"),
    SendStage.UNKNOWN: (EventKind.INVITE_UNKNOWN, "whether the invite to {who} went out is unknown: {reason}"),
    SendStage.LOST: (EventKind.INVITE_LOST, "the invite to {who} did not arrive: {reason}"),
    SendStage.NOTED: (EventKind.INVITE_NOTED, "an invite to {who} that was made elsewhere was noted"),
}

_RESENDS = {
    ResendStage.SENDING: (EventKind.INVITE_CONSENTED, "consent to send the e-mail to {who} again"),
    ResendStage.SENT: (EventKind.INVITE_RESENT, "the e-mail to {who} was sent again"),
    ResendStage.REFUSED: (EventKind.INVITE_REFUSED, "the e-mail to {who} was not sent again: {reason}"),
    ResendStage.UNKNOWN: (EventKind.INVITE_UNKNOWN, "whether the e-mail to {who} went out again is unknown: {reason}"),
}


def consented(record: InviteRecord, now: datetime) -> Event:
    """The line that is written together with the record, before anything is sent."""
    text = f"consent to invite {_who(record)}, by {record.consent}: an e-mail goes there"
    return _event(record, now, EventKind.INVITE_CONSENTED, text)


def of_stage(record: InviteRecord, now: datetime) -> Event:
    """The line about how far its sending is."""
    return _told(record, now, *_STAGES[record.stage], record.reason)


def of_resend(record: InviteRecord, now: datetime) -> Event:
    """The line about its e-mail being sent again."""
    assert record.resend is not None
    return _told(record, now, *_RESENDS[record.resend.stage], record.resend.reason)


def forgotten(record: InviteRecord, now: datetime) -> Event:
    """The line about an invite whose address is kept no longer."""
    return _event(record, now, EventKind.INVITE_FORGOTTEN, f"the invite to {_who(record)} was forgotten here")


def of_changes(changes: Iterable[Change], now: datetime) -> tuple[Event, ...]:
    """The lines about what a list of the service shows."""
    return tuple(event for change in changes for event in _of_change(change, now))


def rewarded(before: Iterable[InviteRecord], after: Iterable[InviteRecord], now: datetime) -> tuple[Event, ...]:
    """The lines about resets that were found to have come for an invite."""
    known = {record.key: record.credit_id for record in before}
    events = []
    for record in after:
        if record.credit_id is not None and known.get(record.key) != record.credit_id:
            sure = "" if record.credit_is_certain else "probably "
            text = f"a reset {sure}came for the invite to {_who(record)}"
            events.append(_event(record, now, EventKind.INVITE_REWARDED, text))
    return tuple(events)


def _of_change(change: Change, now: datetime) -> Iterable[Event]:
    record, before = change.record, change.before
    if before is None:
        text = f"an invite to {_who(record)} was found that was made elsewhere ({record.word})"
        yield _event(record, now, EventKind.INVITE_FOUND, text)
        return
    if record.stage is not before.stage:
        yield of_stage(record, now)
    if record.resend is not None and record.resend != before.resend:
        yield of_resend(record, now)
    # That it is sent is no news where it was just sent; every other state is.
    if record.word != before.word and record.state not in (None, InviteStatus.SENT):
        why = f" ({record.tracked.reason})" if record.tracked and record.tracked.reason else ""
        text = f"the invite to {_who(record)}{why}"
        yield _event(record, now, EventKind.INVITE_CHANGED, text, before=before.word, after=record.word)


def _told(record: InviteRecord, now: datetime, kind: EventKind, text: str, reason: str | None) -> Event:
    return _event(record, now, kind, text.format(who=_who(record), reason=reason or "no reason was given"))


def _who(record: InviteRecord) -> str:
    return masked(record.address) if record.address else "somebody"


def _event(
    record: InviteRecord,
    now: datetime,
    kind: EventKind,
    text: str,
    *,
    before: str | None = None,
    after: str | None = None,
) -> Event:
    return Event(
        at=now,
        kind=kind,
        account=record.account,
        text=text,
        credit_id=record.credit_id if kind is EventKind.INVITE_REWARDED else None,
        request_id=record.key,
        before=before,
        after=after,
    )
