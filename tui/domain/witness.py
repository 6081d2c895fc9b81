"""The service's own history of resets as a witness: what was spent or granted that nothing here explains."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tui.domain.ledger import Event, EventKind
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Outcome, Spend

GRACE: Final = timedelta(minutes=2)
"""How far the service's clock and ours may be apart; beyond that nothing is said."""

ARRIVAL: Final = timedelta(minutes=10)
"""A reset that was granted is in the bank after so long at the latest."""

OFFER: Final = timedelta(minutes=5)
"""A spend so soon after Codex was last seen to offer one was made there."""


class ResetHistory(msgspec.Struct, frozen=True):
    """What the service lists: when each reset was used and granted, by its event's id; None where that is unknown."""

    used: Mapping[str, datetime | None]
    granted: Mapping[str, datetime | None]


class Written(msgspec.Struct, frozen=True):
    """What is written down about an account's resets."""

    since: datetime
    """Its first reading here: what happened before is no news."""
    spends: tuple[Spend, ...] = ()
    events: tuple[Event, ...] = ()
    offered_at: datetime | None = None
    """When Codex was last seen to offer a reset by itself; None: never, or no Codex runs here."""

    def of_kind(self, *kinds: EventKind) -> tuple[Event, ...]:
        """The lines of these kinds since the first reading."""
        return tuple(event for event in self.events if event.kind in kinds and event.at >= self.since)


def unexplained(history: ResetHistory, written: Written, seen: Snapshot) -> tuple[Event, ...]:
    """What the service lists and nothing here explains, each once."""
    ours, strangers = _matched(history.used, written, seen)
    return (
        *_confirmed(ours, written, seen),
        *_spent(strangers, written, seen),
        *_never_banked(history.granted, strangers, written, seen),
    )


def _matched(
    used: Mapping[str, datetime | None], written: Written, seen: Snapshot
) -> tuple[tuple[tuple[datetime, Spend], ...], tuple[tuple[datetime, str], ...]]:
    """Every spend of ours that the service lists, each with its moment there; and those that are none of ours."""
    found = []
    until = seen.provenance.observed_at + GRACE
    news = {event: at for event, at in used.items() if at is not None and written.since <= at <= until}
    for spend in written.spends:
        if spend.may_have_spent:
            ends = until if spend.closed_at is None else spend.closed_at + GRACE
            ours = (event for event, at in news.items() if spend.journaled_at - GRACE <= at <= ends)
            if (event := next(ours, None)) is not None:
                found.append((news.pop(event), spend))
    return tuple(found), tuple(sorted((at, event) for event, at in news.items()))


def _confirmed(ours: Iterable[tuple[datetime, Spend]], written: Written, seen: Snapshot) -> Iterable[Event]:
    said = {line.request_id for line in written.of_kind(EventKind.SPEND_CONFIRMED)}
    for at, spend in ours:
        if spend.outcome is Outcome.RESET and spend.closed_at is not None and spend.key not in said:
            text = f"the service's own history has this spend, at {at:%Y-%m-%d %H:%M} UTC"
            yield _line(EventKind.SPEND_CONFIRMED, text, spend.key, seen)


def _spent(strangers: Iterable[tuple[datetime, str]], written: Written, seen: Snapshot) -> Iterable[Event]:
    said = {line.request_id for line in written.of_kind(EventKind.SPENT_ELSEWHERE)}
    for at, event in strangers:
        if event not in said:
            in_codex = written.offered_at is not None and -GRACE <= at - written.offered_at <= OFFER
            where = "in Codex, which offered it," if in_codex else "elsewhere"
            text = f"a reset was spent {where} at {at:%Y-%m-%d %H:%M} UTC, by the service's own history"
            yield _line(EventKind.SPENT_ELSEWHERE, text, event, seen)


def _never_banked(
    granted: Mapping[str, datetime | None], strangers: Sequence[tuple[datetime, str]], written: Written, seen: Snapshot
) -> Iterable[Event]:
    """The grants of which the bank never showed a reset; nothing where the bank does not show all that it holds."""
    bank = seen.bank
    if bank.credits is None or bank.unlisted or bank.credits_observed_at is None:
        return
    until = bank.credits_observed_at - ARRIVAL
    missing = sorted((at, event) for event, at in granted.items() if at is not None and written.since <= at <= until)
    for moment in sorted(_arrivals(strangers, written, seen), reverse=True):
        explained = next((grant for grant in reversed(missing) if grant[0] <= moment + GRACE), None)
        if explained is not None:
            missing.remove(explained)
    said = {line.request_id for line in written.of_kind(EventKind.GRANT_MISSING)}
    for at, event in missing:
        if event not in said:
            when = f"{at:%Y-%m-%d %H:%M} UTC"
            text = f"a reset was granted at {when} by the service's own history, but never reached the bank"
            yield _line(EventKind.GRANT_MISSING, text, event, seen)


def _arrivals(strangers: Sequence[tuple[datetime, str]], written: Written, seen: Snapshot) -> Iterable[datetime]:
    """When a reset came, or may have come, into the bank: each explains one grant before it."""
    lines = written.of_kind(EventKind.CREDIT_GRANTED)
    yield from (line.at for line in lines)
    known = {line.credit_id for line in lines}
    for credit in seen.bank.credits or ():
        if credit.granted_at is not None and credit.granted_at >= written.since - GRACE and credit.id not in known:
            yield credit.granted_at
    for line in written.of_kind(EventKind.COUNT_CHANGED):
        yield from [line.at] * _rise(line)
    # One that came and was spent elsewhere while nobody looked here was never seen to leave either.
    left = len(written.of_kind(EventKind.CREDIT_REDEEMED, EventKind.CREDIT_VANISHED))
    yield from (at for at, _ in strangers[left:])


def _rise(line: Event) -> int:
    """By how many the count of resets rose."""
    try:
        return max(0, int(line.after or "") - int(line.before or ""))
    except ValueError:
        return 0


def _line(kind: EventKind, text: str, event: str, seen: Snapshot) -> Event:
    where = seen.provenance
    return Event(where.observed_at, kind, seen.account.key, text, where.source, request_id=event)
