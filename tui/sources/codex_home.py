"""Codex's own folder: where it is, what its config.toml says, and its login. Read only, and never renewed.

The refresh token is never used: a second program that redeems it logs the person out everywhere.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from tui.errors import BadPayload, NotViable, UsageError
from tui.paths import private_file, private_folder, read_small_file, resetbank_paths
from tui.sources.base_url import OFFICIAL, BaseUrl, parse_base_url
from tui.sources.login import Login, Token, header_text, login_by
from tui.wire.fields import clean_text, load_object

SIGN_IN: Final = "sign in with `codex login`"
TOKEN_VARIABLE: Final = "RESETBANK_TOKEN"  # noqa: S105  # the name of a variable, not a token
"""The environment's token for a base URL of one's own, where there is no keyring."""


class CodexConfig(msgspec.Struct, frozen=True):
    """What resetbank needs of config.toml."""

    chatgpt_base_url: str = OFFICIAL
    credentials_store: str = "file"
    """`file`, `keyring`, `auto` or `ephemeral`."""
    plan_providers: frozenset[str] = frozenset({"openai"})
    """The model providers whose requests go out with the ChatGPT login, so that the plan's limit meters them."""

    def base_url(self) -> BaseUrl:
        """The configured address, checked; `NotViable` where a login may not be sent there."""
        try:
            return parse_base_url(self.chatgpt_base_url)
        except UsageError as error:
            raise NotViable(f"chatgpt_base_url of Codex's config.toml: {error.message}", error.hint) from error


class CodexHome(msgspec.Struct, frozen=True):
    """One CODEX_HOME."""

    path: Path

    @property
    def auth_file(self) -> Path:
        """Codex's login."""
        return self.path / "auth.json"

    @property
    def config_file(self) -> Path:
        """Codex's settings."""
        return self.path / "config.toml"

    @property
    def daemon_socket(self) -> Path:
        """Where the running Codex daemon listens."""
        return self.path / "app-server-control" / "app-server-control.sock"

    @property
    def keyring_user(self) -> str:
        """The user name of Codex's keyring entry."""
        return f"cli|{sha256(str(self.path.resolve()).encode()).hexdigest()[:16]}"

    def pays_plan(self, provider: str | None) -> bool:
        """Whether the plan pays for requests to a model provider; where none is named, it is OpenAI's own."""
        if provider in (None, "openai"):
            return True
        try:
            return provider in read_config(self).plan_providers
        except NotViable:
            return False


def find_codex_home(chosen: Path | None = None) -> CodexHome:
    """Codex's folder: the one chosen on the command line, `CODEX_HOME`, or `~/.codex`. It need not exist.

    `UsageError` where the chosen one is no folder.
    """
    if chosen is not None:
        chosen = chosen.expanduser()
        if not chosen.is_dir():
            raise UsageError(f"{chosen} is not a folder", "name the Codex home, the folder of Codex's config.toml")
        return CodexHome(chosen)
    from_environment = os.environ.get("CODEX_HOME")
    return CodexHome(Path(from_environment) if from_environment else Path.home() / ".codex")


def read_config(home: CodexHome) -> CodexConfig:
    """Read config.toml, or raise `NotViable` where that cannot be done; a missing one means Codex's defaults."""
    data = _read(home.config_file)
    if data is None:
        return CodexConfig()
    try:
        config = tomllib.loads(data.decode("utf-8-sig"))  # Codex skips a byte order mark too
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotViable(f"{home.config_file} is not valid TOML", "mend it; Codex cannot read it either") from error
    return CodexConfig(
        _config_text(home, config, "chatgpt_base_url", OFFICIAL),
        _config_text(home, config, "cli_auth_credentials_store", "file"),
        _plan_providers(config),
    )


def _plan_providers(config: Mapping[str, object]) -> frozenset[str]:
    providers = config.get("model_providers")
    named = providers.items() if isinstance(providers, dict) else ()
    with_login = (
        name for name, about in named if isinstance(about, dict) and about.get("requires_openai_auth") is True
    )
    return frozenset({"openai", *with_login})


def _config_text(home: CodexHome, config: Mapping[str, object], key: str, default: str) -> str:
    value = config.get(key, default)
    if not isinstance(value, str):
        raise NotViable(f"{key} in {home.config_file} is not text", "mend it; Codex cannot read it either")
    return value


def outside_link(home: CodexHome) -> Path | None:
    """Where auth.json leads, if that is out of its CODEX_HOME and nobody said yes to that yet.

    A folder made to look like a CODEX_HOME could otherwise have a login from elsewhere sent to any service.
    """
    if not os.path.islink(home.auth_file):  # noqa: PTH114  # False for one that cannot be looked at, as it is here
        return None
    target = home.auth_file.resolve()
    allowed = _allowed_links().get(os.path.abspath(home.auth_file)) == str(target)  # noqa: PTH100  # the link itself
    return None if allowed or target.is_relative_to(home.path.resolve()) else target


def allow_link(home: CodexHome, target: Path) -> None:
    """Keep that the person said yes to this link and this target; `OSError` where it cannot be written down."""
    place = resetbank_paths().links
    private_folder(place.parent)
    private_file(place)
    links = _allowed_links() | {os.path.abspath(home.auth_file): str(target)}  # noqa: PTH100
    place.write_bytes(msgspec.json.encode(links))


def _allowed_links() -> dict[str, str]:
    try:
        return msgspec.json.decode(resetbank_paths().links.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def read_auth_file(home: CodexHome, now: datetime) -> Login | None:
    """Read auth.json; None where there is none, and `NotViable` says what to do where it holds no usable login."""
    target = outside_link(home)
    if target is not None:
        raise NotViable(
            f"{home.auth_file} is a link out of its folder, to {target}",
            "run resetbank on a terminal, which asks once whether to use that login",
        )
    data = _read(home.auth_file)
    return None if data is None else parse_auth(data, now, str(home.auth_file))


def parse_auth(data: bytes, now: datetime, place: str) -> Login:
    """Read a login in Codex's form, from auth.json or from its keyring entry; messages name the place.

    `NotViable` where it holds no ChatGPT login, or an expired one.
    """
    if not data.strip():
        raise NotViable(f"{place} is empty", SIGN_IN)
    try:
        fields = load_object(data, place)
    except BadPayload as error:
        raise NotViable(f"{place} is damaged: {error.message.removeprefix(place).strip()}", SIGN_IN) from error
    mode = fields.get("auth_mode")
    tokens = fields.get("tokens")
    if isinstance(mode, str) and mode.lower() != "chatgpt":
        raise NotViable(f"Codex is signed in by {clean_text(mode, 40)}, which has no banked resets", SIGN_IN)
    if not isinstance(tokens, dict):
        if fields.get("OPENAI_API_KEY"):
            raise NotViable("Codex is signed in by an API key, which has no banked resets", SIGN_IN)
        raise NotViable(f"{place} holds no ChatGPT login", SIGN_IN)
    raw = tokens.get("access_token")
    if not isinstance(raw, str) or not raw:
        raise NotViable(f"{place} holds no access token", SIGN_IN)
    id_token = tokens.get("id_token")
    account_id, about = header_text(tokens.get("account_id")), id_token if isinstance(id_token, str) else ""
    login = login_by(Token(raw), account_id, place, about)
    if login.expires_at is not None and login.expires_at <= now:
        raise NotViable(f"the login expired at {login.expires_at:%Y-%m-%d %H:%M} UTC", "run codex once to refresh it")
    return login


def _read(path: Path) -> bytes | None:
    """A file's bytes; None where it does not exist."""
    try:
        return read_small_file(path)
    except OSError as error:
        raise NotViable(f"cannot read {path}: {error.strerror}", "check who owns it") from error
