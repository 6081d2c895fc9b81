"""A referral programme whose every answer the test decides; it counts the e-mails that really go out."""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal

from msgspec.structs import replace

from tests.domain.inviting import DAY, OFFER
from tui.clock import Clock
from tui.domain.referral import (
    InviteAnswer,
    InviteList,
    InviteRequest,
    InviteStatus,
    OfferAnswer,
    OfferStatus,
    TrackedInvite,
)
from tui.domain.snapshot import Account
from tui.errors import InviteRejected, InviteUnknown, SignedOut

Weather = Literal["drop_before", "drop_after"] | BaseException | Callable[[], None]
LINK = "https://invite.example/i/"


class Crash(BaseException):
    """The process is gone at this very point."""


class ScriptedReferrals:
    """Implements `tui.sources.base.Referrals`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.account = "acc1"
        """Whose login it is."""
        self.offered: OfferAnswer | Exception = OfferAnswer(OfferStatus.OFFERED, OFFER)
        self.unlisted: Exception | None = None
        """Why the list cannot be read."""
        self.complete = True
        self.rows: dict[str, TrackedInvite] = {}
        self.mails: list[str] = []
        """Where an e-mail went, again and again."""
        self.requests: list[InviteRequest | str] = []
        """Every send that arrived here, a resend by its id."""
        self.weather: deque[Weather] = deque()
        """What becomes of the sends to come; without any, all is well."""
        self.before_offer: Callable[[], None] | None = None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """What happens elsewhere between the effect of a send and its answer."""
        self.offers = 0
        self.lists = 0
        self.closed = 0

    def sell(self, **changes: object) -> None:
        """Change the offer."""
        self.offered = OfferAnswer(OfferStatus.OFFERED, replace(OFFER, **changes))

    def tell(self, address: str, state: InviteStatus, **changes: object) -> None:
        """Let an invite come to a state."""
        known = next(row for row in self.rows.values() if row.address == address)
        told = replace(known, state=state, word=state.value, **changes)
        self.rows[known.id] = told

    def add(self, address: str | None, state: InviteStatus = InviteStatus.SENT, **changes: object) -> TrackedInvite:
        """List an invite."""
        values: dict[str, object] = {"created_at": self.clock.now(), "resend_at": self.clock.now() + DAY}
        name = f"ref-{len(self.rows) + 1}"
        row = TrackedInvite(name, address, state, state.value, **(values | changes))  # type: ignore[arg-type]
        self.rows[name] = row
        return row

    async def offer(self, account: Account) -> OfferAnswer:
        self.offers += 1
        self._require(account.id)
        if self.before_offer is not None:
            self.before_offer()
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered

    async def tracking(self, account: Account) -> InviteList:
        self.lists += 1
        self._require(account.id)
        if self.unlisted is not None:
            raise self.unlisted
        return InviteList(tuple(reversed(self.rows.values())), self.complete)

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        self.requests.append(request)
        weather = self._weather()
        if any(row.address == request.address and row.state.is_pending for row in self.rows.values()):
            raise InviteRejected("refused (409): it exists already")
        self.mails.append(request.address)
        row = self.add(request.address)
        await self._clears(weather)
        return InviteAnswer(row.id, LINK + row.id)

    async def resend(self, referral_id: str, account: Account) -> None:
        self.requests.append(referral_id)
        weather = self._weather()
        row = self.rows.get(referral_id)
        if row is None or (row.resend_at is not None and self.clock.now() < row.resend_at):
            raise InviteRejected("refused (429): too early")
        self.mails.append(str(row.address))
        self.rows[referral_id] = replace(row, resend_at=self.clock.now() + timedelta(days=1))
        await self._clears(weather)

    async def aclose(self) -> None:
        self.closed += 1

    def _require(self, account_id: str | None) -> None:
        if account_id != self.account:
            raise SignedOut("the login belongs to another account")

    def _weather(self) -> Weather | None:
        weather = self.weather.popleft() if self.weather else None
        if weather == "drop_before":
            raise InviteUnknown("the request was sent, but the connection broke")
        if isinstance(weather, BaseException):
            raise weather
        if callable(weather):
            weather()
        return weather

    async def _clears(self, weather: Weather | None) -> None:
        if self.meanwhile is not None:
            await self.meanwhile()
        if weather == "drop_after":
            raise InviteUnknown("the request was sent, but the connection broke")
