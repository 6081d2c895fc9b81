"""The chain: the first source that is usable here, and why each other is not."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tui.errors import NotViable, SourceError, UsageError
from tui.sources.base import Source, SourceOption, SourceStatus

OPENING_DEADLINE: Final = 8.0
"""Seconds that one source may take to prove itself."""


class Chain:
    """Picks a source: the candidates stand in the order of preference, and each may take so many seconds to open."""

    def __init__(self, candidates: Sequence[SourceOption], *, deadline: float = OPENING_DEADLINE) -> None:
        self._candidates = tuple(candidates)
        self._deadline = deadline

    async def open(self) -> Source:
        """Open the first viable source; it is the caller's to close.

        Raises:
            NotViable: None is; the message names every reason.
            UsageError: The command line asks a source for what it cannot do.
        """
        statuses: list[SourceStatus] = []
        for candidate in self._candidates:
            found = await self._try(candidate)
            if not isinstance(found, SourceStatus):
                return found
            statuses.append(found)
        reasons = " · ".join(f"{verdict.name}: {verdict.reason}" for verdict in statuses)
        raise NotViable(f"no source can be used: {reasons}", "" if "; " in reasons else "see `resetbank doctor`")

    async def upgrade(self, current: str) -> Source | None:
        """Open a source that is preferred to the current one and became usable since, as the daemon may; or none."""
        names = [candidate.name for candidate in self._candidates]
        preferred = self._candidates[: names.index(current)] if current in names else ()
        for candidate in (candidate for candidate in preferred if candidate.comes_later):
            found = await self._try(candidate)
            if not isinstance(found, SourceStatus):
                return found
        return None

    async def probe(self) -> tuple[SourceStatus, ...]:
        """Try every candidate at once, for `resetbank doctor`, and keep none open."""
        return tuple(await asyncio.gather(*(self._probe(candidate) for candidate in self._candidates)))

    async def _probe(self, candidate: SourceOption) -> SourceStatus:
        try:
            found = await self._try(candidate)
        except UsageError as error:
            return SourceStatus(candidate.name, False, str(error))
        if isinstance(found, SourceStatus):
            return found
        await found.aclose()
        return SourceStatus(candidate.name, True, "can be used")

    async def _try(self, candidate: SourceOption) -> Source | SourceStatus:
        try:
            async with asyncio.timeout(self._deadline):
                return await candidate.open()
        except TimeoutError:
            reason = f"it did not answer within {self._deadline:g} s"
        except SourceError as error:
            reason = str(error)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        return SourceStatus(candidate.name, False, reason)
