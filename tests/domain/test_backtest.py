"""A small back-test; the large one is `python -m tests.bench.foresight`."""

import pytest

from tests.bench.foresight import oracle
from tests.bench.foresight.closed_loop import play
from tests.bench.foresight.people import DAY, HOUR, MONDAY, person
from tests.bench.foresight.service import Service, never, simple_run, soonest, waits


@pytest.mark.parametrize("number", range(8))
def test_a_person_is_the_same_every_time_and_the_oracle_beats_every_rule(number: int) -> None:
    who, again = person("suite", number, weeks=6), person("suite", number, weeks=6)
    assert (who.requests, who.credits) == (again.requests, again.credits)
    least, _ = oracle.best(who)
    rules = [simple_run(who, never), simple_run(who, soonest), simple_run(who, never, 300)]
    assert all(life.waiting >= least - 1 for life in rules)


def test_the_oracle_can_be_carried_out() -> None:
    who = person("suite", 0, weeks=6)
    least, moments = oracle.best(who)
    service, left = Service(who), list(moments)
    for (at, cost), wait in zip(who.requests, waits(who), strict=True):
        if service.request(at, cost, wait) and left and abs(left[0] - at) < 30:
            bank = service.in_bank(at)
            service.spend(at, bank[0][0])
            left.pop(0)
    assert left == []
    assert service.finish().waiting == pytest.approx(least, abs=60)


def test_advice_that_is_followed_saves_waiting() -> None:
    people = [person("suite", number, weeks=4) for number in (0, 5, 7)]
    followed = [play(who) for who in people]
    waited = sum(played.life.waiting for played in followed)
    assert waited < sum(simple_run(who, never).waiting for who in people)
    for played in followed:
        assert len({credit for _, credit in played.life.spends}) == len(played.life.spends)
        assert sum(played.verdicts.values()) > 27 * DAY / (HOUR / 6)
        assert all(at >= MONDAY for at, _ in played.warnings)
