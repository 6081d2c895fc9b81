"""How addresses are kept from those who should not see them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.masking import masked, without_addresses


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="@")))
def test_a_masked_address_shows_one_letter_and_the_host(name: str, host: str) -> None:
    shown = masked(f"{name}@{host}").removesuffix(f"@{host}")
    assert shown == f"{name[:1]}…"


@given(st.text(alphabet=st.characters(exclude_characters="@")))
def test_what_is_no_address_is_masked_whole(text: str) -> None:
    assert masked(text) == "…"


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
