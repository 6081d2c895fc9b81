"""Reads the service's own history of resets from its first page to its last (wire/README.md, "Banked resets")."""

from collections.abc import Awaitable, Callable
from typing import Final

from tui.domain.witness import ResetHistory
from tui.sources.answers import Answer
from tui.wire.history import HistoryPage, decode_history, joined

MOST_PAGES: Final = 10
"""Pages that are read."""


async def every_page(ask: Callable[[str | None], Awaitable[Answer]]) -> ResetHistory | None:
    """Read all pages; None where one of them is missing.

    A part would make what stands on the other pages look new, once they come.

    Args:
        ask: Asks for the page of a cursor; None for the first page.

    Raises:
        SourceError: A page could not be read.
    """
    pages: list[HistoryPage] = []
    asked: list[str | None] = [None]
    while len(pages) < MOST_PAGES:
        answer = await ask(asked[-1])
        if answer.status != 200:
            return None
        pages.append(decode_history(answer.body))
        if pages[-1].cursor is None or pages[-1].cursor in asked:
            break
        asked.append(pages[-1].cursor)
    return joined(pages)
