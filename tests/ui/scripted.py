"""An inviter whose answers a test decides, in the place of the companion's own; every value is the domain's."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.ui.scene import Scene
from tui.companion.addresses import parse_address
from tui.companion.state import State
from tui.domain.invites import (
    InviteProposal,
    InviteRecord,
    Resend,
    ResendStage,
    accepted,
    address_refusal,
    begun,
    newest_first,
    noted,
)
from tui.domain.referral import InviteAnswer, Offer
from tui.domain.spend import ConsentKind
from tui.errors import UsageError


class InviteScene(Scene):
    """A scene whose invites a test scripts."""

    def __init__(self, state: State, clock: ManualClock) -> None:
        super().__init__(state, clock)
        self.inviter = ScriptedInviter(self)
        self.companion.__dict__["inviter"] = self.inviter


class ScriptedInviter:
    """Sends nothing and says what a test wants; remembers what it was asked to do."""

    def __init__(self, companion: "Scene") -> None:
        self._companion = companion
        self.looks = 0
        self.sent: list[tuple[str, ConsentKind, Offer]] = []
        self.resent: list[str] = []
        self.failure: Exception | None = None
        """What the next send, note or deletion raises."""
        self.ends: Callable[[InviteRecord], InviteRecord] = lambda record: accepted(record, InviteAnswer("ref9", None))
        """What becomes of an invite that is sent."""
        self.ends_again: Resend | None = None
        """What becomes of an e-mail that is sent again; None sends it."""
        self.held: asyncio.Event | None = None

    @property
    def _records(self) -> tuple[InviteRecord, ...]:
        return self._companion.state.invites.records

    def _publish(self, *records: InviteRecord) -> None:
        book = replace(self._companion.state.invites, records=newest_first(records))
        self._companion.publish(replace(self._companion.state, invites=book))

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def refresh(self) -> None:
        self.looks += 1

    def check(self, text: str) -> str:
        address = parse_address(text)
        why = address_refusal(address, "me@example.com", self._records)
        if why is not None:
            raise UsageError(why, "nothing was sent")
        return address

    def propose(self, text: str) -> InviteProposal:
        snapshot, offer = self._companion.state.snapshot, self._companion.state.invites.offer
        assert snapshot is not None
        assert offer is not None
        return InviteProposal(snapshot.account, self.check(text), offer)

    async def invite(self, proposal: InviteProposal, consent: ConsentKind) -> InviteRecord:
        address = proposal.address
        self.sent.append((address, consent, proposal.offer))
        if self.held is not None:
            await self.held.wait()
        self._fail()
        record = self.ends(begun(address, "acc1", consent, f"new{len(self.sent)}", self._companion.clock.now()))
        self._publish(*self._records, record)
        return record

    async def resend(self, key: str) -> InviteRecord:
        self.resent.append(key)
        self._fail()
        record = next(record for record in self._records if record.key == key)
        resend = self.ends_again or Resend(ResendStage.SENT, self._companion.clock.now())
        record = replace(record, resend=resend)
        self._publish(*(record if known.key == key else known for known in self._records))
        return record

    async def note(self, address: str, link: str | None) -> InviteRecord:
        self._fail()
        record = noted(address, "acc1", link, "noted1", self._companion.clock.now())
        self._publish(*self._records, record)
        return record

    async def forget(self, key: str) -> None:
        self._fail()
        self._publish(*(record for record in self._records if record.key != key))

    async def follow(self) -> None:
        return None

    async def aclose(self) -> None:
        return None
