"""A login to the quota endpoint: the token, which never shows itself, and what its claims say."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec

from tui.errors import BadPayload, NotViable
from tui.wire.fields import FieldReader, load_object

_LONGEST_TOKEN: Final = 64 * 1024
AUTH_CLAIM: Final = "https://api.openai.com/auth"
_PROFILE_CLAIM: Final = "https://api.openai.com/profile"


class Token:
    """A secret that no print, log, comparison of messages or error can show.

    Raises:
        NotViable: It could not be sent in a header: empty, absurdly long, or with other than visible ASCII in it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value or len(value) > _LONGEST_TOKEN or not all("!" <= character <= "~" for character in value):
            raise NotViable("the login's token is malformed", "sign in again")
        self._value = value

    def reveal(self) -> str:
        """The token, for the one header that it belongs in."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Token(…)"

    def __reduce__(self) -> str:
        raise TypeError("a token is never stored by pickling")


class Login(msgspec.Struct, frozen=True):
    """Who signs the requests."""

    access_token: Token
    account_id: str | None
    """None where an opaque token of one's own does not say."""
    fedramp: bool = False
    plan: str | None = None
    email: str | None = None
    expires_at: datetime | None = None
    """When the access token lapses; None where it does not say."""
    origin: str = ""
    """Where it was found, in a few words, for `resetbank doctor`."""


def login_by(token: Token, account_id: str | None, origin: str, id_token: str = "") -> Login:
    """The login of a token with what its claims say, and where they say nothing, those of the id token beside it."""
    access, about = read_claims(token.reveal()), read_claims(id_token)
    return Login(
        access_token=token,
        account_id=account_id or access.account_id or about.account_id,
        fedramp=access.fedramp or about.fedramp,
        plan=access.plan or about.plan,
        email=access.email or about.email,
        expires_at=access.expires_at,
        origin=origin,
    )


LoginProvider = Callable[[], Awaitable[Login]]
"""Finds the login afresh at each call, since Codex renews it; raises `NotViable` with the reason there is none."""


def fixed_login(login: Login) -> LoginProvider:
    """A provider for a login that never changes, such as the embedded stub's."""

    async def provide() -> Login:
        return login

    return provide


class Claims(msgspec.Struct, frozen=True):
    """What a JWT says about its bearer; read, not verified, since the service verifies it."""

    account_id: str | None = None
    plan: str | None = None
    email: str | None = None
    fedramp: bool = False
    expires_at: datetime | None = None


def read_claims(token: str) -> Claims:
    """Read a JWT's claims; an opaque token, or one that makes no sense, says nothing."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        payload = load_object(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), "the token")
    except (binascii.Error, ValueError, BadPayload):
        return Claims()
    reader = FieldReader()
    auth = reader.mapping(payload.get(AUTH_CLAIM), "auth") or {}
    profile = reader.mapping(payload.get(_PROFILE_CLAIM), "profile") or {}
    return Claims(
        account_id=header_text(auth.get("chatgpt_account_id")),
        plan=reader.text(auth.get("chatgpt_plan_type"), "plan", 120),
        email=reader.text(profile.get("email") or payload.get("email"), "email", 254),
        fedramp=auth.get("chatgpt_account_is_fedramp") is True,
        expires_at=reader.moment(payload.get("exp"), "exp"),
    )


def header_text(value: object) -> str | None:
    """An account id that can be sent in a header; None for anything else."""
    if isinstance(value, str) and 0 < len(value) <= 200 and all("!" <= character <= "~" for character in value):
        return value
    return None
