"""Invites for tests: short to write, complete, and generated ones for Hypothesis."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from tests.support.clocks import START
from tui.domain.invites import InviteRecord, Resend, ResendStage, SendStage
from tui.domain.referral import REFERRER, RESET_CREDIT, InviteList, InviteStatus, Offer, Reward, TrackedInvite
from tui.domain.spend import ConsentKind

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FRIEND = "friend@example.com"
OFFER = Offer(
    id="offer-1",
    program="codex_referral_consumer",
    title="Invite friends",
    rules=("At most three.",),
    rewards=(Reward(REFERRER, RESET_CREDIT, 1), Reward("friend", RESET_CREDIT, 1)),
    plans=("plus", "pro"),
    ends_at=START + 14 * DAY,
    sends_left=3,
    rewards_left=3,
)


def record(
    key: str = "key-1", stage: SendStage = SendStage.SENT, at: datetime = START, **changes: object
) -> InviteRecord:
    values: dict[str, object] = {"address": FRIEND, "consent": ConsentKind.LETTER}
    return InviteRecord(key, "acc1", stage=stage, written_at=at, **(values | changes))  # type: ignore[arg-type]


def tracked(
    name: str = "ref-1", state: InviteStatus = InviteStatus.SENT, address: str | None = FRIEND, **changes: object
) -> TrackedInvite:
    return TrackedInvite(name, address, state, state.value, **({"created_at": START} | changes))  # type: ignore[arg-type]


def listed(*invites: TrackedInvite, complete: bool = True) -> InviteList:
    return InviteList(invites, complete)


def key_maker(prefix: str = "new") -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


ADDRESSES = ["a@x.example", "A@X.example", "b@x.example", "b@bücher.example", "b@xn--bcher-kva.example"]
moments = st.integers(-200, 200).map(lambda minutes: START + minutes * MINUTE)
addresses = st.sampled_from([*ADDRESSES, None, "a…@x.example"])
rewards = st.lists(
    st.builds(
        Reward,
        st.sampled_from([REFERRER, "friend"]),
        st.sampled_from([RESET_CREDIT, "personal_credits"]),
        st.sampled_from([None, 1]),
        st.sampled_from([None, "c0", "c1", "c2"]),
    ),
    max_size=2,
).map(tuple)


@st.composite
def tracked_invites(draw: st.DrawFn, name: str | None = None, address: str | None = None) -> TrackedInvite:
    state = draw(st.sampled_from(InviteStatus))
    return TrackedInvite(
        id=name or draw(st.sampled_from([f"ref-{number}" for number in range(6)])),
        address=address or draw(addresses),
        state=state,
        word="enchanted" if state is InviteStatus.UNKNOWN else state.value,
        created_at=draw(st.none() | moments),
        can_resend=draw(st.none() | st.booleans()),
        resend_at=draw(st.none() | moments),
        rewards=draw(rewards),
    )


@st.composite
def record_lists(draw: st.DrawFn) -> tuple[InviteRecord, ...]:
    """What this program itself writes: no id twice, and an id with whatever the service has listed."""
    names = draw(st.lists(st.sampled_from([f"ref-{number}" for number in range(6)]), unique=True, max_size=4))
    records = []
    for number in range(draw(st.integers(0, 6))):
        stage = draw(st.sampled_from(SendStage))
        is_listed = stage is SendStage.FOUND or (stage in (SendStage.SENT, SendStage.NOTED) and draw(st.booleans()))
        name = names.pop() if names and (is_listed or (stage is SendStage.SENT and draw(st.booleans()))) else None
        if stage is SendStage.FOUND and name is None:
            stage = SendStage.UNKNOWN
        credit_id = draw(st.sampled_from([None, None, "c0", "c1", "c2"]))
        resend = st.builds(Resend, st.sampled_from(ResendStage), moments)
        records.append(
            InviteRecord(
                f"key-{number}",
                "acc1",
                draw(addresses) if stage is SendStage.FOUND else draw(st.sampled_from(ADDRESSES)),
                stage,
                draw(moments),
                referral_id=name,
                tracked=draw(tracked_invites(name)) if name is not None and is_listed else None,
                resend=draw(st.none() | resend) if name is not None and is_listed else None,
                credit_id=credit_id,
                credit_is_certain=credit_id is not None and draw(st.booleans()),
            )
        )
    return tuple(records)


trackings = st.builds(InviteList, st.lists(tracked_invites(), max_size=6).map(tuple), st.booleans())
