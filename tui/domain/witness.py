"""The service's own word on spends that nobody consented to here."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from tui.domain.ledger import Event, EventKind
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Spend

GRACE: Final = timedelta(minutes=2)
"""How far the service's clock and ours may be apart; beyond that nothing is said."""


def spent_elsewhere(
    used: Mapping[str, datetime | None],
    spends: Iterable[Spend],
    said: Collection[str],
    since: datetime,
    seen: Snapshot,
) -> tuple[Event, ...]:
    """The spends that the service lists and that are none of ours, each once.

    Args:
        used: When each reset was used, by the id of the service's event.
        spends: Our own, each of which explains one event.
        said: The events that are in the ledger already.
        since: The reading before the change; what was used earlier is no news.
        seen: The reading that shows the change.
    """
    until = seen.provenance.observed_at + GRACE
    news = {event: at for event, at in used.items() if at is not None and since - GRACE <= at <= until}
    for spend in spends:
        if spend.may_have_spent:
            ends = until if spend.closed_at is None else spend.closed_at + GRACE
            ours = (event for event, at in news.items() if spend.journaled_at - GRACE <= at <= ends)
            if (event := next(ours, None)) is not None:
                del news[event]
    return tuple(
        Event(
            at=seen.provenance.observed_at,
            kind=EventKind.SPENT_ELSEWHERE,
            account=seen.account.key,
            text=f"a reset was spent elsewhere at {at:%Y-%m-%d %H:%M} UTC, by the service's own history",
            source=seen.provenance.source,
            request_id=event,
        )
        for event, at in sorted(news.items(), key=lambda item: item[1])
        if event not in said
    )
