"""The heart: a session stops, one question, one reset, the thread goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World, running
from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START, ManualClock
from tests.support.waiting import Patience, rest
from tui.companion.state import State
from tui.domain.ledger import EventKind
from tui.domain.question import Cause, Choice, NoQuestionReason, Question
from tui.domain.resumes import ResumeStage
from tui.domain.sessions import SessionState, SessionUpdate
from tui.domain.snapshot import Account
from tui.domain.spend import Consent, ConsentKind, ConsumeAnswer, ConsumeCode
from tui.errors import OutcomeUnknown, UsageError

THREAD = "0a7d5b1e-0000-4000-8000-000000000001"
OTHER = "0a7d5b1e-0000-4000-8000-000000000002"


def update(clock: ManualClock, state: SessionState, thread: str = THREAD, used: float | None = None) -> SessionUpdate:
    limits = READING.limits if used is None else snapshot(window(FIVE_HOURS, used), window(WEEK, 40.0)).limits
    return SessionUpdate(
        thread_id=thread,
        seen_at=clock.now(),
        feed="rollout",
        state=state,
        workspace="/work/api-server",
        limits=limits if used is not None else (),
    )


@asynccontextmanager
async def attended(world: World) -> AsyncIterator[World]:
    async with running(world.companion, world.clock):
        yield world


async def until(world: World, holds: Callable[[State], bool], *, step: float = 0.0) -> State:
    """Wait for a State; with a step, time passes meanwhile, but no faster than the companion comes to rest."""
    patience = Patience()
    while not holds(world.companion.state):
        assert not patience.is_over, world.companion.state
        await rest()
        if step and not holds(world.companion.state):
            world.clock.advance(step)
    return world.companion.state


def used(state: State) -> float | None:
    return state.snapshot.windows[0].used_percent if state.snapshot else None


def quiet(state: State) -> NoQuestionReason | None:
    return state.no_question.reason if state.no_question else None


async def stop(world: World, thread: str = THREAD) -> Question:
    """A session runs into the limit; what is asked then."""
    world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, thread))
    world.clock.advance(1)
    world.source.reading = AT_LIMIT
    world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, thread, used=100.0))
    state = await until(world, lambda state: state.question is not None)
    assert state.question is not None
    return state.question


def cleared(world: World) -> ConsumeAnswer:
    world.source.reading = CLEARED
    return ConsumeAnswer(ConsumeCode.RESET)


def consent(world: World) -> Consent:
    return Consent(ConsentKind.LETTER, world.clock.now())


async def test_a_stopped_session_brings_one_question(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        assert (question.cause, question.threads, question.window.minutes) == (Cause.STOPPED, (THREAD,), FIVE_HOURS)
        await world.companion.questions.answer(question, None)
        questions: list[object] = []
        world.companion.listen(lambda state: questions.append(state.question))
        await until(world, lambda state: quiet(state) is NoQuestionReason.ALREADY_ASKED, step=1)
        assert set(questions) <= {None}


async def test_an_answer_is_of_the_account_that_was_asked_about(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        world.source.reading = replace(AT_LIMIT, account=Account("acc2"))
        world.companion.refresh()
        await until(world, lambda state: state.account_key == "acc2")
        for choice in (Choice.WAIT, Choice.NOT_UNTIL_RESET):
            with pytest.raises(UsageError, match="another account"):
                await world.companion.questions.answer(question, choice)
        in_hand = world.tables.accounts.read("acc2")
        assert (in_hand.waiting, [window.muted for window in in_hand.memory.windows if window.muted]) == (None, [])
        await world.companion.questions.answer(question, None)
        assert world.companion.state.question != question


async def test_a_limit_that_is_near_is_asked_about_by_the_forecast_on_screen(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, looks_ahead=True)) as world:
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        state = await until(world, lambda state: state.question is not None, step=1)
        assert state.question is not None
        assert state.outlook is not None
        assert (state.question.cause, state.question.window.minutes) == (Cause.ABOUT_TO_STOP, FIVE_HOURS)
        forecast = state.outlook.forecast_of(FIVE_HOURS)
        assert forecast is not None
        assert forecast.limit_at is not None
        assert state.question.empty_at is not None
        assert state.question.empty_at.timestamp() == pytest.approx(forecast.limit_at.p50)


async def test_a_rollouts_numbers_move_the_meter_ahead_of_the_poll(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        reads = len(world.source.reads)
        world.clock.advance(1)
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, used=97.0))
        state = await until(
            world, lambda state: state.snapshot is not None and state.snapshot.windows[0].used_percent == 97
        )
        assert state.snapshot is not None
        assert state.snapshot.provenance.source == "rollout"
        assert state.snapshot.bank == replace(READING.bank, credits_observed_at=START)
        assert len(world.source.reads) == reads
        world.feed.told.put_nowait(replace(update(world.clock, SessionState.RUNNING, used=12.0), seen_at=START))
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, OTHER))
        state = await until(world, lambda state: OTHER in state.sessions)
        assert state.snapshot is not None
        assert state.snapshot.windows[0].used_percent == 97


async def test_spend_and_continue_spends_one_and_tells_the_thread_once(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        question = await stop(world)
        world.source.answers.append(lambda: cleared(world))
        proposal = await world.companion.spender.propose()
        await world.companion.questions.answer(question, Choice.SPEND_AND_CONTINUE)
        await world.companion.spender.spend(proposal, consent(world), whom=question.threads)
        assert world.daemon.messages == [(THREAD, "Continue where you left off.")]
        assert world.companion.state.resumes.entries[0].stage is ResumeStage.SENT
        world.clock.advance(2)
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        await until(world, lambda state: state.resumes.entries[0].stage is ResumeStage.DONE)
        await world.companion.resumer.resume(question.stops)
        assert len(world.daemon.messages) == 1
        assert len(world.source.requests) == 1


async def test_without_a_daemon_the_command_is_left(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await stop(world)
        world.source.answers.append(lambda: cleared(world))
        proposal = await world.companion.spender.propose()
        await world.companion.spender.spend(proposal, consent(world), whom=True)
        carry = world.companion.state.resumes.entries[0]
        assert (carry.stage, carry.reason) == (ResumeStage.COMMAND, "no Codex daemon takes messages here")


async def test_a_message_whose_fate_is_unknown_is_never_sent_again(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        question = await stop(world)
        world.daemon.refuses = OutcomeUnknown("the daemon went silent")
        world.source.reading = CLEARED
        await world.companion.poller.poll()
        assert await world.companion.resumer.resume(question.stops) == 1
        world.daemon.refuses = None
        assert await world.companion.resumer.resume(question.stops) == 0
        assert world.daemon.messages == []


async def test_spend_only_tells_nobody(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await stop(world)
        world.source.answers.append(lambda: cleared(world))
        await world.companion.spender.spend(await world.companion.spender.propose(), consent(world))
        assert world.daemon.messages == []


async def test_a_spend_that_cleared_nothing_tells_nobody(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await stop(world)
        world.source.answers.append(ConsumeAnswer(ConsumeCode.RESET))
        proposal = await world.companion.spender.propose()
        spending = asyncio.ensure_future(world.companion.spender.spend(proposal, consent(world), whom=True))
        await until(world, lambda _: spending.done(), step=1)
        assert world.daemon.messages == []


async def test_a_queued_reset_fires_once_when_the_limit_is_really_hit(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await world.companion.questions.queue(whom=True)
        assert world.companion.state.queued is not None
        world.source.answers.append(lambda: cleared(world))
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        await until(world, lambda state: state.queued is None and not state.spending and bool(world.daemon.messages))
        assert [request.credit_id for request in world.source.requests] == ["c1"]
        assert world.daemon.messages == [(THREAD, "Continue where you left off.")]
        consented = next(event for event in world.ledger.events() if event.kind is EventKind.SPEND_CONSENTED)
        assert "queued" in consented.text
        assert world.companion.state.question is None


async def test_a_queued_reset_dies_with_its_window(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue()
        world.clock.advance(5)
        world.source.reading = replace(CLEARED, bank=READING.bank)
        world.companion.refresh()
        await until(world, lambda state: state.queued is None)
        await until(world, lambda _: EventKind.UNQUEUED in [event.kind for event in world.ledger.events()])
        assert world.source.requests == []


async def test_a_queue_of_another_process_waits_for_a_fresh_yes(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, process="before the restart")) as world:
        await world.companion.questions.queue()
    async with attended(World(clock, tmp_path, process="after the restart")) as world:
        world.clock.advance(5)
        state = await until(world, lambda state: state.queued is not None)
        assert state.queued is not None
        assert state.queued.needs_fresh_yes
        world.source.reading = AT_LIMIT
        world.companion.refresh()
        await until(world, lambda state: used(state) == 100)
        await world.clock.until_sleeping(3)
        assert world.source.requests == []
        world.source.answers.append(lambda: cleared(world))
        await world.companion.questions.confirm_queue(state.queued)
        world.clock.advance(20)
        await until(world, lambda _: len(world.source.requests) == 1, step=1)


async def test_nothing_is_queued_at_a_limit_that_is_hit(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        world.source.reading = AT_LIMIT
        await world.companion.poller.poll()
        with pytest.raises(UsageError, match="reached already"):
            await world.companion.questions.queue()


async def test_waiting_is_answered_when_the_reset_is_seen_not_when_the_clock_says_so(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        world.clock.advance(timedelta(hours=3).total_seconds())
        await world.clock.until_sleeping(3)
        assert world.companion.state.announcement is None
        later = snapshot(
            window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5), at=world.clock.now()),
            window(WEEK, 40.0),
            rows=READING.bank.credits,
        )
        world.source.reading = later
        world.clock.advance(1)
        world.companion.refresh()
        await until(world, lambda state: state.announcement is not None)
        await until(world, lambda state: bool(world.daemon.messages))
        assert [thread for thread, _ in world.daemon.messages] == [THREAD]
        await world.companion.questions.dismiss_notice()
        assert world.companion.state.announcement is None


async def test_a_wait_that_is_cancelled_goes_on_by_nobody(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        await until(world, lambda state: quiet(state) is NoQuestionReason.WAITING)
        await world.companion.questions.cancel_wait()
        assert world.companion.state.waiting is None
        world.source.reading = CLEARED
        world.clock.advance(60)
        world.companion.refresh()
        await until(world, lambda state: used(state) == 0)
        await until(world, lambda _: world.clock.sleepers >= 3)
        assert (world.companion.state.announcement, world.daemon.messages) == (None, [])


async def test_a_wait_survives_a_restart_and_tells_each_thread_once(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        await until(world, lambda state: quiet(state) is NoQuestionReason.WAITING)
    messages: list[tuple[str, str]] = []
    for process in ("the next screen", "the one after"):
        async with attended(World(clock, tmp_path, daemon=True, process=process)) as again:
            again.feed.told.put_nowait(update(clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
            await until(again, lambda state: THREAD in state.sessions)
            again.source.reading = CLEARED
            again.clock.advance(60)
            again.companion.refresh()
            await until(again, lambda state: state.announcement is not None)
            await until(again, lambda state: bool(state.resumes.entries))
            told = messages or again.daemon.messages
            await until(again, lambda _, told=told: bool(told))  # type: ignore[misc]
            await until(again, lambda _, again=again: again.clock.sleepers >= 3)  # type: ignore[misc]
            messages += again.daemon.messages
    assert [thread for thread, _ in messages] == [THREAD]


async def test_an_answer_given_elsewhere_closes_the_question_here(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, process="one")) as one:
        question = await stop(one)
        other = World(clock, tmp_path, process="two")
        other.source.reading = AT_LIMIT
        await other.companion.poller.poll()
        await other.companion.questions.answer(question, Choice.NOT_UNTIL_RESET)
        await until(one, lambda state: state.question is None, step=1)
        await other.companion.aclose()


async def test_a_storm_of_sightings_asks_once(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await stop(world)
        questions: list[object] = []
        world.companion.listen(lambda state: questions.append(state.question))
        for number in range(2000):
            state = SessionState.RUNNING if number % 2 else SessionState.STOPPED_AT_LIMIT
            world.feed.told.put_nowait(replace(update(world.clock, state, OTHER), order=number))
        await until(world, lambda state: world.feed.told.empty())
        assert len(set(map(repr, filter(None, questions)))) <= 1
        assert world.daemon.messages == []


async def test_a_lost_daemon_takes_what_only_it_knew_with_it(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        world.feed.told.put_nowait(update(world.clock, SessionState.IDLE))
        told = replace(update(world.clock, SessionState.WAITING_APPROVAL, OTHER), feed="daemon")
        world.daemon.told.put_nowait(told)
        await until(world, lambda state: set(state.sessions) == {THREAD, OTHER})
        world.daemon.told.put_nowait(None)
        await until(world, lambda state: set(state.sessions) == {THREAD})


async def test_a_stop_that_is_first_an_error_brings_one_question_and_no_other(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        questions: list[object] = []
        world.companion.listen(lambda state: questions.append(state.question and state.question.cause))
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.companion.refresh()
        await until(world, lambda state: used(state) == 100)
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_BY_ERROR))
        await until(world, lambda state: state.sessions[THREAD].state is SessionState.STOPPED_BY_ERROR)
        world.clock.advance(0.1)
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        await until(world, lambda state: state.question is not None)
        assert [cause for cause in dict.fromkeys(questions) if cause] == [Cause.STOPPED]


async def test_a_turn_that_goes_on_at_a_hit_limit_is_asked_about_after_a_moment(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.companion.refresh()
        state = await until(world, lambda state: state.question is not None, step=0.5)
        assert state.question is not None
        assert state.question.cause is Cause.ABOUT_TO_STOP
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        await until(world, lambda state: state.question is not None and state.question.cause is Cause.STOPPED)


async def test_a_reset_that_lapses_is_asked_about_once_across_restarts_and_gives_way_to_a_stop(
    clock: ManualClock, tmp_path: Path
) -> None:
    rows = (replace(credit("c1"), expires_at=START + timedelta(hours=20)), credit("c2", 20))
    reading = replace(READING, bank=replace(READING.bank, credits=rows))
    for number in range(2):
        world = World(clock, tmp_path, process=f"process {number}")
        world.source.reading = reading
        async with attended(world):
            if number == 0:
                state = await until(world, lambda state: state.question is not None, step=1)
                assert state.question is not None
                assert (state.question.cause, state.question.credit and state.question.credit.id) == (
                    Cause.LAPSING,
                    "c1",
                )
                world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
                world.source.reading = replace(AT_LIMIT, bank=reading.bank)
                world.clock.advance(1)
                world.companion.refresh()
                world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
                await until(world, lambda state: state.question is not None and state.question.cause is Cause.STOPPED)
            else:
                await until(world, lambda state: quiet(state) is NoQuestionReason.NOTHING_RUNNING, step=1)
