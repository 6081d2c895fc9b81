from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.inviting import DAY, HOUR, MINUTE, record, record_lists, tracked
from tests.domain.worlds import credit
from tests.support.clocks import START
from tui.domain.credits import Credit
from tui.domain.invite_rewards import END_IS_NEAR, ReminderReason, reminder_reason, with_rewards
from tui.domain.invites import InviteRecord, SendStage
from tui.domain.referral import REFERRER, RESET_CREDIT, InviteStatus, Reward

AFTER = 3 * DAY


def earned(name: str = "c1", at: timedelta | None = DAY, by: str | None = "@friend") -> Credit:
    return credit(name, granted_at=None if at is None else START + at, granted_by=by)


def rewarded(key: str = "key-1", reward_id: str | None = None, *, kind: str = RESET_CREDIT) -> InviteRecord:
    own = Reward(REFERRER, kind, 1, reward_id)
    invite = tracked(f"ref-{key}", InviteStatus.REWARDED, rewards=(Reward("friend", RESET_CREDIT, 1, "theirs"), own))
    return record(key, referral_id=invite.id, tracked=invite)


def matches(*records: InviteRecord, banked: list[Credit] | None = None) -> list[tuple[str | None, bool]]:
    return [(row.credit_id, row.credit_is_certain) for row in with_rewards(records, banked)]


credits_ = st.lists(
    st.builds(
        earned,
        st.sampled_from(["c0", "c1", "c2", "c3"]),
        st.none() | st.timedeltas(-DAY, DAY),
        st.sampled_from(["@friend", "Codex Team", None]),
    ),
    max_size=4,
    unique_by=lambda row: row.id,
)


@given(record_lists(), st.none() | credits_)
def test_a_reset_came_for_one_invite_at_most_and_a_guess_is_marked_as_one(
    records: tuple[InviteRecord, ...], banked: list[Credit] | None
) -> None:
    matched = with_rewards(records, banked)
    assert [row.key for row in matched] == [row.key for row in records]
    assert set(Counter(row.credit_id for row in matched if row.credit_id is not None).values()) <= {1}
    for before, after in zip(records, matched, strict=True):
        assert replace(after, credit_id=before.credit_id, credit_is_certain=before.credit_is_certain) == before
        own = after.tracked.own_reward if after.tracked else None
        if after.credit_is_certain and not before.credit_is_certain:
            assert own is not None
            assert (after.state, after.credit_id) == (InviteStatus.REWARDED, own.reward_id)
        if after.credit_id not in (None, before.credit_id) and not after.credit_is_certain:
            assert [row.id for row in banked or () if row.is_earned].count(after.credit_id or "") == 1
        assert after.credit_id is not None or not after.credit_is_certain


@given(record_lists(), st.none() | credits_)
def test_matching_again_changes_nothing(records: tuple[InviteRecord, ...], banked: list[Credit] | None) -> None:
    once = with_rewards(records, banked)
    assert with_rewards(once, banked) == once


def test_the_service_s_own_word_is_certain_also_when_the_bank_is_not_listed() -> None:
    assert matches(rewarded(reward_id="c7")) == [("c7", True)]


def test_the_friend_s_reward_is_not_ours() -> None:
    invite = tracked(state=InviteStatus.REWARDED, rewards=(Reward("friend", RESET_CREDIT, 1, "theirs"),))
    assert matches(record(tracked=invite)) == [(None, False)]


def test_a_reward_that_is_only_promised_has_not_come() -> None:
    promised = tracked(state=InviteStatus.JOINED, rewards=(Reward(REFERRER, RESET_CREDIT, 1, "c1"),))
    assert matches(record(tracked=promised), banked=[earned()]) == [(None, False)]


def test_the_only_one_that_fits_is_a_guess() -> None:
    assert matches(rewarded(), banked=[earned(), credit("team", granted_by="Codex Team")]) == [("c1", False)]
    assert matches(rewarded(), banked=[earned(at=None)]) == [("c1", False)]


@pytest.mark.parametrize(
    ("records", "banked"),
    [
        ([rewarded()], None),
        ([rewarded()], []),
        ([rewarded()], [earned(), earned("c2")]),
        ([rewarded("a"), rewarded("b")], [earned()]),
        ([rewarded()], [earned(at=-HOUR)]),
        ([rewarded()], [earned(by="Codex Team")]),
        ([rewarded(kind="personal_credits")], [earned()]),
        ([record(stage=SendStage.SENT)], [earned()]),
        ([record(stage=SendStage.LOST)], [earned()]),
    ],
)
def test_nothing_is_guessed_where_it_does_not_fit(records: list[InviteRecord], banked: list[Credit] | None) -> None:
    assert matches(*records, banked=banked) == [(None, False)] * len(records)


def test_a_noted_invite_waits_for_a_reset_too() -> None:
    assert matches(record(stage=SendStage.NOTED), banked=[earned()]) == [("c1", False)]


def test_a_match_outlives_its_reset() -> None:
    (once,) = with_rewards([rewarded()], [earned()])
    assert matches(once, banked=[]) == [("c1", False)]
    (sure,) = with_rewards([rewarded(reward_id="c1")], [earned()])
    reversed_ = replace(sure, tracked=tracked(state=InviteStatus.REVERSED))
    assert matches(reversed_, banked=[]) == [("c1", True)]


def test_a_guess_gives_way_to_the_service_s_word() -> None:
    guessed = replace(rewarded("a"), credit_id="c1")
    assert matches(guessed, rewarded("b", "c1")) == [(None, False), ("c1", True)]
    assert matches(replace(rewarded("a", "c2"), credit_id="c1")) == [("c2", True)]


def test_a_guess_falls_when_the_service_says_that_nothing_was_earned() -> None:
    note = record(stage=SendStage.NOTED, credit_id="c1")
    assert matches(note, banked=[earned()]) == [("c1", False)]
    assert matches(replace(note, tracked=tracked(state=InviteStatus.OPENED)), banked=[earned()]) == [(None, False)]


def test_one_reset_named_for_two_invites_came_for_one() -> None:
    assert matches(rewarded("a", "c1"), rewarded("b", "c1")) == [("c1", True), (None, False)]


@pytest.mark.parametrize(("by", "is_one"), [("@friend", True), ("@", True), ("Codex Team", False), (None, False)])
def test_a_friend_is_named_for_what_was_earned(by: str | None, is_one: bool) -> None:
    assert credit(granted_by=by).is_earned is is_one


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (InviteStatus.SENT, ReminderReason.ANSWER),
        (InviteStatus.OPENED, ReminderReason.ANSWER),
        (InviteStatus.JOINED, ReminderReason.FIRST_MESSAGE),
        (InviteStatus.FIRST_MESSAGE, None),
        (InviteStatus.REWARDED, None),
        (InviteStatus.EXPIRED, None),
        (InviteStatus.INELIGIBLE, None),
        (InviteStatus.REVERSED, None),
        (InviteStatus.UNKNOWN, None),
    ],
)
def test_what_hangs_after_a_while(state: InviteStatus, what: ReminderReason | None) -> None:
    known = record(tracked=tracked(state=state))
    assert reminder_reason(known, START + AFTER, AFTER) is what
    assert reminder_reason(known, START + AFTER - MINUTE, AFTER) is None


@pytest.mark.parametrize("stage", SendStage)
def test_what_was_never_sent_does_not_hang(stage: SendStage) -> None:
    hangs = stage in (SendStage.SENT, SendStage.NOTED)
    assert (reminder_reason(record(stage=stage), START + AFTER, AFTER) is ReminderReason.ANSWER) is hangs


def test_a_change_begins_a_new_wait() -> None:
    known = record(tracked=tracked(state=InviteStatus.JOINED), changed_at=START + DAY)
    assert reminder_reason(known, START + AFTER, AFTER) is None
    assert reminder_reason(known, START + AFTER + DAY, AFTER) is ReminderReason.FIRST_MESSAGE


def test_a_time_that_is_nearly_over_is_worth_a_word_at_once_and_none_when_it_is() -> None:
    ends = START + 10 * DAY
    known = record(tracked=tracked(expires_at=ends), changed_at=ends - END_IS_NEAR - HOUR)
    assert reminder_reason(known, ends - END_IS_NEAR - MINUTE, AFTER) is None
    assert reminder_reason(known, ends - END_IS_NEAR, AFTER) is ReminderReason.END
    assert reminder_reason(known, ends - MINUTE, AFTER) is ReminderReason.END
    assert reminder_reason(known, ends, AFTER) is None
    assert reminder_reason(known, ends + DAY, AFTER) is None


def test_a_clock_that_was_set_back_reminds_of_nothing() -> None:
    assert reminder_reason(record(tracked=tracked()), START - DAY, AFTER) is None
