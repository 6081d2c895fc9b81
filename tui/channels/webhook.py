"""A POST to an address of the person's own: ntfy, Slack, Telegram, Pushover and others. Only its host is ever shown."""

import json
import re
import urllib.request
from functools import partial
from http.client import HTTPException
from urllib.parse import urlsplit

from tui.channels.base import SECONDS, Channel, Notice, in_time, one_line
from tui.errors import NoticeFailed
from tui.settings import NotifySettings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def open_channel(settings: NotifySettings) -> Channel:
    """The channel `webhook`."""

    async def tell(notice: Notice) -> None:
        body = fill(settings.template, notice).encode()
        await in_time(host_of(settings.webhook), partial(_post, settings.webhook, body))

    return tell


def host_of(url: str) -> str:
    """The host of a webhook, all of it that may be shown; the rest is often a secret."""
    return urlsplit(url).hostname or "?"


def may_be_sent(url: str) -> bool:
    """Whether a notice may go there: by https, or to this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def fill(template: str, notice: Notice) -> str:
    """A template with its fields {event}, {title}, {text}, {workspace} and {at} filled in, each escaped for JSON."""
    values = {name: one_line(getattr(notice, name) or "") for name in notice.__struct_fields__}
    escaped = {f"{{{name}}}": json.dumps(value)[1:-1] for name, value in values.items()}
    return re.sub(r"\{\w+\}", lambda match: escaped.get(match[0], match[0]), template)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A notice goes where the person said, and nowhere else."""

    def redirect_request(self, *_arguments: object, **_options: object) -> None:
        return None


def _post(url: str, body: bytes) -> None:
    parts = urlsplit(url)
    if not may_be_sent(url):
        raise NoticeFailed("the webhook is neither https nor on this machine")
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if parts.hostname in _LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", "User-Agent": "resetbank"})  # noqa: S310 - checked above
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS):
            pass
    except urllib.request.HTTPError as error:
        error.close()
        raise NoticeFailed(f"{parts.hostname} answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        # Without the error's own words, which may quote the address.
        raise NoticeFailed(f"{parts.hostname} could not be reached ({type(error).__name__})") from None
