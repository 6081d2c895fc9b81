import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_fields import ANY_JSON
from tui.domain.referral import (
    REFERRER,
    RESET_CREDIT,
    InviteAnswer,
    InviteRequest,
    InviteState,
    OfferAnswer,
    Reward,
    Standing,
    TrackedInvite,
    usable_link,
)
from tui.errors import BadPayload
from tui.wire.fields import clean_text
from tui.wire.referral import (
    MOST_RULES,
    PROGRAM_ID,
    REFERRAL_KEY,
    decode_invited,
    decode_offer,
    decode_refusal,
    decode_tracking,
    encode_invite,
    mask_addresses,
    with_rules,
)

FRIEND = "friend@example.com"
LINK = "https://chatgpt.com/codex/invite/abc"

# wire.md 4.3, to the letter but for the dots
ELIGIBILITY: dict[str, Any] = {
    "should_show": True,
    "offer_id": "credits_500",
    "grants": [{"recipient": "referrer", "grant_type": "personal_credits", "amount": 500, "reward_id": "r1"}],
    "remaining_send_capacity": 5,
    "remaining_reward_capacity": 3,
    "requires_explicit_confirmation": True,
    "title": "Invite friends",
    "description": "You both get something.",
    "rules": ["Friends must be new."],
    "time_frame_rules": [
        {"invites_sent": 0, "invites_total": 3, "time_frame": "month", "type": "user", "capacity_type": "send"}
    ],
    "ineligible_reason": None,
    "ineligible_reason_code": None,
}
# wire.md 4.1
FORMER: dict[str, Any] = {
    "should_show": True,
    "ineligible_reason": None,
    "ineligible_reason_code": None,
    "remaining_referrals": 3,
    "grant_action": "rate_limit_reset_credit",
    "grant_amount": 1,
    "has_rewards": True,
    "title": "Invite friends",
    "description": "You both get a reset.",
    "modal_copy": {},
}
RULES: dict[str, Any] = {
    "rules": ["One.", "Two."],
    "time_frame_rules": [{"invites_sent": 1, "invites_total": 3, "time_frame": "month", "type": "user"}],
    "requires_explicit_confirmation": True,
}
INVITED: dict[str, Any] = {
    "invites": [{"referral_id": "ref-1", "email": FRIEND, "invite_url": LINK}],
    "failed_emails": [],
    "message": None,
    "grants": [],
}
ITEM: dict[str, Any] = {
    "referral_id": "ref-1",
    "email": FRIEND,
    "status": "joined",
    "can_resend": False,
    "invite_url": LINK,
    "resend_available_at": "2026-11-24T14:07:31Z",
    "grants": [
        {"recipient": "friend", "grant_type": RESET_CREDIT, "amount": 1, "reward_id": "theirs"},
        {"recipient": "referrer", "grant_type": RESET_CREDIT, "amount": 1, "reward_id": "ours"},
    ],
    "created_at": "2026-11-23T14:07:31Z",
    "expires_at": 1798034851,
}
ODD = st.sampled_from([True, 7, -1, 1.5, "x", "", [], [None], {}, {"a": 1}, [[]], "a\x00b", "\ud800", 10**30])


def pack(payload: object) -> bytes:
    return json.dumps(payload).encode()


def offer(program: str = PROGRAM_ID, **changes: Any) -> OfferAnswer:
    return decode_offer(pack((ELIGIBILITY if program == PROGRAM_ID else FORMER) | changes), program)


def item(**changes: object) -> TrackedInvite:
    page = decode_tracking(pack({"items": [ITEM | changes], "cursor": None}))
    return page.invites[0]


def test_the_current_offer() -> None:
    told = offer()
    assert (told.standing, told.reason, told.unknowns) == (Standing.OFFERED, None, ())
    assert told.offer is not None
    assert (told.offer.id, told.offer.program) == ("credits_500", "codex_referral_consumer")
    assert (told.offer.title, told.offer.description) == ("Invite friends", "You both get something.")
    assert told.offer.rules == ("Friends must be new.",)
    assert told.offer.rewards == (Reward(REFERRER, "personal_credits", 500),)
    assert (told.offer.sends_left, told.offer.rewards_left) == (3, 3)


def test_the_former_offer_and_its_rules_apart() -> None:
    told = offer(REFERRAL_KEY)
    assert told.offer is not None
    assert (told.standing, told.offer.id, told.offer.program) == (
        Standing.OFFERED,
        None,
        "codex_referral_persistent_invite",
    )
    assert told.offer.rewards == (Reward(REFERRER, RESET_CREDIT, 1),)
    assert (told.offer.sends_left, told.offer.has_rewards, told.offer.rules) == (3, True, ())
    ruled = with_rules(told, pack(RULES))
    assert ruled.offer is not None
    assert (ruled.offer.rules, ruled.offer.sends_left, ruled.unknowns) == (("One.", "Two."), 2, ())


def test_rules_for_no_offer_are_no_offer() -> None:
    nothing = OfferAnswer(Standing.NOT_OFFERED, None)
    assert with_rules(nothing, pack(RULES)) == nothing
    with pytest.raises(BadPayload):
        with_rules(nothing, b"<html>")


@pytest.mark.parametrize("program", [PROGRAM_ID, REFERRAL_KEY])
def test_what_is_not_offered_says_why(program: str) -> None:
    told = offer(program, should_show=False, ineligible_reason="Your plan has none.", ineligible_reason_code="plan")
    assert (told.standing, told.reason) == (Standing.NOT_OFFERED, "Your plan has none.")
    assert offer(program, should_show=False, ineligible_reason_code="plan").reason == "plan"
    assert offer(program, should_show=False).reason is None


@pytest.mark.parametrize("shown", [None, "true", 1, [], "yes"])
def test_only_a_plain_yes_is_an_offer(shown: object) -> None:
    told = offer(should_show=shown)
    assert told.standing is Standing.UNREACHABLE
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
    told = offer(PROGRAM_ID, **{field: value})
    plain = {True: Standing.OFFERED, False: Standing.NOT_OFFERED}
    shown = plain[value] if isinstance(value, bool) else Standing.UNREACHABLE
    assert told.standing is (shown if field == "should_show" else Standing.OFFERED)


@given(st.dictionaries(st.sampled_from(sorted(FORMER)), ODD | ANY_JSON))
def test_any_odd_former_offer_is_read(changes: dict[str, Any]) -> None:
    told = with_rules(offer(REFERRAL_KEY, **changes), pack(RULES | changes))
    assert told.offer is not None


@given(st.binary() | ANY_JSON.map(pack))
def test_no_body_of_any_answer_crashes(body: bytes) -> None:
    for decode in (
        lambda: decode_offer(body, PROGRAM_ID),
        lambda: decode_offer(body, REFERRAL_KEY),
        lambda: with_rules(offer(), body),
        lambda: decode_invited(body, FRIEND),
        lambda: decode_tracking(body),
    ):
        with suppress(BadPayload):
            assert decode()
    assert decode_refusal(body) != ""


def test_what_is_sent_in_either_contract() -> None:
    assert json.loads(encode_invite(InviteRequest(FRIEND, PROGRAM_ID, "acc1"))) == {
        "program_id": "codex_referral_consumer",
        "entrypoint": "persistent",
        "emails": [FRIEND],
    }
    assert json.loads(encode_invite(InviteRequest(FRIEND, REFERRAL_KEY, "acc1"))) == {
        "referral_key": "codex_referral_persistent_invite",
        "emails": [FRIEND],
    }


@given(st.text())
def test_one_address_is_one_address_whatever_is_in_it(address: str) -> None:
    address = address.encode(errors="ignore").decode()
    body = json.loads(encode_invite(InviteRequest(address, PROGRAM_ID, None)))
    assert body["emails"] == [address]


def test_an_invite_that_the_service_took() -> None:
    assert decode_invited(pack(INVITED), FRIEND) == InviteAnswer("ref-1", LINK)
    former = {"referral_id": "ref-1", "email": FRIEND, "invites": INVITED["invites"], "has_rewards": True}
    assert decode_invited(pack(former), FRIEND) == InviteAnswer("ref-1", LINK)


@pytest.mark.parametrize("email", ["FRIEND@Example.com", f" {FRIEND} ", None])
def test_the_invite_of_the_one_address_is_ours(email: str | None) -> None:
    body = pack({"invites": [{"referral_id": "ref-1", "email": email, "invite_url": LINK}]})
    assert decode_invited(body, FRIEND) == InviteAnswer("ref-1", LINK)


def test_ours_is_the_one_with_our_address() -> None:
    rows = [
        {"referral_id": "nameless"},
        {"referral_id": "other", "email": "b@x.example"},
        {"referral_id": "ref-1", "email": FRIEND},
    ]
    assert decode_invited(pack({"invites": rows}), FRIEND) == InviteAnswer("ref-1", None)


def test_a_name_beyond_ascii_in_its_other_spelling_is_ours() -> None:
    body = pack({"invites": [{"referral_id": "ref-1", "email": "a@xn--bcher-kva.example"}]})
    assert decode_invited(body, "a@bücher.example") == InviteAnswer("ref-1", None)


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"referral_id": "a/../b"}, InviteAnswer("a/../b", None)),
        ({"referral_id": "a b"}, InviteAnswer("a b", None)),
        ({"referral_id": "a%2Fb"}, InviteAnswer("a%2Fb", None)),
        *(
            ({"referral_id": odd}, InviteAnswer(None, None))
            for odd in (None, "", 7, "..", ".", " a", "a\nb", "x" * 201)
        ),
        *(
            ({"referral_id": "r", "invite_url": odd}, InviteAnswer("r", None))
            for odd in (None, 7, "javascript:alert(1)", "http://evil.example/", "https://a:b@chatgpt.com/")
        ),
    ],
)
def test_an_odd_id_or_link_is_unknown_and_the_invite_is_still_taken(
    row: dict[str, object], answer: InviteAnswer
) -> None:
    assert decode_invited(pack({"invites": [row | {"email": FRIEND}]}), FRIEND) == answer


def test_an_address_that_failed_says_why() -> None:
    body = {"invites": [], "failed_emails": ["Friend@Example.com"], "message": f"{FRIEND} has one already."}
    assert decode_invited(pack(body), FRIEND) == "f…@example.com has one already"
    assert decode_invited(pack(body | {"message": None}), FRIEND) == "the service sent none and does not say why"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"invites": []},
        {"invites": None, "failed_emails": None},
        {"invites": {}, "message": "no"},
        {"invites": [{"referral_id": "x", "email": "other@example.com"}]},
        {"invites": [{"referral_id": "x", "email": 7}]},
        {"invites": [{"referral_id": "x"}, {"referral_id": "y"}]},
        {"invites": [7, None, []]},
        {"failed_emails": ["other@example.com"], "message": "no"},
        {"failed_emails": [7, None]},
        INVITED | {"failed_emails": [FRIEND]},
    ],
)
def test_an_answer_that_does_not_say_what_became_of_it_is_no_answer(body: object) -> None:
    with pytest.raises(BadPayload, match="does not say what became of the invite"):
        decode_invited(pack(body), FRIEND)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Too many.", "failed_emails": [FRIEND]}, "Too many"),
        (
            {"detail": {"message": "This person already has a referral sent to them"}},
            "This person already has a referral sent to them",
        ),
        ({"detail": "Forbidden"}, "Forbidden"),
        ({"message": None, "detail": {"message": "b"}}, "b"),
        ({"message": "a", "detail": {"message": "b"}}, "a"),
        ({"message": ["a"], "detail": [{"msg": "b"}]}, None),
        ({"message": "  \n "}, None),
        ({"message": "."}, None),
        ({"detail": {"message": 7}}, None),
        ({}, None),
        ([], None),
        ("no", None),
    ],
)
def test_the_words_of_a_refusal(body: object, words: str | None) -> None:
    assert decode_refusal(pack(body)) == words


@pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", b"\xff\xfe", b"[" * 100_000])
def test_a_refusal_without_words(body: bytes) -> None:
    assert decode_refusal(body) is None


SECRET = "john.doe"


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET}@example.com has one",
        f"({SECRET}@example.com)",
        f"<{SECRET}@example.com>",
        f"'{SECRET}@example.com'",
        f'"{SECRET}@example.com"',
        f'"my {SECRET}"@example.com',
        f"mailto:{SECRET}@example.com",
        f"a@x.example,{SECRET}@example.com;b@x.example",
        f"a@x.example|{SECRET}@example.com",
        f"a@x.example/{SECRET}@example.com",
        f"o'{SECRET}@example.com",
        f"{SECRET}＠example.com",
        f"https://x.example/?to={SECRET}%40example.com",
        f"{SECRET}\u200b@example.com",
        f"{SECRET}@example.com" * 40,
        "x" * 190 + f" {SECRET}@example.com",
        "x " * 97 + f"{SECRET}@example.com",
    ],
)
def test_no_address_in_outside_words_can_be_read(text: str) -> None:
    for words in (mask_addresses(text), decode_refusal(pack({"message": text})), item(status_reason=text).reason):
        assert words is not None
        assert "…" in words
        assert SECRET not in words
        assert "john" not in words
        assert len(words) <= 200


@given(st.text(), st.text(alphabet="abcdefghijklmnop.", min_size=8, max_size=12), st.text())
def test_an_address_between_any_words_cannot_be_read(before: str, name: str, after: str) -> None:
    words = mask_addresses(f"{before} {name}@example.com {after}", 10_000)
    assert f"{name}@example.com" not in words


@given(st.text(alphabet=st.characters(exclude_characters="@＠%")))
def test_words_without_an_address_stay(text: str) -> None:
    assert mask_addresses(text, 10_000) == clean_text(text, 10_000)


def test_a_page_of_the_list() -> None:
    page = decode_tracking(pack({"items": [ITEM], "cursor": "next page=2"}))
    assert (page.cursor, page.whole, page.unknowns) == ("next page=2", True, ())
    assert page.invites == (
        TrackedInvite(
            id="ref-1",
            address=FRIEND,
            state=InviteState.JOINED,
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
        ("sent", InviteState.SENT),
        ("pending", InviteState.SENT),
        ("invited", InviteState.SENT),
        ("opened", InviteState.OPENED),
        ("joined", InviteState.JOINED),
        ("accepted", InviteState.JOINED),
        ("first_message", InviteState.FIRST_MESSAGE),
        ("rewarded", InviteState.REWARDED),
        ("expired", InviteState.EXPIRED),
        ("ineligible", InviteState.INELIGIBLE),
        ("reversed", InviteState.REVERSED),
        ("Rewarded", InviteState.REWARDED),
        ("PENDING", InviteState.SENT),
        ("awaiting_moonrise", InviteState.UNKNOWN),
        ("reward pending", InviteState.UNKNOWN),
        ("unknown", InviteState.UNKNOWN),
    ],
)
def test_words_of_state(word: str, state: InviteState) -> None:
    assert (item(status=word).state, item(status=word).word) == (state, word)


@pytest.mark.parametrize("word", [None, "", 7, ["sent"], {"sent": 1}, True])
def test_a_state_without_a_word_is_unknown(word: object) -> None:
    assert (item(status=word).state, item(status=word).word) == (InviteState.UNKNOWN, None)


def test_an_invite_of_nothing_but_an_id() -> None:
    page = decode_tracking(pack({"items": [{"referral_id": "ref-1"}]}))
    assert page.invites == (TrackedInvite("ref-1", None, InviteState.UNKNOWN),)
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
