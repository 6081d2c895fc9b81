"""`resetbank doctor`: which sources could be used and why the others could not; settings, paths, versions."""

import argparse
from typing import TYPE_CHECKING, Any

from tui.cli.accounts import choose_account, codex_home
from tui.errors import ResetbankError, SettingsError, StoreError, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui.domain.ledger import Event
    from tui.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything and report; exit 0 when a source is viable and the local files are fine, else 1."""
    import asyncio

    report = asyncio.run(_examine(arguments))
    if arguments.json:
        from tui.cli.json_output import print_json

        print_json(report)
    else:
        _print(report)
    return 0 if report["healthy"] else 1


async def _examine(arguments: argparse.Namespace) -> dict[str, Any]:
    import platform

    from tui import __version__
    from tui.assembly import SourceOptions, describe_referrals, probe_sources
    from tui.cli.kept import read_events
    from tui.paths import resetbank_paths
    from tui.settings import Settings, load_settings
    from tui.ui.keymap import Keymap
    from tui.ui.themes import check_theme

    paths = resetbank_paths()
    settings, settings_problem = Settings(), None
    try:
        settings = load_settings(paths.settings)
        check_theme(settings.theme)
        Keymap(settings.keys)
    except ResetbankError as error:
        settings_problem = str(error)
    choose_account(arguments, settings)
    try:
        statuses = await probe_sources(SourceOptions.of(arguments), settings)
        sources = [{"name": v.name, "viable": v.viable, "reason": v.reason} for v in statuses]
        invites = await describe_referrals(SourceOptions.of(arguments), settings)
    except ResetbankError as error:
        invites = str(error)
        sources = [{"name": arguments.source, "viable": False, "reason": str(error)}]
    events: Sequence[Event] = ()
    database_problem = None
    try:
        events = read_events()
        _check_writable(paths.database)
    except StoreError as error:
        database_problem = str(error)
    hooks = await _hooks(arguments, settings)
    answers = any(source["viable"] for source in sources if source["name"] in ("daemon", "codex"))
    return {
        "schema": 1,
        "healthy": any(s["viable"] for s in sources if s["name"] != "stub" or arguments.source == "stub")
        and settings_problem is None
        and database_problem is None,
        "sources": sources,
        "invites": invites,
        "hooks": hooks,
        "codex_accounts": await _codex_accounts(arguments, settings) if answers else None,
        "settings": {"path": str(paths.settings), "exists": paths.settings.exists(), "problem": settings_problem},
        "database": {"path": str(paths.database), "exists": paths.database.exists(), "problem": database_problem},
        "guarded_settings": _guarded(events),
        "open_to_others": _open_to_others(paths.settings, paths.database),
        "versions": {"resetbank": __version__, "python": platform.python_version(), **_library_versions()},
    }


async def _hooks(arguments: argparse.Namespace, settings: "Settings") -> list[dict[str, object]]:
    """How our hooks stand in Codex."""
    from tui.cli.hook_switch import describe, hook_json, hook_statuses

    try:
        statuses = await hook_statuses(codex_home(arguments), settings)
    except ResetbankError as error:
        return [{"hook": name, "protects": None, "summary": str(error)} for name in ("hold", "guard")]
    return [{**hook_json(status), "summary": describe(status)} for status in statuses.values()]


async def _codex_accounts(arguments: argparse.Namespace, settings: "Settings") -> list[dict[str, Any]] | None:
    """The accounts that Codex itself keeps signed in; None where it is too old to tell."""
    from msgspec import to_builtins

    from tui.sources.codex_answers import list_logins

    try:
        return [to_builtins(login) for login in await list_logins(codex_home(arguments), settings.codex.command)]
    except ResetbankError:
        return None


def _guarded(events: "Sequence[Event]") -> list[dict[str, Any]]:
    """The settings that could spend or run something and are not as by default; none where their file is not valid."""
    from msgspec import to_builtins

    from tui.cli.sources_of_settings import guarded_rows
    from tui.paths import resetbank_paths
    from tui.settings_file import SettingsFile

    try:
        return [to_builtins(row) for row in guarded_rows(SettingsFile(resetbank_paths().settings), events)]
    except SettingsError:
        return []


def _check_writable(database: "Path") -> None:
    """See whether the database, or what it would be made in, can be written; makes nothing.

    Raises:
        StoreReadOnly: It cannot.
    """
    import os

    folder = next(folder for folder in database.parents if folder.exists())
    files = [path for path in (folder, database) if path.exists()]
    if not folder.is_dir() or not all(os.access(path, os.W_OK) for path in files):
        raise StoreReadOnly(f"{database} cannot be written", "check its permissions, or set RESETBANK_HOME")


def _open_to_others(settings: "Path", database: "Path") -> list[str]:
    """What others of this machine may read or change and should not, with what mends it."""
    import os
    import stat

    wanted = {settings.parent: (0o022, "go-w"), settings: (0o022, "go-w")}
    wanted |= {database.parent: (0o077, "700"), database: (0o077, "600")}  # one folder may hold both
    return [
        f"{path} is open to others of this machine: chmod {mode} it"
        for path, (bits, mode) in wanted.items()
        if os.name == "posix" and path.exists() and stat.S_IMODE(path.stat().st_mode) & bits
    ]


def _library_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("textual", "httpx", "msgspec", "websockets")}


def _print(report: dict[str, Any]) -> None:
    print("Sources, in the order of choice")
    for source in report["sources"]:
        print(f"  {'✓' if source['viable'] else '✗'} {source['name']:<8} {source['reason']}")
    print(f"Invites    {report['invites']}")
    for hook in report["hooks"]:
        print(f"{hook['hook'].capitalize():<10} {hook['summary']}")
    for login in report["codex_accounts"] or ():
        words = [login["email"] or login["name"] or "without a name", *login["workspaces"]]
        state = "Codex works with it" if login["is_active"] else "signed in to Codex, not in use"
        print(f"{'Login':<10} {', '.join(words)}: {state}")
    for title in ("settings", "database"):
        part = report[title]
        absent = "the defaults hold" if title == "settings" else "the first reading makes it"
        state = part["problem"] or ("ok" if part["exists"] else f"not there yet; {absent}")
        print(f"{title.capitalize():<10} {part['path']}\n           {state}")
    for row in report["guarded_settings"]:
        print(f"Guarded    {row['key']} = {row['value']}\n           {_changed(row)}")
    for line in report["open_to_others"]:
        print(f"Modes      {line}")
    print("Versions   " + ", ".join(f"{name} {number}" for name, number in report["versions"].items()))


def _changed(row: dict[str, Any]) -> str:
    """When a guarded setting changed, and how that is known."""
    from datetime import datetime

    from tui.clock import LocalZone

    def day(moment: str) -> str:
        return datetime.fromisoformat(moment).astimezone(LocalZone()).strftime("%d %b %Y %H:%M")

    if row["by"] == "file":
        return f"not changed by 'resetbank config'; its file was changed last on {day(row['file_changed_at'])}"
    later = f"; its file was changed again on {day(row['file_changed_at'])}" if row["file_changed_since"] else ""
    return f"changed by 'resetbank config' on {day(row['changed_at'])}{later}"
