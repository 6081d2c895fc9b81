"""What stands in for the referral programme where nobody may be asked."""

from typing import Final

from tui.domain.referral import InviteAnswer, InviteList, InviteRequest, OfferAnswer, OfferStatus
from tui.domain.snapshot import Account
from tui.errors import InviteRejected

APP: Final = "invite in the Codex app"
NOT_ASKED: Final = "the official service offers invites in Codex's own app alone, so it is not asked from here"


class NullReferrals:
    """Stands where nobody may be asked: says why, and sends nothing."""

    def __init__(self, status: OfferStatus, reason: str) -> None:
        self._status = status
        self._reason = reason

    async def offer(self, account: Account) -> OfferAnswer:
        """Why there is none."""
        return OfferAnswer(self._status, None, self._reason)

    async def tracking(self, account: Account) -> InviteList:
        """Nothing, and nothing can be concluded from that."""
        return InviteList((), complete=False)

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        """Refuse."""
        raise InviteRejected(f"nothing was sent: {self._reason}", APP)

    async def resend(self, referral_id: str, account: Account) -> None:
        """Refuse."""
        raise InviteRejected(f"nothing was sent: {self._reason}", APP)

    async def aclose(self) -> None:
        """Nothing to let go."""
