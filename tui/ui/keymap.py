"""Checking the user's own keys, since Textual ignores unknown ids and lets one command steal another's key silently."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from tui.errors import SettingsError
from tui.settings import nearest
from tui.ui.commands import ALL_COMMANDS, INVITE, SPEND, Command

RESERVED: Final = {
    "ctrl+c": "it copies and quits",
    "ctrl+q": "it always quits",
    "ctrl+p": "it opens the palette",
    "tab": "it moves the focus",
    "shift+tab": "it moves the focus",
    "escape": "it leaves dialogs",
}
"""Keys that no command may take, with what they do."""

PANEL_KEYS: Final = {INVITE: frozenset(("q", "left", "up", "down", "k", "j", "pageup", "pagedown"))}
"""Keys that a panel needs for itself: the way back, and moving about."""

_SAME_AS: Final = {"ctrl+m": "enter", "ctrl+j": "enter", "ctrl+i": "tab", "ctrl+h": "backspace"}
"""Combinations that a terminal cannot tell from another key (textual.md 3, keys)."""

_NEVER_SPEND: Final = {"enter", "space"}
"""The keys that a hand or an agent presses blindly."""

_MODIFIERS: Final = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_NAMED: Final = {
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"),
    *("enter", "space", "tab", "escape", *(f"f{number}" for number in range(1, 25))),
}
_RENAMED: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_PUNCTUATION: Final = {
    character: _RENAMED.get(name, name)
    for character in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    for name in [unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")]
}
"""Punctuation to its key name, by the rule that Textual follows."""


def normal_key(key: str) -> str:
    """Write one key as Textual does: `?` becomes `question_mark`."""
    key = key.strip()
    return _PUNCTUATION.get(key, key)


def _is_known(key: str) -> bool:
    *modifiers, base = key.split("+")
    named = base in _NAMED or base in _PUNCTUATION.values()
    return (named or (len(base) == 1 and base.isprintable())) and set(modifiers) <= _MODIFIERS


def resolve_keys(custom: Mapping[str, str], commands: Iterable[Command] = ALL_COMMANDS) -> dict[str, str]:
    """Lay the user's keys over the defaults.

    Args:
        custom: Command id to key, or keys with commas, from the settings.
        commands: The command table.

    Returns:
        Every command's keys, normalised.

    Raises:
        SettingsError: An unknown command, an unknown or reserved key, or one key for two commands of one panel.
    """
    panels = {command.id: command.panel for command in commands}
    table = {command.id: command.key for command in commands}
    for name, keys in custom.items():
        if name not in table:
            raise SettingsError(f"settings: unknown command keys.{name}", nearest(name, list(table)))
        table[name] = ",".join(_checked(name, key, panels[name]) for key in keys.split(","))
    owners: dict[tuple[str, str], str] = {}
    for name, keys in table.items():
        for key in keys.split(","):
            same = _SAME_AS.get(key, key)
            other = owners.setdefault((panels[name], same), name)
            if other != name:
                raise SettingsError(
                    f"settings: the key {key!r} is given to both {other} and {name}",
                    f"give keys.{name if other not in custom else other} another key",
                )
    return table


def _checked(name: str, key: str, panel: str) -> str:
    key = normal_key(key)
    same = _SAME_AS.get(key, key)
    if not _is_known(key):
        known = sorted(_NAMED | set(_PUNCTUATION.values()))
        hint = nearest(key, known) if key else f"write a key behind keys.{name}"
        raise SettingsError(f"settings: keys.{name} has an unknown key {key!r}", _short(hint))
    if same in RESERVED:
        raise SettingsError(f"settings: keys.{name} cannot be {key!r}: {RESERVED[same]}", "choose another key")
    if same in PANEL_KEYS.get(panel, ()):
        raise SettingsError(f"settings: keys.{name} cannot be {key!r}: the panel needs it", "choose another key")
    if name == SPEND and (same.split("+")[-1] in _NEVER_SPEND):
        raise SettingsError(f"settings: keys.{name} cannot be {key!r}, which is pressed blindly", "choose another key")
    return key


def _short(hint: str) -> str:
    return hint if hint.startswith("did") else "write a letter, or a name such as f5, ctrl+r or question_mark"
