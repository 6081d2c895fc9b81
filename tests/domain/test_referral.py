import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.inviting import record, tracked
from tui.domain.invites import (
    accepted,
)
from tui.domain.referral import InviteAnswer, usable_link

OTHER = "other@example.com"
LINK = "https://chatgpt.com/i/abc"
LISTED = record(referral_id="ref-1", tracked=tracked())


@pytest.mark.parametrize(
    "link",
    [
        "https://chatgpt.com/i/abc?x=1&y=[2]#z",
        "HTTPS://CHATGPT.COM/i",
        "https://localhost/i",
        "http://localhost:8080/i",
        "http://127.0.0.1/i",
        "http://[::1]:80/i",
        "https://[2001:db8::1]/i",
    ],
)
def test_a_link_that_may_be_handed_on(link: str) -> None:
    assert usable_link(link) == link


@pytest.mark.parametrize(
    "link",
    [
        None,
        "",
        7,
        ["https://chatgpt.com"],
        "chatgpt.com/i",
        "javascript:alert(1)",
        "javascript://chatgpt.com/%0aalert(1)",
        "ftp://chatgpt.com/i",
        "file:///etc/passwd",
        "data:text/html,x",
        "mailto:friend@example.com",
        "http://chatgpt.com/i",
        "http://localhost.evil.example/i",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.2/",
        "https://user:password@chatgpt.com/i",
        "https://chatgpt.com@evil.example/",
        "https://evil.example\\.chatgpt.com/",
        "https://evil.example\\@chatgpt.com/",
        "https://",
        "https:///i",
        "https://:443/i",
        "https://[bad/i",
        "https://chatgpt.com:99999/",
        "https://chatgpt.com:port/",
        " https://chatgpt.com/i",
        "https://chatgpt.com/i ",
        "https://chatgpt.com/a b",
        "https://chatgpt.com/\x1b[31m",
        "https://chatgpt.com/\x00",
        "https://chatgpt.com/\n",
        "https://chatgpt.com/\u202egnp.exe",
        "https://сhatgpt.com/",  # the first letter is Cyrillic
        "https://chatgpt.com/" + "x" * 1_000,
    ],
)
def test_a_link_that_is_refused(link: object) -> None:
    assert usable_link(link) is None


@given(st.text() | st.integers() | st.none())
def test_whatever_link_passes_is_visible_and_leads_where_it_says(link: object) -> None:
    if usable_link(link) is not None:
        assert isinstance(link, str)
        assert link.isascii()
        assert link.isprintable()
        assert link.lower().startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]"))


def test_an_answer_without_an_id_or_a_link_takes_none_away() -> None:
    known = record(referral_id="ref-1", link=LINK)
    assert accepted(known, InviteAnswer(None, None)) == known
