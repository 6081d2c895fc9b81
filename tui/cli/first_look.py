"""What the first start with a login tells: Codex's version, its folder and the kind of login, each only looked at."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui.errors import ResetbankError

if TYPE_CHECKING:
    from tui.settings import Settings
    from tui.sources.codex_home import CodexHome
    from tui.ui.view.welcome import Found


def is_ordinary(arguments: argparse.Namespace, settings: "Settings") -> bool:
    """Whether this start asks for nothing but Codex's usual account."""
    asked_for = arguments.demo, arguments.base_url, arguments.account
    return asked_for == (None, None, None) and arguments.source in (None, "auto") and not settings.accounts


def look(arguments: argparse.Namespace, settings: "Settings", settings_path: Path) -> "Found":
    """Look around; takes as long as Codex takes to say its version."""
    from tui.cli.accounts import codex_home
    from tui.sources.codex_program import codex_version
    from tui.sources.logins import choose_base_url
    from tui.ui.view.welcome import Found

    home, version, is_real = codex_home(arguments), None, False
    with suppress(ResetbankError):  # a daemon or a login alone will do
        version = codex_version(settings.codex.command)
    with suppress(ResetbankError):  # the screen says why
        is_real = not choose_base_url(None, home)[0].loopback
    return Found(version, short(home.path), _login(home), short(settings_path), is_real=is_real)


def _login(home: "CodexHome") -> str:
    """The kind of login and where it is, without a name; the keyring is not asked, which might ask the person."""
    from tui.clock import SystemClock
    from tui.sources.codex_home import read_auth_file, read_config

    try:
        if read_auth_file(home, SystemClock().now()) is not None:
            return f"ChatGPT, in {short(home.auth_file)}"
        if read_config(home).credentials_store in ("keyring", "auto"):
            return "ChatGPT, in the system's keyring"
    except ResetbankError as error:
        return error.message
    return "Codex's own"


def short(path: Path) -> str:
    """A path as a person writes it: `~` for the own folder."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
