"""`resetbank history`: every kept reading of every window, oldest first."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.store.readings import Row

_FIELDS = ("at", "limit_id", "minutes", "used_percent", "resets_at", "allowed", "available", "source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--since", metavar="TIME", help="a date or time, such as 2026-11-01 or 2026-11-23T14:00")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, schema 1")
    form.add_argument("--csv", action="store_true", help="print CSV with a header line")


def run(arguments: argparse.Namespace) -> int:
    """Print what was kept; reads no source."""
    from tui.cli.accounts import kept_account

    rows = _read(kept_account(arguments.account), _since(arguments.since))
    if arguments.json:
        from tui.cli.json_output import print_json

        print_json({"schema": 1, "readings": [_fields(row) for row in rows]})
    elif arguments.csv:
        import csv

        writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_fields(row) for row in rows)
    else:
        _print_text(rows)
    return 0


def _since(text: str | None) -> float:
    from datetime import datetime

    from tui.errors import UsageError

    if text is None:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r} is no time", "write it as 2026-11-01 or 2026-11-23T14:00") from None


def _read(account: str | None, since: float) -> "list[Row]":
    from tui.paths import resetbank_paths

    path = resetbank_paths().database
    if not path.exists():
        return []
    from tui.store.database import Database
    from tui.store.readings import Readings

    database = Database(path)
    try:
        return Readings(database).rows(account, since)
    finally:
        database.close()


def _fields(row: "Row") -> dict[str, Any]:
    from datetime import UTC, datetime

    import msgspec

    fields = msgspec.structs.asdict(row)
    for name in ("at", "resets_at"):
        if fields[name] is not None:
            fields[name] = datetime.fromtimestamp(fields[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return fields


def _print_text(rows: "list[Row]") -> None:
    from datetime import UTC, datetime

    from tui.domain.advice import window_name

    if not rows:
        print("no reading is kept yet; the screen, watch and status keep them")
    for row in rows:
        at = datetime.fromtimestamp(row.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        used = "?" if row.used_percent is None else f"{row.used_percent:.0f} %"
        name = window_name(row.minutes).removesuffix(" limit")
        limit = "" if row.limit_id == "codex" else "".join(c for c in f"  {row.limit_id}" if c.isprintable())
        print(f"{at}  {name:<8} {used:>6}  {row.source}{limit}")
