from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.inviting import DAY, FRIEND, HOUR, MINUTE, OFFER, record, tracked
from tests.support.clocks import START
from tui.domain.invites import (
    FRESH_DOUBT,
    LISTED_FOR,
    RESEND_FORGIVEN,
    InviteRecord,
    InviteState,
    Resend,
    ResendStage,
    SendStage,
    accepted,
    address_refusal,
    newest_first,
    offer_refusal,
    refused,
    resend_ended,
    same_address,
    unanswered,
)
from tui.domain.referral import (
    RESET_CREDIT,
    InviteAnswer,
    InviteStatus,
    Offer,
    OfferAnswer,
    OfferStatus,
    Reward,
)
from tui.domain.spend import ConsentKind

OTHER = "other@example.com"
LINK = "https://chatgpt.com/i/abc"
LISTED = record(referral_id="ref-1", tracked=tracked())


def listed_as(state: InviteStatus, **changes: Any) -> InviteRecord:
    return record(referral_id="ref-1", tracked=tracked(state=state, **changes))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (FRIEND, FRIEND, True),
        (FRIEND, "FRIEND@Example.COM", True),
        (FRIEND, f" {FRIEND} ", True),
        (FRIEND, "friend@example.com.", True),
        ("friend@bücher.example", "friend@xn--bcher-kva.example", True),
        ("friend@BÜCHER.example", "friend@XN--BCHER-KVA.example", True),
        ("friend@straße.example", "friend@xn--strae-oqa.example", True),
        ("mu\u0308ller@x.example", "müller@x.example", True),
        (FRIEND, OTHER, False),
        (FRIEND, "friend@example.org", False),
        ("friend@example.com", "fri.end@example.com", False),
        ("friend@xn--\x80.example", "friend@x.example", False),
        ("friend@xn--99999999.example", "friend@x.example", False),
        (FRIEND, None, False),
        (None, None, False),
    ],
)
def test_the_same_address_in_every_spelling(one: str | None, other: str | None, same: bool) -> None:
    assert same_address(one, other) is same
    assert same_address(other, one) is same


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert same_address(one, one)
    assert same_address(one, other) is same_address(other, one)


def test_an_invite_on_its_way() -> None:
    new = InviteRecord("key-1", "acc1", FRIEND, SendStage.SENDING, START, ConsentKind.CODE)
    assert (new.stage, new.consent, new.is_open, new.is_pending) == (SendStage.SENDING, ConsentKind.CODE, True, True)
    assert (new.word, new.sent_at, new.state, new.expires_at) == ("unconfirmed", START, None, None)
    sent = accepted(new, InviteAnswer("ref-1", LINK))
    assert (sent.stage, sent.referral_id, sent.shareable_link) == (SendStage.SENT, "ref-1", LINK)
    assert (sent.word, sent.is_open, sent.is_pending) == ("sent", False, True)
    no = refused(new, "409: it exists already")
    assert (no.stage, no.reason, no.word, no.is_open, no.is_pending) == (
        SendStage.REFUSED,
        "409: it exists already",
        "refused",
        False,
        False,
    )
    lost = unanswered(new, "the connection broke")
    assert (lost.stage, lost.word, lost.is_open, lost.is_pending) == (SendStage.UNKNOWN, "unconfirmed", True, True)
    assert accepted(lost, InviteAnswer(None, None)).reason is None


def test_what_the_list_has_shown_outranks_an_answer_that_never_came() -> None:
    assert unanswered(LISTED, "broke") == LISTED
    assert refused(LISTED, "409") == LISTED
    assert accepted(LISTED, InviteAnswer("ref-1", LINK)).tracked == LISTED.tracked


def test_an_invite_made_elsewhere_is_noted_and_never_open() -> None:
    note = InviteRecord("key-1", "acc1", FRIEND, SendStage.NOTED, START, link=LINK)
    assert (note.stage, note.consent, note.word) == (SendStage.NOTED, None, "noted")
    assert (note.is_open, note.is_pending, note.shareable_link) == (False, True, LINK)


def test_the_service_s_word_is_told_raw() -> None:
    odd = replace(LISTED, tracked=replace(tracked(state=InviteStatus.UNKNOWN), word="Awaiting moonrise"))
    assert (odd.word, odd.is_pending) == ("Awaiting moonrise", True)
    assert replace(LISTED, tracked=replace(tracked(), word=None)).word == "sent"


@pytest.mark.parametrize("state", InviteStatus)
def test_what_may_still_come_of_it(state: InviteStatus) -> None:
    over = {InviteStatus.REWARDED, InviteStatus.EXPIRED, InviteStatus.INELIGIBLE, InviteStatus.REVERSED}
    known = listed_as(state, link=LINK)
    assert known.is_pending is (state not in over)
    assert known.shareable_link == (None if state in over else LINK)
    assert not known.is_open


@pytest.mark.parametrize("stage", SendStage)
def test_only_what_this_machine_alone_knows_can_be_forgotten(stage: SendStage) -> None:
    local = {SendStage.NOTED, SendStage.LOST, SendStage.REFUSED}
    assert record(stage=stage).can_be_forgotten(START) is (stage in local)
    assert not record(stage=stage, tracked=tracked()).can_be_forgotten(START + LISTED_FOR)


def test_the_service_dates_an_invite_where_it_does() -> None:
    earlier = START - DAY
    known = listed_as(InviteStatus.SENT, created_at=earlier, expires_at=START + DAY)
    assert (known.sent_at, known.expires_at) == (earlier, START + DAY)
    assert listed_as(InviteStatus.SENT, created_at=None).sent_at == START


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"can_resend": True}, None),
        ({}, None),
        ({"resend_at": START}, None),
        ({"resend_at": START + MINUTE}, "it is too early"),
        ({"can_resend": False, "resend_at": START - MINUTE}, "the service does not allow it"),
        ({"can_resend": None, "resend_at": START - MINUTE}, None),
        ({"can_resend": False}, "the service does not allow it"),
        ({"state": InviteStatus.REWARDED}, "it is rewarded"),
        ({"state": InviteStatus.EXPIRED, "can_resend": True}, "it is expired"),
    ],
)
def test_why_an_e_mail_cannot_be_sent_again(changes: dict[str, object], why: str | None) -> None:
    assert record(tracked=tracked(**changes)).resend_refusal(START) == why  # type: ignore[arg-type]


def test_only_what_the_service_lists_can_be_sent_again() -> None:
    assert record().resend_refusal(START) == "the service does not list it"


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (ResendStage.SENDING, "whether the last one went out is not known yet"),
        (ResendStage.UNKNOWN, "whether the last one went out is not known yet"),
        (ResendStage.SENT, "it went out again a short while ago"),
        (ResendStage.REFUSED, None),
    ],
)
def test_an_e_mail_that_may_have_gone_out_is_not_sent_again_for_a_day(stage: ResendStage, why: str | None) -> None:
    known = replace(LISTED, resend=Resend(stage, START))
    assert known.resend_refusal(START + RESEND_FORGIVEN - MINUTE) == why
    assert known.resend_refusal(START + RESEND_FORGIVEN) is None


def test_the_service_s_own_shorter_pause_holds_once_it_is_told() -> None:
    known = listed_as(InviteStatus.SENT, resend_at=START + HOUR)
    known = replace(known, resend=Resend(ResendStage.SENT, START))
    assert known.resend_refusal(START + HOUR - MINUTE) == "it is too early"
    assert known.resend_refusal(START + HOUR) is None


def test_a_resend_that_the_list_has_settled_is_not_in_doubt_anew() -> None:
    settled = replace(LISTED, resend=Resend(ResendStage.SENT, START))
    assert resend_ended(settled, Resend(ResendStage.UNKNOWN, START, "broke")) == settled
    later = Resend(ResendStage.UNKNOWN, START + DAY, "broke")
    assert resend_ended(settled, later).resend == later
    refusal = Resend(ResendStage.REFUSED, START, "429")
    assert resend_ended(replace(LISTED, resend=Resend(ResendStage.SENDING, START)), refusal).resend == refusal
    assert resend_ended(settled, refusal).resend == refusal


def test_whom_nobody_is_sent_to() -> None:
    assert address_refusal("ME@example.com", "me@example.com", []) == "that is your own address"
    assert address_refusal(FRIEND, None, []) is None
    assert address_refusal(OTHER, None, [record(), LISTED]) is None
    for stage in (SendStage.SENDING, SendStage.UNKNOWN):
        why = address_refusal("Friend@EXAMPLE.com", None, [record(stage=stage)])
        assert why == "whether an invite went to that address is not known yet; it is never sent twice"
    assert address_refusal(FRIEND, None, [record()]) == "that address is invited already (sent)"


@pytest.mark.parametrize("state", InviteStatus)
def test_an_address_is_free_again_when_its_invite_came_to_nothing(state: InviteStatus) -> None:
    free = {InviteStatus.EXPIRED, InviteStatus.INELIGIBLE, InviteStatus.REVERSED}
    assert (address_refusal(FRIEND, None, [listed_as(state)]) is None) is (state in free)


@pytest.mark.parametrize("stage", [SendStage.REFUSED, SendStage.LOST, SendStage.NOTED])
def test_what_never_went_out_from_here_bars_nobody(stage: SendStage) -> None:
    assert address_refusal(FRIEND, None, [record(stage=stage)]) is None
    assert address_refusal(FRIEND, None, [record(stage=stage), LISTED]) is not None


def test_a_noted_invite_that_the_service_lists_bars_its_address() -> None:
    assert address_refusal(FRIEND, None, [record(stage=SendStage.NOTED, tracked=tracked())]) is not None


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (OfferAnswer(OfferStatus.OFFERED, OFFER), None),
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, sends_left=1, rewards_left=1, title="Now!")), None),
        (
            OfferAnswer(OfferStatus.OFFERED, replace(OFFER, rewards_left=0)),
            "no reward is left for another invite; look at the offer again",
        ),
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, sends_left=None)), None),
        (OfferAnswer(OfferStatus.OFFERED, replace(OFFER, sends_left=0)), "no invites are left"),
        (OfferAnswer(OfferStatus.OFFERED, None), "invites are not offered now"),
        (OfferAnswer(OfferStatus.NOT_OFFERED, OFFER, "It has ended"), "It has ended"),
        (OfferAnswer(OfferStatus.NOT_OFFERED, OFFER), "invites are not offered now"),
        (OfferAnswer(OfferStatus.FORBIDDEN, None, "403"), "403"),
        *(
            (OfferAnswer(OfferStatus.OFFERED, changed), "the offer has changed; look at it again")
            for changed in (
                replace(OFFER, id="offer-2"),
                replace(OFFER, program="codex_referral_workspace"),
                replace(OFFER, rules=("At most two.",)),
                replace(OFFER, rewards=OFFER.rewards[:1]),
                replace(OFFER, rewards=(Reward("referrer", "personal_credits", 250),)),
                replace(OFFER, ends_at=START + DAY),
            )
        ),
    ],
)
def test_consent_is_to_one_offer_alone(told: OfferAnswer, why: str | None) -> None:
    assert offer_refusal(told, OFFER) == why


def test_a_promise_with_another_id_is_the_same_promise() -> None:
    one, other = (replace(OFFER, rewards=(Reward("referrer", RESET_CREDIT, 1, name),)) for name in ("r1", "r2"))
    assert offer_refusal(OfferAnswer(OfferStatus.OFFERED, other), one) is None


def test_newest_first() -> None:
    rows = [record("a", at=START), record("c", at=START + HOUR), record("b", at=START)]
    assert [row.key for row in newest_first(rows)] == ["c", "b", "a"]


def shown(*records: InviteRecord) -> list[str]:
    return [row.key for row in InviteState(records=records).shown]


def test_what_was_refused_is_not_shown_and_what_was_lost_only_while_nothing_followed() -> None:
    lost = record("lost", SendStage.LOST)
    assert shown(record("no", SendStage.REFUSED), record("yes")) == ["yes"]
    assert shown(lost) == ["lost"]
    again = record("again", at=START + HOUR, address="FRIEND@example.com")
    assert shown(again, lost) == ["again"]
    assert shown(replace(again, address=OTHER), lost) == ["again", "lost"]


def test_a_lost_invite_is_not_hidden_by_a_refusal_or_by_an_older_note() -> None:
    lost = record("lost", SendStage.LOST)
    assert shown(record("no", SendStage.REFUSED, START + HOUR), lost) == ["lost"]
    assert shown(lost, record("note", SendStage.NOTED, START - HOUR)) == ["lost", "note"]


@pytest.mark.parametrize("stage", SendStage)
def test_what_is_followed(stage: SendStage) -> None:
    known = record(stage=stage, referral_id=None)
    assert known.is_followed(START) is (stage in (SendStage.SENDING, SendStage.UNKNOWN, SendStage.SENT))
    assert replace(known, tracked=tracked()).is_followed(START)
    assert not replace(known, tracked=tracked(state=InviteStatus.EXPIRED)).is_followed(START)


def test_nothing_is_followed_beyond_the_service_s_own_list() -> None:
    assert LISTED.is_followed(START + LISTED_FOR - MINUTE)
    assert not LISTED.is_followed(START + LISTED_FOR)


def test_a_doubt_is_fresh_for_half_an_hour() -> None:
    new = record(stage=SendStage.UNKNOWN)
    assert new.is_in_fresh_doubt(START + FRESH_DOUBT - MINUTE)
    assert not new.is_in_fresh_doubt(START + FRESH_DOUBT)
    assert not LISTED.is_in_fresh_doubt(START)
    again = replace(LISTED, resend=Resend(ResendStage.UNKNOWN, START + DAY))
    assert again.is_in_fresh_doubt(START + DAY)
    assert not replace(again, resend=Resend(ResendStage.SENT, START + DAY)).is_in_fresh_doubt(START + DAY)


def test_an_offer_without_anything_told_has_terms_too() -> None:
    assert Offer(None, "p").terms == Offer(None, "p", title="x").terms


def test_consent_to_an_invite_without_a_reward_stays_consent() -> None:
    unrewarded = replace(OFFER, rewards_left=0)
    assert offer_refusal(OfferAnswer(OfferStatus.OFFERED, unrewarded), unrewarded) is None
