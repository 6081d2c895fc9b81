"""Which login goes to which base URL. A login for the official service never goes to a foreign host.

1. `RESETBANK_TOKEN`, for a base URL of one's own (`--base-url`) only.
2. Codex's login, where that CODEX_HOME's config.toml names this base URL, or says nothing and it is the
   official one: nowhere else would Codex itself send it.
3. What `resetbank login` stored for a base URL of one's own.

Codex's login is read from auth.json, or from Codex's keyring entry where config.toml says so.
"""

import os

import msgspec

from tui.clock import Clock
from tui.errors import NotViable
from tui.sources.base_url import BaseUrl, parse_base_url
from tui.sources.codex_home import SIGN_IN, TOKEN_VARIABLE, CodexHome, parse_auth, read_auth_file, read_config
from tui.sources.login import Login, Token, login_by


class Logins(msgspec.Struct, frozen=True):
    """Finds the login for one base URL, afresh at each call."""

    home: CodexHome
    base_url: BaseUrl
    own: bool
    """Whether the base URL was given by the person rather than taken from Codex's configuration."""
    clock: Clock
    takes_variable: bool = True
    """Whether RESETBANK_TOKEN may be for this service: it is for one that the command line names alone."""

    async def __call__(self) -> Login:
        """Find the login, or raise `NotViable` with what to do where there is none that may be used here."""
        if self.own and self.takes_variable and (token := os.environ.get(TOKEN_VARIABLE)):
            return login_by(Token(token.strip()), None, TOKEN_VARIABLE)
        reasons: list[str] = []
        if _belongs(self.home, self.base_url):
            try:
                return await codex_login(self.home, self.clock)
            except NotViable as error:
                if not self.own:
                    raise
                reasons.append(error.message)
        try:
            from tui.sources import secrets

            login = await secrets.stored_login(self.base_url)
            if login is not None:
                return login
        except NotViable as error:
            reasons.append(error.message)
        raise NotViable(
            f"there is no login for {self.base_url.host}{': ' if reasons else ''}{', '.join(reasons)}",
            f"run `resetbank login --base-url {self.base_url}`"
            + (f" or set {TOKEN_VARIABLE}" if self.takes_variable else ""),
        )


def choose_base_url(chosen: str | None, home: CodexHome) -> tuple[BaseUrl, bool]:
    """The base URL to use, and whether it is one of the person's own.

    Where a login may not be sent there, it is `UsageError` for a chosen one, and `NotViable` for Codex's.
    """
    if chosen is not None:
        return parse_base_url(chosen), True
    return read_config(home).base_url(), False


async def codex_login(home: CodexHome, clock: Clock) -> Login:
    """Codex's own login, from the file or the keyring; `NotViable` where there is none that can be used."""
    store = read_config(home).credentials_store
    if store == "ephemeral":
        raise NotViable("Codex keeps its login in memory only", "use --source daemon or --source codex")
    if store != "keyring":
        # Saving to the keyring deletes the file, so with `auto` a file that is there is the login.
        login = read_auth_file(home, clock.now())
        if login is not None:
            return login
    if store in ("keyring", "auto"):
        from tui.sources import secrets

        entry = await secrets.codex_entry(home)
        if entry is not None:
            return parse_auth(entry.encode(errors="replace"), clock.now(), "Codex's keyring entry")
        raise NotViable("Codex has no login in the keyring", f"{SIGN_IN}, or use --source codex")
    raise NotViable(f"Codex is not signed in: there is no {home.auth_file}", SIGN_IN)


def _belongs(home: CodexHome, base_url: BaseUrl) -> bool:
    """Whether Codex itself would send its login there."""
    try:
        return read_config(home).base_url().url == base_url.url
    except NotViable:
        return False
