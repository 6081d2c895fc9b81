"""The process dies at each commit of "spend and go on", told or not: one reset, and whoever was to go on does, once."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.inviting import Crash
from tests.companion.scripted import AT_LIMIT, CLEARED, World
from tests.companion.test_attending import THREAD, attended, consent, until, update
from tests.companion.test_spending import LOST, RESET, driven
from tests.safety.mortal import MortalDatabase
from tests.support.clocks import START, ManualClock
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.resumes import ResumeStage
from tui.domain.sessions import SessionState, merge_update
from tui.domain.spend import ConsumeAnswer, Outcome

COMMITS = 9
"""More than a spend that carries one thread on makes."""


def start(clock: ManualClock, folder: Path, process: str) -> tuple[World, MortalDatabase]:
    database = MortalDatabase(folder / "resetbank.db")
    world = World(clock, folder, tables=Tables(database, AccountLocks(None)), daemon=True, process=process)
    stopped = merge_update({}, replace(update(clock, SessionState.STOPPED_AT_LIMIT), since=START))
    world.companion.store.update(sessions=stopped, watches_sessions=True)
    return world, database


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "lost"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("commits", range(COMMITS))
async def test_killed_at_a_commit(clock: ManualClock, tmp_path: Path, commits: int, after: bool, is_told: bool) -> None:
    world, database = start(clock, tmp_path, "the first")
    world.source.reading = AT_LIMIT
    proposal = await world.companion.spender.propose()

    def effect() -> ConsumeAnswer:
        world.source.reading = CLEARED
        if not is_told:
            raise LOST
        return RESET

    world.source.answers.append(effect)
    database.commits_to_live, database.dies_after = commits, after
    died = False
    try:
        await driven(world, world.companion.spender.spend(proposal, consent(world), whom=True))
    except Crash:
        died = True
    was_sent = bool(world.source.requests)
    await world.companion.aclose()
    clock.advance(40)

    again, _ = start(clock, tmp_path, "the second")
    again.source.reading = CLEARED if was_sent else AT_LIMIT
    again.daemon.messages = world.daemon.messages
    again.source.answers.append(lambda: _clear(again))
    journal = again.companion.records.require().spends
    async with attended(again):
        await until(again, lambda state: state.snapshot is not None)
        again.clock.advance(31)
        await until(again, lambda state: state.open_spend is None and state.link.failure is None, step=1)
        spend = await asyncio.to_thread(journal.last_closed, "acc1")
        requests = len(world.source.requests) + len(again.source.requests)
        if spend is None:
            assert died
            assert (requests, again.daemon.messages) == (0, [])
            return
        assert spend.outcome is Outcome.RESET
        assert requests == 1
        await until(again, lambda state: bool(state.resumes.entries), step=1)
        (entry,) = again.companion.state.resumes.entries
        assert entry.stop.thread_id == THREAD
        told = [thread for thread, _ in again.daemon.messages]
        # Between the claim and the message it may die: then nobody sends it a second time, and the person is shown it.
        assert told == [THREAD] or (told == [] and entry.stage is ResumeStage.CLAIMED)


def _clear(world: World) -> ConsumeAnswer:
    world.source.reading = CLEARED
    return RESET
