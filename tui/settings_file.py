"""Each setting with its value and where that comes from; and the settings file, changed in place.

What a person wrote stays as it is: comments, order, form, the file's mode, and the link that leads to it.
"""

import stat
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui.channels.webhook import host_of
from tui.errors import ResetbankError, SettingsError, UsageError
from tui.paths import replace_file
from tui.settings import (
    Kind,
    Setting,
    Settings,
    every_setting,
    named_settings,
    parse_settings,
    read_text,
    read_toml,
)
from tui.toml_editor import CannotEdit, inline, set_value


def value_of(settings: Settings, key: str) -> object:
    """The value that holds for a setting."""
    value: Any = settings
    for name in key.split("."):
        value = value.get(name, "") if isinstance(value, dict) else getattr(value, name)
    return value


def shown(key: str, value: object) -> str:
    """A value as the file writes it; what may hold a secret is shown in part."""
    match key, value:
        case "notify.webhook", str() if value:
            return host_of(value)
        case "notify.template", str() if value != Settings().notify.template:
            return f"a text of {len(value)} characters"
        case "notify.command", (first, _, *_):
            return f"[{inline(first)}, …]"
    if isinstance(value, float) and value.is_integer():
        return f"{value:g}"
    return inline(value)


def parse_words(setting: Setting, words: Sequence[str]) -> object:
    """What a person typed for a setting, as its value; limits are not checked yet.

    Raises:
        UsageError: It is not what the setting takes.
    """
    if setting.kind is Kind.LIST:
        return _list(setting, words)
    if len(words) != 1:
        raise UsageError(f"{setting.key} takes {setting.takes}", "put a text of several words in quotes")
    (word,) = words
    if setting.kind is Kind.TEXT:
        return word
    if setting.kind is Kind.SWITCH and word in ("true", "on", "yes", "false", "off", "no"):
        return word in ("true", "on", "yes")
    if setting.kind in (Kind.WHOLE, Kind.NUMBER):
        for kind in (int, float):
            try:
                return kind(word)
            except ValueError:
                continue
    raise UsageError(f"{setting.key} takes {setting.takes}, not {inline(word)}", setting.help)


def _list(setting: Setting, words: Sequence[str]) -> list[str]:
    if len(words) == 1 and words[0].lstrip().startswith("["):
        try:
            value = tomllib.loads(f"value = {words[0]}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            value = None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise UsageError(f"{setting.key} takes {setting.takes}", f"or a list such as {shown('', setting.default)}")
    return list(words)


class Row(msgspec.Struct, frozen=True):
    """One setting as it holds now."""

    key: str
    value: str
    """As the file writes it; what may hold a secret in part."""
    source: str
    """`default`, `file`, or what else decides."""
    help: str = ""


class Change(msgspec.Struct, frozen=True):
    """A settings file as it would be."""

    text: str
    settings: Settings
    differs: bool
    """Whether it is another text than now."""


class SettingsFile:
    """The settings file, read and changed in place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def written(self) -> tuple[Settings, frozenset[str]]:
        """The settings as they are now, and the names of those that the file holds.

        Raises:
            SettingsError: It is not valid.
        """
        data = read_toml(self.path, read_text(self.path))
        return parse_settings(self.path, data), frozenset(_names(data, ""))

    def rows(self, chosen: Setting | None = None) -> tuple[Row, ...]:
        """Every setting, or the one that was chosen, with its value and where that comes from.

        Raises:
            SettingsError: The file is not valid.
        """
        settings, written = self.written()
        found = (chosen,) if chosen is not None else (*every_setting(), *named_settings(settings))
        return tuple(
            Row(s.key, shown(s.key, value_of(settings, s.key)), "file" if s.key in written else "default", s.help)
            for s in found
        )

    def known_value(self, setting: Setting) -> object:
        """The value that the file gives a setting, whatever else is wrong there; the default where it gives none.

        Raises:
            SettingsError: The file is not TOML.
        """
        value: Any = read_toml(self.path, read_text(self.path))
        for name in setting.key.split("."):
            if not isinstance(value, dict) or name not in value:
                return setting.default
            value = value[name]
        return tuple(value) if isinstance(value, list) else value

    def plan(
        self, setting: Setting, value: object | None, check: Callable[[Settings], None] = lambda _: None
    ) -> Change:
        """Work out the file with a value set, or with None taken out so that the default holds; writes nothing.

        The check raises `SettingsError` where the settings that follow cannot be used.

        Raises:
            UsageError: The setting does not take this value.
            SettingsError: The file is not valid, or cannot be changed in place.
        """
        text = read_text(self.path)
        read_toml(self.path, text)
        names = tuple(setting.key.split("."))
        try:
            changed = set_value(text, names, value)
        except CannotEdit as error:
            message = f"{setting.key} cannot be changed in {self.path}: {error}"
            raise SettingsError(message, "change it there") from error
        try:
            settings = parse_settings(self.path, read_toml(self.path, changed))
        except SettingsError as error:
            refusal = str(error.__cause__)
            of_this = f"`$.{setting.key}" in refusal or "`key` in `$." in refusal
            if value is None or not of_this:
                raise
            raise UsageError(f"{setting.key} takes {setting.takes}, not {inline(value)}", setting.help) from error
        check(settings)
        return Change(changed, settings, changed != text)

    def write(self, change: Change) -> Settings:
        """Put a planned change in place of the file, which is made where it is missing; the settings as they are then.

        Raises:
            ResetbankError: It cannot be written; it is as it was.
        """
        if not change.differs:
            return change.settings
        try:
            target = self.path.resolve()  # a link from a folder of dotfiles stays one
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mode, mark = 0o600, b""
            if target.exists():
                mode = stat.S_IMODE(target.stat().st_mode)
                with target.open("rb") as file:
                    mark = b"\xef\xbb\xbf" if file.read(3) == b"\xef\xbb\xbf" else b""
            replace_file(target, mark + change.text.encode(), mode)
        except OSError as error:
            message = f"cannot write {self.path}: {error.strerror}"
            raise ResetbankError(message, "check its folder and who owns it") from error
        return change.settings


def _names(data: dict[str, Any], prefix: str) -> list[str]:
    names: list[str] = []
    for name, value in data.items():
        names += _names(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]
    return names
