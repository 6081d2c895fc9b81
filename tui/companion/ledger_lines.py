"""The ledger's lines about a spend: one each time something happened to it."""

from datetime import datetime

from tui.domain.findings import findings, mismatches
from tui.domain.ledger import NOTHING_SPENT, Event, EventKind
from tui.domain.spend import Outcome, Spend, Stage
from tui.domain.windows import Window, label

_KINDS = {
    Stage.SENT: EventKind.SPEND_SENT,
    Stage.UNKNOWN: EventKind.SPEND_UNKNOWN,
    Stage.ANSWERED: EventKind.SPEND_ANSWERED,
    Stage.CLOSED: EventKind.SPEND_CLOSED,
}


def consented(spend: Spend) -> Event:
    """The line that is written together with the journal."""
    return Event(
        at=spend.journaled_at,
        kind=EventKind.SPEND_CONSENTED,
        account=spend.account.key,
        text=f"consent to spend one reset, by {spend.consent.kind}",
        credit_id=spend.credit_id,
        request_id=spend.key,
        before=windows_text(spend.before),
    )


def of_step(spend: Spend, now: datetime, source: str | None) -> tuple[Event, ...]:
    """The line about the step that a spend has just taken; a verified one is shown when it closes."""
    kind = _KINDS.get(spend.stage)
    if kind is None:
        return ()
    is_closed = spend.stage is Stage.CLOSED
    return (
        Event(
            at=now,
            kind=kind,
            account=spend.account.key,
            text=_text(spend),
            source=source,
            credit_id=spend.credit_id,
            request_id=spend.key,
            before=windows_text(spend.before) if is_closed else None,
            after=windows_text(spend.after) if is_closed and spend.after is not None else None,
        ),
    )


def _text(spend: Spend) -> str:
    match spend.stage:
        case Stage.SENT:
            return "request sent" if spend.sends == 1 else f"the same request sent again, number {spend.sends}"
        case Stage.UNKNOWN:
            return f"outcome unknown: {spend.reason or 'no answer'}"
        case Stage.ANSWERED:
            return f"answered: {spend.outcome.replace('_', ' ')}" if spend.outcome else "answered"
        case _:
            text = _OUTCOMES.get(spend.outcome, "closed") if spend.outcome else "closed"
            if spend.outcome not in (Outcome.RESET, Outcome.UNKNOWN) and not mismatches(spend):
                text += f"; {NOTHING_SPENT}"
            return "; ".join((text, *findings(spend)))


_OUTCOMES = {
    Outcome.RESET: "one reset spent",
    Outcome.NOTHING_TO_RESET: "nothing to reset; the reset was kept",
    Outcome.NO_CREDIT: "no such reset in the bank",
    Outcome.REFUSED: "refused",
    Outcome.UNKNOWN: "given up; whether a reset was spent was never learnt",
}


def windows_text(windows: tuple[Window, ...]) -> str:
    """Windows in a few words: `5 hours 100 %, Week 43 %`; an unknown share is a question mark."""
    return ", ".join(
        f"{label(window)} {'?' if window.used_percent is None else f'{window.used_percent:g}'} %" for window in windows
    )
