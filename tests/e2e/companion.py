"""The whole program without a screen, beside the real Codex."""

import asyncio
import math
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.hooks.codex import HookedCodex
from tests.support.waiting import DEADLINE
from tui.assembly import SourceOptions, open_companion
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.spend import Consent, ConsentKind
from tui.paths import resetbank_paths
from tui.settings import Settings


@asynccontextmanager
async def companion(codex: HookedCodex) -> AsyncIterator[Companion]:
    """The whole program without a screen, as the screen runs it."""
    options = SourceOptions("http", codex.stub.codex_home, codex.stub.url)
    running = open_companion(
        options, Settings(), resetbank_paths(codex.home), front_end="a test", watches=True, asks=True
    )
    task = asyncio.create_task(running.run())
    try:
        await seen(running, lambda state: state.gate is not None and state.snapshot is not None)
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await running.aclose()


async def seen(companion: Companion, condition: Callable[[State], bool], deadline: float = DEADLINE) -> State:
    """Wait for a State of this kind."""
    found = asyncio.Event()
    unlisten = companion.listen(lambda state: found.set() if condition(state) else None)
    try:
        if not condition(companion.state):
            waiting = asyncio.ensure_future(found.wait())
            for _ in range(math.ceil(deadline)):  # a machine that stands still as a whole costs one look
                if (await asyncio.wait([waiting], timeout=1.0))[0]:
                    break
            else:
                waiting.cancel()
                raise TimeoutError(f"not within {deadline:g} s: {companion.state}")
    finally:
        unlisten()
    return companion.state


async def spend(companion: Companion) -> None:
    proposal = await companion.spender.propose()
    await companion.spender.spend(proposal, Consent(ConsentKind.LETTER, companion.clock.now()), True)


async def finished(turn: "subprocess.Popen[str]") -> str:
    """Its output, once it has ended well."""
    output, _ = await asyncio.to_thread(turn.communicate, timeout=DEADLINE)
    assert turn.returncode == 0, output
    return output
