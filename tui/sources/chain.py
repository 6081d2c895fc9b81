"""The chain: the first source that is usable here, and why each other is not."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tui.errors import NotViable, SourceError, UsageError
from tui.sources.base import Candidate, Source, Verdict

OPENING_DEADLINE: Final = 8.0
"""Seconds that one source may take to prove itself."""


class Chain:
    """Picks a source.

    Args:
        candidates: In the order of preference.
        deadline: Seconds that each may take to open.
    """

    def __init__(self, candidates: Sequence[Candidate], *, deadline: float = OPENING_DEADLINE) -> None:
        self._candidates = tuple(candidates)
        self._deadline = deadline

    async def open(self) -> tuple[Source, tuple[Verdict, ...]]:
        """Open the first viable source; it is the caller's to close.

        Raises:
            NotViable: None is; the message names every reason.
            UsageError: The command line asks a source for what it cannot do.
        """
        verdicts: list[Verdict] = []
        for number, candidate in enumerate(self._candidates):
            found = await self._try(candidate)
            if isinstance(found, Verdict):
                verdicts.append(found)
                continue
            rest = self._candidates[number + 1 :]
            verdicts.append(Verdict(candidate.name, True, "in use"))
            verdicts += (Verdict(other.name, False, f"not asked: {candidate.name} is in use") for other in rest)
            return found, tuple(verdicts)
        reasons = " · ".join(f"{verdict.name}: {verdict.reason}" for verdict in verdicts)
        raise NotViable(f"no source can be used: {reasons}", "" if "; " in reasons else "see `resetbank doctor`")

    async def upgrade(self, current: str) -> tuple[Source, tuple[Verdict, ...]] | None:
        """Open a source that is preferred to the one in use and has become usable since, as the daemon does.

        Args:
            current: The source in use.

        Returns:
            None where there is none.
        """
        names = [candidate.name for candidate in self._candidates]
        preferred = self._candidates[: names.index(current)] if current in names else ()
        for candidate in (candidate for candidate in preferred if candidate.comes_later):
            found = await self._try(candidate)
            if not isinstance(found, Verdict):
                others = (name for name in names if name != candidate.name)
                reason = f"not asked: {candidate.name} is in use"
                return found, (Verdict(candidate.name, True, "in use"), *(Verdict(n, False, reason) for n in others))
        return None

    async def probe(self) -> tuple[Verdict, ...]:
        """Try every candidate at once, for `resetbank doctor`, and keep none open."""
        return tuple(await asyncio.gather(*(self._probe(candidate) for candidate in self._candidates)))

    async def _probe(self, candidate: Candidate) -> Verdict:
        try:
            found = await self._try(candidate)
        except UsageError as error:
            return Verdict(candidate.name, False, str(error))
        if isinstance(found, Verdict):
            return found
        await found.aclose()
        return Verdict(candidate.name, True, "viable")

    async def _try(self, candidate: Candidate) -> Source | Verdict:
        try:
            async with asyncio.timeout(self._deadline):
                return await candidate.open()
        except TimeoutError:
            reason = f"it did not answer within {self._deadline:g} s"
        except SourceError as error:
            reason = str(error)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        return Verdict(candidate.name, False, reason)
