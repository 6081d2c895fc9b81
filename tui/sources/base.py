"""What a source of truth can do. The companion knows this protocol and no concrete source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from tui.domain.reading import PastPeriod, SessionCost
    from tui.domain.referral import InviteAnswer, InviteList, InviteRequest, OfferAnswer
    from tui.domain.sessions import SessionUpdate
    from tui.domain.snapshot import Account, Snapshot
    from tui.domain.spend import ConsumeAnswer, ConsumeRequest
    from tui.domain.witness import ResetHistory

SourceName = Literal["daemon", "codex", "http", "stub"]


class Source(Protocol):
    """An open way to read the limits and to spend a reset."""

    @property
    def name(self) -> SourceName:
        """Which one it is; goes into every snapshot's provenance."""
        ...

    async def read(self, *, with_credits: bool) -> Snapshot:
        """Read limits and bank now.

        Args:
            with_credits: Whether the single credits are wanted too. They are rate limited harder than the usage;
                where they alone fail, the snapshot comes without them and says so in `unknowns`.

        Raises:
            SourceDown: It did not answer or broke off.
            RateLimited: It asks to be left alone.
            SignedOut: It refuses the login.
            BadPayload: It answered something that makes no sense.
        """
        ...

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        """Send one spend, exactly once; never retries by itself.

        Raises:
            ConsumeRejected: Refused before any effect, also when signed in to another account than the request's.
            OutcomeUnknown: Sent, or perhaps sent, and no usable answer came.
        """
        ...

    async def changed(self) -> None:
        """Return when the source has reason to think that a new reading would differ; a poller never returns."""
        ...

    async def aclose(self) -> None:
        """Let go of sockets and processes; quick, and fine to call twice."""
        ...


@runtime_checkable
class SessionFeed(Protocol):
    """Sees sessions live; some sources do, and the rollout feed."""

    def updates(self) -> AsyncIterator[SessionUpdate]:
        """What is known at first, then every change. To be called once.

        Raises:
            SourceDown: The line broke; what this feed reported before holds no longer.
        """
        ...

    async def caught_up(self) -> None:
        """Return once everything that was there at the start was yielded; needs a consumer of `updates`."""
        ...

    async def aclose(self) -> None:
        """Let go of everything within half a second; fine to call twice."""
        ...


@runtime_checkable
class CarriesOn(Protocol):
    """Can hand a message to a session; only the daemon can."""

    async def carry_on(self, thread_id: str, message: str, message_id: str) -> None:
        """Queue a message for a thread, exactly once; never retries by itself. It starts a turn where none runs.

        The id of the message is a UUID.

        Raises:
            CarryOnRejected: Refused, or never sent: nothing was queued.
            CarryOnUnknown: Sent, and no usable answer came.
        """
        ...


@runtime_checkable
class KeepsHistory(Protocol):
    """Knows the service's own history of resets; the witness of a spend."""

    async def reset_history(self) -> ResetHistory | None:
        """What was used and granted lately; None where the service does not tell."""
        ...


@runtime_checkable
class KnowsPeriods(Protocol):
    """Knows how full past windows were, by the service's own word."""

    async def past_periods(self) -> tuple[PastPeriod, ...] | None:
        """The windows of the last weeks that are over, oldest first; None where the service does not tell."""
        ...

    async def session_costs(self, thread_ids: tuple[str, ...]) -> tuple[SessionCost, ...] | None:
        """What each thread took of the windows; None where the service does not tell."""
        ...


class Referrals(Protocol):
    """The referral programme, as far as this program may take part in it."""

    async def offer(self, account: Account) -> OfferAnswer:
        """What is offered to an account; a service that refuses this client, or must not be asked, is an answer too.

        Raises:
            SourceError: It could not be read, also when signed in to another account.
        """
        ...

    async def tracking(self, account: Account) -> InviteList:
        """Every invite of an account.

        Raises:
            SourceError: The list could not be read, also when signed in to another account.
        """
        ...

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        """Send one invite, exactly once; an e-mail goes out. Never retries by itself.

        Raises:
            InviteRejected: Refused before any effect, also when signed in to another account than the request's.
            InviteUnknown: Sent, or perhaps sent, and no usable answer came.
        """
        ...

    async def resend(self, referral_id: str, account: Account) -> None:
        """Have an invite's e-mail sent once more, exactly once; never retries by itself.

        Consent was given for the account.

        Raises:
            InviteRejected: Refused before any effect.
            InviteUnknown: Sent, or perhaps sent, and no usable answer came.
        """
        ...

    async def aclose(self) -> None:
        """Let the connections go; fine to call twice."""
        ...


class SourceOption(msgspec.Struct, frozen=True):
    """A source that may or may not be usable here."""

    name: SourceName
    open: Callable[[], Awaitable[Source]]
    """Opens and proves it; raises `NotViable`, or another `SourceError`, with the reason that `doctor` prints."""
    comes_later: bool = False
    """Whether it may become usable while another one is in use, and costs next to nothing to try again."""


class SourceStatus(msgspec.Struct, frozen=True):
    """What the chain found out about one candidate."""

    name: SourceName
    viable: bool
    reason: str
    """Why it was chosen, why not, or why it was not tried."""
