from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from msgspec.structs import replace

from tests.domain.inviting import (
    DAY,
    FRIEND,
    HOUR,
    MINUTE,
    key_maker,
    listed,
    record,
    record_lists,
    tracked,
    trackings,
)
from tests.support.clocks import START
from tui.domain.invite_tracking import SETTLING, Change, merge_list
from tui.domain.invites import LISTED_FOR, InviteRecord, Resend, ResendStage, SendStage
from tui.domain.referral import InviteList, InviteStatus

LATER = START + HOUR


def fold(
    *records: InviteRecord, tracking: InviteList, after: timedelta = HOUR
) -> tuple[tuple[InviteRecord, ...], tuple[Change, ...]]:
    return merge_list(records, tracking, "acc1", START + after, key_maker())


@given(record_lists(), trackings)
def test_nothing_open_or_listed_is_ever_lost_and_no_id_is_there_twice(
    records: tuple[InviteRecord, ...], tracking: InviteList
) -> None:
    folded, _ = fold(*records, tracking=tracking)
    after = {row.key: row for row in folded}
    assert len(after) == len(folded)
    ids = Counter(row.referral_id for row in folded if row.referral_id is not None)
    assert set(ids.values()) <= {1}
    assert {invite.id for invite in tracking.invites} <= set(ids)
    for row in records:
        assert row.key in after
        assert after[row.key].address in (row.address, *(invite.address for invite in tracking.invites))
        if row.referral_id is not None:
            assert after[row.key].referral_id == row.referral_id
        if row.tracked is not None:
            assert after[row.key].tracked is not None


@given(record_lists(), trackings)
def test_the_same_list_again_tells_nothing_new(records: tuple[InviteRecord, ...], tracking: InviteList) -> None:
    once, _ = fold(*records, tracking=tracking)
    twice, changes = fold(*once, tracking=tracking)
    assert (twice, changes) == (once, ())


@given(record_lists(), trackings)
def test_whatever_changed_is_told_and_nothing_else(records: tuple[InviteRecord, ...], tracking: InviteList) -> None:
    folded, changes = fold(*records, tracking=tracking)
    before, after = {row.key: row for row in records}, {row.key: row for row in folded}
    told = {change.record.key for change in changes}
    assert len(told) == len(changes)
    for key, row in after.items():
        was = before.get(key)
        same = was is not None and (was.word, was.stage, was.resend) == (row.word, row.stage, row.resend)
        assert same is (key not in told)
    for change in changes:
        assert change.record == after[change.record.key]
        assert change.before == before.get(change.record.key)


@given(record_lists(), trackings)
def test_a_send_is_lost_only_by_a_whole_list_and_after_settling(
    records: tuple[InviteRecord, ...], tracking: InviteList
) -> None:
    folded, _ = fold(*records, tracking=tracking)
    before = {row.key: row for row in records}
    for row in folded:
        if row.stage is SendStage.LOST and before[row.key].stage is not SendStage.LOST:
            assert before[row.key].is_open
            assert tracking.complete
            assert LATER - row.written_at >= SETTLING


@given(record_lists(), trackings)
def test_no_stage_ever_falls_back_into_doubt(records: tuple[InviteRecord, ...], tracking: InviteList) -> None:
    folded, _ = fold(*records, tracking=tracking)
    before = {row.key: row for row in records}
    for row in folded:
        if row.is_open:
            assert before[row.key].is_open
        if row.resend is not None and row.resend.is_open:
            assert before[row.key].resend == row.resend


def test_a_sending_without_an_answer_is_found_by_its_address() -> None:
    for stage in (SendStage.SENDING, SendStage.UNKNOWN):
        open_ = record(stage=stage, reason="the connection broke")
        (found,), (change,) = fold(open_, tracking=listed(tracked(address="FRIEND@Example.com")))
        assert (found.stage, found.referral_id, found.reason) == (SendStage.SENT, "ref-1", None)
        assert (found.address, found.state, found.changed_at) == (FRIEND, InviteStatus.SENT, LATER)
        assert (change.before, change.record) == (open_, found)


def test_a_name_beyond_ascii_is_found_in_either_spelling() -> None:
    open_ = record(stage=SendStage.UNKNOWN, address="friend@bücher.example")
    (found,), _ = fold(open_, tracking=listed(tracked(address="friend@xn--bcher-kva.example")))
    assert (found.key, found.stage) == ("key-1", SendStage.SENT)


@pytest.mark.parametrize("stage", [SendStage.SENDING, SendStage.UNKNOWN])
def test_an_absence_counts_from_the_moment_of_settling_on(stage: SendStage) -> None:
    open_ = record(stage=stage)
    second = timedelta(seconds=1)
    assert fold(open_, tracking=listed(), after=SETTLING - second) == ((open_,), ())
    (lost,), (change,) = fold(open_, tracking=listed(), after=SETTLING)
    assert (lost.stage, change.record, change.before) == (SendStage.LOST, lost, open_)
    assert lost.reason == "no answer came, and the service does not list it"


def test_an_absence_from_a_list_that_was_cut_short_proves_nothing() -> None:
    open_ = record(stage=SendStage.UNKNOWN)
    assert fold(open_, tracking=listed(complete=False), after=DAY) == ((open_,), ())


@pytest.mark.parametrize("stage", [SendStage.SENT, SendStage.NOTED, SendStage.REFUSED, SendStage.LOST])
def test_an_absence_says_nothing_of_what_is_not_open(stage: SendStage) -> None:
    known = record(stage=stage)
    assert fold(known, tracking=listed()) == ((known,), ())


def test_an_invite_that_left_the_list_keeps_what_was_told_of_it() -> None:
    known = record(referral_id="ref-1", tracked=tracked(state=InviteStatus.JOINED))
    assert fold(known, tracking=listed()) == ((known,), ())


@pytest.mark.parametrize("address", [None, "f…@example.com", "f***@example.com", "somebody"])
def test_a_listed_invite_whose_address_cannot_be_read_may_be_the_one(address: str | None) -> None:
    open_ = record(stage=SendStage.UNKNOWN)
    rows, changes = fold(open_, tracking=listed(tracked(address=address)))
    assert open_ in rows
    assert [change.before for change in changes] == [None]
    rows, _ = fold(open_, tracking=listed(tracked(address=address, created_at=START - HOUR)))
    assert open_ not in rows, "that one is older than the send"


def test_an_unreadable_address_of_an_invite_that_is_known_hides_nobody() -> None:
    open_ = record("open", SendStage.UNKNOWN, address="other@example.com")
    known = record("known", referral_id="ref-1")
    rows, _ = fold(open_, known, tracking=listed(tracked(address=None)))
    assert {row.key: row.stage for row in rows} == {"open": SendStage.LOST, "known": SendStage.SENT}


def test_a_lost_invite_that_shows_up_after_all_is_sent() -> None:
    (found,), _ = fold(record(stage=SendStage.LOST, reason="absent"), tracking=listed(tracked()))
    assert (found.stage, found.reason) == (SendStage.SENT, None)


def test_an_invite_made_elsewhere_is_found() -> None:
    (found,), (change,) = fold(tracking=listed(tracked(created_at=START - DAY)))
    assert (found.key, found.stage, found.account) == ("new-1", SendStage.FOUND, "acc1")
    assert (found.address, found.referral_id, found.consent) == (FRIEND, "ref-1", None)
    assert (found.written_at, change.before) == (START - DAY, None)
    (undated,), _ = fold(tracking=listed(tracked(created_at=None)))
    assert undated.written_at == LATER


def test_a_noted_invite_stays_one_when_the_service_lists_it() -> None:
    note = record(stage=SendStage.NOTED)
    (found,), _ = fold(note, tracking=listed(tracked(created_at=START - 30 * DAY)))
    assert (found.key, found.stage, found.state) == ("key-1", SendStage.NOTED, InviteStatus.SENT)


def test_an_older_invite_to_the_same_address_is_not_the_one_that_was_sent() -> None:
    open_ = record(stage=SendStage.UNKNOWN)
    old = tracked("ref-0", InviteStatus.EXPIRED, created_at=START - 30 * DAY)
    rows, _ = fold(open_, tracking=listed(old))
    assert {row.key: row.stage for row in rows} == {"key-1": SendStage.LOST, "new-1": SendStage.FOUND}
    rows, _ = fold(open_, tracking=listed(old, tracked("ref-1")))
    assert {row.key: row.referral_id for row in rows} == {"key-1": "ref-1", "new-1": "ref-0"}


def test_a_clock_that_is_a_little_off_does_not_hide_it() -> None:
    open_ = record(stage=SendStage.UNKNOWN)
    (found,), _ = fold(open_, tracking=listed(tracked(created_at=START - 4 * MINUTE)))
    assert found.stage is SendStage.SENT


def test_a_refused_invite_is_never_taken_for_a_listed_one() -> None:
    rows, _ = fold(record(stage=SendStage.REFUSED), tracking=listed(tracked()))
    assert {row.key: row.stage for row in rows} == {"key-1": SendStage.REFUSED, "new-1": SendStage.FOUND}


def test_its_id_goes_before_its_address() -> None:
    sent = record("sent", referral_id="ref-1")
    open_ = record("open", SendStage.UNKNOWN)
    rows, _ = fold(open_, sent, tracking=listed(tracked("ref-1"), tracked("ref-2")))
    assert {row.key: row.referral_id for row in rows} == {"sent": "ref-1", "open": "ref-2"}


def test_an_invite_that_two_processes_wrote_down_becomes_one_with_its_consent() -> None:
    found = record("found", SendStage.FOUND, referral_id="ref-1", tracked=tracked(), consent=None)
    sent = record("sent", referral_id="ref-1")
    for rows in ((found, sent), (sent, found)):
        (left,), _ = fold(*rows, tracking=listed(tracked()))
        assert (left.key, left.consent, left.tracked) == ("sent", sent.consent, tracked())


def test_an_invite_that_is_listed_twice_is_one() -> None:
    (found,), _ = fold(tracking=listed(tracked(state=InviteStatus.JOINED), tracked()))
    assert found.state is InviteStatus.JOINED


def test_only_a_state_that_differs_moves_the_moment_of_change() -> None:
    known = record(referral_id="ref-1", tracked=tracked(), changed_at=START)
    (same,), changes = fold(known, tracking=listed(tracked(link="https://x.example")))
    assert (same.changed_at, same.tracked, changes) == (START, tracked(link="https://x.example"), ())
    (moved,), (change,) = fold(known, tracking=listed(tracked(state=InviteStatus.OPENED)))
    assert (moved.changed_at, change.before) == (LATER, known)


def test_a_word_that_is_not_known_is_told_when_it_differs() -> None:
    before = replace(tracked(state=InviteStatus.UNKNOWN), word="waxing")
    known = record(referral_id="ref-1", tracked=before)
    (_,), (change,) = fold(known, tracking=listed(replace(before, word="waning")))
    assert change.record.word == "waning"


OPEN = Resend(ResendStage.UNKNOWN, START, "broke")


@pytest.mark.parametrize(
    ("resend_at", "after", "stage"),
    [
        (START + DAY, timedelta(seconds=5), ResendStage.SENT),
        (None, DAY, ResendStage.UNKNOWN),
        (START - HOUR, SETTLING - timedelta(seconds=1), ResendStage.UNKNOWN),
        (START - HOUR, SETTLING, ResendStage.REFUSED),
    ],
)
def test_a_resend_without_an_answer_is_settled_by_the_service_s_new_pause(
    resend_at: object, after: timedelta, stage: ResendStage
) -> None:
    known = record(referral_id="ref-1", tracked=tracked(resend_at=START - HOUR), resend=OPEN)
    (row,), changes = fold(known, tracking=listed(tracked(resend_at=resend_at)), after=after)
    assert row.resend is not None
    assert (row.resend.stage, row.resend.at) == (stage, START)
    assert len(changes) == (stage is not ResendStage.UNKNOWN)
    if stage is ResendStage.REFUSED:
        assert row.resend.reason == "no answer came, and the service has not begun a new pause"


def test_a_pause_from_before_proves_no_resend() -> None:
    known = record(referral_id="ref-1", tracked=tracked(resend_at=START + HOUR), resend=OPEN)
    (row,), _ = fold(known, tracking=listed(tracked(resend_at=START + HOUR)), after=timedelta(seconds=5))
    assert row.resend == OPEN


@pytest.mark.parametrize("stage", [ResendStage.SENT, ResendStage.REFUSED])
def test_a_resend_that_has_an_end_is_left_alone(stage: ResendStage) -> None:
    known = record(referral_id="ref-1", tracked=tracked(), resend=Resend(stage, START))
    (row,), changes = fold(known, tracking=listed(tracked(resend_at=START + DAY)))
    assert (row.resend, changes) == (Resend(stage, START), ())


def test_a_long_list_is_looked_up_and_not_searched() -> None:
    compared = 0

    class Counted(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    many = 600
    records = [record(f"key-{n}", referral_id=Counted(f"ref-{n}"), tracked=tracked(f"ref-{n}")) for n in range(many)]
    tracking = listed(*(tracked(Counted(f"ref-{n}")) for n in reversed(range(many))))
    folded, changes = fold(*records, tracking=tracking)
    assert (len(folded), changes) == (many, ())
    assert compared < 20 * many


@pytest.mark.parametrize(
    ("resend_at", "later"),
    [
        (START + MINUTE, None),
        (START - MINUTE, "the service does not allow it"),
        (None, "the service does not allow it"),
    ],
)
def test_a_no_to_another_email_that_is_a_pause_ends_with_it(resend_at: datetime | None, later: str | None) -> None:
    one = tracked(can_resend=False, resend_at=resend_at)
    (folded,), _ = merge_list((), listed(one), "acc1", START, key_maker())
    assert folded.resend_refusal(START + 2 * MINUTE) == later


def test_what_is_older_than_the_list_reaches_back_is_never_called_lost() -> None:
    open_ = record(stage=SendStage.UNKNOWN)
    (old,), changes = fold(open_, tracking=listed(), after=LISTED_FOR)
    assert (old, changes) == (open_, ())
    (lost,), _ = fold(open_, tracking=listed(), after=LISTED_FOR - MINUTE)
    assert lost.stage is SendStage.LOST
