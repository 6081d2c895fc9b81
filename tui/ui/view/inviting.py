"""What is said before an e-mail goes out, and what came of it; and the message that a person pastes."""

from tui.domain.invites import InviteProposal, InviteRecord, ResendStage, SendStage
from tui.domain.referral import Offer
from tui.domain.snapshot import Account
from tui.errors import ResetbankError
from tui.ui.view.invites import next_step
from tui.ui.view.offer import offer_facts, service_text, shown_address
from tui.ui.view.prompts import failure_lines
from tui.ui.view.text import Level, Line, Span, clean, named, wrap
from tui.ui.view.view_state import ViewState


def consent_lines(view: ViewState, proposal: InviteProposal, width: int) -> tuple[Line, ...]:
    """The last look before an invite goes out."""
    address, offer = proposal.address, proposal.offer
    facts = " · ".join(offer_facts(view, offer))
    nothing = "! no reward is left: another invite earns nothing"
    then = "the service decides whether your friend is eligible; nothing is promised here"
    return (
        *wrap((Span("An e-mail goes to "), Span(shown_address(view, address), Level.STRONG)), width),
        (Span(" "),),
        *named("Sent by", Span(f"the service, for {_whose(view, proposal.account)}"), width=width),
        *named("Offer", Span(service_text(view, offer.title) or "invite a friend"), width=width),
        *named("", Span(facts), width=width),
        *(named("", Span(nothing, Level.NEAR), width=width) if offer.rewards_left == 0 else ()),
        *named("Then", Span(then), width=width),
    )


def _whose(view: ViewState, account: Account) -> str:
    """The account's own address, or what else is known of it."""
    name = service_text(view, account.email) or service_text(view, account.id) or "your account"
    return f"{name} ({clean(account.plan)})" if account.plan else name


def again_lines(view: ViewState, record: InviteRecord, width: int) -> tuple[Line, ...]:
    """The last look before an invite's e-mail goes out once more."""
    address = shown_address(view, record.address)
    return (
        *wrap((Span("An e-mail goes once more to "), Span(address, Level.STRONG)), width),
        (Span(" "),),
        *named("Sent by", Span("the service, in the name of the account that sent the invite"), width=width),
        *named("Then", Span("the service asks to wait for a while before the next one"), width=width),
    )


def sent_lines(view: ViewState, record: InviteRecord, width: int) -> tuple[Line, ...]:
    """What came of an invite."""
    address = shown_address(view, record.address)
    if record.stage is SendStage.REFUSED:
        return failure_lines(f"no e-mail went to {address}: {service_text(view, record.reason)}", "", width)
    if record.is_open or record.stage is SendStage.LOST:
        reason = service_text(view, record.reason)
        start = (Span("? ", Level.UNKNOWN), Span(f"Whether an e-mail went to {address} is not known"))
        return (*wrap((*start, Span(f": {reason}" if reason else "")), width, indent=2), *_next(view, record, width))
    if record.stage is SendStage.NOTED:
        noted = (Span("✎ ", Level.DIM), Span(f"The invite to {address} was written down; nothing was sent"))
        return wrap(noted, width, indent=2)
    link = "no link came"
    if record.shareable_link:
        ways = "its link can be copied, drawn as a QR code, or put into a message"
        link = ways if view.keys else "`resetbank invites --json` prints it; the screen also makes a QR code of it"
    sent = (Span("✓ ", Level.OK), Span(f"The service took the invite to {address}"))
    return (*wrap(sent, width, indent=2), *_next(view, record, width), *named("Link", Span(link), width=width))


def sent_again_lines(view: ViewState, record: InviteRecord, width: int) -> tuple[Line, ...]:
    """What came of sending an e-mail once more."""
    address = shown_address(view, record.address)
    resend = record.resend
    reason = service_text(view, resend.reason) if resend else ""
    match resend.stage if resend else None:
        case ResendStage.SENT:
            return wrap((Span("✓ ", Level.OK), Span(f"The e-mail to {address} was sent again")), width, indent=2)
        case ResendStage.REFUSED:
            return failure_lines(f"no e-mail went to {address}: {reason}", "", width)
        case _:
            text = f"Whether the e-mail to {address} went out again is not known: {reason}"
            return wrap((Span("? ", Level.UNKNOWN), Span(text)), width, indent=2)


def complaint_lines(view: ViewState, complaint: ResetbankError | None, width: int) -> tuple[Line, ...]:
    """Why something did not come about; nothing where nothing was wrong."""
    return failure_lines(service_text(view, complaint.message), complaint.hint, width) if complaint else ()


def message_text(record: InviteRecord, offer: Offer | None) -> str:
    """A message to paste: the link, and what the offer says, quoted and not promised."""
    lines = ["Hi! I code with OpenAI Codex, and this is an invite for you:", "", record.shareable_link or ""]
    said = clean(offer.description or offer.title or "") if offer else ""
    if said:
        lines += ["", f'What the offer says: "{said}"']
    return "\n".join(lines)


def message_lines(text: str, width: int) -> tuple[Line, ...]:
    """The message as it was copied; a long link is broken at the edge, never cut."""
    lines: list[Line] = []
    for row in text.split("\n"):
        if " " not in row and len(row) > width:
            lines += [(Span(row[n : n + width]),) for n in range(0, len(row), width)]
        else:
            lines += wrap((Span(row or " "),), width)
    note = "copied to the clipboard, where the terminal allows that; nothing was sent"
    return (*lines, (Span(" "),), *wrap((Span(note, Level.DIM),), width))


def _next(view: ViewState, record: InviteRecord, width: int) -> tuple[Line, ...]:
    return named("Next", Span(next_step(view, record)), width=width)
