"""States of the invite panel, built from domain values."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tests.ui import states
from tests.ui.states import NOW, at
from tui.companion.state import State
from tui.domain.invites import InviteRecord, InviteState, SendStage, newest_first
from tui.domain.referral import (
    RESET_CREDIT,
    InviteStatus,
    Offer,
    OfferStatus,
    Reward,
    TrackedInvite,
)

BOTH: Final = (Reward("referrer", RESET_CREDIT, 1), Reward("friend", RESET_CREDIT, 1))
OFFER: Final = Offer(
    id="pilot_reset_1",
    program="codex_referral_consumer",
    title="Invite friends, bank resets",
    description="You and your friend each get one banked reset when they send their first Codex message.",
    rules=(
        "Your friend must not have used Codex in the last 60 days.",
        "A banked reset lapses 30 days after it was granted.",
    ),
    rewards=BOTH,
    plans=("plus", "pro"),
    ends_at=at(7, 14, month=12),
    sends_left=2,
    rewards_left=3,
)
LINK: Final = "https://chatgpt.com/invite/Zm9vYmFyYmF6cXV4"


def tracked(
    key: str,
    address: str | None,
    state: InviteStatus,
    sent_at: datetime,
    *,
    reason: str | None = None,
    ends: datetime | None = None,
    resend_at: datetime | None = None,
    reward_id: str | None = None,
    word: str | None = None,
) -> InviteRecord:
    """An invite that the service lists."""
    pending = state.is_pending
    seen = TrackedInvite(
        id=f"ref-{key}",
        address=address,
        state=state,
        word=word or state.value,
        reason=reason,
        link=LINK if pending else None,
        created_at=sent_at,
        expires_at=ends or sent_at + timedelta(days=14),
        can_resend=pending,
        resend_at=resend_at,
        rewards=(Reward("referrer", RESET_CREDIT, 1, reward_id), Reward("friend", RESET_CREDIT, 1)),
    )
    record = InviteRecord(key, "acc1", address, SendStage.FOUND, sent_at, referral_id=seen.id, tracked=seen)
    certain = reward_id is not None
    return replace(record, credit_id=reward_id, credit_is_certain=certain)


def local(key: str, address: str, stage: SendStage, written_at: datetime, **rest: object) -> InviteRecord:
    """An invite that only this machine knows of."""
    return replace(InviteRecord(key, "acc1", address, stage, written_at), **rest)


EVERY: Final = newest_first(
    (
        tracked("k1", "bea@example.com", InviteStatus.SENT, at(23, 9), resend_at=at(24, 9)),
        tracked("k2", "cyd@example.org", InviteStatus.OPENED, at(22, 9)),
        tracked("k3", "dan@example.com", InviteStatus.JOINED, at(19, 9)),
        tracked(
            "k4", "eve@example.com", InviteStatus.FIRST_MESSAGE, at(18, 9), reason="All three rewards are used up."
        ),
        tracked("k5", "ada@example.com", InviteStatus.REWARDED, at(17, 9), reward_id="c3"),
        tracked("k6", "fay@example.org", InviteStatus.EXPIRED, at(1, 9)),
        tracked("k7", "gus@example.com", InviteStatus.INELIGIBLE, at(16, 9), reason="Used Codex lately."),
        tracked("k8", "hal@example.com", InviteStatus.REVERSED, at(15, 9), reason="The account was closed."),
        tracked("k9", "ian@example.com", InviteStatus.UNKNOWN, at(14, 9), word="lunar_tide"),
        local(
            "l1", "joy@example.com", SendStage.UNKNOWN, NOW - timedelta(seconds=30), reason="no answer came within 15 s"
        ),
        local("l2", "kim@example.com", SendStage.LOST, at(23, 12), reason="the service does not list it"),
        local("l3", "lou@example.com", SendStage.NOTED, at(20, 12), link=LINK),
    )
)


def invites(book: InviteState, base: State | None = None) -> State:
    return replace(base or states.busy(), invites=book)


def offered(*records: InviteRecord, **changes: object) -> State:
    book = InviteState(OfferStatus.OFFERED, OFFER, read_at=NOW, listed_at=NOW, records=records, is_loaded=True)
    return invites(replace(book, **changes))


def every() -> State:
    return offered(*EVERY)


def two() -> State:
    """Two pending ones and one that earned a reset: what the pictures show."""
    return offered(*(record for record in EVERY if record.key in ("k1", "k3", "k5")))


def not_asked() -> State:
    reason = "the official service offers invites in Codex's own app alone, so it is not asked from here"
    return invites(InviteState(OfferStatus.NOT_ASKED, None, reason, read_at=NOW, is_loaded=True), earned())


def earned() -> State:
    """A bank with a reset that a friend is named for."""
    first, second, third = states.THREE
    return states.state(
        states.snapshot(
            states.main_limit(states.five_hours(18), states.week(41)),
            banked=states.bank(first, second, replace(third, granted_by="@friend")),
        )
    )


def forbidden() -> State:
    reason = "127.0.0.1:8899 answers this client with a refusal (403)"
    return invites(InviteState(OfferStatus.FORBIDDEN, None, reason, is_loaded=True))


def unread() -> State:
    """No reading, and nothing to tell whose invites would be shown."""
    reason = "the limits cannot be read, so nothing is asked about invites"
    return replace(State(), invites=InviteState(OfferStatus.UNREACHABLE, None, reason))


def not_offered() -> State:
    reason = "This offer is for Plus and Pro plans."
    return invites(InviteState(OfferStatus.NOT_OFFERED, OFFER, reason, read_at=NOW, listed_at=NOW, records=EVERY[-1:]))


def unreachable() -> State:
    book = InviteState(OfferStatus.UNREACHABLE, OFFER, "127.0.0.1:8899 answers 503", read_at=NOW, records=EVERY[:2])
    return invites(book)
