from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.referral_samples import FRIEND, ITEM, LINK, ODD, item, pack
from tests.wire.test_fields import ANY_JSON
from tui.domain.referral import (
    REFERRER,
    RESET_CREDIT,
    InviteStatus,
    Reward,
    TrackedInvite,
    usable_link,
)
from tui.errors import BadPayload
from tui.wire.referral import (
    decode_tracking,
)


def test_a_page_of_the_list() -> None:
    page = decode_tracking(pack({"items": [ITEM], "cursor": "next page=2"}))
    assert (page.cursor, page.whole, page.unknowns) == ("next page=2", True, ())
    assert page.invites == (
        TrackedInvite(
            id="ref-1",
            address=FRIEND,
            state=InviteStatus.JOINED,
            word="joined",
            link=LINK,
            created_at=datetime(2026, 11, 23, 14, 7, 31, tzinfo=UTC),
            expires_at=datetime(2026, 12, 23, 14, 7, 31, tzinfo=UTC),
            can_resend=False,
            resend_at=datetime(2026, 11, 24, 14, 7, 31, tzinfo=UTC),
            rewards=(Reward("friend", RESET_CREDIT, 1, "theirs"), Reward(REFERRER, RESET_CREDIT, 1, "ours")),
        ),
    )
    assert page.invites[0].own_reward == Reward(REFERRER, RESET_CREDIT, 1, "ours")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("sent", InviteStatus.SENT),
        ("pending", InviteStatus.SENT),
        ("invited", InviteStatus.SENT),
        ("opened", InviteStatus.OPENED),
        ("joined", InviteStatus.JOINED),
        ("accepted", InviteStatus.JOINED),
        ("first_message", InviteStatus.FIRST_MESSAGE),
        ("rewarded", InviteStatus.REWARDED),
        ("expired", InviteStatus.EXPIRED),
        ("ineligible", InviteStatus.INELIGIBLE),
        ("reversed", InviteStatus.REVERSED),
        ("Rewarded", InviteStatus.REWARDED),
        ("PENDING", InviteStatus.SENT),
        ("awaiting_moonrise", InviteStatus.UNKNOWN),
        ("reward pending", InviteStatus.UNKNOWN),
        ("unknown", InviteStatus.UNKNOWN),
    ],
)
def test_words_of_state(word: str, state: InviteStatus) -> None:
    assert (item(status=word).state, item(status=word).word) == (state, word)


@pytest.mark.parametrize("word", [None, "", 7, ["sent"], {"sent": 1}, True])
def test_a_state_without_a_word_is_unknown(word: object) -> None:
    assert (item(status=word).state, item(status=word).word) == (InviteStatus.UNKNOWN, None)


def test_an_invite_of_nothing_but_an_id() -> None:
    page = decode_tracking(pack({"items": [{"referral_id": "ref-1"}]}))
    assert page.invites == (TrackedInvite("ref-1", None, InviteStatus.UNKNOWN),)
    assert page.whole


@pytest.mark.parametrize("odd_id", [None, "", 7, "a\x00b", "a\nb", " a", ".", "..", "x" * 300, "\ud800", ["ref-1"]])
def test_an_invite_whose_id_could_not_be_sent_back_makes_the_list_incomplete(odd_id: object) -> None:
    page = decode_tracking(pack({"items": [ITEM | {"referral_id": odd_id}, ITEM], "cursor": None}))
    assert [invite.id for invite in page.invites] == ["ref-1"]
    assert not page.whole


@pytest.mark.parametrize("odd", [7, None, "ref-1", [ITEM]])
def test_an_item_that_is_none_makes_the_list_incomplete(odd: object) -> None:
    page = decode_tracking(pack({"items": [odd, ITEM]}))
    assert (len(page.invites), page.whole) == (1, False)


@pytest.mark.parametrize("payload", [{}, {"items": None}, {"items": {}}, {"items": "none"}, {"cursor": "x"}])
def test_a_list_without_its_items_is_no_list(payload: object) -> None:
    with pytest.raises(BadPayload, match="without its items"):
        decode_tracking(pack(payload))


@pytest.mark.parametrize("cursor", [None, ""])
def test_the_end_of_the_list(cursor: object) -> None:
    page = decode_tracking(pack({"items": [], "cursor": cursor}))
    assert (page.cursor, page.whole) == (None, True)


@pytest.mark.parametrize("cursor", [0, 7, True, ["x"], {"next": "x"}, "a\nb", " x", "\u202ex", "x" * 2_001, "\ud800"])
def test_a_place_that_could_not_be_sent_back_is_not_the_end(cursor: object) -> None:
    page = decode_tracking(pack({"items": [ITEM], "cursor": cursor}))
    assert (page.cursor, page.whole) == (None, False)
    assert page.unknowns == ("the place in the list of invites makes no sense",)


def test_a_flood_of_items_is_cut_and_said() -> None:
    page = decode_tracking(pack({"items": [ITEM | {"referral_id": f"r{n}"} for n in range(5_000)]}))
    assert (len(page.invites), page.whole) == (200, False)
    assert any("only the first 200 of 5000" in line for line in page.unknowns)


def test_a_flood_of_words_is_cut() -> None:
    invite = item(
        status="s" * 10_000, status_reason="r" * 10_000, email="e" * 10_000, invite_url="https://" + "x" * 9_999
    )
    assert (len(invite.word or ""), len(invite.reason or ""), len(invite.address or "")) == (40, 200, 254)
    assert invite.link is None
    assert len(item(grants=[ITEM["grants"][0]] * 1_000).rewards) == 10


@given(st.dictionaries(st.sampled_from(sorted(ITEM)), ODD | ANY_JSON))
def test_any_odd_item_is_read_or_makes_the_list_incomplete(changes: dict[str, Any]) -> None:
    page = decode_tracking(pack({"items": [ITEM | changes]}))
    assert page.whole is (len(page.invites) == 1)
    for invite in page.invites:
        assert invite.id
        assert usable_link(invite.link) == invite.link
