"""What somebody who knows the future saves: an exact search over the moments of spending.

After a spend both windows are clear, so that what follows depends on the moment alone. The search goes over moments at
which a window is hit on any path (within 20 seconds of each other they count as one) and the last minute of
each credit. For each it runs the life without a further spend until the end, and a table over (moment, credits left)
picks the best row of moments. Which credit goes is no choice: the soonest to lapse is never worse.
"""

from bisect import bisect_left, bisect_right
from functools import cache
from math import inf

from tests.bench.foresight.people import MINUTE, MONDAY, Person
from tests.bench.foresight.service import Presence, Service, waits

_SAME = 20.0
_DEPTH = 6


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


def best(person: Person) -> tuple[float, list[float]]:
    """The least waiting that any spending reaches, in seconds, and its moments."""
    presence = Presence(person)
    waiting = waits(person)
    paths: dict[float, _Path] = {}
    known: list[float] = []

    def path(start: float) -> _Path:
        if start not in paths:
            paths[start] = _Path(person, presence, start, waiting)
        return paths[start]

    def near(moment: float) -> float | None:
        place = bisect_left(known, moment)
        for candidate in known[max(0, place - 1) : place + 1]:
            if abs(candidate - moment) < _SAME:
                return candidate
        return None

    def options(start: float) -> list[tuple[float, float]]:
        """(hit on this path, the known moment that stands for it)."""
        found = []
        for hit in path(start).hits:
            if not any(granted <= hit < expires for _, granted, expires in person.credits):
                continue
            stands = near(hit)
            if stands is None:
                stands = hit
                known.insert(bisect_left(known, hit), hit)
            found.append((hit, stands))
        return found

    @cache
    def value(start: float, bank: tuple[int, ...]) -> tuple[float, tuple[float, ...]]:
        """Least waiting from a spend on, with these credits gone."""
        way = path(start)
        least: tuple[float, tuple[float, ...]] = (way.sums[-1], ())
        for hit, stands in options(start):
            if hit <= start + MINUTE or stands <= start + MINUTE:
                continue
            held = [
                (expires, place)
                for place, (_, granted, expires) in enumerate(person.credits)
                if place not in bank and granted <= hit < expires
            ]
            if not held:
                continue
            gone = min(held)[1]
            # Credits that have lapsed by then make no difference: leave them out of the key.
            left = tuple(p for p in (*bank, gone) if person.credits[p][2] > stands)
            before = way.waiting_until(hit)
            if before >= least[0]:
                break
            after, moments = value(stands, tuple(sorted(left)))
            if before + after < least[0]:
                least = (before + after, (hit, *moments))
        return least

    import sys

    sys.setrecursionlimit(10000)
    total, moments = value(MONDAY, ())
    return total, list(moments)
