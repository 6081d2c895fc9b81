"""The sources `daemon` and `codex`: Codex's own app-server, over the daemon's socket or a child's stdio.

Codex keeps and renews the login itself; no token passes through here. The facts: wire/README.md, "App-server".
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NoReturn, Self

import msgspec

from tui.clock import Clock
from tui.domain.snapshot import Provenance, Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeRequest
from tui.errors import (
    BadPayload,
    ConsumeRejected,
    NotViable,
    OutcomeUnknown,
    RateLimited,
    SignedOut,
    SourceDown,
    SourceError,
)
from tui.sources.answers import FINISH, Failed, login_trouble, surely_refused
from tui.sources.appserver_client import AppServerClient, Refused
from tui.sources.appserver_transports import Transport, start_codex
from tui.sources.base import SourceName
from tui.sources.codex_home import SIGN_IN, CodexHome
from tui.wire import appserver as wire
from tui.wire.consume import decode_consume
from tui.wire.credits import without_rows
from tui.wire.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, News, Refusal

HANDSHAKE_DEADLINE: Final = 6.0
READ_DEADLINE: Final = 10.0
CONSUME_DEADLINE: Final = 12.0
"""Seconds; the server gives a consume 10 itself."""

_BANKED_RESETS_LOGIN: Final = "chatgpt"


class AppServerSource:
    """An app-server that is signed in; implements `tui.sources.base.Source`."""

    name: SourceName = "codex"
    experimental = False
    """Whether Codex's experimental methods are needed."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._clock = clock
        self._news = asyncio.Event()
        self._login: wire.Login | None = None
        self._account_id: str | None = None
        self._account_changes = 0
        self._takes_params = True
        self._client = AppServerClient(transport, self._hear, self._line_broke)

    async def prove(self) -> Self:
        """Exchange the first messages and see that somebody is signed in with ChatGPT; itself, or closed.

        Raises:
            NotViable: It speaks otherwise, nobody is signed in, or not in a way that has banked resets.
        """
        try:
            await self._greet()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def _greet(self) -> None:
        try:
            await self._client.greet(HANDSHAKE_DEADLINE, experimental=self.experimental)
            await self._read_login(HANDSHAKE_DEADLINE)
        except Failed as error:
            raise NotViable(error.reason, "run codex once to see what is wrong") from error
        except Refused as error:
            raise NotViable(f"Codex refuses the connection ({error})", "update codex") from error
        except (SignedOut, BadPayload) as error:
            raise NotViable(error.message, error.hint) from error

    async def read(self, *, with_credits: bool) -> Snapshot:
        """Read limits and bank; see `Source.read`."""
        changes = self._account_changes
        try:
            login = self._login or await self._read_login(READ_DEADLINE)
            body = await self._read_limits(with_credits)
        except Failed as error:
            raise SourceDown(error.reason) from error
        except Refused as error:
            _raise_read_error(error.refusal)
        snapshot = wire.decode_rate_limits(body, Provenance(self.name, self._clock.now()), login)
        if changes == self._account_changes:  # else it may be about somebody who has just signed out
            self._account_id = snapshot.account.id
        if with_credits and snapshot.bank.available != 0 and snapshot.bank.credits is None:
            return without_rows(snapshot, "the list of resets could not be read: Codex did not pass it on")
        return snapshot

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        """Send one spend, once; see `Source.consume`."""
        if request.account_id is not None or request.email is not None:
            await self._require_account(request)
        try:
            params = wire.consume_params(request)
            return decode_consume(
                await self._client.request(wire.CONSUME, params, deadline=CONSUME_DEADLINE), "outcome"
            )
        except Failed as error:
            if error.sent:
                raise OutcomeUnknown(f"the spend was sent, but {error.reason}", FINISH) from error
            raise ConsumeRejected(f"nothing was sent: {error.reason}", "try again") from error
        except Refused as error:
            _raise_consume_error(error.refusal)
        except BadPayload as error:
            raise OutcomeUnknown(error.message, FINISH) from error

    async def changed(self) -> None:
        """Return after news of limits, account or a thread, and once when the line breaks."""
        await self._news.wait()
        self._news.clear()

    async def aclose(self) -> None:
        """Close the line, and end the child if there is one."""
        await self._client.aclose()

    def _line_broke(self) -> None:
        self._news.set()

    def _hear(self, news: News) -> None:
        if news.method == wire.ACCOUNT_UPDATED:
            self._login = self._account_id = None  # perhaps somebody else now
            self._account_changes += 1
        if news.method in wire.NEWS:
            self._news.set()

    async def _read_login(self, deadline: float) -> wire.Login:
        params, changes = {"refreshToken": False}, self._account_changes
        login = wire.decode_login(await self._client.request(wire.ACCOUNT_READ, params, deadline=deadline))
        if login.kind is None:
            raise SignedOut("Codex is not signed in", SIGN_IN)
        if login.kind != _BANKED_RESETS_LOGIN:
            raise SignedOut(f"Codex is signed in by {login.kind}, which has no banked resets", SIGN_IN)
        if changes == self._account_changes:
            self._login = login
        return login

    async def _read_limits(self, rows: bool) -> bytes:
        params: object = msgspec.UNSET if rows or not self._takes_params else wire.COUNT_ONLY
        try:
            return await self._client.request(wire.LIMITS_READ, params, deadline=READ_DEADLINE)
        except Refused as error:
            old = error.refusal.code in (INVALID_REQUEST, INVALID_PARAMS) and not wire.wants_login(error.refusal)
            if not old or params is None:
                raise
        self._takes_params = False  # an old server: null is all it takes
        return await self._client.request(wire.LIMITS_READ, None, deadline=READ_DEADLINE)

    async def _require_account(self, request: ConsumeRequest) -> None:
        """Refuse to spend from another account than the one that consent was given for."""
        current = self._account_id if request.account_id is not None else None
        try:
            if current is None:
                account = (await self.read(with_credits=False)).account
                current = account.id if request.account_id is not None else (self._login.email if self._login else None)
        except SourceError as error:
            raise ConsumeRejected(f"nothing was sent: {error.message}", error.hint) from error
        if current is None:
            raise ConsumeRejected("nothing was sent: Codex does not say whose login it has", "update codex")
        if current != (request.account_id or request.email):
            raise ConsumeRejected(
                "nothing was sent: Codex is now signed in to another account", "sign in to the one the spend is for"
            )


def _raise_read_error(refusal: Refusal) -> NoReturn:
    if wire.wants_login(refusal):
        raise SignedOut("Codex is not signed in with ChatGPT", SIGN_IN)
    status = wire.http_status(refusal.message)
    if status is not None and (trouble := login_trouble("the service", status, refusal.message)) is not None:
        raise trouble
    if status == 429:
        raise RateLimited("the service asks Codex for fewer requests (429)")
    if status is not None:
        raise SourceDown(f"the service answers Codex with {status}")
    if refusal.code == METHOD_NOT_FOUND:
        raise BadPayload("this Codex is too old to report the limits", "update codex")
    raise SourceDown(f"Codex could not read the limits (error {refusal.code})")


def _raise_consume_error(refusal: Refusal) -> NoReturn:
    status = wire.http_status(refusal.message)
    if refusal.code != INTERNAL_ERROR or surely_refused(status):
        reason = f"{status}" if status is not None else f"error {refusal.code}"
        if wire.wants_login(refusal):
            raise ConsumeRejected("Codex is not signed in with ChatGPT", SIGN_IN)
        raise ConsumeRejected(f"the spend was refused ({reason})", "update codex" if status is None else "")
    raise OutcomeUnknown(f"Codex could not tell how the spend ended ({status or f'error {refusal.code}'})", FINISH)


async def open_codex(
    command: str, home: CodexHome, clock: Clock, *, arguments: Sequence[str] = ("app-server",)
) -> AppServerSource:
    """Open the source `codex`, a child that serves on stdio; raises as `start_codex` and `prove`."""
    if not home.path.is_dir():
        raise NotViable(f"there is no Codex home at {home.path}", SIGN_IN)
    return await AppServerSource(await start_codex(command, home, arguments), clock).prove()
