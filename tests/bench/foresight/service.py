"""The simulated service: windows that begin with use, limits that block, and resets that clear both windows."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.foresight.people import HOUR, MINUTE, MONDAY, Person


@dataclass
class Meter:
    """One window: idle until the first request, then fixed for its length."""

    length: float
    start: float | None = None
    used: float = 0.0

    def roll(self, now: float) -> None:
        """Let a window that is over begin anew."""
        if self.start is not None and now >= self.start + self.length:
            self.start, self.used = None, 0.0

    def ends(self, now: float) -> float:
        """When it resets; an idle one slides."""
        return (now if self.start is None else self.start) + self.length


@dataclass
class Life:
    """What happened in one run of a person's weeks under some way to spend."""

    waiting: float = 0.0
    """Seconds blocked while present."""
    hits: list[tuple[float, int, float]] = field(default_factory=list)
    """(moment, minutes of the window, its natural reset)."""
    spends: list[tuple[float, str]] = field(default_factory=list)
    lapsed: list[str] = field(default_factory=list)


class Presence:
    """Sums of presence, for waiting."""

    def __init__(self, person: Person) -> None:
        self._starts = [start for start, _ in person.presence]
        self._ends = [end for _, end in person.presence]
        self._sums = [0.0]
        for start, end in person.presence:
            self._sums.append(self._sums[-1] + end - start)

    def until(self, at: float) -> float:
        """Seconds of presence before a moment."""
        place = bisect_right(self._starts, at)
        if not place:
            return 0.0
        return self._sums[place] - max(0.0, self._ends[place - 1] - at)

    def between(self, start: float, end: float) -> float:
        """Seconds of presence in a span."""
        return self.until(end) - self.until(start) if end > start else 0.0


class Service:
    """A person's account, driven request by request.

    Attributes:
        life: What happened so far.
    """

    def __init__(self, person: Person, presence: Presence | None = None) -> None:
        self.person = person
        self.meters = {minutes: Meter(minutes * MINUTE) for minutes in person.minutes()}
        self._rates = {300: 1.0, 10080: person.weekly_share}
        self.presence = presence or Presence(person)
        self.life = Life()
        self.blocked_since: float | None = None
        self.backlog = 0.0
        self._draw = random.Random(person.name)

    def ends_block(self, now: float) -> float | None:
        """When the block ends by itself; None where nothing blocks."""
        ends = [m.ends(now) for m in self.meters.values() if m.used >= 100 and m.start is not None]
        return max(ends) if ends else None

    def advance(self, now: float) -> None:
        """Let time go by."""
        if self.blocked_since is not None:
            until = self.ends_block(self.blocked_since)
            if until is not None and until <= now:
                self.life.waiting += self.presence.between(self.blocked_since, until)
                self.blocked_since = None
                for meter in self.meters.values():
                    meter.roll(until)
        for meter in self.meters.values():
            meter.roll(now)

    def request(self, now: float, cost: float, waits: bool) -> bool:
        """Serve one request, or not.

        Returns:
            Whether it hit the limit: no further one is served.
        """
        self.advance(now)
        if self.blocked_since is not None:
            if waits:
                self.backlog += cost
            return False
        if self.backlog > 0:  # what waited is done bit by bit
            extra = min(self.backlog, 3 * cost)
            self.backlog -= extra
            cost += extra
        hit = False
        for minutes, meter in self.meters.items():
            if meter.start is None:
                meter.start = now
            before = meter.used
            meter.used += cost * self._rates[minutes]
            if before < 100 <= meter.used:
                self.life.hits.append((now, minutes, meter.ends(now)))
                hit = True
        if hit:
            self.blocked_since = now
            self.backlog = 0.0  # what is still undone at the next hit is given up
        return hit

    def spend(self, now: float, credit: str) -> None:
        """Clear every window; the week begins anew."""
        self.advance(now)
        if self.blocked_since is not None:
            self.life.waiting += self.presence.between(self.blocked_since, now)
            self.blocked_since = None
        for meter in self.meters.values():
            meter.start, meter.used = None, 0.0
        if 10080 in self.meters:
            self.meters[10080].start = now
        self.life.spends.append((now, credit))

    def finish(self) -> Life:
        """Close the books."""
        self.advance(self.person.end)
        if self.blocked_since is not None:
            self.life.waiting += self.presence.between(self.blocked_since, self.person.end)
        spent = {credit for _, credit in self.life.spends}
        self.life.lapsed = [c for c, _, expires in self.person.credits if expires < self.person.end and c not in spent]
        return self.life

    def in_bank(self, now: float) -> list[tuple[str, float, float]]:
        """The credits that can be spent now, soonest to lapse first."""
        spent = {credit for _, credit in self.life.spends}
        held = [c for c in self.person.credits if c[1] <= now < c[2] and c[0] not in spent]
        return sorted(held, key=lambda credit: credit[2])

    def shown(self, used: float) -> float:
        """A percentage as the service shows it: whole."""
        return float(int(used)) if self.person.rounding == "floor" else float(round(used))


def waits(person: Person) -> list[bool]:
    """Whether each request, if blocked, waits; the same in every run of the same life."""
    draw = random.Random(person.name + "/waits")
    return [draw.random() < person.waits for _ in person.requests]


AtHit = Callable[[Service, float], str | None]


def simple_run(person: Person, at_hit: AtHit, before_expiry: float | None = None) -> Life:
    """Run a life with a rule for the moment of a hit.

    Args:
        person: Who.
        at_hit: Names the credit to spend at a hit, or None.
        before_expiry: Spend a credit this many seconds before it lapses, if it was not spent; None lets it lapse.
    """
    service = Service(person)
    waiting = waits(person)
    alarms = sorted((e - before_expiry, c) for c, g, e in person.credits) if before_expiry is not None else []
    place = 0
    for (at, cost), wait in zip(person.requests, waiting, strict=True):
        while place < len(alarms) and alarms[place][0] <= at:
            moment, credit = alarms[place]
            place += 1
            if moment >= MONDAY and any(credit == c for c, _, _ in service.in_bank(moment)):
                service.spend(moment, credit)
        if service.request(at, cost, wait):
            chosen = at_hit(service, at)
            if chosen:
                service.spend(at, chosen)
    return service.finish()


def soonest(service: Service, now: float) -> str | None:
    """The credit that lapses first."""
    held = service.in_bank(now)
    return held[0][0] if held else None


def never(_service: Service, _now: float) -> str | None:
    """No credit."""
    return None


@dataclass
class Line:
    """One line of a recording."""

    at: float
    kind: str
    """`turn`, `poll` or `ask`."""


def recording(person: Person, act: Callable[[Service, float, str], str | None]) -> Iterator[tuple[Service, Line]]:
    """Run a life line by line, as a program that reads along sees it.

    Turns are read as they happen (one in twenty is missing), polls come every 5 minutes of work and every 20 at rest
    (none during two hours of one night in four), asks every 10 minutes, every minute from 85 per cent on and while a
    block begins, every 10 later in a block.

    Args:
        person: Who.
        act: Called at each hit and at each ask with the service, the moment and `hit` or `ask`; names a credit to
            spend, or None.

    Yields:
        The service as it stands and the line; for a line of kind `ask` the caller has its word through `act`.
    """
    service = Service(person)
    draw = random.Random(person.name + "/lines")
    waiting = waits(person)
    count = len(person.requests)
    place = 0
    next_poll = MONDAY
    next_ask = MONDAY + 30
    while True:
        at_request = person.requests[place][0] if place < count else person.end
        at = min(at_request, next_poll, next_ask)
        if at >= person.end:
            return
        if at == at_request:
            hit = service.request(at, person.requests[place][1], waiting[place])
            refused = service.blocked_since is not None and not hit
            place += 1
            if hit:
                yield service, Line(at, "turn")
                chosen = act(service, at, "hit")
                if chosen:
                    service.spend(at, chosen)
                    yield service, Line(at + 1, "poll")
                next_ask = min(next_ask, at + MINUTE)
            elif not refused and draw.random() > 0.05 and (place >= count or person.requests[place][0] - at > 15):
                yield service, Line(at, "turn")
            continue
        service.advance(at)
        if at == next_poll:
            present = service.presence.between(at - 10 * MINUTE, at + MINUTE) > 0
            next_poll = at + (5 if present else 20) * MINUTE
            if int(at // HOUR) % 24 == 3 and draw.random() < 0.25:
                next_poll += 2 * HOUR
            if draw.random() > 0.03:
                yield service, Line(at, "poll")
            continue
        near = any(m.used >= 85 for m in service.meters.values()) and service.blocked_since is None
        fresh = service.blocked_since is not None and at - service.blocked_since < 10 * MINUTE
        near = near and service.presence.between(at - 10 * MINUTE, at) > 0
        next_ask = at + (1 if near or fresh else 10) * MINUTE
        yield service, Line(at, "ask")
        chosen = act(service, at, "ask")
        if chosen:
            service.spend(at, chosen)
            yield service, Line(at + 1, "poll")
