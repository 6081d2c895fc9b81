"""The quota endpoint (wire/README.md, "Usage"), asked over HTTP, or in this process where a demo plays it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from tui.clock import Clock
from tui.concurrency import in_loose_thread
from tui.domain.snapshot import Account, Provenance, Snapshot
from tui.errors import BadPayload, ConsumeRejected, OutcomeUnknown, RateLimited, SignedOut, SourceError
from tui.sources.answers import (
    FINISH,
    Answer,
    Failed,
    consume_verdict,
    find_login,
    http_date,
    open_asker,
    read_trouble,
    retry_after,
    to_read,
)
from tui.sources.base import SourceName
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login, LoginProvider, Token
from tui.wire.credits import decode_credit_rows, with_rows, without_rows
from tui.wire.usage import decode_usage

if TYPE_CHECKING:
    from tui.domain.reading import PastPeriod, SessionCost
    from tui.domain.spend import ConsumeAnswer, ConsumeRequest
    from tui.domain.witness import ResetHistory

ROWS_PAUSE: Final = 60.0
"""Seconds that the credits endpoint is left alone after a 429 at least."""


MOST_PAGES: Final = 10
"""Pages of the history of resets that are read."""


class Deadlines(msgspec.Struct, frozen=True):
    """Seconds for one whole request, from the connection to the last byte."""

    usage: float = 15.0
    rows: float = 5.0
    consume: float = 10.0


_DEADLINES: Final = Deadlines()


class Backend:
    """Polls the quota endpoint; implements `tui.sources.base.Source`.

    The login is found at each reading. With an `app`, the embedded service, nothing is asked of the network.
    """

    def __init__(
        self,
        base_url: BaseUrl,
        login: LoginProvider,
        clock: Clock,
        *,
        app: Callable[..., Any] | None = None,
        deadlines: Deadlines = _DEADLINES,
    ) -> None:
        self._base_url = base_url
        self._login = login
        self._clock = clock
        self.name: SourceName = "http" if app is None else "stub"
        self._deadlines = deadlines
        self._asker = open_asker(base_url, app)
        self._rows_free_at = clock.monotonic()
        self._seen_account: tuple[Token, Account] | None = None
        self._has_history = True
        """False where the service said with the credits that it keeps no history of them."""

    async def read(self, *, with_credits: bool) -> Snapshot:
        """Read usage, and the single credits where wanted; see `Source.read`."""
        login, answer = await self._read_usage(await find_login(self._login))
        provenance = Provenance(self.name, self._clock.now())
        snapshot = decode_usage(answer.body, provenance, login.account_id, http_date(answer.headers.get("date", "")))
        known = snapshot.account
        account = replace(known, plan=known.plan or login.plan, email=known.email or login.email)
        self._seen_account = (login.access_token, account)
        snapshot = replace(snapshot, account=account)
        return await self._with_rows(snapshot, login) if with_credits else snapshot

    async def consume(self, request: "ConsumeRequest") -> "ConsumeAnswer":
        """Send one spend, once; see `Source.consume`."""
        from tui.wire.consume import decode_consume, encode_consume

        try:
            login = await find_login(self._login)
            if request.account_id is not None or request.email is not None:
                await self._require_account(request, login)
        except SourceError as error:
            raise ConsumeRejected(f"nothing was sent: {error.message}", error.hint) from error
        try:
            answer = await self._asker.ask(
                "POST", self._base_url.consume, login, self._deadlines.consume, encode_consume(request)
            )
        except Failed as failure:
            if failure.sent:
                raise OutcomeUnknown(f"the spend was sent, but {failure.reason}", FINISH) from failure
            raise ConsumeRejected(f"nothing was sent: {failure.reason}", "try again") from failure
        consume_verdict(answer)
        try:
            return decode_consume(answer.body)
        except BadPayload as error:
            raise OutcomeUnknown(error.message, FINISH) from error

    async def reset_history(self) -> "ResetHistory | None":
        """Read the service's own history; see `KeepsHistory`."""
        if not self._has_history:
            return None
        from tui.domain.witness import ResetHistory
        from tui.wire.history import decode_history

        used: dict[str, datetime | None] = {}
        granted: dict[str, datetime | None] = {}
        cursors: list[str | None] = [None]
        try:
            login = await find_login(self._login)
            for cursor in cursors:
                answer = await self._read(self._base_url.history(cursor), login, self._deadlines.rows)
                if answer.status != 200:
                    return None  # a part would make what stands on the other pages look new, once they come
                page = decode_history(answer.body)
                used |= page.history.used
                granted |= page.history.granted
                if page.cursor is not None and page.cursor not in cursors and len(cursors) < MOST_PAGES:
                    cursors.append(page.cursor)
        except SourceError:
            return None
        return ResetHistory(used, granted)

    async def past_periods(self) -> "tuple[PastPeriod, ...] | None":
        """Read how full past windows were; see `KnowsPeriods`."""
        from tui.wire.history import decode_periods

        try:
            answer = await self._read(self._base_url.past_periods, await find_login(self._login), self._deadlines.rows)
            return decode_periods(answer.body) if answer.status == 200 else None
        except SourceError:
            return None

    async def session_costs(self, thread_ids: tuple[str, ...]) -> "tuple[SessionCost, ...] | None":
        """Ask what threads took of the windows; see `KnowsPeriods`. Nothing is changed by it, whatever its method."""
        from tui.wire.history import decode_thread_usage, encode_thread_query

        query, url = encode_thread_query(thread_ids), self._base_url.thread_usage
        try:
            answer = await self._asker.ask("POST", url, await find_login(self._login), self._deadlines.rows, query)
            return decode_thread_usage(answer.body) if answer.status == 200 else None
        except (SourceError, Failed):
            return None

    async def changed(self) -> None:
        """Never returns: a poller gets no notifications."""
        await asyncio.get_running_loop().create_future()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._asker.aclose()

    async def _read_usage(self, login: Login) -> tuple[Login, Answer]:
        answer = await self._read(self._base_url.usage, login, self._deadlines.usage)
        if answer.status == 401:
            # Codex may have renewed its login since it was read. Only a login that differs is worth a second try.
            again = await find_login(self._login)
            if again.access_token != login.access_token:
                login = again
                answer = await self._read(self._base_url.usage, login, self._deadlines.usage)
        read_trouble(answer, self._clock.now())
        return login, answer

    async def _with_rows(self, snapshot: Snapshot, login: Login) -> Snapshot:
        wait = self._rows_free_at - self._clock.monotonic()
        if wait > 0:
            return without_rows(snapshot, f"the list of resets is asked for again in {wait:.0f} s: too many requests")
        try:
            answer = await self._read(self._base_url.credits, login, self._deadlines.rows)
            if answer.status == 429:
                pause = retry_after(answer, self._clock.now())
                self._rows_free_at = self._clock.monotonic() + max(ROWS_PAUSE, pause or 0.0)
            read_trouble(answer, self._clock.now())
            found = decode_credit_rows(answer.body)
        except (SourceError, RateLimited) as error:
            return without_rows(snapshot, f"the list of resets could not be read: {error.message}")
        self._has_history = found.has_history is not False
        return with_rows(snapshot, found, self._clock.now())

    async def _require_account(self, request: "ConsumeRequest", login: Login) -> None:
        """Refuse to spend from another account than the one that consent was given for."""
        current = login.account_id if request.account_id is not None else None
        if current is None:
            if self._seen_account is None or self._seen_account[0] != login.access_token:
                await self.read(with_credits=False)
            seen = self._seen_account[1] if self._seen_account else Account()
            current = seen.id if request.account_id is not None else seen.email
        if current is None:
            raise SignedOut("the service does not say whose login this is", "store the account id with the login")
        if current != (request.account_id or request.email):
            raise SignedOut("the login now belongs to another account", "sign in to the account that the spend is for")

    async def _read(self, url: str, login: Login, deadline: float) -> Answer:
        return await to_read(self._asker.ask("GET", url, login, deadline))


async def open_backend(base_url: BaseUrl, login: LoginProvider, clock: Clock) -> Backend:
    """Open the source `http`; `NotViable` where there is no login. The first reading shows if the service answers."""
    await login()
    if base_url.secure:
        return await in_loose_thread(Backend, base_url, login, clock)
    return Backend(base_url, login, clock)
