"""`resetbank ledger --evidence FILE`: what this machine knows about every reset, in one file to hand over."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.cli.json_output import event_row, rfc3339, spend_report

if TYPE_CHECKING:
    from tui.domain.ledger import Event
    from tui.domain.spend import Spend


def evidence(events: "Sequence[Event]", spends: "Sequence[Spend]", now: datetime) -> dict[str, Any]:
    """Every spend with its consent and what was read before and after, and every event; each oldest first, as JSON."""
    from tui import __version__

    return {
        "schema": 1,
        "program": f"resetbank {__version__}",
        "written_at": rfc3339(now),
        "contradictions": list(_contradictions(events, spends)),
        "spends": [_spend(spend, now) for spend in spends],
        "events": [event_row(event) for event in events],
    }


def _spend(spend: "Spend", now: datetime) -> dict[str, Any]:
    return {
        **spend_report(spend, now),
        "account": spend.account.key,
        "consent": spend.consent.kind,
        "consented_at": rfc3339(spend.consent.given_at),
        "journaled_at": rfc3339(spend.journaled_at),
        "closed_at": rfc3339(spend.closed_at),
        "requests_sent": spend.sends,
        "resets_before": spend.resets_before,
        "credits_gone": None if spend.gone is None else list(spend.gone),
    }


def _contradictions(events: "Iterable[Event]", spends: "Iterable[Spend]") -> Iterable[str]:
    """What does not fit together, oldest first within each kind."""
    from tui.domain.findings import mismatches
    from tui.domain.ledger import EventKind

    elsewhere = (
        EventKind.CREDIT_REDEEMED,
        EventKind.SPENT_ELSEWHERE,
        EventKind.GRANT_MISSING,
        EventKind.CREDIT_VANISHED,
        EventKind.SPEND_REFUSED,
    )
    for spend in spends:
        when = rfc3339(spend.consent.given_at)
        yield from (f"{when}: {mismatch}" for mismatch in mismatches(spend))
        if spend.may_have_spent and spend.outcome is None:
            yield f"{when}: it is not known whether this spend took a reset"
    for event in events:
        if event.kind in elsewhere:
            reset = f" ({event.credit_id})" if event.credit_id else ""
            yield f"{rfc3339(event.at)}: {event.text}{reset}"


def as_text(found: dict[str, Any]) -> str:
    """The same for reading: a line a fact."""
    lines = [f"{found['program']}: evidence, written at {found['written_at']}", "", "Contradictions"]
    lines += [f"  {line}" for line in found["contradictions"]] or ["  none"]
    lines += ["", "Spends"]
    for spend in found["spends"]:
        lines.append(f"  {spend['consented_at']}  {spend['outcome']}, consent by {spend['consent']}")
        lines += [f"    {name}: {spend[name]}" for name in ("account", "request_id", "credit_id", "journaled_at")]
        more = ("closed_at", "requests_sent", "resets_before", "resets_left")
        lines += [f"    {name}: {spend[name]}" for name in more]
        lines += [f"    {when}: {_windows(spend[when])}" for when in ("before", "after")]
        if spend["note"]:
            lines.append(f"    note: {spend['note']}")
    lines += ["", "Events"]
    for event in found["events"]:
        about = (f"{name}={event[name]}" for name in ("credit_id", "request_id", "before", "after") if event[name])
        lines.append(f"  {event['at']}  {event['event']}  {event['text']}  {' '.join(about)}".rstrip())
    return "\n".join(lines) + "\n"


def _windows(windows: "list[dict[str, Any]] | None") -> str:
    if windows is None:
        return "not read"
    return ", ".join(f"{each['kind']} {each['used_percent']} % (resets {each['resets_at']})" for each in windows)


def write_evidence(path: Path, events: "Sequence[Event]", spends: "Sequence[Spend]", now: datetime) -> None:
    """Write the file, for its owner alone; JSON where its name ends in `.json`, else text.

    Raises:
        UsageError: It is there already, or cannot be written.
    """
    import json
    import os
    from functools import partial

    from tui.errors import UsageError

    found = evidence(events, spends, now)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n" if path.suffix == ".json" else as_text(found)
    try:
        with open(path, "x", encoding="utf-8", errors="backslashreplace", opener=partial(os.open, mode=0o600)) as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "name another file") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name another file") from error
