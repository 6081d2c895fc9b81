"""Addresses are other people's data: how they may stand where others can see them."""

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r'"[^"@]*"@[^\s<>(),;"]+|[^\s<>(),;"]+')
"""What may be an address; a quoted name may hold blanks."""

_HOST: Final = r"[\w-]+?(?:\.\w|[-_+*~|]+dot[-_+*~|]+\w|\s+dot\s|\s*[(\[{<]\s*(?:dot|\.))"
_AT: Final = re.compile(
    r"\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*"
    rf"|[%=](?:25)*40(?={_HOST})|\\u0040"
    rf"|\s*[-_+*~|.]+at[-_+*~|.]+\s*(?={_HOST})"
    rf"|\s+@\s*(?={_HOST})|(?<=\w)@\s+(?={_HOST})"
    rf"|\s+at\s+(?!(?:[\w-]+\.)*(?:chatgpt|openai)\.com)(?={_HOST})",  # the service speaks of its own pages
    re.IGNORECASE,
)
_DOT: Final = re.compile(
    r"(?<=\w)[-_+*~|]+dot[-_+*~|]+(?=\w)|\s*[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*|(?<=\w)\s+dot\s+(?=\w)", re.IGNORECASE
)
"""How an address is spelled that shall not look like one."""


def masked(address: str) -> str:
    """An address as it may stand where others can see it: `a…@example.com`; an address is other people's data."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}…@{host}" if at else "…"


def without_addresses(text: str) -> str:
    """A text in which no address can be read, however it is spelled; a bare handle such as `@friend` is none."""
    plain = _plainly_spelled(text)
    safe = _WORD.sub(_masked_word, plain)
    return text if safe == plain else safe


def _plainly_spelled(text: str) -> str:
    """A text with its addresses in their ordinary spelling: `ada (at) x.com`, `ada&#64;x.com` and the like."""
    for _ in range(3):  # what was escaped twice, in wide letters
        text = unicodedata.normalize("NFKC", text)
        if "&" in text:
            from html import unescape  # 1 ms that few texts pay

            text = unescape(text)
    text = unicodedata.normalize("NFKC", text).replace("。", ".")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return _DOT.sub(".", _AT.sub("@", text))


def _masked_word(found: re.Match[str]) -> str:
    word = found.group().lstrip("\"'")
    handle = word.startswith("@") and "@" not in word[1:]
    return masked(word) if "@" in word and not handle else found.group()
