"""Where the advice loses waiting against the oracle: `python -m tests.bench.foresight.regret [SEED [PEOPLE]]`.

Every choice at a hit, and every spend without one, is judged by itself: the least waiting that is still to be had
after it, less the least that was to be had before. These regrets add up to all that the oracle saves more. A regret
below zero is a spend that is better than any at a hit: the oracle spends at hits alone.
"""

import sys
from collections.abc import Iterator
from math import inf

from tests.bench.foresight import others
from tests.bench.foresight.closed_loop import play
from tests.bench.foresight.oracle import Search
from tests.bench.foresight.people import DAY, HOUR, MONDAY, Person, person
from tests.bench.foresight.service import Life

_NEW = 21 * DAY
"""Until then somebody is new."""


def regrets(search: Search, who: Person, life: Life) -> Iterator[tuple[str, float, float]]:
    """(what was done, the moment, seconds of waiting lost by it) for each choice of a life."""
    start, gone = MONDAY, tuple[int, ...]()
    places = {credit: place for place, (credit, _, _) in enumerate(who.credits)}
    windows = {at: minutes for at, minutes, _ in life.hits}
    for at, credit in [*life.spends, (inf, "")]:
        way = search.path(start)
        hits = [hit for hit in way.hits if hit <= at]
        blocked = bool(credit) and any(begin <= at < end for begin, end in way.blocks)
        now = search.least(start, gone, start)[0]
        for hit in hits[:-1] if blocked else hits:
            after = search.least(start, gone, hit + 1)[0]
            yield f"kept at a hit of {windows.get(hit, 'other')} minutes", hit, after - now
            now = after
        if not credit:
            return
        left = search.left((*gone, places[credit]), at)
        spent = way.waiting_until(at) + search.value(at, left)[0]
        what = f"spent at a hit of {windows.get(hits[-1], 'other')} minutes" if blocked else "spent without a hit"
        yield what, at, spent - now
        start, gone = at, left


def main(seed: str = "tune", count: str = "8") -> None:
    """Print the hours lost by each kind of choice, apart for the first three weeks."""
    sys.setrecursionlimit(10000)
    hours: dict[str, list[float]] = {}
    for number in range(int(count)):
        who = (others.person if seed.startswith("others") else person)(seed, number)
        for what, at, lost in regrets(Search(who), who, play(who).life):
            when = "in the first three weeks" if at < MONDAY + _NEW else "later"
            hours.setdefault(f"{what}, {when}", []).append(lost / HOUR)
    print(f"{count} people, seed {seed}: hours of waiting lost against the oracle")
    for what, several in sorted(hours.items(), key=lambda row: -sum(row[1])):
        bad = sum(one > 0.25 for one in several)
        print(f"{sum(several):7.1f}  {what}: {len(several)} times, {bad} of them by more than a quarter of an hour")


if __name__ == "__main__":
    main(*sys.argv[1:])
