"""Fake logins: unsigned JWTs, made here and recognised here; no real token is ever looked at."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tui.sources.login import AUTH_CLAIM, read_claims
from tui.stub.refused import Refused

LIFETIME: Final = timedelta(days=60)
"""Long enough that Codex never wants to refresh it."""


def make_token(account: str, now: datetime, *, plan: str = "plus", email: str = "me@example.com") -> str:
    """An unsigned JWT for one account, good for `LIFETIME`."""
    claims = {
        "email": email,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        AUTH_CLAIM: {"chatgpt_plan_type": plan, "chatgpt_user_id": "user-1", "chatgpt_account_id": account},
    }
    parts = (msgspec.json.encode({"alg": "none", "typ": "JWT"}), msgspec.json.encode(claims), b"unsigned")
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def account_of(headers: Mapping[str, str], now: datetime) -> str:
    """The account that a request is signed in to; `Refused` where the login is missing, broken, expired or disagrees.

    `now` is the machine's moment, not the service's: advancing the service's clock signs nobody out.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "a bearer token is needed")
    claims = read_claims(token)
    if claims.account_id is None or claims.expires_at is None:
        raise Refused(401, "the token cannot be read")
    if now >= claims.expires_at:
        raise Refused(401, "the token has expired")
    if headers.get("chatgpt-account-id") != claims.account_id:
        raise Refused(401, "the token and the header ChatGPT-Account-Id name different accounts")
    return claims.account_id
