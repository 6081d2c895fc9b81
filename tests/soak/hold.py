"""Held at random places of a turn, answered at random; and kill -9 of whoever takes part while a request is held."""

import asyncio
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from statistics import median
from time import perf_counter
from typing import NamedTuple

from tests.e2e.companion import companion, seen
from tests.hooks.codex import HookedCodex, holding
from tests.support.waiting import DEADLINE, wait_until
from tui.companion.companion import Companion
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.question import Cause, Choice
from tui.domain.spend import Consent, ConsentKind

TURNS = 50
KILLS = 12
"""Each of the four is killed three times, in a random order."""
VICTIMS = ("keeper", "hook", "codex", "stub")


class Answered(NamedTuple):
    """What came of some turns that ran into the limit."""

    outcomes: Counter[str]
    spent: int
    consented: int
    waits: list[float]
    """Seconds from each yes to the held request on the wire."""
    seconds: float


class Killed(NamedTuple):
    """What came of some kills."""

    outcomes: Counter[str]
    freed: dict[str, float]
    """The longest time from the kill of each until nobody was held any more, in seconds."""
    seconds: float


def run_into_the_limit(seed: int, turns: int) -> Answered:
    """One turn after the other into the limit; no turn is lost but those that were let fail."""
    started = perf_counter()
    with holding() as codex:
        outcomes, consented, waits = asyncio.run(_answered(codex, random.Random(seed), turns))
        spent = codex.stub.spent()
    assert spent <= consented, f"{spent} resets were spent, {consented} were consented to"
    return Answered(outcomes, spent, consented, waits, perf_counter() - started)


def told_of_answers(parts: Sequence[Answered]) -> str:
    """The figures of several parts in one line."""
    outcomes = sum((part.outcomes for part in parts), Counter[str]())
    waits = sorted(wait for part in parts for wait in part.waits)
    return (
        f"{outcomes.total()} turns into the limit, none lost: {dict(sorted(outcomes.items()))};"
        f" {sum(part.spent for part in parts)} resets spent, {sum(part.consented for part in parts)} consented to;"
        f" from the yes to the held request on the wire: median {median(waits):.2f} s,"
        f" 95 % within {waits[int(len(waits) * 0.95)]:.2f} s, longest {waits[-1]:.2f} s;"
        f" {max(part.seconds for part in parts):.0f} s"
    )


async def _answered(codex: HookedCodex, chance: random.Random, turns: int) -> tuple[Counter[str], int, list[float]]:
    """How the turns ended, how many resets were consented to, and the seconds from each yes to the held request."""
    outcomes, consented, waits = Counter[str](), 0, list[float]()
    async with companion(codex) as running:
        for _ in range(turns):
            codex.stub.grant()
            await _set_usage(codex, running, chance.choice((82, 85, 88, 91, 94, 97, 98, 100)))
            turn = codex.start("\n".join(["run: true"] * chance.randint(6, 9)))
            await seen(running, lambda state: bool(held(state.sessions)))
            answer = chance.choice(("spend", "wait", "fail"))
            if answer == "spend":
                consented += 1
                waits.append(await _spend(codex, running))
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
                    running.refresh()
            output, _ = await asyncio.to_thread(turn.communicate, timeout=DEADLINE)
            went_well = turn.returncode == 0
            assert went_well == (answer != "fail"), f"{answer}: {output}"
            outcomes[f"{answer}: {'ended well' if went_well else 'failed'}"] += 1
            await _set_usage(codex, running, 0)
            await seen(running, lambda state: not held(state.sessions))
    return outcomes, consented, waits


async def _set_usage(codex: HookedCodex, running: Companion, percent: float) -> None:
    """Set the meter, and wait until the keeper says what follows from it: only then is a turn's first request safe."""
    codex.stub.set_usage("five_hour", percent)
    running.refresh()
    mode = GateMode.CLOSED if percent >= 100 else GateMode.OPEN
    await seen(
        running,
        lambda state: (
            state.snapshot is not None and state.snapshot.windows[0].used_percent == percent and state.gate is mode
        ),
    )


async def _spend(codex: HookedCodex, running: Companion) -> float:
    """Say yes; the seconds until the held request is on the wire."""
    proposal = await running.spender.propose()
    before = codex.stub.requests("/responses")
    yes = Consent(ConsentKind.LETTER, running.clock.now())
    started = perf_counter()
    spending = asyncio.create_task(running.spender.spend(proposal, yes, True))
    await asyncio.to_thread(wait_until, lambda: codex.stub.requests("/responses") > before)
    waited = perf_counter() - started
    await spending
    return waited


def kill_them(seed: int, kills: int) -> Killed:
    """Somebody who takes part is killed while a request is held; nobody is held for long, and nothing is spent."""
    started, chance = perf_counter(), random.Random(seed)
    outcomes, freed = Counter[str](), dict[str, float]()
    victims = [*VICTIMS] * (kills // len(VICTIMS))
    chance.shuffle(victims)
    with ExitStack() as stack:
        codex: HookedCodex | None = None
        for victim in victims:
            codex = codex or stack.enter_context(holding())
            percent = chance.choice((88, 91, 94, 97, 100))
            ended, seconds = _kill(codex, victim, percent)
            outcomes[f"{victim} killed: {ended}"] += 1
            freed[victim] = max(seconds, freed.get(victim, 0.0))
            if victim == "stub":
                codex = None
    return Killed(outcomes, freed, perf_counter() - started)


def told_of_kills(killed: Killed) -> str:
    """The figures in one line."""
    freed = ", ".join(f"{victim} {seconds:.1f} s" for victim, seconds in sorted(killed.freed.items()))
    return (
        f"{killed.outcomes.total()} kills: {dict(sorted(killed.outcomes.items()))}; nothing was spent;"
        f" longest time until nobody was held any more: {freed}; {killed.seconds:.0f} s"
    )


def _kill(codex: HookedCodex, victim: str, percent: float) -> tuple[str, float]:
    """Kill one of them while a request is held; how the turn ended, and the seconds until nobody was held any more."""
    codex.stub.set_usage("five_hour", percent)
    with keeper(codex) as watch:
        mode = GateMode.CLOSED if percent >= 100 else GateMode.OPEN
        wait_until(lambda: codex.says(mode) and codex.gate.has_heartbeat())
        turn = codex.start("\n".join(["run: true"] * 6))
        wait_until(lambda: bool(codex.gate.waiters()))
        hook = codex.gate.waiters()[0].pid
        pids = {"keeper": watch.pid, "hook": hook, "codex": turn.pid, "stub": codex.stub.process.pid}
        spent = codex.stub.spent()
        with suppress(ProcessLookupError):
            os.kill(pids[victim], signal.SIGKILL)
        killed_at = perf_counter()
        if victim == "stub":
            codex.stub.process.wait(DEADLINE)
            watch.kill()  # nobody can answer any more: the person closes it
        wait_until(lambda: codex.gate.waiters() == ())
        seconds = perf_counter() - killed_at
        if victim == "stub":
            turn.kill()  # what Codex does without a service is its own affair
        else:
            assert codex.stub.spent() == spent == 0
        turn.communicate(timeout=DEADLINE)
    return "ended well" if turn.returncode == 0 else "failed", seconds


@contextmanager
def keeper(codex: HookedCodex) -> Iterator["subprocess.Popen[bytes]"]:
    """`resetbank watch`, which keeps the gate without a screen."""
    process = codex.start_resetbank("watch", "--source", "http", "--base-url", codex.stub.url)
    try:
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE)
