"""A resetbank that kills itself, for real, at one boundary of an invite.

Run as `python -m tests.safety.inviting_victim POINT BASE_URL CODEX_HOME ADDRESS`.
"""

import asyncio
import sys
from pathlib import Path

import tui.companion.records  # noqa: F401 - so that its table of invites can be replaced
from tests.safety.victims import die_at
from tui.assembly import SourceOptions, open_companion
from tui.domain.invites import InviteProposal, InviteRecord
from tui.domain.referral import InviteAnswer, InviteRequest
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind
from tui.errors import ResetbankError
from tui.paths import resetbank_paths
from tui.settings import Settings
from tui.sources.referrals import ReferralClient
from tui.store.invites import Invites, Step


class FragileInvites(Invites):
    """The real store, in a process that may end before or after any of its commits."""

    commits = 0

    def change(self, account: str, step: Step) -> tuple[InviteRecord, ...]:
        die_at(f"before commit {self.commits}")
        records = super().change(account, step)
        die_at(f"after commit {self.commits}")
        self.commits += 1
        return records


class FragileReferrals(ReferralClient):
    """The real client, in a process that may end as soon as an answer, or none, has come."""

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        try:
            answer = await super().invite(request)
        except ResetbankError:
            die_at("after the send")
            raise
        die_at("after the answer")
        return answer


async def main(base_url: str, codex_home: str, address: str) -> None:
    options = SourceOptions("http", Path(codex_home), base_url)
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="the victim", invites=True)
    await companion.poller.poll()
    offered = await companion.inviter._service.offer(Account("acc1"))
    assert offered.offer is not None, offered
    assert companion.state.snapshot is not None
    proposal = InviteProposal(companion.state.snapshot.account, address, offered.offer)
    await companion.inviter.invite(proposal, ConsentKind.CODE)
    await companion.aclose()


if __name__ == "__main__":
    # Where the composition root finds the two, so that all the rest is put together as ever.
    setattr(sys.modules["tui.companion.records"], "Invites", FragileInvites)  # noqa: B010
    setattr(sys.modules["tui.sources.referrals"], "ReferralClient", FragileReferrals)  # noqa: B010
    asyncio.run(main(*sys.argv[2:5]))
