"""A companion that has read its account, and a referral programme whose answers the test decides."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from tests.companion.inviting import ScriptedReferrals
from tests.companion.scripted import READING, World
from tests.domain.inviting import DAY, FRIEND, OFFER
from tests.domain.worlds import credit
from tests.support.clocks import START, ManualClock
from tests.support.waiting import until
from tui.companion.inviter import Inviter
from tui.domain.credits import Credit
from tui.domain.invites import InviteProposal, InviteRecord, InviteState
from tui.domain.ledger import EventKind
from tui.domain.referral import REFERRER, RESET_CREDIT, InviteStatus, Reward
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind

OTHER = "other@example.com"
FRIENDS_RESET = credit("c9", granted_at=START + timedelta(minutes=5), granted_by="@friend")


class Inviting(World):
    """A companion that has read its account, and a referral programme."""

    def __init__(self, clock: ManualClock, folder: Path | None, service: ScriptedReferrals, **more: object) -> None:
        super().__init__(clock, folder, referrals=service, **more)  # type: ignore[arg-type]
        self.service = service

    @property
    def inviter(self) -> Inviter:
        return self.companion.inviter

    @property
    def book(self) -> InviteState:
        return self.companion.state.invites

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.ledger.events()]

    async def invite(self, address: str = FRIEND) -> InviteRecord:
        account = self.companion.state.snapshot.account if self.companion.state.snapshot else READING.account
        return await self.inviter.invite(InviteProposal(account, address, OFFER), ConsentKind.LETTER)

    def switch_to(self, account: Account) -> None:
        self.source.reading = replace(READING, account=account)

    def bank(self, *rows: Credit) -> None:
        self.source.reading = replace(READING, bank=replace(READING.bank, credits=rows))


@asynccontextmanager
async def another(world: Inviting, tmp_path: Path) -> AsyncIterator[Inviting]:
    """Another process on the same database."""
    other = Inviting(world.clock, tmp_path, world.service)
    other.keys = iter(f"other-{number}" for number in range(1, 100))
    await other.companion.poller.poll()
    yield other
    await other.companion.aclose()


def lock(tmp_path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(tmp_path / "resetbank.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def invited(world: Inviting) -> InviteRecord:
    """An invite whose e-mail may go out again."""
    await world.invite()
    world.clock.advance(DAY.total_seconds())
    await world.inviter.refresh()
    return world.book.records[0]


def rewarded(world: Inviting, reward_id: str | None) -> None:
    world.service.tell(FRIEND, InviteStatus.REWARDED, rewards=(Reward(REFERRER, RESET_CREDIT, 1, reward_id),))


@asynccontextmanager
async def following(world: Inviting) -> AsyncIterator[None]:
    task = asyncio.create_task(world.inviter.follow())
    yield
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def rest(world: Inviting) -> None:
    """Wait until whoever follows sleeps again."""
    await until(lambda: world.clock.sleepers > 0)


async def breathe() -> None:
    """Let the loop and its threads do what they would do at this point of time."""
    for _ in range(50):
        await asyncio.to_thread(lambda: None)
