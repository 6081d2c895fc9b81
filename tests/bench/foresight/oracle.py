"""What somebody who knows the future saves: an exact search over the moments of spending.

After a spend both windows are clear, so that what follows depends on the moment alone. The search goes over moments at
which a window is hit on any path (within 20 seconds of each other they count as one) and the last minute of
each credit. For each it runs the life without a further spend until the end, and a table over (moment, credits left)
picks the best row of moments. Which credit goes is no choice: the soonest to lapse is never worse.
"""

import sys
from bisect import bisect_left, bisect_right
from math import inf

from tests.bench.foresight.people import MINUTE, MONDAY, Person
from tests.bench.foresight.service import Presence, Service, waits

_SAME = 20.0


class _Path:
    """The life after one spend, with no other: cumulative waiting at each change, and the hits."""

    def __init__(self, person: Person, presence: Presence, start: float, waiting: list[bool]) -> None:
        service = Service(person, presence)
        if start > MONDAY:
            service.spend(start, "oracle")
        first = bisect_right(person.requests, (start, inf)) if start > MONDAY else 0
        self.blocks: list[tuple[float, float]] = []
        self.hits: list[float] = []
        requests = person.requests
        place, count = first, len(requests)
        while place < count:
            at, cost = requests[place]
            if service.request(at, cost, waiting[place]):
                end = service.ends_block(at)
                assert end is not None
                self.hits.append(at)
                self.blocks.append((at, end))
            place += 1
        self._presence = presence
        self.sums = [0.0]
        for begin, end in self.blocks:
            self.sums.append(self.sums[-1] + presence.between(begin, min(end, person.end)))
        self._starts = [begin for begin, _ in self.blocks]

    def waiting_until(self, at: float) -> float:
        place = bisect_left(self._starts, at)
        if not place:
            return 0.0
        begin, end = self.blocks[place - 1]
        return self.sums[place - 1] + self._presence.between(begin, min(end, at))


class Search:
    """The least waiting from any moment on.

    Args:
        person: Whose life is known.
    """

    def __init__(self, person: Person) -> None:
        self._person = person
        self.presence = Presence(person)
        self._waiting = waits(person)
        self._paths: dict[float, _Path] = {}
        self._known: list[float] = []
        self._values: dict[tuple[float, tuple[int, ...]], tuple[float, tuple[float, ...]]] = {}

    def path(self, start: float) -> _Path:
        """The life after one spend, with no other."""
        if start not in self._paths:
            self._paths[start] = _Path(self._person, self.presence, start, self._waiting)
        return self._paths[start]

    def value(self, start: float, gone: tuple[int, ...]) -> tuple[float, tuple[float, ...]]:
        """Least waiting from a spend on, with these credits gone, and its moments."""
        key = (start, gone)
        if key not in self._values:
            self._values[key] = self.least(start, gone, start)
        return self._values[key]

    def least(self, start: float, gone: tuple[int, ...], since: float) -> tuple[float, tuple[float, ...]]:
        """The same, with no further spend before a moment."""
        way = self.path(start)
        found: tuple[float, tuple[float, ...]] = (way.sums[-1], ())
        for hit in way.hits[bisect_left(way.hits, since) :]:
            held = self._held(gone, hit)
            if not held or hit <= start + MINUTE:
                continue
            stands = self._stands(hit)
            if stands <= start + MINUTE:
                continue
            before = way.waiting_until(hit)
            if before >= found[0]:
                break
            after, moments = self.value(stands, self.left((*gone, min(held)[1]), stands))
            if before + after < found[0]:
                found = (before + after, (hit, *moments))
        return found

    def left(self, gone: tuple[int, ...], at: float) -> tuple[int, ...]:
        """The credits that are gone, without those that have lapsed by then: they make no difference."""
        return tuple(sorted(place for place in gone if self._person.credits[place][2] > at))

    def _held(self, gone: tuple[int, ...], at: float) -> list[tuple[float, int]]:
        return [
            (expires, place)
            for place, (_, granted, expires) in enumerate(self._person.credits)
            if place not in gone and granted <= at < expires
        ]

    def _stands(self, hit: float) -> float:
        """The known moment that stands for this one."""
        place = bisect_left(self._known, hit)
        for candidate in self._known[max(0, place - 1) : place + 1]:
            if abs(candidate - hit) < _SAME:
                return candidate
        self._known.insert(place, hit)
        return hit


def best(person: Person) -> tuple[float, list[float]]:
    """The least waiting that any spending reaches, in seconds, and its moments."""
    sys.setrecursionlimit(10000)
    total, moments = Search(person).value(MONDAY, ())
    return total, list(moments)
