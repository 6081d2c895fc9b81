import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import UsageError
from tui.sources.base_url import OFFICIAL, parse_base_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://chatgpt.com", OFFICIAL),
        ("https://chatgpt.com/backend-api/", OFFICIAL),
        ("https://CHATGPT.com:443", "https://chatgpt.com:443/backend-api"),
        ("https://chat.openai.com/", "https://chat.openai.com/backend-api"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        (" http://localhost:1/backend-api// ", "http://localhost:1/backend-api"),
        ("http://[::1]:9/x", "http://[::1]:9/x"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("https://quota.example.com/api", "https://quota.example.com/api"),
    ],
)
def test_normal_form(text: str, url: str) -> None:
    assert parse_base_url(text).url == url


def test_both_path_styles() -> None:
    wham, plain = parse_base_url("http://127.0.0.1:1/backend-api"), parse_base_url("http://127.0.0.1:1")
    assert (wham.usage, wham.credits, wham.consume) == (
        "http://127.0.0.1:1/backend-api/wham/usage",
        "http://127.0.0.1:1/backend-api/wham/rate-limit-reset-credits",
        "http://127.0.0.1:1/backend-api/wham/rate-limit-reset-credits/consume",
    )
    assert (plain.usage, plain.consume) == (
        "http://127.0.0.1:1/api/codex/usage",
        "http://127.0.0.1:1/api/codex/rate-limit-reset-credits/consume",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chatgpt.com",
        "ftp://127.0.0.1",
        "http://",
        "http://chatgpt.com/backend-api",
        "http://192.168.0.1",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://0.0.0.0",
        "http://2130706433",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "https://me:hunter2@chatgpt.com",
        "http://127.0.0.1@evil.example",
        "https://evil.example\\@chatgpt.com",
        "https://chatgpt.com/?a=b",
        "https://chatgpt.com/#a",
        "https://chat gpt.com",
        "https://chatgpt.com/\x1b",
        "http://[::1",
        "file:///etc/passwd",
    ],
)
def test_what_no_login_may_be_sent_to(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_base_url(text)
    assert "hunter2" not in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_only_the_official_host_is_given_its_path() -> None:
    assert parse_base_url("https://chatgpt.com").url == OFFICIAL
    for other in ("https://chatgpt.com.evil.example", "https://chatgpt.com:8443"):
        assert parse_base_url(other).url == other


@given(st.text() | st.from_regex(r"https?://[^/]{0,30}(/.{0,20})?"))
def test_whatever_passes_is_https_or_loopback(text: str) -> None:
    try:
        base_url = parse_base_url(text)
    except UsageError:
        return
    assert base_url.secure or base_url.loopback
    assert parse_base_url(base_url.url) == base_url
