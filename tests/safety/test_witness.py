"""A spend that nobody consented to here is said with its time, by the service's own history, and once."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.test_spend import answered
from tests.domain.worlds import snapshot, window
from tests.safety.headless import companion_over, spend_once
from tests.support.clocks import START
from tests.support.stub_process import StubProcess
from tui.domain.ledger import Event, EventKind
from tui.domain.witness import GRACE, spent_elsewhere


def said(events: tuple[Event, ...]) -> list[Event]:
    return [event for event in events if event.kind is EventKind.SPENT_ELSEWHERE]


async def test_a_spend_of_somebody_else_is_said_once_with_its_time(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("RESETBANK_HOME", str(tmp_path / "another machine"))
            async with companion_over(stub) as other:
                await spend_once(other)
                assert said(await other.events()) == []
        for _ in range(2):
            companion.refresh()
            await companion.poller.poll()
        (line,) = said(await companion.events())
        assert "a reset was spent elsewhere at 20" in line.text
        assert line.request_id
    assert stub.spent() == 1


async def test_a_spend_of_our_own_is_never_somebody_elses(stub: StubProcess) -> None:
    async with companion_over(stub) as companion:
        await spend_once(companion)
        companion.refresh()
        await companion.poller.poll()
        assert said(await companion.events()) == []


SEEN = snapshot(window(300, 50.0), at=START + timedelta(hours=1))
OURS = replace(answered(), journaled_at=START)
minutes = st.integers(-600, 600).map(lambda number: START + timedelta(minutes=number))


@given(st.dictionaries(st.text(max_size=3), st.none() | minutes, max_size=6), st.sets(st.text(max_size=3), max_size=3))
def test_only_what_was_used_between_the_readings_is_said_each_once(
    used: dict[str, datetime | None], known: set[str]
) -> None:
    ids = [event.request_id for event in spent_elsewhere(used, (), known, START, SEEN)]
    assert len(ids) == len(set(ids))
    latest = SEEN.provenance.observed_at + GRACE
    assert set(ids) == {event for event, at in used.items() if at and START - GRACE <= at <= latest} - known


@given(st.integers(0, 3))
def test_each_spend_of_ours_explains_one_event(ours: int) -> None:
    used: dict[str, datetime | None] = {f"e{number}": START + timedelta(minutes=number) for number in range(3)}
    spends = [OURS] * ours
    assert len(spent_elsewhere(used, spends, (), START, SEEN)) == 3 - ours
