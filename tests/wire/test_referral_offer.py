from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.referral_samples import ELIGIBILITY, FRIEND, ODD, offer, pack
from tests.wire.test_fields import ANY_JSON
from tui.domain.referral import (
    CONSUMER,
    REFERRER,
    OfferStatus,
    Reward,
)
from tui.errors import BadPayload
from tui.wire.referral import (
    MOST_RULES,
    decode_invited,
    decode_offer,
    decode_refusal,
    decode_tracking,
)


def test_an_offer() -> None:
    told = offer()
    assert (told.status, told.reason, told.unknowns) == (OfferStatus.OFFERED, None, ())
    assert told.offer is not None
    assert (told.offer.id, told.offer.program) == ("credits_500", "codex_referral_consumer")
    assert (told.offer.title, told.offer.description) == ("Invite friends", "You both get something.")
    assert told.offer.rules == ("Friends must be new.",)
    assert told.offer.rewards == (Reward(REFERRER, "personal_credits", 500),)
    assert (told.offer.sends_left, told.offer.rewards_left) == (3, 3)


def test_what_is_not_offered_says_why() -> None:
    told = offer(should_show=False, ineligible_reason="Your plan has none.", ineligible_reason_code="plan")
    assert (told.status, told.reason) == (OfferStatus.NOT_OFFERED, "Your plan has none.")
    assert offer(should_show=False, ineligible_reason_code="plan").reason == "plan"
    assert offer(should_show=False).reason is None


@pytest.mark.parametrize("shown", [None, "true", 1, [], "yes"])
def test_only_a_plain_yes_is_an_offer(shown: object) -> None:
    told = offer(should_show=shown)
    assert told.status is OfferStatus.UNREACHABLE
    assert told.reason == "the service does not say whether invites are offered"


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"time_frame_rules": None}, 5),
        ({"remaining_send_capacity": None}, 3),
        ({"remaining_send_capacity": None, "time_frame_rules": None}, None),
        ({"remaining_send_capacity": 0}, 0),
        ({"remaining_send_capacity": -1}, 3),
        ({"time_frame_rules": [{"invites_sent": 9, "invites_total": 3}]}, 0),
        ({"time_frame_rules": [{"invites_sent": 1, "invites_total": 3, "capacity_type": "reward"}]}, 5),
        ({"time_frame_rules": [{"invites_sent": "1", "invites_total": "3"}]}, 2),
        ({"time_frame_rules": [{"invites_sent": None, "invites_total": 3}, 7, None]}, 5),
        (
            {"time_frame_rules": [{"invites_sent": 1, "invites_total": 3}, {"invites_sent": 1, "invites_total": 2}]},
            1,
        ),
    ],
)
def test_how_many_can_be_sent_is_the_least_that_is_told(changes: dict[str, Any], left: int | None) -> None:
    told = offer(**changes).offer
    assert told is not None
    assert told.sends_left == left


def test_rewards_of_unknown_kinds_keep_their_words() -> None:
    told = offer(grants=[{"recipient": "both", "grant_type": "moon_dust", "amount": "7"}, {"amount": 1}, 7]).offer
    assert told is not None
    assert told.rewards == (Reward("both", "moon_dust", 7),)


def test_a_flood_of_rules_is_cut() -> None:
    told = offer(rules=["x" * 10_000] * 10_000)
    assert told.offer is not None
    assert len(told.offer.rules) == MOST_RULES
    assert max(map(len, told.offer.rules)) <= 500
    assert f"only the first {MOST_RULES} of 10000" in " ".join(told.unknowns)


def test_texts_from_outside_are_one_harmless_line() -> None:
    told = offer(title="a\x1b[31m\nb\u202e", should_show=False, ineligible_reason="write to\nbob.smith@example.com")
    assert told.offer is not None
    assert told.offer.title == "a[31m b"
    assert told.reason == "write to b…@example.com"


@pytest.mark.parametrize("field", sorted(ELIGIBILITY))
@given(value=ODD | ANY_JSON)
def test_any_odd_field_of_the_offer_is_read(field: str, value: object) -> None:
    told = offer(**{field: value})
    plain = {True: OfferStatus.OFFERED, False: OfferStatus.NOT_OFFERED}
    shown = plain[value] if isinstance(value, bool) else OfferStatus.UNREACHABLE
    assert told.status is (shown if field == "should_show" else OfferStatus.OFFERED)


@given(st.binary() | ANY_JSON.map(pack))
def test_no_body_of_any_answer_crashes(body: bytes) -> None:
    for decode in (
        lambda: decode_offer(body, CONSUMER),
        lambda: decode_invited(body, FRIEND),
        lambda: decode_tracking(body),
    ):
        with suppress(BadPayload):
            assert decode()
    assert decode_refusal(body) != ""
