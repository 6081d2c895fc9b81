"""What an HTTP answer of the quota endpoint means (wire/README.md, "Usage"), however it was fetched."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from tui import __version__
from tui.errors import (
    BadPayload,
    ConsumeRejected,
    NotViable,
    OutcomeUnknown,
    RateLimited,
    SignedOut,
    SourceDown,
)
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login, LoginProvider

LARGEST_ANSWER: Final = 1 << 20
"""Bytes of an answer that are read; real ones are a few thousand."""

_LONGEST_PAUSE: Final = 24 * 3600.0
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
FINISH: Final = "resetbank looks at the bank, and sends it again only while the reset is still there"
"""What happens next with a spend whose outcome is unknown."""


class Answer(msgspec.Struct, frozen=True):
    """A whole answer, of any status."""

    host: str
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def __repr__(self) -> str:
        """Status and size; a body may hold personal data."""
        return f"Answer({self.host!r}, {self.status}, {len(self.body)} bytes)"


class Failed(Exception):  # the other errors are named that way too
    """No whole answer came.

    Args:
        reason: Why, one clause.
        sent: Whether the request, or a part of it, may have reached the server.
        odd: Whether asking again is no use, because the answer itself is at fault.
    """

    def __init__(self, reason: str, *, sent: bool, odd: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.odd = odd


class TooLarge(Exception):
    """An answer that does not end, or comes packed."""

    def failed(self, host: str) -> Failed:
        """What is said of it."""
        return Failed(f"{host} answers more than {LARGEST_ANSWER >> 20} MiB", sent=True, odd=True)


class Asker(Protocol):
    """Sends single requests of one login to one base URL."""

    async def ask(self, method: str, url: str, login: Login, deadline: float, body: bytes | None = None) -> Answer:
        """Send one request below the base URL and read its whole answer, all of it within `deadline` seconds.

        Raises:
            Failed: No whole answer came; says whether the request may have arrived.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


def request_headers(login: Login, body: bytes | None) -> dict[str, str]:
    """What a request says of itself and of its login."""
    headers = {
        "User-Agent": f"resetbank/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": f"Bearer {login.access_token.reveal()}",
    }
    if login.account_id is not None:
        headers["ChatGPT-Account-Id"] = login.account_id
    if login.fedramp:
        headers["X-OpenAI-Fedramp"] = "true"
    if body is not None:
        headers["Content-Type"] = "application/json"
    return headers


def login_trouble(who: str, status: int, text: bytes | str) -> SignedOut | None:
    """What a refused login means and what helps, by the code in the answer, whose own text is not quoted.

    `who` refuses, for the message. None where nothing is known of that status.
    """
    if status not in (401, 402, 403):
        return None
    text = text if isinstance(text, str) else text[:_LONGEST_REFUSAL].decode("utf-8", "replace")
    code = _CODE.search(text[:_LONGEST_REFUSAL])
    said = (code[1] if code else text[:_LONGEST_REFUSAL]).lower()
    for words, meaning, hint in _REFUSALS:
        if any(word in said for word in words):
            return SignedOut(f"{who}: {meaning} ({status})", hint)
    return {
        401: SignedOut(f"{who} refuses the login (401)", "run codex once to refresh your login"),
        402: SignedOut(f"{who} asks for payment (402)", "look at the plan of this account"),
    }.get(status)


_LONGEST_REFUSAL: Final = 4096
_CODE: Final = re.compile(r'"code"\s*:\s*"(\w+)"')
_REFUSALS: Final = (
    (("workspace",), "the workspace is deactivated or closed to you", "choose another workspace with `codex login`"),
    (("account_deactivated", "account_suspended"), "the account is deactivated", "ask OpenAI's support"),
    (("unsupported_country",), "the service is not offered where you are", ""),
    (
        ("revoked", "invalidated", "token_reused", "terminated", "log in again", "sign in again"),
        "the login was ended",
        "sign in again with `codex login`",
    ),
)
"""Codes of a refusal, what they mean, and what helps."""


def open_asker(base_url: BaseUrl, app: Callable[..., Any] | None = None) -> Asker:
    """What sends the requests: over the network, whose library is loaded only now, or to an ASGI app in this process.

    `NotViable` where the environment's proxy or certificates cannot be used.
    """
    if app is not None:
        from tui.sources.app_asker import AppAsker

        return AppAsker(base_url, app)
    from tui.sources.http_asker import HttpAsker

    return HttpAsker(base_url)


async def find_login(find: LoginProvider) -> Login:
    """The login of the moment, or `SignedOut` where there is none that can be used."""
    try:
        return await find()
    except NotViable as error:
        raise SignedOut(error.message, error.hint) from error


async def to_read(asked: Awaitable[Answer]) -> Answer:
    """The answer to a request that changes nothing.

    Raises:
        SourceDown: No whole answer came.
        BadPayload: What came is no answer.
    """
    try:
        return await asked
    except Failed as failure:
        if failure.odd:
            raise BadPayload(failure.reason, "check the base URL") from failure
        raise SourceDown(failure.reason, "" if failure.sent else "check the network") from failure


def read_trouble(answer: Answer, now: datetime) -> None:
    """Let a usable answer to a reading pass.

    Raises:
        RateLimited: 429, or 503 with a time to wait.
        SignedOut: 401, or 403 from the service itself.
        SourceDown: Another status of failure, or a guard in front of the service.
        BadPayload: A redirect, a web page, or no such endpoint.
    """
    host, status = answer.host, answer.status
    pause = retry_after(answer, now)
    if status == 429:
        raise RateLimited(f"{host} asks for fewer requests (429)", pause)
    if status == 503 and pause is not None:
        raise RateLimited(f"{host} is busy (503)", pause)
    if is_challenge(answer):
        raise SourceDown(f"a Cloudflare check stands before {host} ({status})", "use --source codex")
    if 300 <= status < 400:
        raise BadPayload(f"{host} redirects elsewhere ({status}); a login does not follow", "check the base URL")
    if (trouble := login_trouble(host, status, answer.body)) is not None:
        raise trouble
    if is_web_page(answer):
        raise BadPayload(f"{host} answers a web page instead of numbers ({status})", "check the base URL")
    if status == 403:
        raise SignedOut(f"{host} forbids this login to read the limits (403)", "sign in to an account that may")
    if status == 404:
        raise BadPayload(f"{host} has no such endpoint (404)", "check the base URL")
    if status != 200:
        raise SourceDown(f"{host} answers {status}")


def surely_refused(status: int | None) -> bool:
    """Whether a status of a spend refuses it before any effect; after 408 and 409 the effect may still be there."""
    return status is not None and 400 <= status < 500 and status not in (408, 409)


def consume_verdict(answer: Answer) -> None:
    """Let an answer to a spend pass that may hold an outcome.

    Raises:
        ConsumeRejected: A refusal that surely came before any effect.
        OutcomeUnknown: Any other status than 200.
    """
    status = answer.status
    if status == 200:
        return
    if surely_refused(status):
        trouble = login_trouble(answer.host, status, answer.body)
        next_step = "wait a minute and try again" if status == 429 else trouble.hint if trouble else ""
        raise ConsumeRejected(f"{answer.host} refused the spend ({status})", next_step)
    raise OutcomeUnknown(f"{answer.host} answered the spend with {status}", FINISH)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds that the service asks to wait (a day at most), given as such or as a date; None where it says nothing."""
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _LONGEST_PAUSE)
    moment = http_date(text)
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), _LONGEST_PAUSE)


def http_date(text: str) -> datetime | None:
    """A date as HTTP headers write it; None for anything else."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # the embedded service sends no date

    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def is_web_page(answer: Answer) -> bool:
    """Whether the answer is HTML."""
    start = answer.body[:200].lstrip().lower()
    return "html" in answer.headers.get("content-type", "").lower() or start.startswith((b"<!doctype", b"<html"))


def is_challenge(answer: Answer) -> bool:
    """Whether a Cloudflare check answered in the service's place."""
    if "cf-mitigated" in answer.headers:
        return True
    return is_web_page(answer) and (b"challenge-platform" in answer.body or b"cf_chl_opt" in answer.body)
