"""Several queued resets: each for a limit of its own, by its own journal entry, never more than consented to."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.companion.test_attending import OTHER, THREAD, attended, cleared, until, update
from tests.domain.worlds import credit
from tests.support.clocks import START, ManualClock
from tui.companion.state import State
from tui.domain.credits import Bank
from tui.domain.ledger import EventKind
from tui.domain.question import Choice
from tui.domain.sessions import SessionState
from tui.domain.spend import ConsentKind, ConsumeAnswer, ConsumeCode, Outcome
from tui.errors import UsageError

HOURS = timedelta(hours=8)


async def into_the_limit(world: World) -> None:
    """The session works, and the limit stops it."""
    world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
    world.clock.advance(2)
    world.source.reading = AT_LIMIT
    world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
    world.companion.refresh()


async def test_each_has_its_own_spend_and_the_number_is_the_end(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        for left in (1, 0):
            world.source.answers.append(lambda: cleared(world))
            await into_the_limit(world)
            await until(
                world,
                lambda state, left=left: (  # type: ignore[misc]
                    (state.queued.left if state.queued else 0) == left
                    and not state.spending
                    and state.open_spend is None
                    and len(world.daemon.messages) == 2 - left
                ),
                step=1,
            )
            assert len(world.source.requests) == 2 - left
        await into_the_limit(world)
        await until(world, lambda state: state.question is not None, step=1)
        assert len(world.source.requests) == 2
        assert len({spend.key for spend in world.spends.every()}) == 2
        said = [event.text for event in world.ledger.events() if event.kind is EventKind.QUEUED]
        assert len(said) == 1
        assert said[0].startswith("up to 2 resets were queued for the limit, until ")


async def test_a_limit_that_stands_after_a_spend_takes_no_second_one(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        world.source.answers.append(lambda: cleared(world))
        await into_the_limit(world)
        state = await until(
            world, lambda state: bool(state.queued and state.queued.left == 1 and not state.spending), step=1
        )
        assert state.queued is not None
        assert state.queued.is_armed
        world.clock.advance(5)
        world.companion.refresh()
        await world.clock.until_sleeping(3)
        assert len(world.source.requests) == 1


async def test_a_spend_that_lifted_nothing_is_not_followed_by_another(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        world.source.answers.append(ConsumeAnswer(ConsumeCode.RESET))  # and the meter stays where it is
        await into_the_limit(world)
        await until(world, lambda state: bool(state.queued and state.queued.left == 1 and not state.spending), step=1)
        seen_at = clock.now()
        await until(
            world,
            lambda state: bool(
                state.snapshot and state.snapshot.provenance.observed_at - seen_at > timedelta(minutes=3)
            ),
            step=1,
        )
        assert len(world.source.requests) == 1
        world.source.reading = CLEARED
        world.companion.refresh()
        await until(world, lambda state: bool(state.queued and not state.queued.awaits_room), step=1)
        world.source.answers.append(lambda: cleared(world))
        await into_the_limit(world)
        await until(world, lambda state: state.queued is None and not state.spending, step=1)
        assert len(world.source.requests) == 2


async def test_a_list_that_cannot_be_read_just_then_takes_nothing_out(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue(True)
        world.feed.told.put_nowait(update(clock, SessionState.RUNNING))
        clock.advance(2)
        world.source.reading = replace(AT_LIMIT, bank=replace(AT_LIMIT.bank, credits=None))
        world.feed.told.put_nowait(update(clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        asked = len(world.source.reads)
        await until(world, lambda _: world.source.reads[asked:].count(True) >= 2, step=1)
        assert world.companion.state.queued is not None
        assert world.source.requests == []
        world.source.reading = AT_LIMIT
        world.source.answers.append(lambda: cleared(world))
        await until(world, lambda state: state.queued is None and not state.spending, step=1)
        assert [request.credit_id for request in world.source.requests] == ["c1"]


async def test_a_bank_that_is_unknown_just_then_is_no_empty_one(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        await into_the_limit(world)
        world.source.reading = replace(AT_LIMIT, bank=Bank(None, None))
        asked = len(world.source.reads)
        await until(world, lambda _: world.source.reads[asked:].count(True) >= 3, step=1)
        assert world.companion.state.queued is not None
        world.source.reading = AT_LIMIT
        world.source.answers.append(lambda: cleared(world))
        await until(world, lambda state: bool(state.queued and state.queued.left == 1 and not state.spending), step=1)
        assert len(world.source.requests) == 1


async def test_its_time_ends_it(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + timedelta(minutes=1))
        await until(world, lambda state: state.queued is None, step=5)
        await until(world, lambda _: EventKind.UNQUEUED in [event.kind for event in world.ledger.events()])
        assert "time is up" in next(e.text for e in world.ledger.events() if e.kind is EventKind.UNQUEUED)
        assert world.source.requests == []


async def test_what_is_left_after_a_restart_waits_for_a_fresh_yes(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, process="before")) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        world.source.answers.append(lambda: cleared(world))
        await into_the_limit(world)
        await until(world, lambda state: bool(state.queued and state.queued.left == 1 and not state.spending), step=1)
    async with attended(World(clock, tmp_path, process="after")) as world:
        state = await until(world, lambda state: state.queued is not None)
        assert state.queued is not None
        assert (state.queued.left, state.queued.needs_fresh_yes) == (1, True)
        await into_the_limit(world)
        await until(world, lambda state: state.question is not None, step=1)
        assert world.source.requests == []
        assert len(world.spends.every()) == 1


async def test_a_fresh_yes_is_to_what_was_shown_and_to_nothing_else(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, process="before")) as world:
        await world.companion.questions.queue(True)
    async with attended(World(clock, tmp_path, process="another")) as other:
        state = await until(other, lambda state: state.queued is not None)
        shown = state.queued
        assert shown is not None
        await other.companion.questions.cancel_queue()
        clock.advance(1)
        await other.companion.questions.queue(True, 2, clock.now() + HOURS)
        with pytest.raises(UsageError, match="another by now"):
            await other.companion.questions.confirm_queue(shown)
        in_hand = other.tables.accounts.read("acc1")
        assert in_hand.queued is not None
        assert (in_hand.queued.left, in_hand.queued.armed_at, in_hand.queue_owner) == (2, clock.now(), "another")
        await other.companion.questions.cancel_queue()
        with pytest.raises(UsageError, match="or gone"):
            await other.companion.questions.confirm_queue(shown)


async def test_what_a_living_process_armed_is_its_own_and_what_a_dead_one_left_waits_for_a_yes(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, process="another")) as other:
        await other.companion.questions.queue(True, 2, clock.now() + HOURS)
        async with attended(World(clock, tmp_path, process="this")) as world:
            queued = (await until(world, lambda state: state.queued is not None)).queued
            assert queued is not None
            assert (queued.elsewhere, queued.needs_fresh_yes, queued.is_armed) == (True, False, False)
            await into_the_limit(world)
            await until(world, lambda state: state.no_question is not None, step=1)
            assert (world.companion.state.question, world.source.requests) == (None, [])
            await other.companion.aclose()
            await until(world, lambda state: bool(state.queued and state.queued.needs_fresh_yes), step=1)


@pytest.mark.parametrize(("number", "ends"), [(9, HOURS), (0, HOURS), (2, -HOURS)])
async def test_no_number_beyond_the_bank_and_no_time_that_has_passed(
    number: int, ends: timedelta, clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        with pytest.raises(UsageError):
            await world.companion.questions.queue(True, number, clock.now() + ends)
        assert world.companion.state.queued is None
        await asyncio.to_thread(lambda: None)


async def test_everybody_whom_the_limit_stopped_goes_on_also_who_is_noticed_after_the_spend(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        world.source.answers.append(lambda: cleared(world))
        await into_the_limit(world)
        late = update(clock, SessionState.STOPPED_AT_LIMIT, OTHER)
        await until(world, lambda state: not state.spending and len(world.daemon.messages) == 1, step=1)
        world.feed.told.put_nowait(late)
        await until(world, lambda _: len(world.daemon.messages) == 2)
        clock.advance(5)
        world.feed.told.put_nowait(update(clock, SessionState.STOPPED_AT_LIMIT, THREADS[2]))
        await until(world, lambda state: THREADS[2] in state.sessions, step=1)
        await world.clock.until_sleeping(3)
        assert [thread for thread, _ in world.daemon.messages] == [THREAD, OTHER]


STOPPED = SessionState.STOPPED_AT_LIMIT
THREADS = tuple(f"0a7d5b1e-0000-4000-8000-00000000000{number}" for number in range(1, 7))
ROWS = (credit("c1", 2), credit("c2", 20), credit("c3", 30))


async def all_stop(world: World, left: int) -> None:
    """Six sessions run into the limit at once, with so many resets in the bank."""
    for thread in THREADS:
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, thread))
    await until(world, lambda state: set(THREADS) <= set(state.sessions))
    world.clock.advance(60)
    for thread in THREADS:
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, thread))
    began = world.clock.now()

    def is_stopped(state: State, thread: str) -> bool:
        session = state.sessions[thread]
        return session.state is STOPPED and session.seen_at >= began

    await until(world, lambda state: all(is_stopped(state, thread) for thread in THREADS))
    world.clock.advance(1)
    rows = ROWS[-left:]
    world.source.reading = replace(AT_LIMIT, bank=replace(AT_LIMIT.bank, credits=rows, available=left))
    world.companion.refresh()


def room(world: World, left: int) -> ConsumeAnswer:
    rows = ROWS[-left:]
    world.source.reading = replace(CLEARED, bank=replace(CLEARED.bank, credits=rows, available=left))
    return ConsumeAnswer(ConsumeCode.RESET)


async def test_a_night_of_six_sessions_two_resets_and_then_waiting(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        room(world, 3)
        await world.companion.poller.poll()
        await world.companion.questions.queue(True, 2, clock.now() + HOURS)
        for spent in (1, 2):
            world.source.answers.append(lambda spent=spent: room(world, 3 - spent))  # type: ignore[misc]
            await all_stop(world, 4 - spent)
            await until(
                world,
                lambda state, spent=spent: not state.spending and len(world.daemon.messages) == 6 * spent,  # type: ignore[misc]
                step=1,
            )
            assert [request.credit_id for request in world.source.requests] == ["c1", "c2"][:spent]
        await all_stop(world, 1)
        question = (await until(world, lambda state: state.question is not None, step=1)).question
        assert question is not None
        await world.companion.questions.answer(question, Choice.WAIT)
        assert len(world.daemon.messages) == 12
        clock.advance(60)
        room(world, 1)
        world.companion.refresh()
        await until(world, lambda _: len(world.daemon.messages) == 18, step=1)
        assert [Counter(thread for thread, _ in world.daemon.messages)[thread] for thread in THREADS] == [3] * 6
        assert len(world.source.requests) == 2
        told = lambda _: [event.kind for event in world.ledger.events()].count(EventKind.RESUMED) == 18  # noqa: E731
        await until(world, told, step=1)
        kinds = Counter(event.kind for event in world.ledger.events())
        assert kinds[EventKind.QUEUED] == 1
        assert (kinds[EventKind.SPEND_CONSENTED], kinds[EventKind.SPEND_CLOSED]) == (2, 2)


async def test_before_it_lapses_it_is_spent_once_by_its_own_journal_and_only_by_who_armed_it(
    clock: ManualClock, tmp_path: Path
) -> None:
    rows = (replace(credit("c1"), expires_at=clock.now() + timedelta(minutes=20)), credit("c2", 20))
    lapsing = replace(READING, bank=replace(READING.bank, credits=rows))
    world = World(clock, tmp_path)
    world.source.reading = lapsing
    async with attended(world):
        await until(world, lambda state: state.snapshot is not None and state.snapshot.bank.credits == rows, step=1)
        await world.companion.questions.queue(False, before_lapse=50.0)
        other = World(clock, tmp_path, process="another")
        other.source.reading = lapsing
        await other.companion.poller.poll()
        await other.companion.records.in_hand()
        assert other.companion.state.queued is not None
        assert other.companion.state.queued.elsewhere
        await other.companion.aclose()
        world.source.answers.append(lambda: cleared(world))
        await until(world, lambda _: clock.now() > START + timedelta(minutes=4), step=5)
        assert world.source.requests == []
        await until(world, lambda state: state.queued is None and state.open_spend is None, step=5)
        assert [request.credit_id for request in world.source.requests] == ["c1"]
        (spend,) = world.spends.every()
        assert (spend.consent.kind, spend.outcome) == (ConsentKind.QUEUED, Outcome.RESET)
        said = [event.text for event in world.ledger.events() if event.kind is EventKind.QUEUED]
        assert said == ["a reset was queued for the limit, or for shortly before it lapses if 50 % is used by then"]


async def test_what_lapses_little_used_is_left_to_lapse(clock: ManualClock, tmp_path: Path) -> None:
    rows = (replace(credit("c1"), expires_at=clock.now() + timedelta(minutes=20)), credit("c2", 20))
    world = World(clock, tmp_path)
    world.source.reading = replace(READING, bank=replace(READING.bank, credits=rows))
    async with attended(world):
        await until(world, lambda state: state.snapshot is not None and state.snapshot.bank.credits == rows, step=1)
        await world.companion.questions.queue(False, before_lapse=96.0)
        await until(world, lambda state: state.queued is None, step=5)
        await until(world, lambda _: EventKind.UNQUEUED in [event.kind for event in world.ledger.events()])
        assert "credit lapsed" in next(e.text for e in world.ledger.events() if e.kind is EventKind.UNQUEUED)
        assert world.source.requests == []
