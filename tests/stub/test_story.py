"""The demo's afternoon: a session works, the forecast narrows, it is held, one letter, it goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stub.demos import running_demo, until
from tests.support.clocks import START, ManualClock
from tui import STORY
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.foresight import Foresight
from tui.domain.ledger import EventKind
from tui.domain.question import Cause
from tui.domain.reading import Reading, WindowReading
from tui.domain.sessions import SessionState
from tui.domain.snapshot import Account
from tui.domain.spend import Consent, ConsentKind
from tui.domain.windows import WindowKind
from tui.stub.rules.plans import plan_named
from tui.stub.scenarios import find_scenario
from tui.stub.story import story_past

FIVE_HOURS, WEEK = 300, 10_080


def weeks_behind(now: float) -> list[Reading]:
    files = story_past(find_scenario(STORY), now)(Account("acc1", "plus"), lambda *_: False)
    return [reading for file in files for reading in file.readings]


@pytest.fixture
async def demo(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Companion]:
    async with running_demo(STORY, clock, tmp_path) as demo:
        yield demo


def test_the_limit_is_reached_within_fifteen_seconds() -> None:
    story = find_scenario(STORY)
    share = next(window.used_percent for window in story.windows if window.kind is WindowKind.FIVE_HOUR)
    cost = plan_named(story.plan).turn_costs[WindowKind.FIVE_HOUR]
    a_second = sum(1 / session.every for session in story.sessions) * cost
    assert 8 <= (100 - share) / a_second <= 15
    assert all(session.requests * session.every > 20 for session in story.sessions)  # they are at work when it comes


async def test_what_is_held_is_asked_about_and_one_letter_lets_it_go_on(demo: Companion) -> None:
    asked_at: list[float | None] = []

    def note(state: State) -> None:
        if state.question is not None and state.snapshot is not None:
            asked_at.append(state.snapshot.windows[0].used_percent)

    demo.listen(note)
    await until(demo, lambda state: state.question is not None and state.question.cause is Cause.HELD)
    assert set(asked_at) == {100.0}  # it runs too fast to be asked about before
    kinds = {event.kind for event in await demo.records.events()}
    assert {EventKind.CREDIT_GRANTED, EventKind.SPEND_CLOSED, EventKind.CREDIT_EXPIRED} <= kinds

    async def spend() -> None:
        await demo.spender.spend(await demo.spender.propose(), Consent(ConsentKind.LETTER, demo.clock.now()), True)

    spending = asyncio.create_task(spend())
    await until(demo, lambda _: spending.done())
    spending.result()
    await until(demo, lambda state: SessionState.HELD not in {one.state for one in state.sessions.values()})
    await until(demo, lambda state: state.question is None)


def test_the_forecast_narrows_while_the_sessions_work() -> None:
    now = START.timestamp()
    past = weeks_behind(now)
    foresight = Foresight()
    foresight.recall(past)
    widths = []
    for step, used in enumerate(range(70, 100, 3)):
        windows = (WindowReading(FIVE_HOURS, float(used), past[-1].windows[0].resets_at),)
        foresight.add(Reading(now + step, windows, True, 3))
        (forecast, *_) = foresight.forecasts(now + step)
        assert forecast.limit_at is not None
        assert forecast.limit_at.p10 is not None
        assert forecast.limit_at.p90 is not None
        widths.append(forecast.limit_at.p90 - forecast.limit_at.p10)
    assert widths[-1] < widths[0] / 2
    assert widths[-1] < 15 * 60


def test_the_weeks_behind_it_end_where_it_begins_and_teach_a_rhythm() -> None:
    now = START.timestamp()
    past = weeks_behind(now)
    assert past == weeks_behind(now)
    times = [reading.at for reading in past]
    assert times == sorted(times)
    assert times[-1] < now
    last = {window.minutes: window.used_percent for window in past[-1].windows}
    assert (last[FIVE_HOURS] or 0) <= 70
    assert (last[WEEK] or 0) <= 41
    foresight = Foresight()
    foresight.recall(past)
    short, week = foresight.forecasts(now)
    assert "like moments on" in short.basis
    assert week.basis == "rhythm of 5 weeks"
    assert 3 <= sum(block.minutes == FIVE_HOURS for block in foresight.record.blocks) <= 30
