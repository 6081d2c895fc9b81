"""The one table of what a person can do; bindings, palette, key line, help and `resetbank keys` come from it."""

from typing import Final

import msgspec


class Command(msgspec.Struct, frozen=True):
    """One thing that a person can do on the main screen or on one of its panels."""

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
    panel: str = ""
    """The panel that it belongs to; empty for the main screen. A key may mean one thing on each."""


SPEND: Final = "spend"
FINISH: Final = "finish"
CONTINUE: Final = "continue"
QUEUE: Final = "queue"
INVITE: Final = "invite"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(SPEND, "r", "Spend", "Spend one banked reset; shows what it would do and asks first"),
    Command(FINISH, "f", "Finish", "Finish an open spend with its own key; never spends a second reset"),
    Command(QUEUE, "u", "Queue", "Queue one reset for the moment the limit is really hit, or take a queued one out"),
    Command(CONTINUE, "c", "Continue", "Carry on the sessions that a limit stopped; shows which and asks first"),
    Command(INVITE, "i", "Invite", "Invite friends, and follow each invite to its reward; asks before it sends"),
    Command("dismiss", "x", "Dismiss", "Take the news that work can go on off the screen", show=False),
    Command("ledger", "l", "Ledger", "Show everything that happened to resets and windows"),
    Command("refresh", "f5,ctrl+r", "Refresh", "Read limits and bank now, or try to connect again"),
    Command("theme", "t", "Theme", "Go on to the next colour theme", show=False),
    Command("help", "question_mark,f1", "Help", "Show the keys and what the signs mean"),
    Command("quit", "q", "Quit", "Leave; an open spend is kept and finished at the next start"),
)

INVITE_SEND: Final = "invite_send"
INVITE_COPY: Final = "invite_copy"
INVITE_QR: Final = "invite_qr"
INVITE_MESSAGE: Final = "invite_message"
INVITE_RESEND: Final = "invite_resend"
INVITE_NOTE: Final = "invite_note"
INVITE_FORGET: Final = "invite_forget"
INVITE_APP: Final = "invite_app"

INVITE_COMMANDS: Final[tuple[Command, ...]] = tuple(
    Command(name, key, title, text, panel=INVITE)
    for name, key, title, text in (
        (INVITE_SEND, "a", "Invite", "Invite one friend by address; shown once more before an e-mail goes out"),
        (INVITE_COPY, "c", "Copy", "Copy the chosen invite's link"),
        (INVITE_QR, "s", "QR code", "Show the chosen invite's link as a QR code"),
        (INVITE_MESSAGE, "m", "Message", "Compose a message with the chosen invite's link, to paste"),
        (INVITE_RESEND, "e", "E-mail again", "Have the chosen invite's e-mail sent once more; asks first"),
        (INVITE_NOTE, "w", "Write down", "Write down an invite that was made elsewhere; nothing is sent"),
        (INVITE_FORGET, "d", "Forget", "Delete an invite that only this machine knows of, with its address"),
        (INVITE_APP, "o", "Codex app", "Open Codex's own page in the browser, where invites are offered"),
    )
)
"""What can be done on the invite panel."""

ALL_COMMANDS: Final = (*COMMANDS, *INVITE_COMMANDS)
"""Everything that has a key of one's own choice."""

EVERYWHERE: Final = frozenset(("refresh", "theme", "help", "quit"))
"""What can be done on a panel as well as on the main screen."""

_SHOWN_KEYS: Final = {"question_mark": "?", "slash": "/", "escape": "esc", "full_stop": ".", "comma": ","}


def shown_key(keys: str) -> str:
    """The first of some keys as a person reads it: `?` for `question_mark`, `F5` for `f5`."""
    first = keys.split(",")[0].strip()
    if len(first) > 1 and first[0] == "f" and first[1:].isdigit():
        return first.upper()
    return _SHOWN_KEYS.get(first, first)
