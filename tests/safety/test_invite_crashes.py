"""The process is killed, for real, at every boundary of an invite and started again: one e-mail a consent at most."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.safety.victims import let_it_die, start_victim
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE, wait_until
from tui.assembly import SourceOptions, open_companion
from tui.clock import SystemClock
from tui.domain.invites import InviteRecord, SendStage
from tui.errors import UsageError
from tui.paths import resetbank_paths
from tui.settings import Settings

FRIEND = "some.friend@example.com"


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[StubProcess]:
    """The real service, with an offer and no invites yet."""
    with start_stub(scenario="pilot-start", sandbox=tmp_path / "sandbox") as process:
        yield process


class LaterClock(SystemClock):
    """The machine's clock some minutes later, when a list that does not show an invite proves something."""

    def now(self) -> Any:
        return super().now() + timedelta(minutes=3)


def kill_at(stub: StubProcess, point: str) -> None:
    let_it_die(start(stub, point))


def start(stub: StubProcess, point: str) -> subprocess.Popen[str]:
    return start_victim("inviting_victim", point, stub, FRIEND)


async def next_process(stub: StubProcess, *, later: bool) -> tuple[InviteRecord, ...]:
    """What the next process makes of it, after looking; it must not be able to send again before."""
    options = SourceOptions("http", stub.codex_home, stub.url)
    clock = LaterClock() if later else SystemClock()
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="the next", invites=True, clock=clock)
    await companion.poller.poll()
    await companion.inviter.load()
    if any(record.is_open for record in companion.state.invites.records):
        with pytest.raises(UsageError, match="never sent twice"):
            companion.inviter.check(FRIEND)
    await companion.inviter.refresh()
    records = companion.state.invites.records
    await companion.aclose()
    return records


def assert_nothing_shows_the_address() -> None:
    lines = resetbank("ledger", "--json").out + resetbank("ledger").out
    assert "s…@example.com" in lines
    assert "some.friend" not in lines


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("point", ["after the answer", "before commit 1", "after commit 1"])
async def test_killed_after_the_effect(pilot: StubProcess, point: str, later: bool) -> None:
    kill_at(pilot, point)
    assert len(pilot.invites()) == 1
    (record,) = await next_process(pilot, later=later)
    assert (record.stage, record.referral_id) == (SendStage.SENT, pilot.invites()[0]["referral_id"])
    assert record.consent is not None
    assert pilot.requests("/referrals/invite") == 1
    assert_nothing_shows_the_address()


async def test_killed_before_it_was_written_down(pilot: StubProcess) -> None:
    kill_at(pilot, "before commit 0")
    assert await next_process(pilot, later=False) == ()
    assert (pilot.invites(), pilot.requests("/referrals/invite")) == ([], 0)


async def test_killed_between_the_journal_and_the_send(pilot: StubProcess) -> None:
    kill_at(pilot, "after commit 0")
    (record,) = await next_process(pilot, later=False)
    assert record.stage is SendStage.SENDING
    (record,) = await next_process(pilot, later=True)
    assert record.stage is SendStage.LOST
    assert (pilot.invites(), pilot.requests("/referrals/invite")) == ([], 0)
    assert_nothing_shows_the_address()


async def test_killed_after_a_send_that_never_arrived(pilot: StubProcess) -> None:
    pilot.fault("/referrals/invite", "drop_before")
    kill_at(pilot, "after the send")
    (record,) = await next_process(pilot, later=True)
    assert (record.stage, pilot.invites()) == (SendStage.LOST, [])


async def test_killed_while_the_answer_is_on_its_way(pilot: StubProcess) -> None:
    pilot.fault("/referrals/invite", "delay:60")
    victim = start(pilot, "never")
    wait_until(lambda: len(pilot.invites()) == 1)
    victim.kill()
    victim.communicate(timeout=DEADLINE)
    pilot.fault("/referrals/invite", "none")
    (record,) = await next_process(pilot, later=True)
    assert record.stage is SendStage.SENT
    assert len(pilot.invites()) == 1


def test_two_commands_at_the_same_moment_send_one(pilot: StubProcess) -> None:
    runs = [start(pilot, "never") for _ in range(3)]
    errors = [run.communicate(timeout=DEADLINE)[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 1, 1]
    assert sum("is never sent twice" in error or "is invited already" in error for error in errors) == 2
    assert len(pilot.invites()) == 1


def test_the_list_command_finishes_what_a_crash_left(pilot: StubProcess) -> None:
    kill_at(pilot, "after the answer")
    told = resetbank("invites", "--json", *over_http(pilot)).json
    assert [(row["address"], row["state"]) for row in told["invites"]] == [(FRIEND, "sent")]
