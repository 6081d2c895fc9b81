"""The bank and the referrals in any order: nothing is earned too often, by one side alone, or lost from the count."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.budget import budget, random_runs
from tests.support.clocks import ManualClock
from tui.domain.referral import InviteStatus
from tui.domain.windows import WindowKind
from tui.stub.database.bank import Bank
from tui.stub.database.referrals import Tracked
from tui.stub.refused import Refused
from tui.stub.rules.invites import AddressRefusal
from tui.stub.rules.plans import PLANS
from tui.stub.rules.resets import HeldStatus

DAY = 86_400.0
SETTLED = {InviteStatus.EXPIRED, InviteStatus.INELIGIBLE, InviteStatus.FIRST_MESSAGE, InviteStatus.REVERSED}
FRIENDS = [f"friend{number}" for number in range(7)]
ACCOUNTS = ["acc1", "acc2", *FRIENDS]
SEEN: Counter[str] = Counter()

accounts = st.sampled_from(ACCOUNTS)
numbers = st.integers(0, 30)


class ReferralMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.known: dict[str, InviteStatus] = {}
        self.credits: dict[str, dict[str, str]] = {}

    @initialize(scenario=st.sampled_from(["pilot", "pilot", "pilot-start", "pilot-credits", "priced", "rollout"]))
    def open(self, scenario: str) -> None:
        self.bank = Bank.open(self.clock, scenario=scenario)
        for account, plan in zip(FRIENDS, ["plus", "plus", "pro", "go", "free", "business"], strict=False):
            self.add(account, plan, None)

    def teardown(self) -> None:
        if hasattr(self, "bank"):
            self.bank.close()

    def add(self, account: str, plan: str, used: float | None) -> None:
        with self.bank.adding_account(account, PLANS[plan], f"{account}@example.com", used):
            pass

    @property
    def everybody(self) -> list[str]:
        return [reading.account for reading in self.bank.everything()[0]]

    def pick(self, which: int) -> Tracked | None:
        told = self.bank.referrals.everything()
        return told[which % len(told)] if told else None

    @rule(
        account=st.sampled_from(FRIENDS),
        plan=st.sampled_from(["free", "go", "plus", "pro", "business"]),
        used=st.none() | st.sampled_from([59 * DAY, 60 * DAY]),
    )
    def somebody_new(self, account: str, plan: str, used: float | None) -> None:
        exists = account in self.everybody
        try:
            self.add(account, plan, used)
        except Refused:
            assert exists

    @rule(account=accounts, names=st.lists(accounts, min_size=1, max_size=5))
    def invite(self, account: str, names: list[str]) -> None:
        if account not in self.everybody:
            return
        try:
            sent, refused = self.bank.referrals.send(account, [f" {name}@EXAMPLE.com" for name in names])
        except Refused:
            assert self.bank.referrals.offer(account).refused
            return
        assert len(sent) + len(refused) == len(set(names))
        assert all(tracked.state is InviteStatus.SENT for tracked in sent)
        left = self.bank.referrals.offer(account).sends_left
        assert left == 0 or AddressRefusal.NONE_LEFT not in refused.values()

    @rule(which=numbers, account=accounts)
    def come_by_a_link(self, which: int, account: str) -> None:
        tracked = self.pick(which)
        if tracked is None or account not in self.everybody:
            return
        self.bank.referrals.open(tracked.invite.token)
        try:
            self.bank.referrals.accept(tracked.invite.token, account)
        except Refused:
            assert tracked.invite.friend not in (None, account)

    @rule(which=numbers)
    def look_at_a_link(self, which: int) -> None:
        tracked = self.pick(which)
        if tracked is not None:
            self.bank.referrals.open(tracked.invite.token)

    @rule(which=numbers, account=accounts)
    def send_again(self, which: int, account: str) -> None:
        tracked = self.pick(which)
        if tracked is None or tracked.invite.referrer != account:
            return
        try:
            self.bank.referrals.resend(account, tracked.invite.id)
        except Refused:
            assert not tracked.can_resend

    @rule(account=accounts, times=st.integers(1, 2))
    def message(self, account: str, times: int) -> None:
        if account in self.everybody:
            for _ in range(times):
                self.bank.take_turn(account)

    @rule(which=numbers, friend=st.sampled_from(FRIENDS[:4]), times=st.integers(1, 2))
    def a_friend_goes_all_the_way(self, which: int, friend: str, times: int) -> None:
        for _ in range(times):
            self.invite("acc1", [friend])
            told = [tracked for tracked in self.bank.referrals.everything() if tracked.invite.email.startswith(friend)]
            if told:
                self.come_by_a_link(self.bank.referrals.everything().index(told[-1]), friend)
            self.message(friend, times)

    @rule(friend=accounts)
    def a_friend_follows_every_link(self, friend: str) -> None:
        for number, tracked in enumerate(self.bank.referrals.everything()):
            if tracked.invite.awaits_friend(self.clock.now().timestamp()):
                self.come_by_a_link(number, friend)

    @rule(which=numbers)
    def take_back(self, which: int) -> None:
        tracked = self.pick(which)
        if tracked is None:
            return
        try:
            self.bank.referrals.reverse(tracked.invite.id)
        except Refused:
            assert tracked.state not in (InviteStatus.REWARDED, InviteStatus.REVERSED)

    @rule(account=accounts, key=st.sampled_from(["k1", "k2", "k3", "k4"]), newest=st.booleans())
    def redeem(self, account: str, key: str, newest: bool) -> None:
        if account in self.everybody:
            held = self.bank.read(account).credits
            self.bank.consume(account, key, held[-1].id if held and newest else None)

    @rule(which=numbers, side=st.integers(0, 1))
    def redeem_a_reward(self, which: int, side: int) -> None:
        told = [tracked for tracked in self.bank.referrals.everything() if tracked.invite.reward_slot]
        if told:
            invite = told[which % len(told)].invite
            reward = told[which % len(told)].rewards[side:][:1]
            account = (invite.referrer, invite.friend or "")[side]
            if reward:
                self.bank.set_usage(account, self.bank.read(account).windows[0].kind, 50)
                self.bank.consume(account, f"reward {invite.id}", reward[0].reward_id)

    @rule(account=accounts, plan=st.sampled_from(["free", "go", "plus", "plus", "pro", "business"]))
    def change_plan(self, account: str, plan: str) -> None:
        if account in self.everybody:
            self.bank.change_plan(account, PLANS[plan])

    @rule(account=accounts, purchase_id=st.sampled_from(["p1", "p2"]))
    def buy(self, account: str, purchase_id: str) -> None:
        if account in self.everybody:
            try:
                self.bank.buy(account, purchase_id)
            except Refused:
                assert self.bank.scenario().name != "priced" or self.bank.read(account).plan == "free"

    @rule(account=st.sampled_from(["acc1", "acc2"]), used=st.sampled_from([0.0, 50.0, 100.0]))
    def set_usage(self, account: str, used: float) -> None:
        kind = self.bank.read(account).windows[0].kind
        self.bank.set_usage(account, WindowKind(kind), used)

    @rule(seconds=st.sampled_from([1.0, 60.0, 3_600.0, DAY, 4 * DAY, 7 * DAY, 31 * DAY]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: hasattr(self, "bank"))
    @invariant()
    def nothing_is_earned_too_often(self) -> None:
        campaign = self.bank.scenario().campaign
        assert campaign is not None
        told = self.bank.referrals.everything()
        earned = [tracked for tracked in told if tracked.state in (InviteStatus.REWARDED, InviteStatus.REVERSED)]
        assert all(count <= 3 for count in Counter(tracked.invite.referrer for tracked in earned).values())
        assert all(count <= 1 for count in Counter(tracked.invite.friend for tracked in earned).values())
        assert all(tracked.invite.friend not in (None, tracked.invite.referrer) for tracked in earned)
        landed = Counter(grant.key for grant in self.bank.grants() if grant.key.startswith("referral:"))
        assert landed == Counter(
            f"referral:{tracked.invite.id}:{reward.recipient}" for tracked in earned for reward in campaign.rewards
        )
        for tracked in told:
            assert {reward.reward_id is not None for reward in tracked.rewards} == {tracked in earned}
            SEEN[tracked.state] += 1

    @precondition(lambda self: hasattr(self, "bank"))
    @invariant()
    def what_is_settled_stays_settled(self) -> None:
        for tracked in self.bank.referrals.everything():
            before = self.known.get(tracked.invite.id)
            assert before not in SETTLED or tracked.state is before
            assert before is not InviteStatus.REWARDED or tracked.state in (before, InviteStatus.REVERSED)
            self.known[tracked.invite.id] = tracked.state

    @precondition(lambda self: hasattr(self, "bank"))
    @invariant()
    def credits_are_conserved(self) -> None:
        for reading in self.bank.everything()[0]:
            assert reading.granted == len(reading.credits), reading.account
            fates = {credit.id: credit.status_at(reading.now) for credit in reading.credits}
            assert len(fates) == len(reading.credits)
            for credit_id, before in self.credits.get(reading.account, {}).items():
                assert fates[credit_id] == before or before == HeldStatus.AVAILABLE
            self.credits[reading.account] = fates

    @precondition(lambda self: hasattr(self, "bank"))
    @invariant()
    def one_complimentary_reset_at_most(self) -> None:
        given = Counter(grant.account for grant in self.bank.grants() if grant.source == "programme")
        assert all(count == 1 for count in given.values())


@random_runs
def test_any_interleaving() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    SEEN.clear()
    run_state_machine_as_test(
        ReferralMachine,
        settings=settings(max_examples=budget(200), stateful_step_count=30, database=None),
    )
    # Random runs that never got anywhere would prove nothing.
    assert set(SEEN) >= {InviteStatus.JOINED, InviteStatus.REWARDED, InviteStatus.EXPIRED}
