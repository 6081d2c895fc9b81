"""What resetbank itself writes for scripts: its own JSON, schema 1, which the README describes. null means unknown."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:  # `status` pays for none of these
    from collections.abc import Iterable

    from tui.companion.reading import Reading
    from tui.companion.watch_events import WatchEvent
    from tui.domain.credits import Credit
    from tui.domain.invites import InviteRecord, InviteState
    from tui.domain.ledger import Event
    from tui.domain.sessions import Session
    from tui.domain.snapshot import Snapshot
    from tui.domain.spend import Spend
    from tui.domain.windows import Window

SCHEMA: Final = 1


def status_report(reading: "Reading", now: datetime) -> dict[str, Any]:
    """What `status --json` prints of one account."""
    snapshot, near_percent = reading.snapshot, reading.near_percent
    account, bank = snapshot.account, snapshot.bank
    return {
        "schema": SCHEMA,
        "source": snapshot.provenance.source,
        "observed_at": rfc3339(snapshot.provenance.observed_at),
        "age_seconds": round(snapshot.provenance.age(now).total_seconds(), 1),
        "stale": reading.is_stale(now),
        "account": {"id": account.id, "plan": account.plan, "email": account.email},
        "ordinary_usage_allowed": snapshot.ordinary_usage_allowed,
        "windows": [_window(window) | {"state": window.state(now, near_percent)} for window in snapshot.windows],
        "resets": {
            "available": bank.available,
            "credits": None if bank.credits is None else [_credit(credit) for credit in bank.credits],
        },
        "spend_cap": _spend_cap(snapshot, near_percent),
        "unlimited": snapshot.is_unlimited,
        "reached_reason": snapshot.reached_reason,
        "open_spend": _open_spend(reading.open_spend),
    }


def _spend_cap(snapshot: "Snapshot", near_percent: float) -> dict[str, Any] | None:
    cap = snapshot.spend_control
    if cap is None or not cap.is_meter:
        return None
    return _picked(cap, "used_percent", "used", "limit", "resets_at") | {"state": cap.state(near_percent)}


def spend_report(spend: "Spend", now: datetime) -> dict[str, Any]:
    """What `spend --json` prints about a spend that was consented to."""
    from tui.domain.findings import findings
    from tui.domain.spend import Outcome

    outcome = Outcome.UNKNOWN if spend.is_open or spend.outcome is None else spend.outcome
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "request_id": spend.key,
        "credit_id": spend.credit_id,
        "before": _judged(spend.before, now),
        "after": None if spend.after is None else _judged(spend.after, now),
        "resets_left": spend.resets_left,
        "note": "; ".join(findings(spend)) or None,
    }


def refusal_report(outcome: str, before: "Iterable[Window]", now: datetime, note: str) -> dict[str, Any]:
    """What `spend --json` prints where no spend came about."""
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "request_id": None,
        "credit_id": None,
        "before": _judged(tuple(before), now),
        "after": None,
        "resets_left": None,
        "note": note,
    }


def sessions_report(sessions: "Iterable[tuple[str, Session]]") -> dict[str, Any]:
    """What `sessions --json` prints: every live thread, those that need somebody first; with its account's name."""
    return {"schema": SCHEMA, "sessions": [_session(session) | _named(name) for name, session in sessions]}


def _named(account: str) -> dict[str, Any]:
    """The account's name in the settings, where it has one."""
    return {"account": account} if account else {}


def _session(session: "Session") -> dict[str, Any]:
    return {"id": session.thread_id, **_picked(session, "name", "workspace", "model", "state", "since")}


def invites_report(book: "InviteState") -> dict[str, Any]:
    """What `invites --json` prints: the offer, null where there is none, and every invite, newest first."""
    return {
        "schema": SCHEMA,
        "offer": _offer(book),
        "invites": [_invite(record) for record in book.shown],
    }


def invite_report(
    book: "InviteState", outcome: str | None, record: "InviteRecord | None", note: str | None
) -> dict[str, Any]:
    """What `invite --json` prints.

    The outcome is `sent`, `unknown`, `refused` or `noted`, None where nothing was to be sent; the note says why.
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "offer": _offer(book),
        "invite": _invite(record) if record else None,
        "note": note,
    }


def _offer(book: "InviteState") -> dict[str, Any] | None:
    from tui.domain.referral import OfferStatus

    offer = book.offer
    if book.status is not OfferStatus.OFFERED or offer is None:
        return None
    found = _picked(offer, "id", "plans", "ends_at", "sends_left", "rewards_left", "rules")
    return found | {"plans": offer.plans or None}


def _invite(record: "InviteRecord") -> dict[str, Any]:
    return {
        "id": record.referral_id,
        "key": record.key,
        "address": record.address,
        "state": record.word,
        "sent_at": rfc3339(record.sent_at),
        "expires_at": rfc3339(record.expires_at),
        "link": record.shareable_link,
        "reward_credit_id": record.credit_id if record.credit_is_certain else None,
    }


def watch_row(event: "WatchEvent") -> dict[str, Any]:
    """One event, as `watch --json` prints it; what does not apply is null, and a lapse names its reset besides."""
    session, window, lapse = event.session, event.window, event.lapse
    row = {
        "event": event.kind,
        "at": rfc3339(event.at),
        "thread_id": session.thread_id if session else None,
        "workspace": session.workspace if session else None,
        "kind": window.kind if window else None,
        "resets_at": rfc3339(window.resets_at) if window else None,
        "resets_available": event.resets_available,
        **_named(event.account_name),
    }
    return row if lapse is None else {**row, "credit_id": lapse.credit.id, "expires_at": rfc3339(lapse.expires_at)}


def ledger_report(events: "Iterable[Event]") -> dict[str, Any]:
    """What `ledger --json` prints: every event, oldest first."""
    return {"schema": SCHEMA, "events": [event_row(event) for event in events]}


def event_row(event: "Event") -> dict[str, str | None]:
    """One event as a flat row, for JSON and CSV alike."""
    return {
        "at": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "event": event.kind,
        **_picked(event, "account", "text", "source", "credit_id", "request_id", "window", "before", "after"),
    }


def rfc3339(moment: datetime | None) -> str | None:
    """A moment in UTC to the second, rounded down; None stays None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _judged(windows: "tuple[Window, ...]", now: datetime) -> list[dict[str, Any]]:
    """Windows of a spend, judged by their percentages alone, since `allowed` is not part of the record."""
    return [_window(window) | {"state": window.state(now)} for window in windows]


def _window(window: "Window") -> dict[str, Any]:
    return _picked(window, "limit_id", "limit_name", "kind", "minutes", "used_percent", "resets_at")


def _credit(credit: "Credit") -> dict[str, Any]:
    return _picked(credit, "id", "type", "status", "granted_at", "expires_at", "title")


def _picked(value: object, *names: str) -> dict[str, Any]:
    """Some fields of a value under their own names, with moments as text."""
    fields = {name: getattr(value, name) for name in names}
    return {name: rfc3339(field) if isinstance(field, datetime) else field for name, field in fields.items()}


def _open_spend(spend: "Spend | None") -> dict[str, Any] | None:
    if spend is None:
        return None
    return {
        "request_id": spend.key,
        "credit_id": spend.credit_id,
        "stage": spend.stage,
        "consent": spend.consent.kind,
        "since": rfc3339(spend.journaled_at),
        "sends": spend.sends,
        "reason": spend.reason,
    }


def print_json(report: object) -> None:
    """Print one JSON document, readable and stable."""
    print(_as_output_can_carry(msgspec.json.format(msgspec.json.encode(report), indent=2).decode(), indent=2))


def print_json_line(row: object) -> None:
    """Print one JSON object on a line of its own, at once."""
    print(_as_output_can_carry(msgspec.json.encode(row).decode(), indent=None), flush=True)


def _as_output_can_carry(document: str, indent: int | None) -> str:
    """A JSON document with escapes for what drives a terminal, and for what standard output's encoding lacks."""
    if not document.isascii() and sys.stdout is not None and "utf" not in (sys.stdout.encoding or "utf").lower():
        import json

        document = json.dumps(json.loads(document), indent=indent)
    return document.translate(_ESCAPES)


_ESCAPES: Final = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Those below 0x20 are always escaped in JSON."""
