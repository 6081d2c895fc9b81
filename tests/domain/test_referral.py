import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.inviting import record, tracked
from tui.domain.invites import (
    accepted,
)
from tui.domain.referral import (
    InviteAnswer,
    masked,
    usable_link,
    without_addresses,
)

OTHER = "other@example.com"
LINK = "https://chatgpt.com/i/abc"
LISTED = record(referral_id="ref-1", tracked=tracked())


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="@")))
def test_a_masked_address_shows_one_letter_and_the_host(name: str, host: str) -> None:
    shown = masked(f"{name}@{host}").removesuffix(f"@{host}")
    assert shown == f"{name[:1]}…"


@given(st.text(alphabet=st.characters(exclude_characters="@")))
def test_what_is_no_address_is_masked_whole(text: str) -> None:
    assert masked(text) == "…"


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@friend", "@friend"),
        ("@ada@example.com", "@…@example.com"),
        ("write to ada@example.com, please", "write to a…@example.com, please"),
        ("Codex Team", "Codex Team"),
    ],
)
def test_an_address_is_told_from_a_handle(text: str, shown: str) -> None:
    assert without_addresses(text) == shown


AT = ["@", "＠", "﹫", " (at) ", "[at]", "{ AT }", "<at>", " @ ", "(@)", "&#64;", "&#x40;", "&commat;", "&amp;#64;"]
AT += ["%40", "%2540", "=40", "\\u0040", " at ", "_at_", "-at-", "+at+", " *AT* ", "\u200b@", "@\u200b"]
DOT = [".", "．", "。", "&#46;", "&period;", " dot ", " (dot) ", "[.]", "[dot]", "_dot_", "-dot-"]
AROUND = ["", "<", "(", "'", '"', "mailto:", "to ", "to:", "x@y.example,", "https://x.example/?to="]
NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=12).map(lambda name: f"q{name}")


@given(
    NAMES,
    st.sampled_from(AT),
    st.lists(st.sampled_from(DOT), min_size=1, max_size=2),
    st.sampled_from(AROUND),
    st.sampled_from(["", ">", ")", ".", ", please", "\nnext"]),
    st.booleans(),
)
def test_no_spelling_of_an_address_shows_its_name(
    name: str, at: str, dots: list[str], before: str, after: str, wide: bool
) -> None:
    text = f"{name}{at}example{''.join(f'{dot}org' for dot in dots)}"
    if wide:
        text = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    shown = without_addresses(f"{before}{text}{after}")
    assert name not in unicodedata.normalize("NFKC", shown)
    assert without_addresses(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Invite 3 friends (at most).",
        "Write to @friend. Then wait.",
        "You and @friend at home",
        "A look-at-me offer, one-at-a-time.",
        "The help is at help.openai.com, the app at chatgpt.com/codex.",
        "Look at this. Then go: https://x.example/?amount=4000&share=40%40.",
        "50 % & more; ½ of ① is left…",
        "नमस्ते &amp; ไทย",
    ],
)
def test_a_text_without_an_address_stays_to_the_letter(text: str) -> None:
    assert without_addresses(text) == text
