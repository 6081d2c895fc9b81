"""A spend that nobody consented to here is said with its time, by the service's own history, and once."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.test_spend import answered
from tests.domain.worlds import credit, snapshot, window
from tests.safety.headless import companion_over, spend_once
from tests.support.clocks import START
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import wait_until
from tui.cli.evidence import evidence
from tui.domain.ledger import Event, EventKind
from tui.domain.witness import ARRIVAL, GRACE, ResetHistory, Written, unexplained


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
                assert said(await other.records.events()) == []
        for _ in range(2):
            companion.refresh()
            await companion.poller.poll()
        (line,) = said(await companion.records.events())
        assert "a reset was spent elsewhere at 20" in line.text
        assert line.request_id
    assert stub.spent() == 1


async def test_a_spend_of_our_own_is_never_somebody_elses(stub: StubProcess) -> None:
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        await spend_once(companion)
        for _ in range(2):
            companion.refresh()
            await companion.poller.poll()
        events = await companion.records.events()
        assert said(events) == []
        (confirmed,) = [event for event in events if event.kind is EventKind.SPEND_CONFIRMED]
        (spend,) = companion.records.require().spends.every()
        assert confirmed.request_id == spend.key
        assert "the service's own history has this spend, at 20" in confirmed.text


async def test_a_command_that_is_the_first_to_see_it_says_it(
    stub: StubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resetbank("status", *over_http(stub)).code == 10
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("RESETBANK_HOME", str(tmp_path / "another machine"))
        async with companion_over(stub) as other:
            await spend_once(other)
    for _ in range(2):
        assert resetbank("status", *over_http(stub)).code == 0
    lines = resetbank("ledger").out.splitlines()
    assert sum("a reset was spent elsewhere at " in line for line in lines) == 1
    async with companion_over(stub) as companion:
        await companion.poller.poll()
        assert len(said(await companion.records.events())) == 1


SEEN = snapshot(window(300, 50.0), at=START + timedelta(hours=1), rows=(credit("c1", 2),))
OURS = replace(answered(), journaled_at=START)
minutes = st.integers(-600, 600).map(lambda number: START + timedelta(minutes=number))
moments = st.dictionaries(st.text(max_size=3), st.none() | minutes, max_size=6)


def line(kind: EventKind, at: datetime, **more: str) -> Event:
    return Event(at, kind, SEEN.account.key, "", **more)


def kinds_of(history: ResetHistory, written: Written, kind: EventKind) -> list[str | None]:
    return [event.request_id for event in unexplained(history, written, SEEN) if event.kind is kind]


@given(moments, st.sets(st.text(max_size=3), max_size=3))
def test_only_what_was_used_since_the_first_reading_is_said_each_once(
    used: dict[str, datetime | None], known: set[str]
) -> None:
    lines = tuple(line(EventKind.SPENT_ELSEWHERE, START, request_id=event) for event in known)
    ids = kinds_of(ResetHistory(used, {}), Written(START, (), lines), EventKind.SPENT_ELSEWHERE)
    assert len(ids) == len(set(ids))
    latest = SEEN.provenance.observed_at + GRACE
    assert set(ids) == {event for event, at in used.items() if at and START <= at <= latest} - known


@given(st.integers(0, 3))
def test_each_spend_of_ours_explains_one_event(ours: int) -> None:
    used: dict[str, datetime | None] = {f"e{number}": START + timedelta(minutes=number) for number in range(3)}
    written = Written(START, (OURS,) * ours)
    assert len(kinds_of(ResetHistory(used, {}), written, EventKind.SPENT_ELSEWHERE)) == 3 - ours


@pytest.mark.parametrize(
    ("offered", "where"),
    [(None, "elsewhere"), (-1, "in Codex, which offered it,"), (-30, "elsewhere"), (10, "elsewhere")],
)
def test_a_spend_while_codex_offers_one_is_said_to_be_made_there(offered: int | None, where: str) -> None:
    at = START + timedelta(minutes=40)
    written = Written(START, offered_at=None if offered is None else at + timedelta(minutes=offered))
    (event,) = unexplained(ResetHistory({"e": at}, {}), written, SEEN)
    assert event.text == f"a reset was spent {where} at {at:%Y-%m-%d %H:%M} UTC, by the service's own history"


GRANT: dict[str, datetime | None] = {"g": START + timedelta(minutes=5)}


@pytest.mark.parametrize(
    "explains",
    [
        Written(START + timedelta(minutes=6)),
        Written(START, (), (line(EventKind.CREDIT_GRANTED, START + timedelta(minutes=20), credit_id="c9"),)),
        Written(START, (), (line(EventKind.COUNT_CHANGED, START + timedelta(minutes=20), before="1", after="2"),)),
        Written(START, (), (line(EventKind.GRANT_MISSING, START + timedelta(minutes=20), request_id="g"),)),
    ],
)
def test_a_grant_that_came_or_was_said_is_no_news(explains: Written) -> None:
    assert unexplained(ResetHistory({}, GRANT), explains, SEEN) == ()


def test_a_grant_that_never_reached_the_bank_is_said() -> None:
    unrelated = line(EventKind.COUNT_CHANGED, START + timedelta(minutes=20), before="2", after="1")
    (event,) = unexplained(ResetHistory({}, GRANT), Written(START, (), (unrelated,)), SEEN)
    assert event.kind is EventKind.GRANT_MISSING
    assert "by the service's own history, but never reached the bank" in event.text
    (said_of,) = evidence([event], [], START)["contradictions"]
    assert "never reached the bank" in said_of


def test_a_grant_is_awaited_and_a_bank_that_hides_rows_proves_nothing() -> None:
    just_now: dict[str, datetime | None] = {"g": SEEN.provenance.observed_at - ARRIVAL / 2}
    assert unexplained(ResetHistory({}, just_now), Written(START), SEEN) == ()
    for bank in (replace(SEEN.bank, credits=None), replace(SEEN.bank, available=9)):
        assert unexplained(ResetHistory({}, GRANT), Written(START), replace(SEEN, bank=bank)) == ()


@given(moments, moments, st.integers(0, 3))
def test_a_reset_that_came_and_was_spent_elsewhere_unseen_is_not_missing(
    used: dict[str, datetime | None], granted: dict[str, datetime | None], gone: int
) -> None:
    left = tuple(line(EventKind.CREDIT_VANISHED, START + timedelta(minutes=number)) for number in range(gone))
    missing = kinds_of(ResetHistory(used, granted), Written(START, (), left), EventKind.GRANT_MISSING)
    due = {event for event, at in granted.items() if at and START <= at <= SEEN.provenance.observed_at - ARRIVAL}
    assert set(missing) <= due
    strangers = len(kinds_of(ResetHistory(used, granted), Written(START, (), left), EventKind.SPENT_ELSEWHERE))
    assert len(missing) >= len(due) - max(0, strangers - gone)


async def test_the_service_is_asked_from_the_start_whether_something_never_arrived(
    stub: StubProcess, tmp_path: Path
) -> None:
    async with companion_over(stub) as companion:
        following = asyncio.create_task(companion.poller.follow())
        await asyncio.to_thread(wait_until, lambda: stub.requests("/rate-limit-reset-credits/history") == 1)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert {event.kind for event in await companion.records.events()} <= {EventKind.CREDIT_GRANTED}
