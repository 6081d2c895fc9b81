"""What the command line and the environment add to the settings; when the guarded ones changed."""

import argparse
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from tui.errors import ResetbankError
from tui.settings import every_setting, named_settings
from tui.settings_file import Row, SettingsFile, shown, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.domain.ledger import Event


def places(file: SettingsFile, arguments: argparse.Namespace) -> tuple[Row, ...]:
    """What no file of ours decides: the source, Codex's folder, the service, our own folder."""
    from tui.cli.accounts import choose_account, codex_home
    from tui.paths import resetbank_paths
    from tui.sources.base_url import OFFICIAL
    from tui.sources.logins import choose_base_url

    choose_account(arguments, file.written()[0])
    given = "command line"
    home = codex_home(arguments)
    try:
        url = str(choose_base_url(arguments.base_url, home)[0])
        url_from = "default" if url == OFFICIAL else f"file: {home.config_file}"
    except ResetbankError as error:
        url, url_from = "?", str(error)
    home_from = "environment: CODEX_HOME" if os.environ.get("CODEX_HOME") else "default"
    own = "environment: RESETBANK_HOME" if os.environ.get("RESETBANK_HOME") else "default"
    return (
        Row("--source", arguments.source, "default" if arguments.source == "auto" else given),
        Row("--codex-home", str(home.path), given if arguments.codex_home else home_from),
        Row("--base-url", url, given if arguments.base_url else url_from),
        Row("settings file", str(resetbank_paths().settings), own),
    )


_SAME_MOMENT: Final = timedelta(seconds=2)
"""A file written so soon after the ledger's line was written by the same change."""


class GuardedRow(msgspec.Struct, frozen=True):
    """A setting that could spend or run something and is not as by default."""

    key: str
    value: str
    changed_at: datetime | None
    """When `resetbank config` changed it; else when its file was changed last."""
    by: str
    """`resetbank config`, or `file` where only the file's own time is known."""
    file_changed_at: datetime | None
    """When its file was changed last, by whomever."""
    file_changed_since: bool
    """Whether that was after `resetbank config` changed it."""


def guarded_rows(file: SettingsFile, events: "Iterable[Event]") -> tuple[GuardedRow, ...]:
    """The guarded settings that are not as by default, with when they changed by the ledger, which is oldest first.

    Raises:
        SettingsError: The file is not valid.
    """
    from tui.domain.ledger import EventKind

    settings, written = file.written()
    changes = {event.text: event for event in events if event.kind is EventKind.SETTING_CHANGED}
    modified = datetime.fromtimestamp(file.path.stat().st_mtime, UTC) if written else None
    rows = []
    for setting in (*every_setting(), *named_settings(settings)):
        value = value_of(settings, setting.key)
        if setting.is_guarded and value != setting.default:
            text = shown(setting.key, value)
            event = changes.get(changed_text(setting.key))
            ours = event is not None and event.after == text
            at = event.at if event is not None and ours else modified
            since = modified is not None and at is not None and modified - at > _SAME_MOMENT
            by = "resetbank config" if ours else "file"
            rows.append(GuardedRow(setting.key, text, at, by, modified, since))
    return tuple(rows)


def changed_text(key: str) -> str:
    """How the ledger says that a setting was changed."""
    return f"setting {key} was changed"
