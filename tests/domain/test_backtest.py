"""A small back-test; the large one is `python -m tests.bench.foresight`."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.bench.foresight import oracle
from tests.bench.foresight.closed_loop import play, reading
from tests.bench.foresight.people import DAY, HOUR, MONDAY, person
from tests.bench.foresight.regret import regrets
from tests.bench.foresight.service import Service, never, recording, simple_run, soonest, waits
from tests.support.commands import resetbank
from tui.domain.foresight import Foresight
from tui.wire.recording import time_text


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


def test_what_each_choice_costs_adds_up_to_what_the_oracle_saves_more() -> None:
    who = person("suite", 5, weeks=4)
    for life in (simple_run(who, never), simple_run(who, soonest)):
        lost = [seconds for _, _, seconds in regrets(oracle.Search(who), who, life)]
        assert sum(lost) == pytest.approx(life.waiting - oracle.best(who)[0], abs=120)
        assert max(lost) > 900 or life.spends


def test_advice_that_is_followed_saves_waiting() -> None:
    people = [person("suite", number, weeks=4) for number in (0, 5, 7)]
    followed = [play(who) for who in people]
    waited = sum(played.life.waiting for played in followed)
    assert waited < sum(simple_run(who, never).waiting for who in people)
    for played in followed:
        assert len({credit for _, credit in played.life.spends}) == len(played.life.spends)
        assert sum(played.verdicts.values()) > 27 * DAY / (HOUR / 6)
        assert all(at >= MONDAY for at, _ in played.warnings)


def test_replay_answers_as_the_back_test_is_answered() -> None:
    """What is measured here is what the command says, line by line; only its times are rounded."""
    foresight = Foresight(0)
    lines: list[object] = [{"type": "recording", "schema": 1, "utc_offset_minutes": 0}]
    expected: list[tuple[object, ...]] = []
    for service, line in recording(person("suite", 5, weeks=3), lambda service, at, what: None):
        if line.kind == "ask":
            lines.append({"type": "ask", "at": time_text(line.at)})
            expected += [
                ("forecast", forecast.limit_at and forecast.limit_at.p50, forecast.basis)
                for forecast in foresight.forecasts(line.at)
            ]
            advice = foresight.advice(line.at)
            expected.append(("advice", advice.verdict.value, advice.credit_id, advice.headline))
            continue
        seen = reading(service, line.at)
        fields = msgspec.to_builtins(seen)
        sessions = ["running"] * (seen.running or 0)
        lines.append(
            {
                "type": "reading",
                "at": time_text(seen.at),
                "ordinary_usage_allowed": seen.allowed,
                "windows": fields["windows"],
                "resets": {"available": seen.available, "credits": fields["credits"]},
                "sessions": [{"thread_id": "s0", "state": state} for state in sessions],
            }
        )
        expected += [("warning", warned.at, warned.minutes) for warned in foresight.add(seen)]
    done = resetbank("replay", "-", "--json", stdin="\n".join(map(json.dumps, lines)) + "\n")
    assert (done.code, done.err) == (0, "")
    answered = list(map(json.loads, done.out.splitlines()))
    for kind, figures in _FIGURES.items():
        said = [figures(a) for a in answered if a["type"] == kind]
        wanted = [one[1:] for one in expected if one[0] == kind]
        assert len(said) == len(wanted) > 0
        assert all(map(_alike, said, wanted))


_FIGURES: dict[str, Callable[[dict[str, Any]], tuple[object, ...]]] = {
    "forecast": lambda said: (_seconds(said["limit_at"] and said["limit_at"]["p50"]), said["basis"]),
    "advice": lambda said: (said["verdict"], said["credit_id"], said["headline"]),
    "warning": lambda said: (_seconds(said["at"]), said["minutes"]),
}


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _alike(said: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    pairs = zip(said, wanted, strict=True)
    return all(abs(a - b) < 2 if isinstance(a, float) and isinstance(b, float) else a == b for a, b in pairs)
