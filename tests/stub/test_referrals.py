from collections.abc import Callable

import pytest

from tests.support.clocks import ManualClock
from tui.domain.referral import InviteStatus
from tui.stub.database.bank import Bank
from tui.stub.database.referrals import Tracked
from tui.stub.refused import Refused, UnknownAccount
from tui.stub.rules.invites import AddressRefusal, NotOffered
from tui.stub.rules.plans import PLANS

Opener = Callable[..., Bank]
DAY = 86_400
ADA = "ada@example.com"


def add(bank: Bank, account: str, plan: str = "plus", used_days_ago: float | None = None) -> None:
    used = None if used_days_ago is None else used_days_ago * DAY
    with bank.adding_account(account, PLANS[plan], f"{account}@example.com", used):
        pass


def invite(bank: Bank, email: str = ADA, account: str = "acc1") -> Tracked:
    sent, refused = bank.referrals.send(account, [email])
    assert (len(sent), refused) == (1, {})
    return sent[0]


def refusal(bank: Bank, email: str, account: str = "acc1") -> AddressRefusal:
    sent, refused = bank.referrals.send(account, [email])
    assert (sent, list(refused)) == ([], [email])
    return refused[email]


def accept(bank: Bank, sent: Tracked, account: str = "ada") -> Tracked:
    return bank.referrals.accept(sent.invite.token, account)


def look(bank: Bank, sent: Tracked) -> Tracked:
    return next(tracked for tracked in bank.referrals.everything() if tracked.invite.id == sent.invite.id)


def spendable(bank: Bank, *accounts: str) -> list[int]:
    return [bank.read(account).spendable for account in accounts]


def test_an_invite_on_its_way(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    assert sent.state is InviteStatus.SENT
    opened, campaign = bank.referrals.open(sent.invite.token)
    assert (opened.state, campaign.id) == (InviteStatus.OPENED, "pilot_reset_1")
    assert accept(bank, sent).state is InviteStatus.JOINED
    assert spendable(bank, "acc1", "ada") == [1, 1]
    assert bank.take_turn("ada")[1]
    rewarded = look(bank, sent)
    assert rewarded.state is InviteStatus.REWARDED
    assert spendable(bank, "acc1", "ada") == [2, 2]
    held = [bank.read(account).credits[-1] for account in ("acc1", "ada")]
    assert [reward.reward_id for reward in rewarded.rewards] == [credit.id for credit in held]
    assert [credit.granted_by for credit in held] == ["@ada", "@acc1"]
    assert {(credit.expires_at or 0) - credit.granted_at for credit in held} == {30 * DAY}


def test_whatever_is_repeated_nothing_comes_twice(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    assert refusal(bank, ADA) is AddressRefusal.ALREADY_INVITED
    for _ in range(3):
        bank.referrals.open(sent.invite.token)
        accept(bank, sent)
    for _ in range(3):
        bank.take_turn("ada")
        accept(bank, sent)
    assert spendable(bank, "acc1", "ada") == [2, 2]
    assert bank.referrals.offer("acc1").rewarded == 1


def test_a_turn_that_the_limit_stops_is_no_message(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    accept(bank, sent)
    bank.set_usage("ada", bank.read("ada").windows[0].kind, 100)
    assert not bank.take_turn("ada")[1]
    assert look(bank, sent).state is InviteStatus.JOINED
    assert spendable(bank, "acc1", "ada") == [1, 1]


def test_the_turn_tells_the_reward_that_it_earned(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    accept(bank, invite(bank))
    reading, _ = bank.take_turn("ada")
    assert (reading.spendable, reading.windows[0].used_percent) == (2, 3)


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("ada", AddressRefusal.NO_ADDRESS),
        ("ada@example", AddressRefusal.NO_ADDRESS),
        (" ME@Example.com ", AddressRefusal.OWN_ADDRESS),
        ("ADA@example.com\t", AddressRefusal.ALREADY_INVITED),
    ],
)
def test_an_address_that_is_refused(open_bank: Opener, email: str, why: AddressRefusal) -> None:
    bank = open_bank("pilot-start")
    invite(bank)
    assert refusal(bank, email) is why


def test_somebody_elses_invite_stands_in_the_way_while_it_is_pending(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    invite(bank, ADA, "acc2")
    assert refusal(bank, "Ada@Example.com") is AddressRefusal.INVITED_BY_OTHERS
    clock.advance(7 * DAY)
    assert invite(bank).state is InviteStatus.SENT


def test_an_invite_that_expired_is_not_sent_again_by_the_same(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    invite(bank)
    clock.advance(7 * DAY)
    assert refusal(bank, ADA) is AddressRefusal.ALREADY_INVITED


def test_the_fourth_invite_is_refused(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    sent, refused = bank.referrals.send("acc1", [f"{name}@example.com" for name in "abcd"])
    assert ([tracked.invite.email[0] for tracked in sent], [(email[0], why) for email, why in refused.items()]) == (
        ["a", "b", "c"],
        [("d", AddressRefusal.NONE_LEFT)],
    )
    offer = bank.referrals.offer("acc1")
    assert (offer.sends_left, offer.rewards_left, bank.referrals.offer("acc2").sends_left) == (0, 3, 3)


def test_one_person_gets_one_invite(open_bank: Opener) -> None:
    sent, refused = open_bank("pilot-start").referrals.send("acc1", [" Ada@example.com", "ada@EXAMPLE.com"])
    assert ([tracked.invite.email for tracked in sent], refused) == (["Ada@example.com"], {})


def test_the_end_of_each_life(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    never, late = invite(bank, "never@example.com"), invite(bank)
    clock.advance(7 * DAY - 1)
    accept(bank, late)
    clock.advance(1)
    assert (look(bank, never).state, look(bank, late).state) == (InviteStatus.EXPIRED, InviteStatus.JOINED)
    assert accept(bank, never, "acc2").state is InviteStatus.EXPIRED
    clock.advance(7 * DAY - 1)
    bank.take_turn("ada")
    assert look(bank, late).state is InviteStatus.EXPIRED
    assert spendable(bank, "acc1", "ada") == [1, 1]
    assert bank.referrals.open(late.invite.token)[0].state is InviteStatus.EXPIRED


def test_an_invite_sent_in_time_is_honoured_after_the_end(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    clock.advance(14 * DAY - 1)
    sent = invite(bank)
    clock.advance(1)
    with pytest.raises(Refused) as caught:
        bank.referrals.send("acc1", ["bob@example.com"])
    assert caught.value.reason == NotOffered.ENDED
    accept(bank, sent)
    bank.take_turn("ada")
    assert look(bank, sent).state is InviteStatus.REWARDED


@pytest.mark.parametrize(
    ("plan", "used", "reason"),
    [("plus", 59, "last 60 days"), ("free", None, "plan"), ("business", 90, "plan")],
)
def test_a_friend_who_cannot_take_part(open_bank: Opener, plan: str, used: float | None, reason: str) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada", plan, used)
    sent = invite(bank)
    for _ in range(2):
        told = accept(bank, sent)
        assert (told.state, reason in str(told.reason)) == (InviteStatus.INELIGIBLE, True)
    before = spendable(bank, "acc1", "ada")
    bank.take_turn("ada")
    assert spendable(bank, "acc1", "ada") == before


def test_nobody_joins_by_their_own_invite(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    assert accept(bank, invite(bank), "acc1").reason == "This is the account that sent the invite."


def test_a_friend_joins_once_in_a_life(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    first, second = invite(bank), invite(bank, "lovelace@example.com", "acc2")
    accept(bank, first)
    assert accept(bank, second).reason == "This person has joined by another invite."
    bank.take_turn("ada")
    assert spendable(bank, "acc1", "acc2", "ada") == [2, 1, 2]


def test_a_link_is_for_one_friend(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    add(bank, "bob")
    sent = invite(bank)
    accept(bank, sent)
    with pytest.raises(Refused, match="another account"):
        accept(bank, sent, "bob")
    with pytest.raises(Refused, match="no such invite"):
        bank.referrals.accept("nothing", "bob")
    with pytest.raises(UnknownAccount):
        accept(bank, sent, "nobody")


def test_rewards_are_used_up(open_bank: Opener) -> None:
    bank = open_bank("pilot")
    add(bank, "alan")
    add(bank, "kay")
    assert bank.referrals.offer("acc1").rewards_left == 1
    outcomes = []
    for name in ("alan", "kay"):
        sent = invite(bank, f"{name}@example.com")
        accept(bank, sent, name)
        bank.take_turn(name)
        outcomes.append(look(bank, sent))
    assert [tracked.state for tracked in outcomes] == [InviteStatus.REWARDED, InviteStatus.FIRST_MESSAGE]
    assert outcomes[1].reason == "Your rewards are used up: 3 invites were rewarded."
    assert spendable(bank, "acc1", "alan", "kay") == [3, 2, 1]


@pytest.mark.parametrize(
    ("who", "plan", "state"),
    [("ada", "free", InviteStatus.INELIGIBLE), ("acc1", "free", InviteStatus.FIRST_MESSAGE)],
)
def test_both_sides_or_neither(open_bank: Opener, who: str, plan: str, state: InviteStatus) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    accept(bank, sent)
    bank.change_plan(who, PLANS[plan])
    bank.take_turn("ada")
    told = look(bank, sent)
    assert told.state is state
    assert told.reason
    assert all(reward.reward_id is None for reward in told.rewards)
    assert [grant for grant in bank.grants() if grant.source == "referral"] == []


def test_the_emails_cool_down(open_bank: Opener, clock: ManualClock) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    waits = []
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            bank.referrals.resend("acc1", sent.invite.id)
        waits.append(caught.value.retry_after)
        assert not look(bank, sent).can_resend
        clock.advance(caught.value.retry_after or 0)
        assert look(bank, sent).can_resend
        bank.referrals.resend("acc1", sent.invite.id)
    assert waits == [60, DAY, DAY]
    assert look(bank, sent).invite.emails_sent == 4
    with pytest.raises(Refused, match="no such invite"):
        bank.referrals.resend("acc2", sent.invite.id)
    accept(bank, sent)
    clock.advance(DAY)
    assert not look(bank, sent).can_resend
    with pytest.raises(Refused, match="no longer pending"):
        bank.referrals.resend("acc1", sent.invite.id)


def test_a_reward_is_taken_back_as_far_as_it_is_there(open_bank: Opener) -> None:
    bank = open_bank("pilot-start")
    add(bank, "ada")
    sent = invite(bank)
    with pytest.raises(Refused, match="earned nothing"):
        bank.referrals.reverse(sent.invite.id)
    accept(bank, sent)
    bank.take_turn("ada")
    rewards = [reward.reward_id for reward in look(bank, sent).rewards]
    bank.consume("ada", "key", rewards[1])
    told, revoked = bank.referrals.reverse(sent.invite.id)
    assert (told.state, revoked) == (InviteStatus.REVERSED, [rewards[0]])
    assert bank.referrals.reverse(sent.invite.id)[1] == []
    assert spendable(bank, "acc1", "ada") == [1, 1]
    for reading in bank.everything()[0]:
        assert reading.granted == len(reading.credits)
    assert bank.referrals.offer("acc1").rewards_left == 2


def test_credits_for_the_one_who_invites_alone(open_bank: Opener) -> None:
    bank = open_bank("pilot-credits")
    add(bank, "ada", "free")
    sent = invite(bank)
    accept(bank, sent)
    bank.take_turn("ada")
    (reward,) = look(bank, sent).rewards
    assert (reward.recipient, reward.grant_type, reward.amount) == ("referrer", "personal_credits", 500)
    assert str(reward.reward_id).startswith("Grant_")
    assert (bank.read("acc1").personal_credits, bank.read("ada").personal_credits) == (500, 0)
    assert spendable(bank, "acc1", "ada") == [1, 0]
    bank.referrals.reverse(sent.invite.id)
    bank.referrals.reverse(sent.invite.id)
    assert bank.read("acc1").personal_credits == 0


@pytest.mark.parametrize(
    ("scenario", "why"),
    [("monthly", NotOffered.PLAN), ("business", NotOffered.PLAN), ("unknown", NotOffered.NONE)],
)
def test_where_nothing_is_offered(open_bank: Opener, scenario: str, why: NotOffered) -> None:
    bank = open_bank(scenario)
    offer = bank.referrals.offer("acc1")
    assert offer.refused is why
    with pytest.raises(Refused):
        bank.referrals.send("acc1", [ADA])
    assert bank.referrals.tracking("acc1", past_seconds=DAY, before=None, limit=9) == ([], None)
    assert bank.referrals.everything() == []
