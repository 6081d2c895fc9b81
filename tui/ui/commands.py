"""The one table of every key. Bindings, palette, footer, help, README and `resetbank keys` come from it."""

from typing import Final

import msgspec

MAIN: Final = "main"
INVITES: Final = "invites"
PAGE: Final = "page"
SETTINGS: Final = "settings"
THEMES: Final = "themes"
WELCOME: Final = "welcome"
SPEND: Final = "spend"
FINISH: Final = "finish"
QUESTION: Final = "question"
QUEUE: Final = "queue"
CONTINUE: Final = "continue"
INVITE_SEND: Final = "invite_send"
INVITE_RESEND: Final = "invite_resend"
INVITE_NOTE: Final = "invite_note"

_MOVE: Final = "moving"
_CHOOSE: Final = "choosing"
_DIALOG: Final = "dialogs"
_LOOKS: Final = "looks"
_EVERYWHERE: Final = "everywhere"


class Command(msgspec.Struct, frozen=True):
    """One thing that a person can do in one place, or in several."""

    id: str
    """Its name in the settings, the palette and the tests; the action has the same name."""
    key: str
    """Its default key as Textual writes keys; several with commas."""
    title: str
    """One word or two for the footer."""
    help: str
    """One sentence for the palette and the help."""
    place: str
    """Where it can be done: one of the parts that `PLACES` lists."""
    show: bool = True
    """Whether the footer of the main screen shows it."""
    decides: str = ""
    """What it decides at once, in a word that commands of the same consequence share; empty where it shows, moves,
    or asks first. A key that decides something has that one meaning in every place."""


class Place(msgspec.Struct, frozen=True):
    """A screen or a dialog."""

    title: str
    parts: tuple[str, ...]
    """The parts of the table that hold there; no two of them share a key."""

    @property
    def asks(self) -> bool:
        """Whether it is a dialog, where a letter consents."""
        return _DIALOG in self.parts


_IN_DIALOGS: Final = (_DIALOG, _MOVE, _EVERYWHERE)

PLACES: Final = {
    MAIN: Place("Main screen", (MAIN, _MOVE, _LOOKS, _EVERYWHERE)),
    PAGE: Place("Ledger and other pages", (PAGE, _MOVE, _LOOKS, _EVERYWHERE)),
    SETTINGS: Place("Settings", (SETTINGS, PAGE, _MOVE, _LOOKS, _EVERYWHERE)),
    THEMES: Place("Theme picker", (THEMES, PAGE, _MOVE, _EVERYWHERE)),
    WELCOME: Place("Welcome page", (WELCOME, PAGE, _MOVE, _LOOKS, _EVERYWHERE)),
    INVITES: Place("Invite panel", (INVITES, PAGE, _MOVE, _LOOKS, _EVERYWHERE)),
    SPEND: Place("Spending one reset", _IN_DIALOGS),
    FINISH: Place("Finishing an open spend", _IN_DIALOGS),
    QUESTION: Place("The question at a limit", (QUESTION, _CHOOSE, *_IN_DIALOGS)),
    QUEUE: Place("Queueing resets", (QUEUE, *_IN_DIALOGS)),
    CONTINUE: Place("Carrying sessions on", (_CHOOSE, *_IN_DIALOGS)),
    INVITE_SEND: Place("Inviting a friend", (INVITE_SEND, *_IN_DIALOGS)),
    INVITE_RESEND: Place("Sending an e-mail again", _IN_DIALOGS),
    INVITE_NOTE: Place("Writing down an invite", _IN_DIALOGS),
}
"""Every place that has keys, with the parts of the table that hold there."""

PARTS: Final = {
    _EVERYWHERE: "Everywhere",
    MAIN: PLACES[MAIN].title,
    _MOVE: "Moving and scrolling, everywhere",
    _LOOKS: "On every screen that is no dialog",
    PAGE: "Pages: history, ledger, settings, help, invite panel",
    SETTINGS: PLACES[SETTINGS].title,
    THEMES: PLACES[THEMES].title,
    WELCOME: PLACES[WELCOME].title,
    _DIALOG: "Every dialog",
    QUESTION: PLACES[QUESTION].title,
    _CHOOSE: "Where one of several sessions is chosen",
    QUEUE: PLACES[QUEUE].title,
    INVITES: PLACES[INVITES].title,
    INVITE_SEND: PLACES[INVITE_SEND].title,
}
"""The parts of the table, each under one heading."""

COMMANDS: Final = (
    Command("spend", "r", "Spend", "Spend one banked reset; shows what it would do and asks first", MAIN),
    Command("finish", "f", "Finish", "Finish an open spend, always with its own key", MAIN),
    Command("queue", "u", "Queue", "Queue resets for the limit, or take what is queued out", MAIN),
    Command("continue", "c", "Continue", "Carry on the sessions that a limit stopped; shows which, asks first", MAIN),
    Command("answer", "a", "Answer", "Open the closed question again, while it is still true", MAIN),
    Command("invite", "i", "Invite", "Invite friends, and follow each invite to its reward; asks first", MAIN),
    Command(
        "dismiss",
        "x",
        "Dismiss",
        "Dismiss what you have read; where nothing is left to read, wait no longer",
        MAIN,
        decides="takes away",
    ),
    Command("history", "h", "History", "Show use, forecast, the reasons of the advice, and four weeks of resets", MAIN),
    Command("ledger", "l", "Ledger", "Show everything that happened to resets and windows", MAIN),
    Command("next_account", "o", "Account", "Bring the next account of the settings in sight", MAIN, show=False),
    Command("previous_account", "p", "Account", "Bring the account before in sight", MAIN, show=False),
    Command("settings", "comma", "Settings", "Show each setting, and change the common ones", MAIN, show=False),
    Command("quit", "q", "Quit", "Leave; an open spend is kept and finished at the next start", MAIN, decides="leaves"),
    Command("invite_send", "a", "Invite", "Invite one friend by address; asks before an e-mail goes out", INVITES),
    Command("invite_copy", "c", "Copy", "Copy the link of the selected invite", INVITES),
    Command("invite_qr", "s", "QR code", "Show the link of the selected invite as a QR code", INVITES),
    Command("invite_message", "m", "Message", "Write a message with the link of the selected invite", INVITES),
    Command("invite_resend", "e", "E-mail again", "Send the e-mail of the selected invite again; asks first", INVITES),
    Command("invite_note", "p", "Put down", "Write down an invite that was made elsewhere; sends nothing", INVITES),
    Command(
        "invite_forget", "d", "Forget", "Delete an invite that only this machine knows", INVITES, decides="deletes"
    ),
    Command("invite_app", "o", "Codex app", "Open Codex's own page in the browser, where invites are offered", INVITES),
    Command("back", "escape,n,q,left", "Back", "Go back", PAGE, decides="leaves"),
    Command("change", "space", "Change", "Change the selected setting: on or off, or the next one", SETTINGS),
    Command("higher", "plus,equals_sign", "Higher", "Make the number of the selected setting higher", SETTINGS),
    Command("lower", "minus", "Lower", "Make the number of the selected setting lower", SETTINGS),
    Command("default", "backspace", "Default", "Take the selected setting back to its default", SETTINGS),
    Command("keep", "enter", "Keep", "Keep the selected theme and remember it", THEMES, decides="goes on"),
    Command("done", "enter", "Go on", "Go on to the main screen", WELCOME, decides="goes on"),
    Command("queue_it", "u", "Queue", "Queue a reset for the limit; asks for a letter first", QUESTION),
    Command(
        "wait",
        "w",
        "Wait",
        "Wait for the natural reset, and go on by itself when it is seen",
        QUESTION,
        decides="waits",
    ),
    Command(
        "let_fail",
        "v",
        "Let fail",
        "Let the held requests go, though the service will refuse them",
        QUESTION,
        decides="lets fail",
    ),
    Command("later_5", "5", "Later", "Ask again in 5 minutes", QUESTION, decides="asks in 5"),
    Command("later_15", "1", "Later", "Ask again in 15 minutes", QUESTION, decides="asks in 15"),
    Command("mute", "0", "Not until the reset", "Ask no more until the reset", QUESTION, decides="asks no more"),
    Command("more", "plus,equals_sign", "One more", "Queue one more, until 07:00", QUEUE),
    Command("fewer", "minus", "One fewer", "Queue one fewer", QUEUE),
    Command("before_lapse", "b", "Lapse", "Spend it also shortly before it lapses, if much is used; or not", QUEUE),
    Command("take_out", "x", "Take out", "Take the queued reset out", QUEUE, decides="takes away"),
    Command("edit", "b", "Address", "Go back to the address", INVITE_SEND),
    Command("toggle", "space", "Choose", "Choose whether this session goes on", _CHOOSE),
    Command("close", "escape,n", "Close", "Close; nothing is spent or sent", _DIALOG, decides="leaves"),
    Command(
        "confirm",
        "enter",
        "Go on",
        "Go on where that spends and sends nothing; leave a result",
        _DIALOG,
        decides="goes on",
    ),
    Command("previous", "up,k", "Up", "Go to the one above, or scroll", _MOVE, show=False),
    Command("next", "down,j", "Down", "Go to the one below, or scroll", _MOVE, show=False),
    Command("page_up", "pageup,ctrl+u", "Page up", "Scroll up by a page", _MOVE, show=False),
    Command("page_down", "pagedown,ctrl+d", "Page down", "Scroll down by a page", _MOVE, show=False),
    Command("first", "home,g", "Top", "Scroll to the top", _MOVE, show=False),
    Command("last", "end,G", "End", "Scroll to the end", _MOVE, show=False),
    Command("refresh", "f5,ctrl+r", "Refresh", "Read limits and bank now, or try to connect again", _EVERYWHERE),
    Command("theme", "t", "Theme", "Choose a colour theme; moving shows each", _LOOKS, show=False),
    Command("suspend", "ctrl+z", "Suspend", "Go back to the shell for a while; fg comes back", _EVERYWHERE, show=False),
    Command("help", "question_mark,f1", "Help", "Show the keys of this place and what the signs mean", _EVERYWHERE),
)
"""Everything that can be done, in the order in which it is shown."""

BY_ID: Final = {command.id: command for command in COMMANDS}

OF_THE_APP: Final = frozenset(c.id for c in COMMANDS if c.place in (MAIN, _LOOKS, _EVERYWHERE))
"""What the application itself carries out; the rest belongs to the screen or the dialog."""

CONSENTING: Final = frozenset(("spend", "finish", "queue", "answer", "invite_send", "invite_resend", "queue_it"))
"""What opens a dialog in which something can be spent or sent: a capital never does."""

_SHOWN_KEYS: Final = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "full_stop": ".",
    "comma": ",",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def commands_of(place: str) -> tuple[Command, ...]:
    """What can be done in a place; nothing in one that has no keys of ours."""
    parts = PLACES[place].parts if place in PLACES else ()
    return tuple(command for command in COMMANDS if command.place in parts)


def shown_key(keys: str) -> str:
    """The first of some keys as a person reads it: `?` for `question_mark`, `F5` for `f5`."""
    first = keys.split(",")[0].strip()
    if len(first) > 1 and first[0] == "f" and first[1:].isdigit():
        return first.upper()
    return _SHOWN_KEYS.get(first, first)
