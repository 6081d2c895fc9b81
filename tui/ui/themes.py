"""The colour themes: two of our own, the terminal's own colours, Textual's; and what keeps each of them readable."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tui.errors import SettingsError
from tui.settings import AUTO_THEME, nearest

OWN_THEMES: Final = (
    Theme(
        name="resetbank-dark",
        primary="#6cb6ff",
        secondary="#c3a6ff",
        accent="#7ee0d0",
        warning="#f2b950",
        error="#ff7b72",
        success="#7bd88f",
        foreground="#d6dde6",
        background="#10151c",
        surface="#161d27",
        panel="#2a3646",
        dark=True,
    ),
    Theme(
        name="resetbank-light",
        primary="#0b5cad",
        secondary="#6b3fa0",
        accent="#006b63",
        warning="#8a5200",
        error="#b3261e",
        success="#1a6b34",
        foreground="#1d2733",
        background="#f7f8fa",
        surface="#ffffff",
        panel="#c5ced9",
        dark=False,
    ),
)

_FIRST: Final = (AUTO_THEME, *(theme.name for theme in OWN_THEMES), "ansi-dark", "ansi-light")

_BY_NAME: Final = {**BUILTIN_THEMES, **{theme.name: theme for theme in OWN_THEMES}}

LEAST_CONTRAST: Final = 4.5
"""Between a text and what it stands on, as WCAG's level AA asks for."""

_GROUNDS: Final = ("background", "surface")
_TEXTS: Final = ("secondary", "accent", "warning", "error", "success")
_DIM: Final = 0.62
_STEP: Final = 0.04

_LIGHT_GROUNDS: Final = ("7", *map(str, range(9, 16)))
"""What `COLORFGBG` calls a light ground, as vim reads it."""


def theme_names() -> tuple[str, ...]:
    """Every theme there is: the one that fits the terminal, our own, the terminal's, then Textual's."""
    return (*_FIRST, *(name for name in sorted(BUILTIN_THEMES) if name not in _FIRST))


def check_theme(name: str) -> str:
    """The theme of this name; `SettingsError` names the nearest where there is none."""
    names = list(theme_names())
    if name not in names:
        raise SettingsError(f"settings: unknown theme {name!r}", nearest(name, names))
    return name


def is_coarse(color_system: str | None) -> bool:
    """Whether a terminal has too few colours for a theme of 24 bits: near ones would become the same."""
    return color_system in ("standard", "windows")


def fitting_theme(name: str, color_system: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The theme that is shown for a setting: on `auto` the one for the terminal's ground, on 16 colours its own ones.

    Where no colour is wanted, `color_system` is None, and it is one of ours, whose greys are known: of the terminal's
    own colours Textual makes black on black. Some terminals say in the environment what their ground is.
    """
    if name == AUTO_THEME:
        is_light = environment.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_GROUNDS
    else:
        is_light = not _BY_NAME[name].dark
    if is_coarse(color_system):
        return "ansi-light" if is_light else "ansi-dark"
    if name == AUTO_THEME or (color_system is None and _BY_NAME[name].ansi):
        return "resetbank-light" if is_light else "resetbank-dark"
    return name


def legible(variables: Mapping[str, str]) -> dict[str, str]:
    """A theme's colours with those of text moved away from the ground until they can be read; adds `dim`."""
    grounds = [Color.parse(variables[name]) for name in _GROUNDS]
    foreground = _readable(Color.parse(variables["foreground"]), (*grounds, Color.parse(variables["panel"])))
    found = {name: _readable(Color.parse(variables[name]), grounds).hex for name in _TEXTS}
    dim = _readable(grounds[0].blend(foreground, _DIM), grounds)
    return {**variables, **found, "foreground": foreground.hex, "dim": dim.hex}


def _readable(color: Color, grounds: Sequence[Color]) -> Color:
    """The colour, made lighter or darker until it has contrast on every ground."""
    is_dark = sum(map(_light, grounds)) / len(grounds) < 0.18
    pole = Color(255, 255, 255) if is_dark else Color(0, 0, 0)
    share = 0.0
    while share < 1 and any(contrast(color.blend(pole, share), ground) < LEAST_CONTRAST for ground in grounds):
        share += _STEP
    return color.blend(pole, min(share, 1.0))


def contrast(text: Color, ground: Color) -> float:
    """How well a text can be read on a ground, from 1 to 21, as WCAG computes it."""
    lights = _light(text), _light(ground)
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def _light(color: Color) -> float:
    """The relative luminance, from 0 to 1."""
    shares = (value / 255 for value in (color.r, color.g, color.b))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
