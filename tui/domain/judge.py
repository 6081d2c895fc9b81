"""How often the ends of a window's intervals were wrong before, and how that moves them."""

from typing import Final

import msgspec

from tui.domain.use import DAY_MINUTES

_MISS_TARGET: Final = 0.1
_LEARNING: Final = 0.006
"""How far one claim moves an end."""

_LOWEST, _HIGHEST = 0.3, 0.5
"""The ends stay apart."""

_HALF: Final = 50.0
"""Per cent used from which on the ends are judged apart: near the limit it comes more often."""

_CLAIMS_APART: Final = 1800.0
_CAME_SHARE: Final = 0.05
_LEAST_ALIKE: Final = 10


class Ends(msgspec.Struct):
    """Which quantiles are shown as the two ends of one interval; moved by their own misses."""

    low: float
    high: float

    def learn(self, below: bool, above: bool) -> None:
        """Judge one claim: on each side one miss in ten is right."""
        self.low = min(_LOWEST, max(0.02, self.low + _LEARNING * (_MISS_TARGET - below)))
        self.high = min(0.98, max(_HIGHEST, self.high - _LEARNING * (_MISS_TARGET - above)))


class Claim(msgspec.Struct, frozen=True):
    """What was said at a moment."""

    at: float
    used: float
    limit: tuple[float, float]
    """The ends for the moment of the limit, no later than the reset."""
    share: tuple[float, float]
    """The ends for the share at the reset."""


class Judge:
    """The claims on one running window, and what came of those before.

    Args:
        minutes: The window's length.
        resets_at: Its reset.
    """

    def __init__(self, minutes: int, resets_at: float) -> None:
        self.resets_at = resets_at
        self._minutes = minutes
        self._claims: list[Claim] = []
        self._came: dict[tuple[int, int], list[bool]] = {}
        # The middle of the ways on is surer than they are wide, most of all where the limit mostly does not come.
        if minutes <= DAY_MINUTES:
            self._limit, self._share = (Ends(0.13, 0.55), Ends(0.12, 0.69)), (Ends(0.12, 0.87), Ends(0.12, 0.8))
        else:
            self._limit, self._share = (Ends(0.13, 0.8), Ends(0.12, 0.8)), (Ends(0.11, 0.8), Ends(0.11, 0.75))

    @property
    def waits(self) -> bool:
        """Whether anything said is still to be judged."""
        return bool(self._claims)

    def ends(self, used: float) -> tuple[Ends, Ends]:
        """The ends for the moment of the limit and for the share at the reset, with so much used."""
        half = used >= _HALF
        return self._limit[half], self._share[half]

    def can_come(self, used: float, left: float) -> bool:
        """Whether the limit came in like moments, or in such with less used and less time left.

        With half used it can come too where hardly any like moments are known.

        Args:
            used: Per cent used; moments are alike to a tenth.
            left: Seconds to the reset; moments are alike to a fifth of the window.
        """
        tenth, fifth = self._kind(used, left)
        if used >= _HALF and len(self._came.get((tenth, fifth), ())) < _LEAST_ALIKE:
            return True
        return any(
            less_used <= tenth and less_left <= fifth and sum(came) >= _CAME_SHARE * len(came)
            for (less_used, less_left), came in self._came.items()
        )

    def hear(self, claim: Claim, resets_at: float) -> None:
        """Remember what was said, every half hour."""
        if self._claims and claim.at - self._claims[-1].at < _CLAIMS_APART:
            return
        if abs(resets_at - self.resets_at) > 600:
            self.forget()
            self.resets_at = resets_at
        self._claims.append(claim)

    def forget(self) -> None:
        """Let go of what was said: after a reset in the middle it can no longer come true or false."""
        self._claims.clear()

    def settle(self, limit: float, share: float) -> None:
        """Judge all that was said of a window.

        Args:
            limit: When it was full, or its reset.
            share: Where it stood at last.
        """
        for claim in self._claims:
            limits, shares = self.ends(claim.used)
            limits.learn(limit < claim.limit[0] - 1, limit > claim.limit[1] + 1)
            shares.learn(share < claim.share[0] - 1, share > claim.share[1] + 1)
            kind = self._kind(claim.used, self.resets_at - claim.at)
            self._came.setdefault(kind, []).append(limit < self.resets_at)
        self.forget()

    def _kind(self, used: float, left: float) -> tuple[int, int]:
        return int(used // 10), int(left * 5 // (self._minutes * 60))
