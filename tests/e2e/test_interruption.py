"""A limit is hit in the real Codex; one question, one reset, and the session goes on."""

import asyncio

import pytest

from tests.e2e.attending import attended, stopped
from tests.e2e.codex import codex_daemon, codex_exec
from tests.sources.second_client import second_client
from tests.support.stub_process import StubProcess
from tui.domain.ledger import EventKind
from tui.domain.question import Cause, Choice
from tui.domain.resumes import ResumeStage
from tui.domain.resuming import resume_command
from tui.domain.sessions import SessionState
from tui.domain.spend import Consent, ConsentKind, Outcome
from tui.sources.codex_home import CodexHome

pytestmark = [pytest.mark.codex, pytest.mark.xdist_group("codex turns")]


async def test_through_the_daemon(stub: StubProcess) -> None:
    stub.set_usage("five_hour", 99)
    with codex_daemon(stub):
        async with second_client(CodexHome(stub.codex_home).daemon_socket) as codex, attended(stub, "daemon") as ours:
            thread = await codex.start_thread(stub.workspace)
            await codex.start_turn(thread)
            await ours.until(lambda state: thread in state.sessions)
            stub.set_usage("five_hour", 100)
            await ours.until(lambda state: state.sessions[thread].state is SessionState.IDLE)
            await codex.start_turn(thread)
            await ours.until(lambda state: stopped(state, thread))
            question = (await ours.until(lambda state: state.question is not None)).question
            assert question is not None
            assert (question.cause, question.threads) == (Cause.STOPPED, (thread,))

            turns = stub.requests("/responses")
            proposal = await ours.companion.spender.propose()
            await ours.companion.questions.answer(question, Choice.SPEND_AND_CONTINUE)
            consent = Consent(ConsentKind.LETTER, ours.companion.clock.now())
            done = await ours.companion.spender.spend(proposal, consent, whom=question.threads)
            assert done.outcome is Outcome.RESET
            state = await ours.until(lambda state: state.resumes.entries[0].stage is ResumeStage.DONE)
            await ours.until(lambda state: state.sessions[thread].state is SessionState.IDLE)
            assert len(state.resumes.entries) == 1
            assert stub.requests("/responses") == turns + 1
            assert stub.spent() == 1
            assert ours.state.question is None


async def test_a_queued_reset_fires_at_the_limit_and_the_thread_goes_on(stub: StubProcess) -> None:
    with codex_daemon(stub):
        async with second_client(CodexHome(stub.codex_home).daemon_socket) as codex, attended(stub, "daemon") as ours:
            thread = await codex.start_thread(stub.workspace)
            await codex.start_turn(thread)
            await ours.until(lambda state: thread in state.sessions)
            await ours.until(lambda state: state.sessions[thread].state is SessionState.IDLE)
            await ours.companion.questions.queue()
            stub.set_usage("five_hour", 100)
            await codex.start_turn(thread)
            state = await ours.until(
                lambda state: bool(state.resumes.entries) and state.resumes.entries[0].stage is ResumeStage.DONE
            )
            assert state.queued is None
            assert stub.spent() == 1
            kinds = [event.kind for event in await ours.companion.records.events()]
            assert kinds.count(EventKind.SPEND_CONSENTED) == 1


async def test_with_rollouts_alone_the_command_is_left(stub: StubProcess) -> None:
    async with attended(stub, "http") as ours:
        stub.set_usage("five_hour", 100)
        assert (await asyncio.to_thread(codex_exec, stub)).returncode == 1
        question = (await ours.until(lambda state: state.question is not None)).question
        assert question is not None
        proposal = await ours.companion.spender.propose()
        await ours.companion.questions.answer(question, Choice.SPEND_AND_CONTINUE)
        consent = Consent(ConsentKind.LETTER, ours.companion.clock.now())
        await ours.companion.spender.spend(proposal, consent, whom=True)
        carry = ours.state.resumes.entries[0]
        assert (carry.stop.thread_id, carry.stage) == (question.threads[0], ResumeStage.COMMAND)
        assert resume_command(carry.stop.thread_id) == f"codex resume {question.threads[0]}"
        assert stub.spent() == 1
