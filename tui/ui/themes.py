"""The colour themes: two of our own, and the terminal's own colours in dark and light."""

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

from tui.errors import SettingsError
from tui.settings import nearest

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

CYCLE: Final = (*(theme.name for theme in OWN_THEMES), "ansi-dark", "ansi-light")
"""What the theme key goes through."""


def theme_names() -> tuple[str, ...]:
    """Every theme there is, our own and the terminal's first."""
    return (*CYCLE, *(name for name in sorted(BUILTIN_THEMES) if name not in CYCLE))


def check_theme(name: str) -> str:
    """The theme of this name.

    Raises:
        SettingsError: There is none; names the nearest.
    """
    names = list(theme_names())
    if name not in names:
        raise SettingsError(f"settings: unknown theme {name!r}", nearest(name, names))
    return name


def next_theme(name: str) -> str:
    """The theme after this one; the first after one that is not in the cycle."""
    return CYCLE[(CYCLE.index(name) + 1) % len(CYCLE)] if name in CYCLE else CYCLE[0]
