"""`resetbank history`: every kept reading of every window, and what happened in between, oldest first."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.cli.kept import kept_account, kept_database

if TYPE_CHECKING:
    from tui.domain.ledger import Event
    from tui.domain.pauses import Pause
    from tui.store.readings import Row

_FIELDS = ("at", "limit_id", "minutes", "used_percent", "resets_at", "allowed", "available", "source")
_EVENT_FIELDS = ("event", "until", "thread_id", "window", "credit_id", "text", "before", "after")
"""The columns of CSV that a reading leaves empty."""

_WHAT = {"session_stopped": "a session stood at the limit", "session_held": "a session was held at the limit"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--since", metavar="TIME", help="a date or time, such as 2026-11-01 or 2026-11-23T14:00")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, schema 1")
    form.add_argument("--csv", action="store_true", help="print CSV with a header line")


def run(arguments: argparse.Namespace) -> int:
    """Print what was kept; reads no source."""
    rows, happened = _read(kept_account(arguments.account), _since(arguments.since))
    if arguments.json:
        from tui.cli.json_output import print_json

        print_json(
            {
                "schema": 1,
                "readings": [_fields(row) for row in rows],
                "events": [_happened(event) for event in happened],
            }
        )
    elif arguments.csv:
        from tui.cli.output import print_csv

        lines = [_fields(row) for row in rows] + [_happened(event) for event in happened]
        print_csv((*_FIELDS, *_EVENT_FIELDS), sorted(lines, key=lambda line: str(line["at"])))
    else:
        _print_text(rows, happened)
    return 0


def _since(text: str | None) -> float:
    from tui.errors import UsageError

    if text is None:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r} is no time", "write it as 2026-11-01 or 2026-11-23T14:00") from None


def _read(account: str | None, since: float) -> "tuple[list[Row], list[Event | Pause]]":
    from tui.store.events import EventLog
    from tui.store.pauses import Pauses
    from tui.store.readings import Readings

    begin = datetime.fromtimestamp(max(0.0, since), UTC)
    with kept_database() as database:
        if database is None:
            return [], []
        lines = EventLog(database).events(account=account)
        happened: list[Event | Pause] = [line for line in lines if line.at >= begin and line.belongs_to_history]
        happened += Pauses(database).since(account, begin)
        return Readings(database).rows(account, since), sorted(happened, key=_moment)


def _moment(event: "Event | Pause") -> datetime:
    from tui.domain.pauses import Pause

    return event.since if isinstance(event, Pause) else event.at


def _happened(event: "Event | Pause") -> dict[str, Any]:
    """An event as a flat row; one without an end has none, or nobody saw it."""
    from tui.cli.json_output import rfc3339
    from tui.domain.pauses import Pause

    found = dict.fromkeys(("at", *_EVENT_FIELDS))
    if isinstance(event, Pause):
        found |= {"until": rfc3339(event.until), "thread_id": event.thread_id, "text": _WHAT[event.kind]}
    else:
        found |= {name: getattr(event, name) for name in ("window", "credit_id", "text", "before", "after")}
    return found | {"at": rfc3339(_moment(event)), "event": event.kind}


def _fields(row: "Row") -> dict[str, Any]:
    import msgspec

    fields = msgspec.structs.asdict(row)
    for name in ("at", "resets_at"):
        if fields[name] is not None:
            fields[name] = datetime.fromtimestamp(fields[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return fields


def _print_text(rows: "list[Row]", happened: "list[Event | Pause]") -> None:
    from tui.domain.advice import window_name

    if not rows and not happened:
        print("no reading is kept yet; the screen, watch and status keep them")
    lines = [(_moment(event), _event_text(event)) for event in happened]
    for row in rows:
        used = "?" if row.used_percent is None else f"{row.used_percent:.0f} %"
        name = window_name(row.minutes).removesuffix(" limit")
        limit = "" if row.limit_id == "codex" else f"  {_shown(row.limit_id)}"
        lines.append((datetime.fromtimestamp(row.at, UTC), f"{name:<8} {used:>6}  {row.source}{limit}"))
    for at, text in sorted(lines, key=lambda line: line[0]):
        print(f"{at.astimezone().strftime('%Y-%m-%d %H:%M:%S')}  {text}")


def _event_text(event: "Event | Pause") -> str:
    """A star tells it from a reading."""
    from tui.clock import LocalZone, SystemClock
    from tui.domain.pauses import Pause
    from tui.ui.view.ledger import event_text
    from tui.ui.view.times import countdown
    from tui.ui.view.view_state import ViewState

    if not isinstance(event, Pause):
        return f"* {event_text(ViewState(SystemClock().now(), LocalZone()), event)}"
    lasted = "its end was not seen"
    if event.until is not None:
        end = event.until.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        lasted = f"until {end} ({countdown(event.until - event.since).replace('now', '0 s')})"
    return f"* {_WHAT[event.kind]}, {lasted}  {_shown(event.thread_id)}"


def _shown(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
