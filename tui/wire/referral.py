"""The referral endpoints' answers as the domain's offers and invites; and what is sent to them."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tui.domain.invites import same_address
from tui.domain.masking import without_addresses
from tui.domain.referral import (
    RESET_CREDIT,
    InviteAnswer,
    InviteRequest,
    InviteStatus,
    Offer,
    OfferAnswer,
    OfferStatus,
    Reward,
    TrackedInvite,
    usable_link,
)
from tui.errors import BadPayload
from tui.wire.fields import LONGEST_TEXT, FieldReader, clean_text, load_object

ENTRYPOINT: Final = "persistent"
PERIOD: Final = "past_90_days"
PAGE: Final = 100
"""Invites asked for at a time."""

MOST_RULES: Final = 20
_LONGEST_ID: Final = 200
_LONGEST_CURSOR: Final = 2_000
_MOST_REWARDS: Final = 10
_STATES: Final = {
    "sent": InviteStatus.SENT,
    "pending": InviteStatus.SENT,
    "invited": InviteStatus.SENT,
    "opened": InviteStatus.OPENED,
    "joined": InviteStatus.JOINED,
    "accepted": InviteStatus.JOINED,
    "first_message": InviteStatus.FIRST_MESSAGE,
    "rewarded": InviteStatus.REWARDED,
    "expired": InviteStatus.EXPIRED,
    "ineligible": InviteStatus.INELIGIBLE,
    "reversed": InviteStatus.REVERSED,
}
"""The words seen or claimed; any other stays as it was written."""


class TrackingPage(msgspec.Struct, frozen=True):
    """One page of the list of invites."""

    invites: tuple[TrackedInvite, ...]
    cursor: str | None
    """What the next page is asked for with; None at the end."""
    whole: bool
    """Whether every item of the page could be read, and whether there is a next one."""
    unknowns: tuple[str, ...] = ()


def decode_offer(body: bytes, program: str) -> OfferAnswer:
    """Read an answer about eligibility for a programme."""
    payload = load_object(body, "the invite offer")
    reader = FieldReader()
    shown = reader.flag(payload.get("should_show"), "whether invites are offered")
    limits = reader.rows(payload.get("time_frame_rules"), "the limits on invites", MOST_RULES, "a limit on invites")
    sends_left = reader.count(payload.get("remaining_send_capacity"), "the number of invites left")
    offer = Offer(
        id=reader.text(payload.get("offer_id"), "the id of the invite offer", _LONGEST_ID),
        program=program,
        title=reader.text(payload.get("title"), "the title of the invite offer", 200),
        description=reader.text(payload.get("description"), "the description of the invite offer"),
        rules=_texts(reader, payload.get("rules"), "the rules for invites"),
        rewards=_rewards(reader, payload.get("grants")),
        plans=_texts(reader, payload.get("plans"), "the plans of the invite offer"),
        ends_at=reader.moment(payload.get("ends_at"), "the end of the invite offer"),
        sends_left=_sends_left(reader, sends_left, limits),
        rewards_left=reader.count(payload.get("remaining_reward_capacity"), "the number of rewards left"),
    )
    reason = _text(reader, payload.get("ineligible_reason"), "why invites are not offered", LONGEST_TEXT)
    code = reader.text(payload.get("ineligible_reason_code"), "why invites are not offered", 60)
    if shown is None:
        untold = "the service does not say whether invites are offered"
        return OfferAnswer(OfferStatus.UNREACHABLE, offer, untold, reader.unknowns)
    status = OfferStatus.OFFERED if shown else OfferStatus.NOT_OFFERED
    return OfferAnswer(status, offer, reason or code, reader.unknowns)


def _sends_left(reader: FieldReader, stated: int | None, limits: Iterable[Mapping[str, object]]) -> int | None:
    """How many invites can be sent: what was stated, or less where a limit on a span of time leaves less."""
    lefts = [] if stated is None else [stated]
    for limit in limits:
        if limit.get("capacity_type", "send") != "send":
            continue
        total = reader.count(limit.get("invites_total"), "a limit on invites")
        used = reader.count(limit.get("invites_sent"), "a limit on invites")
        if total is not None and used is not None:
            lefts.append(max(0, total - used))
    return min(lefts, default=None)


def _texts(reader: FieldReader, value: object, what: str) -> tuple[str, ...]:
    found = (reader.text(item, what) for item in reader.items(value, what, MOST_RULES) or ())
    return tuple(text for text in found if text is not None)


def _rewards(reader: FieldReader, value: object) -> tuple[Reward, ...]:
    rewards = []
    for grant in reader.rows(value, "the rewards for an invite", _MOST_REWARDS, "a reward for an invite"):
        kind = reader.text(grant.get("grant_type"), "a reward for an invite", 60)
        if kind is None:
            reader.note("a reward for an invite is of no kind")
            continue
        rewards.append(
            Reward(
                recipient=reader.text(grant.get("recipient"), "whose reward it is", 60) or "unknown",
                kind=kind,
                amount=reader.count(grant.get("amount"), "the amount of a reward"),
                reward_id=_id(reader, grant.get("reward_id"), "a reward") if kind == RESET_CREDIT else None,
            )
        )
    return tuple(rewards)


def encode_invite(request: InviteRequest) -> bytes:
    """What an invite is sent with; one address only."""
    return msgspec.json.encode({"program_id": request.program, "entrypoint": ENTRYPOINT, "emails": [request.address]})


def decode_invited(body: bytes, address: str) -> InviteAnswer | str:
    """Read the answer to an invite that was sent to an address.

    Returns:
        The invite; or why the service did not send it, in its own words.

    Raises:
        BadPayload: It does not say what became of the invite.
    """
    payload = load_object(body, "the answer to the invite")
    reader = FieldReader()
    rows = reader.rows(payload.get("invites"), "the invites", 10, "an invite")
    mine = [row for row in rows if _is(row.get("email"), address)]
    if not mine and len(rows) == 1 and rows[0].get("email") is None:
        mine = rows  # the only one that was asked for needs no name
    failed = reader.items(payload.get("failed_emails"), "the addresses that failed", 10) or []
    has_failed = any(_is(item, address) for item in failed)
    if mine and not has_failed:
        row = mine[0]
        return InviteAnswer(_id(reader, row.get("referral_id"), "an invite"), usable_link(row.get("invite_url")))
    if has_failed and not mine:
        return _words(payload.get("message")) or "the service sent none and does not say why"
    raise BadPayload("the answer does not say what became of the invite", "check the base URL")


def _is(value: object, address: str) -> bool:
    return isinstance(value, str) and same_address(value, address)


def decode_refusal(body: bytes) -> str | None:
    """The service's own words in a refusal: `message`, or `detail`, or `detail.message`; None where there are none.

    Addresses in them are masked: the words end up in error lines.
    """
    try:
        payload = load_object(body, "the refusal")
    except BadPayload:
        return None
    detail = payload.get("detail")
    words = _words(payload.get("message"))
    return words or _words(detail.get("message") if isinstance(detail, dict) else detail)


def _words(value: object) -> str | None:
    return mask_addresses(value).rstrip(".") or None if isinstance(value, str) else None


def mask_addresses(text: str, longest: int = 200) -> str:
    """Outside text as one safe line that may go into a ledger or an error: no address in it can be read."""
    # Masked before it is cut: half an address is still a name.
    return clean_text(without_addresses(clean_text(text, 5 * longest)), longest)


def decode_tracking(body: bytes) -> TrackingPage:
    """Read one page of the list of invites; `BadPayload` too where it has no list."""
    payload = load_object(body, "the list of invites")
    reader = FieldReader()
    items = reader.items(payload.get("items"), "the list of invites", 2 * PAGE)
    if items is None:
        raise BadPayload("the list of invites came without its items", "check the base URL")
    invites = [invite for item in items if (invite := _tracked(reader, item)) is not None]
    following, listed = payload.get("cursor"), payload.get("items")
    cursor = following if isinstance(following, str) and clean_text(following, _LONGEST_CURSOR) == following else None
    ended = following is None or following == ""
    if cursor is None and not ended:
        reader.note("the place in the list of invites makes no sense")  # so its end is out of reach
    whole = isinstance(listed, list) and len(invites) == len(listed) and (ended or cursor is not None)
    return TrackingPage(tuple(invites), cursor or None, whole, reader.unknowns)


def _tracked(reader: FieldReader, value: object) -> TrackedInvite | None:
    row = reader.mapping(value, "an invite in the list")
    if row is None:
        return None
    invite_id = _id(reader, row.get("referral_id"), "an invite in the list")
    if invite_id is None:
        reader.note("an invite in the list has no usable id")
        return None
    word = _text(reader, row.get("status"), "the state of an invite", 40)
    address = reader.text(row.get("email"), "the address of an invite", 254)
    return TrackedInvite(
        id=invite_id,
        address=address,
        state=_STATES.get((word or "").casefold(), InviteStatus.UNKNOWN),
        word=word,
        reason=_text(reader, row.get("status_reason"), "why an invite came to nothing", 200),
        link=usable_link(row.get("invite_url")),
        created_at=reader.moment(row.get("created_at"), "when an invite was sent"),
        expires_at=reader.moment(row.get("expires_at"), "when an invite expires"),
        can_resend=reader.flag(row.get("can_resend"), "whether an invite can be sent again"),
        resend_at=reader.moment(row.get("resend_available_at"), "when an invite can be sent again"),
        rewards=_rewards(reader, row.get("grants")),
    )


def _text(reader: FieldReader, value: object, what: str, longest: int) -> str | None:
    """Text that may end up in the ledger or an error."""
    return mask_addresses(value, longest) or None if isinstance(value, str) else reader.text(value, what, longest)


def _id(reader: FieldReader, value: object, what: str) -> str | None:
    """An id that can be sent back to the letter, also in a path; None for anything else."""
    if value is None:
        return None
    if isinstance(value, str) and value and clean_text(value, _LONGEST_ID) == value and value not in (".", ".."):
        return value
    reader.note(f"{what} has no usable id")
    return None
