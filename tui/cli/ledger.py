"""`resetbank ledger`: everything that happened to the resets, oldest first."""

import argparse
from typing import TYPE_CHECKING

from tui.cli.kept import kept_account, kept_database, read_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.domain.ledger import Event
    from tui.domain.spend import Spend


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, schema 1")
    form.add_argument("--csv", action="store_true", help="print CSV with a header line")
    form.add_argument("--evidence", metavar="FILE", help="write everything into one file to hand over; .json or text")


def run(arguments: argparse.Namespace) -> int:
    """Print the local ledger; reads no source."""
    account = kept_account(arguments.account)
    events = read_events(account)
    if arguments.evidence:
        return _write_evidence(arguments.evidence, events, account)
    if arguments.json:
        from tui.cli.json_output import ledger_report, print_json

        print_json(ledger_report(events))
    elif arguments.csv:
        _print_csv(events)
    else:
        _print_text(tuple(events))
    return 0


def _write_evidence(file: str, events: "Sequence[Event]", account: str | None) -> int:
    from pathlib import Path

    from tui.cli.evidence import write_evidence
    from tui.clock import SystemClock
    from tui.store.spends import SpendJournal

    with kept_database() as database:
        spends: Sequence[Spend] = SpendJournal(database).every(account) if database is not None else ()
    write_evidence(Path(file).expanduser(), events, spends, SystemClock().now())
    print(f"{file}: {len(spends)} spends and {len(events)} events. It names your account: read it before you share it.")
    return 0


def _print_text(events: "tuple[Event, ...]") -> None:
    import shutil

    from tui.clock import LocalZone, SystemClock
    from tui.ui.view.ledger import ledger_lines
    from tui.ui.view.text import plain
    from tui.ui.view.view_state import ViewState

    width = shutil.get_terminal_size((100, 24)).columns
    print(plain(ledger_lines(ViewState(SystemClock().now(), LocalZone()), events, width)))


def _print_csv(events: "Sequence[Event]") -> None:
    from msgspec.structs import fields

    from tui.cli.json_output import event_row
    from tui.cli.output import print_csv
    from tui.domain.ledger import Event

    names = ["event" if field.name == "kind" else field.name for field in fields(Event)]
    print_csv(names, map(event_row, events))
