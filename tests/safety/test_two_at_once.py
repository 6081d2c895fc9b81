"""Two resetbanks on one account: one spend, and the other is told who holds it."""

import asyncio
import json
import os
import subprocess
import sys

from tests.safety.headless import companion_over, spend_once
from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.forked import Forked
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.domain.spend import Outcome


def start_spend(stub: StubProcess) -> subprocess.Popen[str]:
    return Forked(
        [sys.executable, "-m", "tui", "spend", "--unattended", "--json", *over_http(stub)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


def test_the_second_process_is_told_who_holds_the_spend(stub: StubProcess) -> None:
    allow_unattended()
    stub.fault("/consume", "delay:60")
    first = start_spend(stub)
    wait_until(lambda: stub.spent() == 1)
    second = resetbank("spend", "--json", *over_http(stub))
    assert second.code == 23
    assert f"a reset is being spent by resetbank spend, process {first.pid}" in second.err
    assert second.json["outcome"] == "refused"
    status = resetbank("status", "--json", *over_http(stub)).json
    assert status["open_spend"]["stage"] == "sent"
    stub.fault("/consume", "none")
    out, _ = first.communicate(timeout=DEADLINE)
    assert (first.returncode, json.loads(out)["outcome"]) == (0, "reset")
    assert stub.spent() == 1


async def test_a_screen_and_a_command(stub: StubProcess) -> None:
    async with companion_over(stub) as screen:
        stub.fault("/consume", "delay:0.9")
        spending = asyncio.create_task(spend_once(screen))
        await asyncio.to_thread(wait_until, lambda: stub.spent() == 1)
        command = await asyncio.to_thread(resetbank, "spend", *over_http(stub))
        done = await spending
        assert done.outcome is Outcome.RESET
        # The command came while the screen was at it, or after its end, when there was nobody to ask.
        assert command.code == 23
    assert stub.spent() == 1


def test_many_at_the_same_moment_spend_one(stub: StubProcess) -> None:
    allow_unattended()
    runs = [start_spend(stub) for _ in range(4)]
    results = [(run.communicate(timeout=DEADLINE)[0], run.returncode) for run in runs]
    outcomes = [(json.loads(out)["outcome"], code) for out, code in results]
    assert outcomes.count(("reset", 0)) == 1, outcomes
    # Who looked at the limits only after the spend asked for another reset, which an unused window does not take.
    assert {outcome for outcome, _ in outcomes} <= {"reset", "refused", "nothing_to_reset"}
    assert stub.spent() == 1
