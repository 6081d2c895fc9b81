"""The keyring: logins for base URLs of one's own, and Codex's entry. The only importer of keyring.

The library keyring is used where it is installed: always on macOS and Windows, with the extra `keyring` on Linux, where
the Secret Service is asked directly without it.

A keyring may wait for a person to unlock it, for ever. Every call runs in a daemon thread with a deadline, so that
neither the program nor its exit waits along. Each raises `NotViable` where there is no keyring on this machine, or it
refuses or does not answer in time.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec

from tui.concurrency import in_loose_thread
from tui.errors import BadPayload, NotViable
from tui.sources.base_url import BaseUrl
from tui.sources.codex_home import CodexHome
from tui.sources.login import Login, Token, header_text, login_by
from tui.wire.fields import load_object

SERVICE: Final = "resetbank"
CODEX_SERVICE: Final = "Codex Auth"
DEADLINE: Final = 5.0
"""Seconds that a keyring may take; enough for a machine under load, too short for a forgotten prompt."""

WITHOUT_KEYRING: Final = "set RESETBANK_TOKEN in the environment instead"

Result = TypeVar("Result")


async def store_login(base_url: BaseUrl, token: Token, account_id: str | None) -> None:
    """Keep a token for a base URL."""
    entry = msgspec.json.encode({"token": token.reveal(), "account_id": account_id}).decode()
    await _ask(lambda: _backend().set_password(SERVICE, base_url.url, entry))


async def stored_login(base_url: BaseUrl) -> Login | None:
    """The login that is kept for a base URL; None where nothing is, `NotViable` too where the entry is damaged."""
    entry = await _ask(lambda: _backend().get_password(SERVICE, base_url.url))
    if entry is None:
        return None
    try:
        fields = load_object(entry.encode(), "the stored login")
        token = fields.get("token")
        if isinstance(token, str):
            return login_by(Token(token), header_text(fields.get("account_id")), "resetbank login")
    except (BadPayload, UnicodeEncodeError):
        pass
    raise NotViable(f"the stored login for {base_url.host} is damaged", "run `resetbank login` again")


async def forget_login(base_url: BaseUrl) -> bool:
    """Remove what is kept for a base URL; whether there was anything."""

    def forget() -> bool:
        keyring = _backend()
        if keyring.get_password(SERVICE, base_url.url) is None:
            return False
        keyring.delete_password(SERVICE, base_url.url)
        return True

    return await _ask(forget)


async def codex_entry(home: CodexHome) -> str | None:
    """Codex's own keyring entry, the JSON of an auth.json (wire/README.md, "Logins"); None where there is none."""
    return await _ask(lambda: _backend().get_password(CODEX_SERVICE, home.keyring_user))


class _Keyring(Protocol):
    """What both ways to a keyring can do."""

    def get_password(self, service: str, username: str, /) -> str | None: ...

    def set_password(self, service: str, username: str, password: str, /) -> None: ...

    def delete_password(self, service: str, username: str, /) -> None: ...


def _backend() -> _Keyring:
    missing = NotViable("no keyring backend on this machine", WITHOUT_KEYRING)
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        if not sys.platform.startswith("linux") or os.environ.get("PYTHON_KEYRING_BACKEND"):
            raise missing from None  # a backend that was named belongs to the library
        return _secret_service(missing)
    if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
        raise missing
    return keyring


def _secret_service(missing: NotViable) -> _Keyring:
    from tui.sources import secret_service

    if not secret_service.is_there():
        raise missing
    return secret_service


async def _ask(call: Callable[[], Result]) -> Result:
    try:
        async with asyncio.timeout(DEADLINE):
            return await in_loose_thread(call)
    except TimeoutError as error:
        raise NotViable(
            f"the keyring did not answer within {DEADLINE:g} s; it may wait to be unlocked", WITHOUT_KEYRING
        ) from error
    except NotViable:
        raise
    except Exception as error:
        # Backends put all kinds of things into their messages: show only the kind of error.
        raise NotViable(f"the keyring refused ({type(error).__name__})", WITHOUT_KEYRING) from error
