"""`resetbank config`: each setting with its value and where that comes from; changes one in the settings file."""

import argparse
import sys
from typing import TYPE_CHECKING

from tui.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from tui.settings import Setting, Settings
    from tui.settings_file import SettingsFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own words and options."""
    parser.add_argument("action", choices=("get", "set", "path"), help="what to do")
    parser.add_argument("key", nargs="?", metavar="KEY", help="a setting, such as limits.near_percent")
    parser.add_argument("value", nargs="*", metavar="VALUE", help="its new value; a list takes one word for each")
    parser.add_argument("--default", action="store_true", help="with set: take the setting out, so the default holds")
    parser.add_argument("--json", action="store_true", help="with get: print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print, or change one setting."""
    from tui.paths import resetbank_paths
    from tui.settings_file import SettingsFile

    file = SettingsFile(resetbank_paths().settings)
    if arguments.action != "set" and (arguments.value or arguments.default):
        raise UsageError(f"'resetbank config {arguments.action}' changes nothing", "see 'resetbank config set'")
    if arguments.action == "set":
        return _set(arguments, file)
    if arguments.action == "path":
        print(file.path)
        return 0
    return _get(arguments, file)


def _get(arguments: argparse.Namespace, file: "SettingsFile") -> int:
    from tui.cli.sources_of_settings import places
    from tui.settings import find_setting

    chosen = find_setting(arguments.key) if arguments.key else None
    rows = file.rows(chosen)
    around = places(file, arguments) if chosen is None else ()
    if arguments.json:
        from msgspec import to_builtins

        from tui.cli.json_output import print_json

        print_json({"schema": 1, "settings": to_builtins(rows), "around": to_builtins(around)})
        return 0
    everything = (*rows, *around)
    names, values = (max(map(len, column)) for column in zip(*((r.key, r.value) for r in everything), strict=True))
    for row in everything:
        print(f"{row.key:<{names}}  {row.value:<{min(values, 34)}}  {row.source}")
    return 0


def _set(arguments: argparse.Namespace, file: "SettingsFile") -> int:
    from tui.agent import refuse_under_codex
    from tui.settings import find_setting
    from tui.settings_file import parse_words, shown, value_of

    refuse_under_codex("'resetbank config set'")
    if not arguments.key:
        raise UsageError("'resetbank config set' needs a setting and its value", "'resetbank config get' lists them")
    setting = find_setting(arguments.key)
    if arguments.default and arguments.value:
        raise UsageError("--default takes no value", "leave one of them out")
    if not arguments.default and not arguments.value:
        raise UsageError(f"{setting.key} takes {setting.takes}", "or --default")
    value = None if arguments.default else parse_words(setting, arguments.value)
    before = file.known_value(setting)
    after = value_of(file.plan(setting, value, _check).settings, setting.key)
    sides = shown(setting.key, before), shown(setting.key, after)
    if setting.is_guarded and value is not None and before != after:
        import asyncio

        from tui.cli.terminal import require_code, require_terminal

        require_terminal(f"{setting.key} could spend or run something", "changed", sys.stdout)
        print(f"{setting.key}: {setting.help}.")
        print(f"Now {sides[0]}, then {sides[1]}. It could spend a reset or run something.")
        asyncio.run(require_code(f"change {setting.key}", "changed", sys.stdout))
    _write(file, setting, value, sides)
    place = "the default" if value is None else f"in {file.path}"
    print(f"{setting.key} = {sides[1]}   {place}")
    if before != after:
        print("A resetbank that runs already takes it at its next start.")
    return 0


def _write(file: "SettingsFile", setting: "Setting", value: object | None, sides: tuple[str, str]) -> None:
    """Change the file; where it could spend or run something, the ledger has it, or nothing is changed."""
    if not setting.is_guarded or sides[0] == sides[1]:
        file.write(file.plan(setting, value, _check))
        return
    from contextlib import closing

    from tui.cli.sources_of_settings import changed_text
    from tui.clock import SystemClock
    from tui.domain.ledger import Event, EventKind
    from tui.paths import resetbank_paths
    from tui.store.database import Database
    from tui.store.events import insert_events

    text = changed_text(setting.key)
    event = Event(SystemClock().now(), EventKind.SETTING_CHANGED, "", text, before=sides[0], after=sides[1])
    with closing(Database(resetbank_paths().database)) as database, database.writing() as connection:
        insert_events(connection, (event,))
        file.write(file.plan(setting, value, _check))


def _check(settings: "Settings") -> None:
    """What only other parts of the program know: themes, keys, where a notice may go.

    Raises:
        SettingsError: It cannot be used.
    """
    from tui.channels.webhook import may_be_sent
    from tui.settings import Settings
    from tui.ui.keymap import resolve_keys

    resolve_keys(settings.keys)
    if settings.notify.webhook and not may_be_sent(settings.notify.webhook):
        raise SettingsError("notify.webhook is neither https nor on this machine", "write https://…")
    if settings.theme != Settings().theme:
        from tui.ui.themes import check_theme  # loads the screen's library

        check_theme(settings.theme)
