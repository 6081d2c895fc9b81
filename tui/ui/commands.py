"""The one table of what a person can do; bindings, palette, key line, help and `resetbank keys` come from it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a person can do on the main screen."""

    id: str
    """Its name in the settings, the palette and the tests; the app's action has the same name."""
    key: str
    """Its default key as Textual writes keys; several with commas."""
    title: str
    """One word or two for the key line."""
    help: str
    """One sentence for the palette, the tooltip and the help."""
    show: bool = True
    """Whether the key line shows it."""


SPEND: Final = "spend"
FINISH: Final = "finish"
CONTINUE: Final = "continue"
QUEUE: Final = "queue"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(SPEND, "r", "Spend", "Spend one banked reset; shows what it would do and asks first"),
    Command(FINISH, "f", "Finish", "Finish an open spend with its own key; never spends a second reset"),
    Command(QUEUE, "u", "Queue", "Queue one reset for the moment the limit is really hit, or take a queued one out"),
    Command(CONTINUE, "c", "Continue", "Carry on the sessions that a limit stopped; shows which and asks first"),
    Command("dismiss", "x", "Dismiss", "Take the news that work can go on off the screen", show=False),
    Command("ledger", "l", "Ledger", "Show everything that happened to resets and windows"),
    Command("refresh", "f5,ctrl+r", "Refresh", "Read limits and bank now, or try to connect again"),
    Command("theme", "t", "Theme", "Go on to the next colour theme", show=False),
    Command("help", "question_mark,f1", "Help", "Show the keys and what the signs mean"),
    Command("quit", "q", "Quit", "Leave; an open spend is kept and finished at the next start"),
)

_SHOWN_KEYS: Final = {"question_mark": "?", "slash": "/", "escape": "esc", "full_stop": ".", "comma": ","}


def shown_key(keys: str) -> str:
    """The first of some keys as a person reads it: `?` for `question_mark`, `F5` for `f5`."""
    first = keys.split(",")[0].strip()
    if len(first) > 1 and first[0] == "f" and first[1:].isdigit():
        return first.upper()
    return _SHOWN_KEYS.get(first, first)
