import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.budget import budget
from tui.companion.addresses import parse_address
from tui.domain.invites import LONGEST_ADDRESS, same_address
from tui.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("friend@example.com", "friend@example.com"),
        ("  friend@example.com\n", "friend@example.com"),
        ("Friend.Name+tag@EXAMPLE.com", "Friend.Name+tag@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("friend@sub.example.co.uk", "friend@sub.example.co.uk"),
        ("friend@host.test", "friend@host.test"),
        ("friend@bücher.example", "friend@bücher.example"),
        ("friend@xn--bcher-kva.example", "friend@bücher.example"),
        ("mu\u0308ller@example.com", "müller@example.com"),
        ("用户@example.com", "用户@example.com"),
    ],
)
def test_an_address_in_its_normal_form(text: str, address: str) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no address was given"),
        (" \t\n", "no address was given"),
        ("a@x.example,b@x.example", "one address at a time"),
        ("a@x.example;b@x.example", "one address at a time"),
        ("a@x.example b@x.example", "one address at a time"),
        ("a@x.example\nb@x.example", "one address at a time"),
        ("a@x.example\r\nBcc: b@x.example", "one address at a time"),
        ("a@x.example\u2028b@x.example", "that is no address"),
        ("Friend <friend@example.com>", "that is more than an address"),
        ("<friend@example.com>", "that is more than an address"),
        ('"a b"@example.com', "one address at a time"),
        ('"ab"@example.com', "that is no address: quoting"),
        ("friend", "that is no address"),
        ("@example.com", "that is no address"),
        ("friend@", "that is no address"),
        ("a@b@example.com", "that is no address"),
        ("friend@localhost", "that is no address"),
        ("friend@printer.local", "that is no address"),
        ("friend@x.invalid", "that is no address"),
        ("friend@[127.0.0.1]", "that is no address"),
        ("friend@example..com", "that is no address"),
        (".friend@example.com", "that is no address"),
        ("mailto:friend@example.com", "that is no address"),
        ("fri\x00end@example.com", "that is no address"),
        ("fri\x1b[31mend@example.com", "that is no address"),
        ("fri\u202eend@example.com", "that is no address"),
        ("friend@exam\u200bple.com", "that is no address"),
        ("fri\ud800end@example.com", "that is no address"),
        (f"friend@{'x' * 64}.example", "that is no address"),
        (f"{'x' * 260}@example.com", "that is too long for an address"),
        (f"a@{'x.' * 126}com", "that is too long for an address"),
    ],
)
def test_what_is_no_address_says_why_in_one_harmless_line(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_address(text)
    assert str(caught.value).isprintable()


@settings(max_examples=budget(300))
@given(
    st.text()
    | st.emails()
    | st.builds("{}@{}".format, st.text(), st.text())
    | st.builds("{}@{}.com".format, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
)
def test_any_text_is_one_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except UsageError as error:
        line = str(error)
    else:
        line = address
        assert parse_address(address) == address
        assert same_address(address, text) or not text.isascii()
        assert address.count("@") == 1
        assert not set(address) & set(' ,;<>"\n\r\t')
        assert len(address) <= LONGEST_ADDRESS
    assert line.isprintable()
