"""A folder in which the real Codex CLI runs against the service, apart from the user's own Codex."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tui.clock import Clock
from tui.errors import UsageError
from tui.stub.http.logins import make_token

_MARKER: Final = ".resetbank-sandbox"
"""Only a Codex home with this file in it is ever written over: it may hold nobody's real login."""


class Sandboxes:
    """A sandbox for every account: the main one's in the folder itself, the others' below it.

    Args:
        folder: Where.
        base_url: The service's base URL, ending in `/backend-api`.
        clock: The machine's clock, for the logins' lifetime.
    """

    def __init__(self, folder: Path, base_url: str, clock: Clock) -> None:
        self._folder = folder
        self._base_url = base_url
        self._clock = clock

    def write_main(self, account: str, plan: str, email: str) -> Path:
        """Write the main account's; the folder, absolute.

        Raises:
            UsageError: It cannot be written, or it holds a Codex home that is not a sandbox.
        """
        return self._write(self._folder, account, plan, email)

    def write(self, account: str, plan: str, email: str) -> Path:
        """Write a further account's, as above."""
        return self._write(self._home(account), account, plan, email)

    def holds(self, account: str) -> bool:
        """Whether a further account has one."""
        return self._home(account).is_dir()

    def _home(self, account: str) -> Path:
        return self._folder / "accounts" / account

    def _write(self, folder: Path, account: str, plan: str, email: str) -> Path:
        return write_sandbox(folder, self._base_url, account, self._clock.now(), plan=plan, email=email)


def write_sandbox(
    folder: Path, base_url: str, account: str, now: datetime, *, plan: str = "plus", email: str = "me@example.com"
) -> Path:
    """Write `codex-home` and `workspace` into a folder.

    Args:
        folder: Where; made if it is missing.
        base_url: The service's base URL, ending in `/backend-api`.
        account: The account to sign in as.
        now: The present moment, for the login's lifetime.
        plan: The account's plan.
        email: The account's address.

    Returns:
        The folder, absolute.

    Raises:
        UsageError: It cannot be written, or it holds a Codex home that is not a sandbox.
    """
    folder = folder.expanduser().absolute()
    home, workspace = folder / "codex-home", folder / "workspace"
    try:
        if home.exists() and any(home.iterdir()) and not (home / _MARKER).exists():
            raise UsageError(f"{home} is not a sandbox of resetbank", "choose an empty folder with --sandbox")
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        workspace.mkdir(exist_ok=True)
        (home / _MARKER).touch()
        _write_private(home / "auth.json", msgspec.json.encode(_login(account, plan, email, now)))
        (home / "config.toml").write_text(_config(base_url, workspace.resolve()), "utf-8")
    except (OSError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or "its name is not UTF-8 text"
        raise UsageError(
            f"the sandbox {str(folder)!a} cannot be written: {reason}", "choose another with --sandbox"
        ) from error
    return folder


def _login(account: str, plan: str, email: str, now: datetime) -> dict[str, object]:
    token = make_token(account, now, plan=plan, email=email)
    tokens = {"id_token": token, "access_token": token, "refresh_token": "none", "account_id": account}
    last_refresh = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": last_refresh}


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _config(base_url: str, workspace: Path) -> str:
    return f"""\
chatgpt_base_url = {_quoted(base_url)}
model = "gpt-5.5"
model_provider = "sandbox"

[model_providers.sandbox]
name = "sandbox"
base_url = {_quoted(base_url + "/codex")}
wire_api = "responses"
requires_openai_auth = true
request_max_retries = 0
stream_max_retries = 0
supports_websockets = false

[projects.{_quoted(str(workspace))}]
trust_level = "trusted"
"""


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same but for one control character."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
