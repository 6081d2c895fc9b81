"""Asking over HTTP. The only importer of httpx.

A login goes only to the checked base URL, never across a redirect, never through a proxy to this machine. Every answer
is read up to a size and within one deadline, whatever the server does.
"""

import asyncio
import ssl
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from tui.errors import NotViable
from tui.sources.answers import LARGEST_ANSWER, Answer, Failed, TooLarge, request_headers
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login

_CONNECT_SHARE: Final = 0.4


class HttpAsker:
    """Sends single requests of one login to one base URL, each within its deadline and up to a size.

    Building it loads the certificates for https, tens of milliseconds; it may be built in a thread.

    Raises:
        NotViable: The environment's proxy or certificates cannot be used.
    """

    def __init__(self, base_url: BaseUrl) -> None:
        self._base_url = base_url
        try:
            self._client = _client(base_url)
        except Exception as error:
            # Proxies, exceptions from them and certificates come from the environment, and httpx knows its own kinds
            # of each; what it says may quote a proxy's password.
            raise NotViable(
                "the environment's settings for proxies or certificates cannot be used",
                "set HTTPS_PROXY to http://host:port, or unset ALL_PROXY, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE",
            ) from error

    async def ask(self, method: str, url: str, login: Login, deadline: float, body: bytes | None = None) -> Answer:
        """Send one request and read its whole answer; see `Asker.ask`."""
        host, headers = self._base_url.host, request_headers(login, body)
        sent = False

        async def trace(event: str, info: object) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        # Connecting and the TLS handshake get a share each, so that httpx ends them itself and closes their socket.
        timeout = httpx.Timeout(None, connect=deadline * _CONNECT_SHARE)
        try:
            async with asyncio.timeout(deadline):
                request = self._client.stream(
                    method,
                    url,
                    headers=headers,
                    content=body,
                    extensions={"trace": trace},
                    timeout=timeout,
                )
                async with request as response:
                    return Answer(host, response.status_code, dict(response.headers), await _body(response))
        except TooLarge as error:
            raise error.failed(host) from error
        except TimeoutError as error:
            raise Failed(f"{host} did not answer within {deadline:g} s", sent=sent) from error
        except Exception as error:
            # Everything that httpx can raise; a test goes through all of httpx's.
            raise Failed(failure_reason(error, host), sent=sent) from None

    async def aclose(self) -> None:
        """Close the connections."""
        with suppress(TimeoutError, httpx.HTTPError, OSError):
            async with asyncio.timeout(0.3):
                await self._client.aclose()


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TooLarge  # not asked for; a packed megabyte can be a gigabyte
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def failure_reason(error: Exception, host: str) -> str:
    """Say in a clause why a request failed. The error's own text may quote anything and is not used."""
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return f"no connection to {host} in time"
        case httpx.TimeoutException():
            return f"{host} did not answer in time"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return f"the certificate of {host} is not trusted"
        case httpx.ConnectError():
            return f"no connection to {host}"
        case httpx.ProxyError():
            return f"the proxy refused a connection to {host}"
        case httpx.DecodingError() | httpx.RemoteProtocolError():
            return f"{host} broke off or does not speak HTTP"
        case httpx.TransportError() | OSError():
            return f"the connection to {host} broke"
        case _:
            return f"the request to {host} failed"


def _client(base_url: BaseUrl) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        # Plain http needs no certificates: an empty context costs nothing and would trust nobody.
        verify=True if base_url.secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        # A proxy from the environment must never see what is meant for this machine.
        trust_env=not base_url.loopback,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept, so none is sent
        timeout=None,  # noqa: S113  # each request brings its own
    )
