"""A person's weeks with the program's advice carried out, against the oracle and the simple rules."""

from dataclasses import dataclass, field

from tests.bench.foresight.people import HOUR, MINUTE, Person
from tests.bench.foresight.service import Life, Line, Service, recording
from tui.domain.advice import Verdict
from tui.domain.foresight import Foresight
from tui.domain.reading import CreditReading, Reading, WindowReading


@dataclass
class Played:
    """What came of it."""

    life: Life
    warnings: list[tuple[float, int]] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)


def reading(service: Service, at: float) -> Reading:
    """The account as a program reads it."""
    bank = service.in_bank(at)
    windows = tuple(
        WindowReading(minutes, service.shown(min(100.0, meter.used)), meter.ends(at))
        for minutes, meter in service.meters.items()
    )
    working = service.presence.between(at - 2 * MINUTE, at + MINUTE) > 0
    blocked = service.blocked_since is not None
    return Reading(
        at,
        windows,
        not blocked,
        len(bank),
        tuple(CreditReading(*credit) for credit in bank),
        int(working and not blocked),
        int(working and blocked),
    )


def is_night(at: float) -> bool:
    """Whether nobody is there to act."""
    return not 7 * HOUR <= at % (24 * HOUR) < 23 * HOUR


def play(person: Person, nobody_at_night: bool = False) -> Played:
    """Run the weeks with the advice carried out.

    Args:
        person: Who.
        nobody_at_night: From 23:00 to 07:00 nothing is asked; what was queued before stays.
    """
    foresight = Foresight(0)
    queued: list[str | None] = [None]
    played = Played(Life())

    def act(service: Service, at: float, what: str) -> str | None:
        if what == "hit":
            chosen, queued[0] = queued[0], None
        elif nobody_at_night and is_night(at):
            return None
        else:
            advice = foresight.advice(at)
            played.verdicts[advice.verdict] = played.verdicts.get(advice.verdict, 0) + 1
            queued[0] = advice.credit_id if advice.verdict is Verdict.QUEUE else None
            acts = advice.verdict in (Verdict.SPEND_NOW, Verdict.USE_BEFORE_IT_LAPSES)
            chosen = advice.credit_id if acts else None
        return chosen if any(chosen == credit for credit, _, _ in service.in_bank(at)) else None

    service: Service | None = None
    line: Line
    for service, line in recording(person, act):
        if line.kind != "ask":
            played.warnings += [(w.at, w.minutes) for w in foresight.add(reading(service, line.at))]
    assert service is not None
    played.life = service.finish()
    return played
