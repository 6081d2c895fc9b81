import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.referral_samples import FRIEND, INVITED, LINK, item, pack
from tui.domain.referral import (
    CONSUMER,
    InviteAnswer,
    InviteRequest,
)
from tui.errors import BadPayload
from tui.wire.fields import clean_text
from tui.wire.referral import (
    decode_invited,
    decode_refusal,
    encode_invite,
    mask_addresses,
)


def test_what_is_sent() -> None:
    assert json.loads(encode_invite(InviteRequest(FRIEND, CONSUMER, "acc1"))) == {
        "program_id": "codex_referral_consumer",
        "entrypoint": "persistent",
        "emails": [FRIEND],
    }


@given(st.text())
def test_one_address_is_one_address_whatever_is_in_it(address: str) -> None:
    address = address.encode(errors="ignore").decode()
    body = json.loads(encode_invite(InviteRequest(address, CONSUMER, None)))
    assert body["emails"] == [address]


def test_an_invite_that_the_service_took() -> None:
    assert decode_invited(pack(INVITED), FRIEND) == InviteAnswer("ref-1", LINK)


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
        f"{SECRET} (at) example.com",
        f"{SECRET}[at]example[dot]com",
        f"{SECRET} at example dot com",
        f"{SECRET} at example.com",
        f"{SECRET} @ example.com",
        f"{SECRET}&#64;example.com",
        f"{SECRET}&amp;#x40;example.com",
        f"{SECRET}&commat;example.com",
        f"{SECRET}\\u0040example.com",
        f"{SECRET}%2540example.com",
        "".join(chr(ord(letter) + 0xFEE0) for letter in f"{SECRET}@example.com"),
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
