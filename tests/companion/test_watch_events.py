"""Every event is told as it happens, whichever process makes it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.companion.test_attending import THREAD, attended, cleared, consent, until, update, used
from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import ManualClock
from tui.cli.json_output import watch_row
from tui.cli.watching import tell_once
from tui.clock import Clock
from tui.companion.notifier import notice_of
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.companion.watch_events import WatchEvent, WatchEventKind, WatchEvents
from tui.domain.held_sessions import HeldThread, with_held
from tui.domain.hooks import GateMode
from tui.domain.ledger import Event, EventKind
from tui.domain.question import NoQuestion, NoQuestionReason
from tui.domain.sessions import SessionState, merge_update
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeCode
from tui.errors import ConsumeRejected
from tui.store.deliveries import LEASE


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path, asks=False)
    yield world
    await world.companion.aclose()


def watched(world: World) -> list[WatchEvent]:
    events: list[WatchEvent] = []
    WatchEvents(world.companion.store, world.companion.records, world.clock, events.append)
    return events


def parts(world: World) -> tuple[StateStore, Records, Clock]:
    return world.companion.store, world.companion.records, world.clock


def kinds(events: list[WatchEvent]) -> list[str]:
    return [event.kind.value for event in events if event.lapse is None]  # one of the bank lapses in two days


async def test_twelve_grants_are_twelve_events(world: World) -> None:
    events = watched(world)
    world.source.reading = replace(READING, limits=snapshot(window(FIVE_HOURS, 5.0)).limits)
    await world.companion.poller.poll()
    granted = tuple(credit(f"g{number}") for number in range(12))
    bank = replace(READING.bank, available=14, credits=(*(READING.bank.credits or ()), *granted))
    world.clock.advance(60)
    world.source.reading = replace(world.source.reading, bank=bank)
    await world.companion.poller.poll()
    assert kinds(events) == ["credit_changed"] * 12
    assert {event.resets_available for event in events if event.lapse is None} == {14}


async def test_what_another_process_writes_is_an_event_here(world: World, tmp_path: Path) -> None:
    events = watched(world)
    world.source.reading = AT_LIMIT
    await world.companion.poller.poll()
    other = World(world.clock, tmp_path, process="the screen")
    other.source.reading = AT_LIMIT
    proposal = await other.companion.spender.propose()
    other.source.answers.append(lambda: cleared(other))
    await other.companion.spender.spend(proposal, consent(other))
    await other.companion.aclose()
    world.clock.advance(60)
    world.source.reading = CLEARED
    await world.companion.poller.poll()
    assert sorted(kinds(events)) == ["interrupted", "reset_observed", "reset_observed", "spent"]


async def test_what_only_the_service_knows_of_is_told_too(world: World) -> None:
    events = watched(world)
    world.source.reading = replace(READING, limits=snapshot(window(FIVE_HOURS, 5.0)).limits)
    await world.companion.poller.poll()
    for kind in (EventKind.SPENT_ELSEWHERE, EventKind.GRANT_MISSING):
        await world.companion.records.record(Event(world.clock.now(), kind, "acc1", "", request_id="e"))
    assert kinds(events) == ["spent", "credit_changed"]
    spent = next(event for event in events if event.kind is WatchEventKind.SPENT)
    row = watch_row(spent)
    assert (row["thread_id"], row["kind"], row["resets_at"], row["resets_available"]) == (None, None, None, 2)
    assert notice_of(spent).text.startswith("One reset was spent, but not through this program; 2 resets banked")
    ours = replace(spent, is_ours=True)
    assert ours.identity("acc1") != spent.identity("acc1")


async def test_a_refused_spend_is_no_spend_whatever_its_words(world: World) -> None:
    events = watched(world)
    world.source.reading = AT_LIMIT
    proposal = await world.companion.spender.propose()
    world.source.answers.append(ConsumeRejected("one reset spent, says a liar"))
    await world.companion.spender.spend(proposal, consent(world))
    world.source.answers.append(ConsumeAnswer(ConsumeCode.NOTHING_TO_RESET))
    world.clock.advance(1)
    await world.companion.spender.spend(await world.companion.spender.propose(), consent(world))
    assert "spent" not in kinds(events)


async def test_a_stop_waits_for_the_first_reading_and_names_the_bank(world: World) -> None:
    events = watched(world)
    async with attended(world):
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        await until(world, lambda _: "interrupted" in kinds(events))
        (stop,) = [event for event in events if event.kind is WatchEventKind.INTERRUPTED]
        assert stop.session is not None
        assert (stop.session.thread_id, stop.resets_available) == (THREAD, 2)
        world.source.reading = CLEARED
        world.clock.advance(1)
        world.companion.refresh()
        await until(world, lambda _: "reset_observed" in kinds(events))
        world.clock.advance(1)
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        await until(world, lambda _: "resumed" in kinds(events))
        assert kinds(events).count("interrupted") == 1


async def test_a_stop_of_a_past_window_is_no_event(world: World) -> None:
    events = watched(world)
    async with attended(world):
        world.source.reading = replace(READING, limits=snapshot(window(FIVE_HOURS, 5.0)).limits)
        world.companion.refresh()
        old = replace(update(world.clock, SessionState.STOPPED_AT_LIMIT), since=world.clock.now() - timedelta(days=2))
        world.feed.told.put_nowait(old)
        await until(world, lambda state: bool(state.sessions))
        world.clock.advance(16)
        await until(world, lambda _: world.clock.sleepers >= 3)
    assert "interrupted" not in kinds(events)


CALM = replace(READING, limits=snapshot(window(FIVE_HOURS, 5.0), window(WEEK, 40.0)).limits)


async def test_an_answer_from_before_a_session_showed_the_limit_is_no_reset(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = watched(world)
    world.source.reading = CALM
    ask = world.source.read

    async def ask_slowly(*, with_credits: bool) -> Snapshot:
        answer = await ask(with_credits=with_credits)
        if world.source.reading is CALM:
            world.source.reading = AT_LIMIT
            world.clock.advance(1)
            world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, used=100.0))
            await world.companion.store.until(lambda state: used(state) == 100.0)
            world.clock.advance(1)
        return replace(answer, provenance=replace(answer.provenance, observed_at=world.clock.now()))

    async with attended(world):
        monkeypatch.setattr(world.source, "read", ask_slowly)
        world.companion.refresh()
        await until(world, lambda state: state.snapshot is not None and state.snapshot.is_refused)
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT))
        await until(world, lambda _: "interrupted" in kinds(events))
    assert kinds(events) == ["interrupted"]


async def test_what_is_decided_is_of_the_state_in_which_it_is_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, records = world.companion.store, world.companion.records
    running = merge_update({}, update(world.clock, SessionState.RUNNING))
    store.update(snapshot=AT_LIMIT, sessions=running)
    events = watched(world)
    ask = records.spent_at

    async def ask_slowly() -> datetime | None:
        store.update(snapshot=CALM)
        return await ask()

    monkeypatch.setattr(records, "spent_at", ask_slowly)
    await world.companion.questions.evaluate()
    assert store.state.no_question == NoQuestion(NoQuestionReason.NO_LIMIT_NEAR)
    assert "near" not in kinds(events)


async def test_a_held_session_is_held_and_goes_on(world: World) -> None:
    events = watched(world)
    world.source.reading = AT_LIMIT
    await world.companion.poller.poll()
    store, clock = world.companion.store, world.clock
    running = merge_update({}, update(clock, SessionState.RUNNING))
    holds = {THREAD: HeldThread(clock.now(), "/work/api-server")}
    store.update(gate=GateMode.CLOSED, sessions=with_held(running, holds, clock.now()))
    events.clear()
    let_go = with_held(store.state.sessions, {}, clock.now())
    store.update(gate=GateMode.OPEN, sessions=let_go)
    assert kinds(events) == []
    clock.advance(1)
    store.update(sessions=with_held(merge_update(let_go, update(clock, SessionState.IDLE)), {}, clock.now()))
    assert kinds(events) == ["resumed"]
    store.update(gate=GateMode.CLOSED, sessions=with_held(store.state.sessions, holds, clock.now()))
    let_go = with_held(store.state.sessions, {}, clock.now())
    clock.advance(1)
    store.update(sessions=with_held(merge_update(let_go, update(clock, SessionState.IDLE)), {}, clock.now()))
    assert kinds(events) == ["resumed", "held"]  # its person interrupted it at a closed gate


async def test_a_reset_about_to_lapse_is_an_event_of_its_own_which_one_watch_prints(
    world: World, tmp_path: Path
) -> None:
    events = watched(world)
    world.source.reading = replace(READING, limits=snapshot(window(FIVE_HOURS, 5.0)).limits)
    await world.companion.poller.poll()
    (event,) = events  # c1 lapses in two days, c2 in twenty
    assert event.lapse is not None
    row = watch_row(event)
    assert (row["event"], row["kind"], row["resets_at"], row["resets_available"]) == ("lapsing", None, None, 2)
    assert (row["credit_id"], row["expires_at"]) == ("c1", "2026-11-25T14:07:31Z")
    world.clock.advance(60)
    await world.companion.poller.poll()
    assert len(events) == 1
    other = World(world.clock, tmp_path, process="another watch")
    other.source.reading = world.source.reading
    await other.companion.poller.poll()
    said: list[str] = []
    for one, name in ((world, "first"), (other, "second"), (world, "third")):
        await tell_once(*parts(one), event, lambda name=name: said.append(name))  # type: ignore[misc]
    assert said == ["first"]
    await other.companion.aclose()
    world.clock.advance(25 * 3600)
    await world.companion.poller.poll()
    assert [event.lapse.credit.id for event in events if event.lapse] == ["c1", "c1"]
    killed = world.companion.records.require().deliveries  # a watch that claimed it and never said it
    last = events[-1].identity(world.companion.state.account_key)
    assert killed.claim(last[0], last[1], "watch", world.clock.now().timestamp(), last[2]) == 0
    saying = asyncio.create_task(tell_once(*parts(world), events[-1], lambda: said.append("in its stead")))
    await world.clock.until_sleeping()
    assert said == ["first"]
    world.clock.advance(LEASE)
    await saying
    assert said == ["first", "in its stead"]


async def test_who_follows_an_account_after_another_repeats_nothing(world: World) -> None:
    looked_at = StateStore(State())
    seen: list[WatchEvent] = []
    glance = WatchEvents(looked_at, world.companion.records, world.clock, seen.append)
    reached = replace(AT_LIMIT, bank=replace(AT_LIMIT.bank, available=0, credits=()))
    looked_at.update(snapshot=reached)
    assert kinds(seen) == ["interrupted"]
    world.companion.store.update(snapshot=reached)
    WatchEvents(*parts(world), seen.append, glance)
    assert kinds(seen) == ["interrupted"]
    world.clock.advance(60)
    fresh = window(FIVE_HOURS, 1.0, resets_in=timedelta(hours=5), at=world.clock.now() + timedelta(hours=1))
    world.companion.store.update(snapshot=snapshot(fresh, at=world.clock.now()))
    assert kinds(seen) == ["interrupted", "reset_observed"]
