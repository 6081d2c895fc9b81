import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.hooks.scripts import NOW, SOON, FileClock, Workbench, compact, meter_line, stamp, talk
from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.domain.hooks import GateMode
from tui.hooks.gate import Gate, gate_folder, process_start

GONE = (0, "", "")


def test_held_while_closed_and_let_go_with_a_word(bench: Workbench, shell: list[str], gate: Gate) -> None:
    bench.shell = shell
    bench.say(resets_at=SOON)
    hook = bench.hold(bench.transcript(meter_line(40)))
    (waiter,) = gate.waiters()
    assert (waiter.pid, waiter.session_id, waiter.turn_id, waiter.workspace, waiter.agent_id, waiter.compaction) == (
        hook.process.pid,
        "thread-1",
        "turn-1",
        "/work/api",
        None,
        False,
    )
    bench.keep(hook)
    bench.say(GateMode.OPEN, open_since=NOW, note="one reset was spent; the request goes on")
    assert hook.result() == (0, "", "resetbank: one reset was spent; the request goes on")
    assert gate.waiters() == ()
    assert list((gate.folder / "waiting").iterdir()) == []


@pytest.mark.parametrize("mode", [GateMode.OPEN, GateMode.PASS])
def test_nothing_to_hold(bench: Workbench, shell: list[str], mode: GateMode) -> None:
    bench.shell = shell
    bench.say(mode)
    assert bench.start(bench.transcript(meter_line(99.9))).result() == GONE


def test_a_full_meter_of_its_own_is_held_while_the_gate_is_open(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    bench.say(GateMode.OPEN, open_since=NOW - timedelta(hours=1))
    for line in (meter_line(100.0), meter_line(3.0, 100.0), meter_line(None, 104.5), meter_line(100)):
        hook = bench.hold(bench.transcript(talk(1000), line, talk(200_000)))
        bench.keep(hook, 30)
        hook.end()


def test_words_about_a_low_meter_hide_no_full_one(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    bench.say(GateMode.OPEN)
    words = compact({"timestamp": stamp(NOW), "type": "response_item", "payload": {"text": meter_line(3.0) * 100}})
    hook = bench.hold(bench.transcript(meter_line(), words))
    bench.keep(hook)


def test_a_meter_older_than_the_opening_holds_nothing(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    full = bench.transcript(meter_line(at=NOW - timedelta(seconds=2)))
    bench.say(GateMode.OPEN, open_since=NOW - timedelta(seconds=1))
    assert bench.start(full).result() == GONE
    bench.gate.end()
    assert bench.start(full).result() == GONE


def test_a_new_opening_lets_a_full_meter_go(bench: Workbench) -> None:
    bench.say(GateMode.OPEN, open_since=NOW - timedelta(seconds=1))
    hook = bench.hold(bench.transcript(meter_line(at=NOW)))
    bench.say(GateMode.OPEN, open_since=NOW + timedelta(milliseconds=5), note="there is room again")
    assert hook.result() == (0, "", "resetbank: there is room again")


CREDITS = {"has_credits": True, "unlimited": False, "balance": "20"}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [meter_line(resets=NOW - timedelta(minutes=1))],
        [meter_line(), meter_line(12.0)],
        [meter_line(), talk(300_000)],
        [meter_line(limit_id="codex_bengalfox")],
        [meter_line(credits=CREDITS)],
        [meter_line(credits={"has_credits": False, "unlimited": True, "balance": None})],
        [meter_line(spend_control_reached=True)],
        [meter_line(rate_limit_reached_type="workspace_member_credits_depleted")],
        [meter_line(rate_limit_reached_type={"type": "workspace_member_credits_depleted"})],
        [meter_line(primary=None, secondary=None)],
        [meter_line().replace('"used_percent":100.0', '"used_percent":"100"')],
        [meter_line().replace('"resets_at":', '"resets_in":')],
        [meter_line()[:-20]],
        [compact({"timestamp": "2026-11-25T17:55:56.114Z", "type": "event_msg", "payload": {"type": "token_count"}})],
        [meter_line(), '{"timestamp":"x","type":"event_msg","payload":{"type":"token_count","rate_limits":null}}'],
        [meter_line().replace(f"{NOW:%Y-%m-%d}", "2026-1-1")],
    ],
)
def test_what_does_not_say_full_is_not_held(bench: Workbench, shell: list[str], lines: list[str]) -> None:
    bench.shell = shell
    bench.say(GateMode.OPEN, open_since=NOW - timedelta(hours=1))
    assert bench.start(bench.transcript(*lines)).result() == GONE


def test_an_old_codex_names_no_limit(bench: Workbench) -> None:
    bench.say(GateMode.OPEN)
    bench.hold(bench.transcript(meter_line(limit_id=None)))


def test_credits_are_held_back_where_the_person_wants_that(bench: Workbench) -> None:
    bench.say(GateMode.OPEN, before_credits=True)
    bench.hold(bench.transcript(meter_line(credits=CREDITS)))


@pytest.mark.parametrize(
    ("account", "provider"), [("acc2", "sandbox"), (None, "sandbox"), ("acc1", "ollama"), ("acc1", None)]
)
def test_whose_plan_it_is_must_be_known(bench: Workbench, shell: list[str], account: str, provider: str) -> None:
    bench.shell = shell
    for mode in (GateMode.CLOSED, GateMode.WAIT, GateMode.OPEN):
        bench.say(mode, resets_at=SOON)
        assert bench.start(bench.transcript(meter_line(), account=account, provider=provider)).result() == GONE


def test_without_a_transcript_the_gate_alone_decides(bench: Workbench, shell: list[str], tmp_path: Path) -> None:
    bench.shell = shell
    places = (None, tmp_path / "compressed", "relative", tmp_path, "/dev/zero")
    for place in places:
        bench.say(GateMode.CLOSED)
        bench.hold(place).end()
        bench.say(GateMode.CLOSED, default_provider=False)
        assert bench.start(place).result() == GONE
        bench.say(GateMode.OPEN)
        assert bench.start(place).result() == GONE
    bench.say(GateMode.CLOSED, account=None)
    assert bench.start(None).result() == GONE


@pytest.mark.parametrize(
    "stdin", ["", "\n", "{", "null", '{"transcript_path":"/a\\"b"}', '{"session_id":"../../x"}' * 3]
)
def test_whatever_comes_as_stdin_becomes_no_path(bench: Workbench, shell: list[str], stdin: str, gate: Gate) -> None:
    bench.shell = shell
    before = sorted(gate.folder.parent.rglob("*"))
    bench.say(GateMode.OPEN)
    assert bench.start(stdin=stdin).result() == GONE
    bench.say(GateMode.CLOSED)
    hook = bench.start(stdin=stdin)
    named = gate.folder / "waiting" / str(hook.process.pid)
    wait_until(named.exists)
    new = set(gate.folder.parent.rglob("*")) - set(before)
    assert {path.name for path in new} <= {"gate", "heartbeat", "hold.sh", named.name}
    gate.end()
    assert hook.result()[0] == 0


def test_no_keeper_means_no_hold(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    full = bench.transcript(meter_line())
    for mode in (GateMode.OPEN, GateMode.CLOSED, GateMode.PASS):
        bench.say(mode, alive=False)
        assert bench.start(full).result() == GONE


def test_a_dead_keeper_is_noticed_once(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    bench.say(GateMode.CLOSED)
    full = bench.transcript(meter_line())
    assert bench.start(full).result() == (0, "", "resetbank: resetbank does not answer; the request goes on")
    assert bench.start(full).result() == GONE


def test_a_keeper_that_ends_lets_go_at_once(bench: Workbench) -> None:
    bench.say(GateMode.CLOSED)
    hook = bench.hold()
    bench.gate.end()
    assert hook.result() == (0, "", "resetbank: no resetbank runs any more; the request goes on")


def test_the_last_word_of_a_keeper_that_ends_is_heard(bench: Workbench, shell: list[str]) -> None:
    bench.shell = shell
    bench.say(GateMode.CLOSED)
    hooks = [bench.hold() for _ in range(4)]
    bench.say(GateMode.OPEN, open_since=NOW, note="one reset was spent; the request goes on")
    bench.gate.end()
    assert {hook.result() for hook in hooks} == {(0, "", "resetbank: one reset was spent; the request goes on")}


def test_no_clock_decides_whether_the_keeper_lives(bench: Workbench, shell: list[str], tmp_path: Path) -> None:
    """Keeper and hook are stopped for an hour, as on a machine that sleeps; then both go on."""
    bench.shell = shell
    clock = FileClock(tmp_path / "clock")
    bench.changes = (clock.change,)
    bench.say(GateMode.CLOSED, resets_at=SOON)
    hook = bench.hold()
    os.killpg(hook.process.pid, signal.SIGSTOP)
    clock.say(int(NOW.timestamp()) + 3600)
    os.killpg(hook.process.pid, signal.SIGCONT)
    bench.keep(hook)
    clock.say(int(SOON.timestamp()) + 31)
    bench.outlive(hook)
    assert hook.result() == (0, "", "resetbank: the limit should have reset by now; the request goes on")


def test_wait_needs_no_keeper_and_ends_after_the_reset(bench: Workbench, shell: list[str], tmp_path: Path) -> None:
    bench.shell = shell
    clock = FileClock(tmp_path / "clock")
    bench.changes = (clock.change,)
    bench.say(GateMode.WAIT, alive=False, resets_at=SOON)
    hook = bench.hold(bench.transcript(meter_line(40)))
    bench.gate.end()
    clock.say(int(SOON.timestamp()) - 60)  # not nearer: on a busy machine the hook may only now count its polls
    for _ in range(30):
        assert hook.process.poll() is None, hook.result()
        subprocess.run(["sleep", "0.005"], check=True)
    clock.say(int(SOON.timestamp()) + 30)
    assert hook.result()[2] == "resetbank: the limit should have reset by now; the request goes on"


def test_a_clock_that_stands_or_lies_holds_nobody_for_ever(bench: Workbench, shell: list[str], tmp_path: Path) -> None:
    bench.shell = shell
    clock = FileClock(tmp_path / "clock")
    bench.changes = (clock.change, ("LONGEST=691200", "LONGEST=5"), ("CAP=21600", "CAP=5"))
    for said in (0, int(NOW.timestamp())):
        clock.say(said)
        for mode in (GateMode.WAIT, GateMode.CLOSED):
            bench.say(mode, resets_at=SOON)
            hook = bench.hold()
            bench.outlive(hook)
            assert hook.result()[2] == "resetbank: held for as long as it may be; the request goes on"
    clock.say("no date")
    bench.say(GateMode.CLOSED, resets_at=SOON)
    assert bench.start().result()[2] == "resetbank: held no longer: the date is unknown"


def test_a_reset_behind_us_holds_nothing(bench: Workbench) -> None:
    bench.say(GateMode.CLOSED, resets_at=NOW - timedelta(minutes=1))
    assert bench.start().result()[0] == 0


@pytest.mark.parametrize("what", ["gate", "folder", "waiting", "waiter"])
def test_a_deleted_gate_lets_go(bench: Workbench, what: str, gate: Gate) -> None:
    bench.say()
    hook = bench.hold()
    if what == "gate":
        (gate.folder / "gate").unlink()
    elif what == "folder":
        gate.folder.rename(gate.folder.with_name("elsewhere"))
    elif what == "waiting":
        (gate.folder / "waiting").rename(gate.folder / "other")
    else:
        (gate.folder / "waiting" / str(hook.process.pid)).unlink()
    assert hook.result()[0] == 0


def test_who_cannot_be_seen_is_not_held(bench: Workbench, shell: list[str], gate: Gate) -> None:
    """Nothing can be written there, as on a full disk."""
    bench.shell = shell
    bench.say()
    (gate.folder / "waiting").rmdir()
    (gate.folder / "waiting").symlink_to("/dev/full")
    assert bench.start().result() == GONE


@pytest.mark.parametrize(
    "text", ["", "state", "state closed", "\0\0", "state open\nsince x\n", "state Closed\naccount acc1\n"]
)
def test_a_gate_that_makes_no_sense_holds_nothing(bench: Workbench, shell: list[str], text: str, gate: Gate) -> None:
    bench.shell = shell
    bench.say()
    (gate.folder / "gate").write_text(text)
    assert bench.start().result() == GONE
    assert bench.start(stdin="{}").result()[0] == 0


@pytest.mark.parametrize("arguments", [[], [""], ["relative"], ["/no/such/folder"]])
def test_a_wrong_call_holds_nothing(bench: Workbench, shell: list[str], arguments: list[str]) -> None:
    bench.start().end()
    words = [*shell, str(bench.folder / "hold.sh"), *arguments]
    done = subprocess.run(words, input="{}", capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_orphan_notices_that_nobody_reads_its_output(bench: Workbench, shell: list[str], gate: Gate) -> None:
    bench.shell = shell
    bench.say()
    hook = bench.hold()
    assert hook.process.stdout
    hook.process.stdout.close()
    bench.outlive(hook)
    assert hook.process.returncode == 0
    assert gate.waiters() == ()


def test_a_killed_hook_is_gone_at_once_and_its_pid_stands_for_nobody_else(bench: Workbench, gate: Gate) -> None:
    bench.say()
    hook = bench.hold()
    path = gate.folder / "waiting" / str(hook.process.pid)
    kept = path.read_bytes()
    hook.end()
    assert gate.waiters() == ()
    assert not path.exists()
    own = gate.folder / "waiting" / str(os.getpid())
    own.write_bytes(kept.replace(str(hook.process.pid).encode(), str(os.getpid()).encode(), 1))
    assert gate.waiters() == ()


def test_a_signal_takes_the_waiter_along(bench: Workbench, shell: list[str], gate: Gate) -> None:
    bench.shell = shell
    bench.say()
    hook = bench.hold()
    hook.process.send_signal(signal.SIGTERM)
    assert hook.result() == GONE
    assert list((gate.folder / "waiting").iterdir()) == []


def test_subagents_and_compaction_are_told_apart(bench: Workbench, gate: Gate) -> None:
    bench.say()
    bench.hold(hook_event_name="PreCompact", session_id="root", agent_id="child", turn_id=None)
    (waiter,) = gate.waiters()
    assert (waiter.session_id, waiter.agent_id, waiter.turn_id, waiter.compaction) == ("root", "child", None, True)


def test_a_waiter_file_of_anybody_elses_making_is_dropped(gate: Gate) -> None:
    pid, start = os.getpid(), process_start(os.getpid())
    bad = [b"", b"\n\n", f"{pid} x\n{start}\n{{}}".encode(), f"{pid} 1\n{start}\n{{}}".encode(), b"\xff" * 99]
    for content in bad:
        (gate.folder / "waiting" / str(pid)).write_bytes(content)
        assert gate.waiters() == ()
    good = f'{pid} 1795640902\n{start}\n{{"session_id":"s\\u001b[31m","cwd":3}}'
    (gate.folder / "waiting" / str(pid)).write_text(good)
    (waiter,) = gate.waiters()
    assert (waiter.session_id, waiter.workspace) == ("s[31m", None)


def test_a_spend_by_command_lets_go_what_waits_without_a_keeper(
    bench: Workbench, stub: StubProcess, tmp_path: Path
) -> None:
    """The person chose to wait and closed the screen; then a reset is spent on the command line."""
    allow_unattended()
    home = Path(os.environ["RESETBANK_HOME"])
    bench.gate = Gate(gate_folder(home / "gates", stub.codex_home))
    bench.gate.make()
    stub.set_usage("five_hour", 100)
    bench.say(GateMode.WAIT, alive=False, resets_at=SOON, open_since=NOW - timedelta(hours=1))
    hook = bench.hold(bench.transcript(meter_line()))
    bench.gate.end()
    done = resetbank("spend", "--unattended", *over_http(stub))
    assert done.code == 0, done.err
    assert hook.result() == (0, "", "resetbank: one reset was spent; the request goes on")
