"""Checking the user's own keys, since Textual ignores unknown ids and lets one command steal another's key silently."""

import unicodedata
from collections.abc import Mapping
from typing import Final

from tui.errors import SettingsError
from tui.settings import nearest
from tui.ui.commands import COMMANDS, CONSENTING, PLACES, commands_of, shown_key

RESERVED: Final = {
    "ctrl+c": "it copies and quits",
    "ctrl+q": "it always quits",
    "ctrl+p": "it opens the palette",
    "tab": "it moves the focus",
    "shift+tab": "it moves the focus",
    "escape": "it leaves dialogs",
}
"""Keys that no command may take, with what they do."""

_SAME_AS: Final = {"ctrl+m": "enter", "ctrl+j": "enter", "ctrl+i": "tab", "ctrl+h": "backspace"}
"""Combinations that a terminal cannot tell from another key."""

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


_ALWAYS: Final = {"back": "escape", "close": "escape"}
"""Keys that stay whatever the settings say: escape leaves everywhere."""

_LAYOUTS: Final = (
    ("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm"),
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    ("іїє", "s]'"),
)
"""Letters of other layouts with the Latin ones on the same keys; a terminal tells the letter alone."""

_LATIN: Final = {other: latin for others, latins in _LAYOUTS for other, latin in zip(others, latins, strict=True)}


class Keymap:
    """The user's keys laid over the defaults."""

    def __init__(self, custom: Mapping[str, str]) -> None:
        """Check the user's keys: command id to key, or to keys with commas.

        Raises:
            SettingsError: An unknown command, an unknown or reserved key, or one key for two commands of one place.
        """
        self.table = resolve_keys(custom)
        """Every command's keys, normalised."""
        self.shown = {name: shown_key(keys) for name, keys in self.table.items()}
        """The key that the screens show for each command."""

    def find(self, place: str, key: str, character: str | None) -> tuple[str | None, bool]:
        """The command that a key means in a place, and whether a capital was pressed for a small letter.

        A letter of another layout means the command of its place on the keyboard.
        """
        owners = {k: c.id for c in commands_of(place) for k in self.table[c.id].split(",")}
        if key in owners:
            return owners[key], False
        letter = (character or "").lower()
        found = owners.get(letter) or owners.get(_LATIN.get(letter, ""))
        return found, found is not None and letter != character


def resolve_keys(custom: Mapping[str, str]) -> dict[str, str]:
    """Lay the user's keys over the defaults; as `Keymap` takes them and complains."""
    table = {command.id: command.key for command in COMMANDS}
    for name, keys in custom.items():
        if name not in table:
            raise SettingsError(f"settings: unknown command keys.{name}", nearest(name, list(table)))
        checked = [_checked(name, key) for key in keys.split(",")]
        table[name] = ",".join([_ALWAYS[name], *checked] if name in _ALWAYS else checked)
    for place in PLACES if custom else ():  # the defaults agree with each other
        owners: dict[str, str] = {}
        for name in (command.id for command in commands_of(place)):
            for key in table[name].split(","):
                other = owners.setdefault(_SAME_AS.get(key, key), name)
                if other != name:
                    raise SettingsError(
                        f"settings: the key {key!r} is given to both {other} and {name}",
                        f"give keys.{name if other not in custom else other} another key",
                    )
    return table


def _checked(name: str, key: str) -> str:
    key = normal_key(key)
    same = _SAME_AS.get(key, key)
    if not _is_known(key):
        known = sorted(_NAMED | set(_PUNCTUATION.values()))
        hint = nearest(key, known) if key else f"write a key behind keys.{name}"
        raise SettingsError(f"settings: keys.{name} has an unknown key {key!r}", _short(hint))
    if same in RESERVED:
        raise SettingsError(f"settings: keys.{name} cannot be {key!r}: {RESERVED[same]}", "choose another key")
    if name in CONSENTING and (same.split("+")[-1] in _NEVER_SPEND or key.isupper()):
        raise SettingsError(f"settings: keys.{name} cannot be {key!r}, which is pressed blindly", "choose another key")
    return key


def _short(hint: str) -> str:
    return hint if hint.startswith("did") else "write a letter, or a name such as f5, ctrl+r or question_mark"
