"""The dialogs of the invite panel: inviting one friend, sending an e-mail again, writing an invite down."""

from collections.abc import Awaitable

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.domain.invites import LONGEST_ADDRESS, InviteProposal, InviteRecord, SendStage, changed_terms
from tui.domain.referral import LONGEST_LINK
from tui.domain.spend import ConsentKind
from tui.errors import ResetbankError
from tui.ui.commands import INVITE_NOTE, INVITE_RESEND, INVITE_SEND
from tui.ui.dialogs.dialog import Close, Dialog, Field, Next, Run
from tui.ui.view.invites import resend_hint
from tui.ui.view.inviting import again_lines, complaint_lines, consent_lines, sent_again_lines, sent_lines
from tui.ui.view.text import Line, Span, wrap
from tui.ui.view.view_state import ViewState

_ADDRESS = Field("address", "friend@example.com", LONGEST_ADDRESS)
_UNSURE = "the list of invites shows whether an e-mail went out"


class _InviteDialog(Dialog):
    """Belongs to the account that was in sight when it opened, and leaves when another one is."""

    waits = "sending it, once"
    _account: str | None = None
    record: InviteRecord | None = None

    def begin(self, view: ViewState) -> Next:
        """Ask for what is to be typed, for the account that is in sight."""
        self.follow(view)
        return "typing"

    def follow(self, view: ViewState) -> Next:
        """Leave with the account."""
        account = view.state.account_key or view.state.invites.account
        self._account = self._account or account
        is_other = account is not None and account != self._account
        return Close() if is_other and self.phase in ("typing", "asking") else None

    def _send(self, work: Awaitable[InviteRecord]) -> Run:
        return Run(self._sent(work), "invite", unsure=_UNSURE)

    async def _sent(self, work: Awaitable[InviteRecord]) -> Next:
        self.record = await work
        return "over"


class SendDialog(_InviteDialog):
    """Sends one invite on a letter that belongs to this address and this offer."""

    place = INVITE_SEND
    about = "Invite a friend"
    consents = ("send it",)
    fields = (_ADDRESS,)

    def __init__(self, companion: Companion, clock: Clock) -> None:
        super().__init__(companion, clock)
        self._proposal: InviteProposal | None = None
        self._complaint: ResetbankError | None = None

    def follow(self, view: ViewState) -> Next:
        """Another offer is another question."""
        if (leaves := super().follow(view)) is not None:
            return leaves
        proposal, offer = self._proposal, view.state.invites.offer
        if self.phase != "asking" or proposal is None or offer is None:
            return None
        self._proposal = replace(proposal, offer=offer)
        return "asking" if changed_terms(offer, proposal.offer) is not None else None

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The address, where the e-mail goes, or what came of it."""
        if self.phase == "over" and self.failure is not None:
            return complaint_lines(view, self.failure, width)
        if self.phase == "over" and self.record is not None:
            return sent_lines(view, self.record, width)
        if self._proposal is None or self.phase == "typing":
            ask = wrap((Span("Your friend's address, one at a time. Nothing is sent yet."),), width)
            return (*ask, *complaint_lines(view, self._complaint, width))
        return consent_lines(view, self._proposal, width)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Back to the address, where nothing went out."""
        keys = super().keys(view)
        if self.phase == "typing":
            return [("confirm", "shows it once more"), *keys]
        if self.phase == "asking":
            return [*keys, ("edit", "changes the address")]
        return [*keys, ("edit", "goes back to the address")] if self._came_to_nothing else keys

    @property
    def _came_to_nothing(self) -> bool:
        """Whether certainly nothing went out, so that it can be tried anew."""
        refused = self.record is not None and self.record.stage is SendStage.REFUSED
        unsure = self.failure is not None and _UNSURE in self.failure.message
        return self.phase == "over" and not unsure and (self.failure is not None or refused)

    def submit(self, typed: tuple[str, ...], field: int) -> Next:
        """Check the address, and show it once more."""
        try:
            self._proposal = self.companion.inviter.propose(typed[0])
        except ResetbankError as error:
            self._complaint = error
            return None
        self._complaint = None
        return "asking"

    def do(self, command: str, view: ViewState) -> Next:
        """Go back to the address."""
        self.failure = self.record = None
        return "typing"

    def consent(self, number: int) -> Next:
        """Send it."""
        if self._proposal is None:
            return None
        return self._send(self.companion.inviter.invite(self._proposal, ConsentKind.LETTER))


class ResendDialog(_InviteDialog):
    """Sends one e-mail again, on a letter that belongs to this invite."""

    place = INVITE_RESEND
    about = "Send an invite's e-mail again"
    consents = ("send it once more",)

    def __init__(self, companion: Companion, clock: Clock, invite: InviteRecord) -> None:
        super().__init__(companion, clock)
        self._invite = invite

    def begin(self, view: ViewState) -> Next:
        """Ask, where it can be sent."""
        super().begin(view)
        why = self._invite.resend_refusal(self.clock.now())
        if why is None:
            return "asking"
        self.failure = ResetbankError(f"its e-mail cannot be sent again: {why}", resend_hint(view, self._invite))
        return "over"

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """Where it goes, or what came of it."""
        if self.phase == "over" and self.failure is not None:
            return complaint_lines(view, self.failure, width)
        if self.phase == "over" and self.record is not None:
            return sent_again_lines(view, self.record, width)
        return again_lines(view, self._invite, width)

    def consent(self, number: int) -> Next:
        """Send it."""
        return self._send(self.companion.inviter.resend(self._invite.key))


class NoteDialog(_InviteDialog):
    """Writes down an invite that was made elsewhere; nothing is sent."""

    place = INVITE_NOTE
    about = "Write down an invite"
    waits = "writing it down"
    fields = (_ADDRESS, Field("link", "https://… the invite link, if you have it", LONGEST_LINK))

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What it is for, and what was wrong."""
        ask = wrap((Span("An invite that you made elsewhere. It is kept on this machine; nothing is sent."),), width)
        return (*ask, *complaint_lines(view, self.failure, width))

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Enter writes it down."""
        return [("confirm", "writes it down"), *super().keys(view)] if self.phase == "typing" else []

    def submit(self, typed: tuple[str, ...], field: int) -> Next | int:
        """Go on to the link, or write both down."""
        try:
            address = self.companion.inviter.check(typed[0])
        except ResetbankError as error:
            self.failure = error
            return None
        self.failure = None
        if field == 0 and not typed[1]:
            return 1
        return Run(self._note(address, typed[1] or None), "invite")

    async def _note(self, address: str, link: str | None) -> Next:
        try:
            await self.companion.inviter.note(address, link)
        except ResetbankError as error:
            self.failure = error
            return "typing"
        return Close("the invite was written down; nothing was sent")
