import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tui.domain.referral import InviteStatus
from tui.stub.rules.invites import (
    Candidate,
    Ineligible,
    Invite,
    NotOffered,
    Unrewarded,
    comparable,
    first_message,
    ineligible,
    is_address,
    not_offered,
)
from tui.stub.rules.plans import PLANS, Plan, plan_named
from tui.stub.rules.windows import DAY
from tui.stub.scenario import PILOT
from tui.stub.scenarios import CREDITS

NOW = 1_795_000_000.0
INVITE = Invite(
    number=1,
    id="Referral_1",
    campaign=PILOT.id,
    referrer="acc1",
    email="ada@example.com",
    token="t",
    sent_at=NOW,
    expires_at=NOW + 100,
    emails_sent=1,
    resend_at=NOW + 60,
)
JOINED = replace(INVITE, opened_at=NOW, friend="ada", joined_at=NOW)
MESSAGED = replace(JOINED, first_message_at=NOW + 1)
moments = st.none() | st.floats(NOW - 1_000, NOW + 1_000)
invites = st.builds(
    replace,
    st.just(INVITE),
    expires_at=st.floats(NOW - 1_000, NOW + 1_000),
    opened_at=moments,
    joined_at=moments,
    ineligible=st.none() | st.sampled_from(Ineligible),
    first_message_at=moments,
    unrewarded=st.none() | st.sampled_from(Unrewarded),
    reward_slot=st.none() | st.integers(1, 3),
    reversed_at=moments,
)


@pytest.mark.parametrize(
    ("invite", "state", "reason"),
    [
        (INVITE, InviteStatus.SENT, None),
        (replace(INVITE, opened_at=NOW), InviteStatus.OPENED, None),
        (JOINED, InviteStatus.JOINED, None),
        (replace(MESSAGED, reward_slot=1), InviteStatus.REWARDED, None),
        (replace(MESSAGED, unrewarded=Unrewarded.USED_UP), InviteStatus.FIRST_MESSAGE, "3 invites were rewarded"),
        (replace(MESSAGED, unrewarded=Unrewarded.REFERRER_PLAN), InviteStatus.FIRST_MESSAGE, "Your plan could not"),
        (replace(MESSAGED, ineligible=Ineligible.PLAN), InviteStatus.INELIGIBLE, "plan does not take part"),
        (replace(INVITE, expires_at=NOW + 50), InviteStatus.EXPIRED, "not accepted in time"),
        (replace(JOINED, expires_at=NOW + 50), InviteStatus.EXPIRED, "not followed by a first message in time"),
        (replace(INVITE, ineligible=Ineligible.OWN_ACCOUNT), InviteStatus.INELIGIBLE, "account that sent"),
        (replace(INVITE, ineligible=Ineligible.ALREADY_INVITED), InviteStatus.INELIGIBLE, "another invite"),
        (replace(INVITE, ineligible=Ineligible.ALREADY_ACTIVE), InviteStatus.INELIGIBLE, "in the last 60 days"),
        (replace(MESSAGED, reward_slot=1, reversed_at=NOW + 2), InviteStatus.REVERSED, "taken back"),
    ],
)
def test_a_state_follows_from_the_moments(invite: Invite, state: InviteStatus, reason: str | None) -> None:
    told = invite.reason_at(NOW + 50, PILOT)
    assert invite.state_at(NOW + 50) is state
    assert (told is None) if reason is None else (told is not None and reason in told)


@given(invites, st.floats(NOW - 1_000, NOW + 1_000), st.floats(0, 1_000))
def test_time_alone_only_lets_an_invite_expire(invite: Invite, now: float, later: float) -> None:
    before, after = invite.state_at(now), invite.state_at(now + later)
    assert after in (before, InviteStatus.EXPIRED)
    assert before is after or invite.is_pending(now)
    assert invite.awaits_friend(now) <= invite.is_pending(now)
    assert invite.state_at(now) is not InviteStatus.UNKNOWN


def test_the_last_second_counts() -> None:
    assert INVITE.awaits_friend(NOW + 99.9)
    assert not INVITE.awaits_friend(NOW + 100)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_whom_the_pilot_is_offered_to(plan: Plan) -> None:
    assert not_offered(PILOT, plan, NOW, NOW) is (None if plan.name in ("plus", "pro") else NotOffered.PLAN)


def test_when_a_campaign_is_offered() -> None:
    plus, later = PLANS["plus"], replace(PILOT, starts_in=10.0)
    assert not_offered(None, plus, NOW, NOW) is NotOffered.NONE
    assert not_offered(later, plus, NOW, NOW + 9.9) is NotOffered.NOT_STARTED
    assert not_offered(later, plus, NOW, NOW + 10) is None
    assert not_offered(PILOT, plus, NOW, NOW + 14 * DAY - 1) is None
    assert not_offered(PILOT, plus, NOW, NOW + 14 * DAY) is NotOffered.ENDED
    assert not_offered(replace(PILOT, starts_in=-15.0 * DAY), plus, NOW, NOW) is NotOffered.ENDED
    assert all(why.endswith(".") for why in NotOffered)


@pytest.mark.parametrize(
    "address", ["ada@example.com", "a.b+c@sub.example.co.uk", "Ada.Lovelace@EXAMPLE.org", "ü@bücher.example"]
)
def test_an_address(address: str) -> None:
    assert is_address(comparable(f"  {address}\t"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "ada@.com",
        "ada@example..com",
        "a b@example.com",
        "a@b@example.com",
        "ada@example.com, bob@example.com",
        "<ada@example.com>",
        "ada@example.com\x1b[31m",
        "ada@exa\nmple.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_is_obviously_no_address(address: str) -> None:
    assert not is_address(address)


@given(st.text())
def test_addresses_compare_without_case_and_space(text: str) -> None:
    assert comparable(f" {text} ") == comparable(text)
    assert comparable(comparable(text)) == comparable(text)


def friend(plan: str = "plus", used_days_ago: float | None = None, *, joined: bool = False) -> Candidate:
    return Candidate("ada", PLANS[plan], None if used_days_ago is None else NOW - used_days_ago * DAY, joined)


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (friend(), None),
        (friend(used_days_ago=60), None),
        (friend(used_days_ago=59.99), Ineligible.ALREADY_ACTIVE),
        (friend(joined=True), Ineligible.ALREADY_INVITED),
        (replace(friend(), account="acc1"), Ineligible.OWN_ACCOUNT),
        (friend("go"), None),
        (friend("free"), Ineligible.PLAN),
        (friend("business"), Ineligible.PLAN),
        (replace(friend(), plan=plan_named("galaxy_brain")), Ineligible.PLAN),
    ],
)
def test_who_may_join(candidate: Candidate, why: Ineligible | None) -> None:
    assert ineligible(INVITE, PILOT, candidate, NOW) is why


def test_a_free_friend_may_join_where_only_the_referrer_earns() -> None:
    assert ineligible(INVITE, CREDITS, friend("free"), NOW) is None


def test_what_a_first_message_comes_to() -> None:
    plus, free = PLANS["plus"], PLANS["free"]
    assert [first_message(PILOT, plus, plus, rewarded) for rewarded in range(4)] == [1, 2, 3, Unrewarded.USED_UP]
    assert first_message(PILOT, free, plus, 0) is Ineligible.PLAN
    assert first_message(PILOT, plus, free, 0) is Unrewarded.REFERRER_PLAN
    # Credits are no resets: the referrer's plan need not bank them.
    assert first_message(CREDITS, free, free, 0) == 1
