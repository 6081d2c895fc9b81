"""The platform's folders for settings and state, as text. Quick: `resetbank line` asks each time a prompt is drawn."""

import os
import sys


def folders() -> tuple[str, str]:
    """The folder of the settings and that of all state; `RESETBANK_HOME` is both, where it is set."""
    if home := os.environ.get("RESETBANK_HOME"):
        home = os.path.expanduser(home)
        return home, home
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
        folder = os.path.join(local, "resetbank")
        return folder, folder
    if sys.platform == "darwin":
        folder = os.path.expanduser("~/Library/Application Support/resetbank")
        return folder, folder
    return _xdg("XDG_CONFIG_HOME", "~/.config"), _xdg("XDG_STATE_HOME", "~/.local/state")


def _xdg(variable: str, default: str) -> str:
    folder = os.environ.get(variable, "")
    # A relative one is to be ignored, says the standard.
    return os.path.join(folder if os.path.isabs(folder) else os.path.expanduser(default), "resetbank")


def database_file(state: str) -> str:
    """Where the database is, in the folder of all state."""
    return os.path.join(state, "resetbank.db")
