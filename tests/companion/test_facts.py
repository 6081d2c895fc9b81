"""What is in hand is a fact that survives failures, restarts and whatever runs beside the screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.companion.test_attending import OTHER, THREAD, attended, cleared, consent, quiet, stop, until, update, used
from tests.companion.test_spending import LOST, RESET
from tests.domain.worlds import FIVE_HOURS, WEEK, snapshot, window
from tests.support.clocks import ManualClock
from tui.domain.ledger import EventKind
from tui.domain.question import Cause, Choice, NoQuestionReason
from tui.domain.resumes import ResumeStage
from tui.domain.sessions import SessionState
from tui.domain.snapshot import Snapshot
from tui.errors import ConsumeRejected, SourceDown


def after_the_reset(world: World) -> Snapshot:
    """A reading in which the 5-hour window began anew."""
    fresh = window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5), at=world.clock.now())
    return snapshot(fresh, window(WEEK, 40.0), rows=READING.bank.credits)


@asynccontextmanager
async def beside(world: World, folder: Path) -> AsyncIterator[World]:
    """A one-shot command on the same database, which reads once."""
    other = World(world.clock, folder, process="a command", asks=False)
    other.source.reading = world.source.reading
    await other.companion.poller.poll()
    yield other
    await other.companion.aclose()


async def test_a_status_at_the_reset_leaves_the_notice_to_the_screen(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        world.clock.advance(timedelta(hours=3).total_seconds())
        world.source.reading = after_the_reset(world)
        async with beside(world, tmp_path) as status:
            assert status.companion.state.announcement is None
        world.clock.advance(1)
        world.companion.refresh()
        await until(world, lambda state: state.announcement is not None)


async def test_a_notice_survives_the_screen_until_one_dismisses_it_for_all(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        world.clock.advance(timedelta(hours=3).total_seconds())
        world.source.reading = after_the_reset(world)
        world.companion.refresh()
        await until(world, lambda state: state.announcement is not None)
    async with attended(World(clock, tmp_path, process="the next screen")) as again:
        again.source.reading = after_the_reset(again)
        await until(again, lambda state: state.announcement is not None)
        async with attended(World(clock, tmp_path, process="a screen beside it")) as beside_it:
            await until(beside_it, lambda state: state.announcement is not None)
            await again.companion.questions.dismiss_notice()
            await beside_it.companion.questions.evaluate()  # as it does now and then
            assert beside_it.companion.state.announcement is None
        again.companion.refresh()
        again.clock.advance(20)
        await until(again, lambda _: again.clock.sleepers >= 3)
        assert again.companion.state.announcement is None
        await again.companion.questions.evaluate()
    async with attended(World(clock, tmp_path, process="the one after")) as last:
        await last.companion.questions.evaluate()
        assert last.companion.state.announcement is None


async def test_a_command_that_reads_changes_nothing_of_a_persons(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        before = await world.companion.records.in_hand()
        world.clock.advance(1)
        async with beside(world, tmp_path) as command:
            await command.companion.scan_once()
        assert await world.companion.records.in_hand() == before


async def test_a_queued_reset_stays_queued_when_the_reading_at_the_limit_fails(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue()
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.source.reads_left = 1
        world.companion.refresh()
        await until(world, lambda state: used(state) == 100 and state.link.failure is None)
        await until(world, lambda _: world.clock.sleepers >= 4)  # the queue waits for its next try
        assert world.companion.state.queued is not None
        world.source.reads_left = None
        world.source.answers.append(lambda: cleared(world))
        await until(world, lambda state: state.queued is None and not state.spending, step=1)
        assert len(world.source.requests) == 1


async def test_a_queued_reset_that_is_refused_is_no_longer_shown_and_the_person_is_asked(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        await world.companion.questions.queue()
        world.source.answers.append(ConsumeRejected("the service refuses this client"))
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING))
        world.clock.advance(1)
        world.source.reading = AT_LIMIT
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, used=100.0))
        state = await until(world, lambda state: state.question is not None, step=0.5)
        assert state.question is not None
        assert (state.queued, state.question.cause) == (None, Cause.STOPPED)
        lines = [event for event in world.ledger.events() if event.kind is EventKind.SPEND_CLOSED]
        assert "refuses this client" in lines[0].text


async def test_who_was_to_go_on_goes_on_when_the_answer_is_learnt_later(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await stop(world)
        world.source.answers.extend([LOST] * 2)
        proposal = await world.companion.spender.propose()
        spending = asyncio.ensure_future(world.companion.spender.spend(proposal, consent(world), whom=True))
        await until(world, lambda _: spending.done(), step=1)
        assert spending.result().is_open
        assert world.daemon.messages == []
    async with attended(World(clock, tmp_path, daemon=True, process="the next screen")) as again:
        again.source.reading = CLEARED  # it had its effect
        await until(again, lambda _: bool(again.daemon.messages), step=1)
        assert [thread for thread, _ in again.daemon.messages] == [THREAD]
        assert again.companion.state.open_spend is None
        await until(again, lambda _: again.clock.sleepers >= 3)
        again.companion.refresh()
        again.clock.advance(30)
        await until(again, lambda _: again.clock.sleepers >= 3)
        assert len(again.daemon.messages) == 1


async def test_nobody_goes_on_while_the_limit_still_holds_and_then_everybody_once(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path, daemon=True)) as world:
        await stop(world)
        world.source.answers.append(RESET)  # its readings lag behind
        proposal = await world.companion.spender.propose()
        spending = asyncio.ensure_future(world.companion.spender.spend(proposal, consent(world), whom=True))
        await until(world, lambda _: spending.done(), step=1)
        assert world.daemon.messages == []
        world.source.reading = CLEARED
        await until(world, lambda _: bool(world.daemon.messages), step=1)
        assert len(world.daemon.messages) == 1


async def test_a_wait_that_is_over_does_not_silence_the_next_limit(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        await until(world, lambda state: quiet(state) is NoQuestionReason.WAITING)
        # Bought credits: use is allowed again, and no window was reset.
        world.clock.advance(60)
        bought = snapshot(window(FIVE_HOURS, 100.0), window(WEEK, 40.0), rows=READING.bank.credits, allowed=True)
        world.source.reading = bought
        world.companion.refresh()
        await until(world, lambda state: state.waiting is None)
        world.clock.advance(60)
        world.source.reading = AT_LIMIT
        world.feed.told.put_nowait(update(world.clock, SessionState.RUNNING, OTHER))
        world.clock.advance(1)
        world.feed.told.put_nowait(update(world.clock, SessionState.STOPPED_AT_LIMIT, OTHER))
        await until(world, lambda state: quiet(state) is NoQuestionReason.ALREADY_ASKED, step=1)
        await until(world, lambda _: world.companion.questions.reopen() is not None, step=1)


async def test_a_letter_that_comes_too_late_is_refused_and_the_question_opens_again(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        proposal = await world.companion.spender.propose()
        await world.companion.questions.answer(question, Choice.SPEND_AND_CONTINUE)
        world.clock.advance(301)
        with pytest.raises(ConsumeRejected, match="too late; nothing was sent"):
            await world.companion.spender.spend(proposal, consent(world), whom=True)
        assert world.source.requests == []
        world.companion.refresh()
        await until(world, lambda state: not state.is_stale(world.clock.now()))
        again = world.companion.questions.reopen()
        assert again is not None
        assert world.companion.state.question == again
        await until(world, lambda _: world.clock.sleepers >= 3)
        assert world.companion.state.question == again


async def test_a_question_reopens_whatever_was_answered_and_stays_until_it_is_answered_anew(
    clock: ManualClock, tmp_path: Path
) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        await until(world, lambda state: quiet(state) is NoQuestionReason.WAITING)
        assert world.companion.questions.reopen() is not None
        world.clock.advance(15)
        await until(world, lambda _: world.clock.sleepers >= 3)
        assert world.companion.state.question is not None
        again = world.companion.state.question
        await world.companion.questions.answer(again, Choice.NOT_UNTIL_RESET)
        await until(world, lambda state: state.question is None)
        world.source.reading = after_the_reset(world)
        world.clock.advance(1)
        world.companion.refresh()
        await until(world, lambda state: used(state) == 0)
        assert world.companion.questions.reopen() is None


async def test_a_resume_that_is_shown_as_a_command_is_not_called_told(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        world.source.reading = CLEARED
        await world.companion.poller.poll()
        assert await world.companion.resumer.resume(question.stops) == 1
        (entry,) = world.companion.state.resumes.entries
        line = world.ledger.events()[-1]
        assert (entry.stage, line.kind) == (ResumeStage.COMMAND, EventKind.RESUMED)
        assert line.text.startswith("the command to resume thread")


async def test_no_source_means_no_notice(clock: ManualClock, tmp_path: Path) -> None:
    async with attended(World(clock, tmp_path)) as world:
        question = await stop(world)
        await world.companion.questions.answer(question, Choice.WAIT)
        world.source.reading = SourceDown("503")
        world.clock.advance(timedelta(hours=4).total_seconds())
        world.companion.refresh()
        state = await until(world, lambda state: state.link.failure is not None)
        assert (state.announcement, state.waiting is not None) == (None, True)
