"""A folder in which the real Codex CLI runs against the service, apart from the user's own Codex."""

from pathlib import Path
from typing import Final

import msgspec

from tui.clock import Clock
from tui.errors import UsageError
from tui.paths import private_file, private_folder
from tui.stub.http.logins import make_token
from tui.stub.scenarios import MAIN_ACCOUNT, MODEL

_MARKER: Final = ".resetbank-sandbox"
"""Only a Codex home with this file in it is ever written over: it may hold nobody's real login."""


class Sandboxes:
    """A sandbox for every account: the main one's in the folder itself, the others' below it."""

    def __init__(self, folder: Path, base_url: str, clock: Clock) -> None:
        self._folder = folder.expanduser().absolute()
        self._base_url = base_url
        self._clock = clock

    def holds(self, account: str) -> bool:
        """Whether an account has one."""
        return self._place(account).is_dir()

    def write(self, account: str, plan: str, email: str) -> Path:
        """Write an account's `codex-home` and `workspace`; the folder, absolute.

        Raises:
            UsageError: It cannot be written, or it holds a Codex home that is not a sandbox.
        """
        folder = self._place(account)
        home, workspace = folder / "codex-home", folder / "workspace"
        try:
            if home.exists() and any(home.iterdir()) and not (home / _MARKER).exists():
                raise UsageError(f"{home} is not a sandbox of resetbank", "choose an empty folder with --sandbox")
            for place in (self._folder, folder.parent, folder, home, workspace):
                if place in (home, workspace) or not place.exists():
                    private_folder(place)
            private_file(home / _MARKER)
            for name, content in (
                ("auth.json", self._login(account, plan, email)),
                ("config.toml", self._config(workspace)),
            ):
                private_file(home / name)
                (home / name).write_bytes(content)
        except (OSError, UnicodeEncodeError) as error:
            reason = getattr(error, "strerror", None) or "its name is not UTF-8 text"
            raise UsageError(
                f"the sandbox {str(folder)!a} cannot be written: {reason}", "choose another with --sandbox"
            ) from error
        return folder

    def _place(self, account: str) -> Path:
        return self._folder if account == MAIN_ACCOUNT else self._folder / "accounts" / account

    def _login(self, account: str, plan: str, email: str) -> bytes:
        now = self._clock.now()
        token = make_token(account, now, plan=plan, email=email)
        tokens = {"id_token": token, "access_token": token, "refresh_token": "none", "account_id": account}
        login = {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens}
        return msgspec.json.encode(login | {"last_refresh": now.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def _config(self, workspace: Path) -> bytes:
        base_url, project = self._base_url, _quoted(str(workspace.resolve()))
        return f"""\
chatgpt_base_url = {_quoted(base_url)}
model = "{MODEL}"
model_provider = "sandbox"

[model_providers.sandbox]
name = "sandbox"
base_url = {_quoted(base_url + "/codex")}
wire_api = "responses"
requires_openai_auth = true
request_max_retries = 0
stream_max_retries = 0
supports_websockets = false

[projects.{project}]
trust_level = "trusted"
""".encode()


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same but for one control character."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
