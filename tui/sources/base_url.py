"""Where the quota endpoint is, and whether a login may be sent there: only to https, or to this very machine."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from tui.errors import UsageError

OFFICIAL: Final = "https://chatgpt.com/backend-api"
"""Where Codex goes when its config.toml names no other address."""

_OFFICIAL_HOSTS: Final = frozenset({"chatgpt.com", "chat.openai.com"})
_HOST_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


PAST_DAYS: Final = 28
"""So many days of past windows are asked for."""


class BaseUrl(msgspec.Struct, frozen=True):
    """A checked address; only `parse_base_url` makes one."""

    url: str
    """Without a slash at its end."""
    secure: bool
    """Over TLS."""
    loopback: bool
    """On this machine; then no proxy may see what is sent."""

    @property
    def usage(self) -> str:
        """The usage endpoint; its path depends on the style of the base."""
        return f"{self.url}/{self._style}/usage"

    @property
    def credits(self) -> str:
        """The endpoint that lists the banked resets."""
        return f"{self.url}/{self._style}/rate-limit-reset-credits"

    def history(self, cursor: str | None = None) -> str:
        """Where the service keeps its own history of resets, if it does; a cursor is what the page before gave."""
        return f"{self.credits}/history" + (f"?cursor={quote(cursor, safe='')}" if cursor else "")

    @property
    def past_periods(self) -> str:
        """Where the service tells how full past windows were, if it does."""
        return f"{self.usage}/plan_limit_history?days={PAST_DAYS}"

    @property
    def thread_usage(self) -> str:
        """Where the service tells what threads took, if it does."""
        return f"{self.usage}/thread_usage/query_v2"

    @property
    def consume(self) -> str:
        """The endpoint that spends one."""
        return f"{self.credits}/consume"

    @property
    def referrals(self) -> str:
        """The referral endpoints."""
        return f"{self.url}/referrals"

    @property
    def run_by_openai(self) -> bool:
        """Whether it is one of OpenAI's own hosts by its name, with or without a login for it."""
        host = urlsplit(self.url).hostname or ""
        return host in _OFFICIAL_HOSTS or host.endswith((".chatgpt.com", ".openai.com"))

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme, host and port: which server it is."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.netloc.removesuffix(":443" if self.secure else ":80")

    @property
    def host(self) -> str:
        """Host and port, for error lines."""
        return urlsplit(self.url).netloc

    @property
    def _style(self) -> str:
        return "wham" if "/backend-api" in self.url else "api/codex"

    def __str__(self) -> str:
        """The address."""
        return self.url


def parse_base_url(text: str) -> BaseUrl:
    """Check an address and write it in its one normal form.

    Raises:
        UsageError: Not a URL, neither https nor loopback, or with a password in it; the address is quoted only where
            it cannot hold one.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError("the base URL is not a URL", f"write it like {OFFICIAL}") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UsageError("the base URL holds a user name or password", "remove it; `resetbank login` keeps a token")
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("the base URL is not a URL", f"write it like {OFFICIAL}")
    if parts.query or parts.fragment or "\\" in text or any(c.isspace() or not c.isprintable() for c in text):
        raise UsageError("the base URL holds more than an address", f"write it like {OFFICIAL}")
    shown, loopback = _host(host)
    if parts.scheme == "http" and not loopback:
        raise UsageError(
            f"the base URL {parts.scheme}://{shown} is neither https nor on this machine",
            "a login is only sent to https or loopback",
        )
    path = quote(parts.path.rstrip("/"), safe="/%-._~")
    is_official = parts.scheme == "https" and host in _OFFICIAL_HOSTS and port in (None, 443)
    if is_official and "/backend-api" not in path:
        path += "/backend-api"
    # Put together anew from what was checked, so that no other reader of URLs can understand it differently.
    url = f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{path}"
    return BaseUrl(url, parts.scheme == "https", loopback)


def _host(host: str) -> tuple[str, bool]:
    try:
        address = ip_address(host)
    except ValueError:
        pass
    else:
        return (f"[{address}]" if address.version == 6 else str(address)), address.is_loopback
    try:
        name = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError as error:
        raise UsageError("the base URL has no valid host", f"write it like {OFFICIAL}") from error
    if not _HOST_NAME.fullmatch(name):
        raise UsageError("the base URL has no valid host", f"write it like {OFFICIAL}")
    return name, name == "localhost"
