"""Held at random places of a turn, answered at random; then the same with kill -9 of whoever takes part."""

import asyncio
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from statistics import median
from time import perf_counter

from tests.e2e.companion import companion, seen, spend
from tests.hooks.codex import HookedCodex, hooked_codex
from tests.support.codex_cli import private_folder
from tests.support.stub_process import start_stub
from tests.support.waiting import DEADLINE, wait_until
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Cause, Choice

TURNS = 50
KILLS = 12
"""Each of the four is killed three times, in a random order."""
LONGEST = 60.0
"""Seconds within which a turn ends whatever was killed: a dead keeper is noticed after a few polls of the hook."""


@contextmanager
def hooked() -> Iterator[HookedCodex]:
    with private_folder() as folder, start_stub(sandbox=folder / "box") as stub:
        codex = hooked_codex(stub, folder)
        codex.resetbank("hold", "on")
        codex.trust()
        yield codex


def random_answers(seed: int) -> str:
    """One turn after the other into the limit; no turn is lost but those that were let fail."""
    with hooked() as codex:
        outcomes, consented, waits = asyncio.run(_answered(codex, random.Random(seed)))
        spent = codex.stub.spent()
    assert spent <= consented
    return (
        f"{TURNS} turns into the limit: {dict(outcomes)}; {spent} resets spent, {consented} consented to;"
        f" from the answer to the held request on the wire: median {median(waits):.2f} s,"
        f" 95 % within {sorted(waits)[int(len(waits) * 0.95)]:.2f} s"
    )


async def _answered(codex: HookedCodex, chance: random.Random) -> tuple[Counter[str], int, list[float]]:
    """How the turns ended, how many resets were consented to, and the seconds from each answer to the held request."""
    outcomes, consented, waits = Counter[str](), 0, list[float]()
    async with companion(codex) as running:
        for _ in range(TURNS):
            codex.stub.grant()
            codex.stub.set_usage("five_hour", chance.choice((82, 85, 88, 91, 94, 97, 98, 100)))
            running.refresh()
            prompt = "\n".join(["run: true"] * chance.randint(6, 9))
            turn = codex.start(prompt)
            await seen(running, lambda state: bool(held(state.sessions)))
            answer = chance.choice(("spend", "wait", "fail"))
            if answer == "spend":
                consented += 1
                answered_at, before = perf_counter(), codex.stub.requests("/responses")
                await spend(running)
                await asyncio.to_thread(_wait_for_request, codex, before)
                waits.append(perf_counter() - answered_at)
            else:
                question = running.state.question
                if question is None or question.cause is not Cause.HELD:  # closed, or not yet about what is held
                    question = running.questions.reopen()
                assert question is not None
                choice = Choice.WAIT if answer == "wait" else Choice.LET_FAIL
                await running.questions.answer(question, choice)
                await seen(running, lambda state: state.gate in (GateMode.WAIT, GateMode.PASS))
                if answer == "wait":
                    codex.stub.set_usage("five_hour", 0)
            output, _ = await asyncio.to_thread(turn.communicate, timeout=LONGEST)
            went_well = turn.returncode == 0
            assert went_well == (answer != "fail"), output
            outcomes[f"{answer}: {'ended well' if went_well else 'failed'}"] += 1
            codex.stub.set_usage("five_hour", 0)
            running.refresh()
            await seen(running, lambda state: state.gate is GateMode.OPEN and not held(state.sessions))
    return outcomes, consented, waits


def _wait_for_request(codex: HookedCodex, before: int) -> None:
    wait_until(lambda: codex.stub.requests("/responses") > before)


def kills(seed: int) -> str:
    """Somebody who takes part is killed while a request is held; nobody is held for long, and nothing is spent."""
    chance, outcomes = random.Random(seed), Counter[str]()
    victims = ["keeper", "hook", "codex", "stub"] * (KILLS // 4)
    chance.shuffle(victims)
    for victim in victims:
        with hooked() as codex:
            codex.stub.set_usage("five_hour", chance.choice((88, 91, 94, 97, 100)))
            turn = None
            with keeper(codex) as watch:
                wait_until(codex.gate.has_heartbeat)
                turn = codex.start("\n".join(["run: true"] * 6))
                wait_until(lambda codex=codex: bool(codex.gate.waiters()))  # type: ignore[misc]
                hook = codex.gate.waiters()[0].pid
                pids = {"keeper": watch.pid, "hook": hook, "codex": turn.pid, "stub": codex.stub.process.pid}
                spent = codex.stub.spent()
                with suppress(ProcessLookupError):
                    os.kill(pids[victim], signal.SIGKILL)
                if victim == "stub":
                    codex.stub.process.wait(LONGEST)
                    watch.kill()  # nobody can answer any more: the person closes it
                wait_until(lambda codex=codex: codex.gate.waiters() == (), LONGEST)  # type: ignore[misc]
                if victim == "stub":
                    turn.kill()  # what Codex does without a service is its own affair
                turn.communicate(timeout=LONGEST)
            assert spent == 0
            outcomes[f"{victim} killed: {'ended well' if turn.returncode == 0 else 'failed'}"] += 1
    return f"{KILLS} kills: {dict(outcomes)}; nobody is held any more, nothing was spent"


@contextmanager
def keeper(codex: HookedCodex) -> Iterator["subprocess.Popen[bytes]"]:
    """`resetbank watch`, which keeps the gate without a screen."""
    process = codex.start_resetbank("watch", "--source", "http", "--base-url", codex.stub.url)
    try:
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE)
