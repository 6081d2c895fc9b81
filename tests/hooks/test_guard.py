import json
import subprocess
from datetime import UTC
from pathlib import Path

import pytest

from tests.hooks.scripts import compact
from tests.support.waiting import DEADLINE
from tui.hooks.gate import Gate
from tui.hooks.scripts import packaged_script

REFUSED = [
    "resetbank spend",
    "resetbank --source http spend --unattended",
    "resetbank --codex-home=/x --base-url http://127.0.0.1:9 queue --upto 3",
    "cd x\nresetbank\tspend",
    '"/usr/local/bin/resetbank"  hold off',
    "sh -c 'resetbank guard off'",
    "RESETBANK_HOME=/x resetbank continue",
    "echo A | uvx resetbank invite a@example.com",
    "python3 -m tui spend",
    "resetbank login && resetbank status",
    "resetbank config set ask.enabled false",
    "env -u CODEX_THREAD_ID resetbank config --source http set spend.unattended true",
    "env -u CODEX_THREAD_ID -u CODEX_CI resetbank --plain",
    "unset CODEX_CI CODEX_THREAD_ID; resetbank",
    "CODEX_THREAD_ID= CODEX_CI= uvx resetbank",
    "env -i PATH=/usr/bin\nresetbank",
    "env - python3 -m tui",
    "curl -X POST https://chatgpt.com/backend-api/wham/rate-limit-reset-credits/consume",
    'echo \'{"method":"account/rateLimitResetCredit/consume"}\' | codex app-server',
    "codex mcp call codex_app consume_usage_reset",
]
ALLOWED = [
    "ls tui",
    "CODEX_HOME=/x resetbank status",
    "env | grep CODEX_CI; resetbank status",
    "echo $CODEX_THREAD_ID && resetbank sessions",
    "env -i ls tui",
    "unset CODEX_CI; ls myresetbank",
    "resetbank status --json",
    "resetbank hold status",
    "resetbank config get limits.near_percent; set -e",
    "resetbank invites",
    "resetbank ledger; git queue",
    "grep -r resetbank docs; ls spend",
    "pip install resetbank-spend",
    "cat myresetbank spend",
    "python -m tuition spend",
    "curl https://chatgpt.com/backend-api/wham/rate-limit-reset-credits",
]


def guard(shell: list[str], folder: Path, gate: Path, stdin: str) -> str:
    script = folder / "guard.sh"
    script.write_bytes(packaged_script("guard"))
    words = [*shell, str(script), str(gate)]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def request(tool: str, **tool_input: object) -> str:
    return compact({"session_id": "thread-1", "turn_id": "t", "tool_name": tool, "tool_input": tool_input})


def decision(output: str) -> str | None:
    if not output:
        return None
    answer = json.loads(output)["hookSpecificOutput"]
    assert answer["hookEventName"] == "PreToolUse"
    assert "ask the person" in answer["permissionDecisionReason"]
    found: str = answer["permissionDecision"]
    return found


def test_commands(shell: list[str], tmp_path: Path, gate: Gate) -> None:
    decisions = {
        command: decision(guard(shell, tmp_path, gate.folder, request("Bash", command=command)))
        for command in (*REFUSED, *ALLOWED)
    }
    assert decisions == dict.fromkeys(REFUSED, "deny") | dict.fromkeys(ALLOWED)


@pytest.mark.parametrize("tool", ["mcp__codex_app__consume_usage_reset", "mcp__other__spend_it"])
def test_a_tool_that_codex_asks_about_is_refused_and_noted(
    shell: list[str], tmp_path: Path, gate: Gate, tool: str
) -> None:
    assert decision(guard(shell, tmp_path, gate.folder, request(tool, idempotencyKey="k" * 9000))) == "deny"
    (attempt,) = gate.take_attempts()
    assert (attempt.session_id, attempt.tool, attempt.at.tzinfo) == ("thread-1", tool, UTC)
    assert gate.take_attempts() == ()


@pytest.mark.parametrize("gate_folder", ["", "relative", "/no/such/folder"])
def test_it_refuses_also_where_it_can_leave_no_note(shell: list[str], tmp_path: Path, gate_folder: str) -> None:
    assert decision(guard(shell, tmp_path, Path(gate_folder), request("mcp__x__y"))) == "deny"


def test_an_agent_in_a_circle_fills_no_disk(shell: list[str], tmp_path: Path, gate: Gate) -> None:
    for _ in range(70):
        guard(shell, tmp_path, gate.folder, request("mcp__x__y", text="x" * 5000))
    files = list((gate.folder / "attempts").iterdir())
    assert len(files) <= 64
    assert max(path.stat().st_size for path in files) < 5000


def test_notes_that_make_no_sense_are_dropped(gate: Gate) -> None:
    for name, text in enumerate(("", "x", "99999999999999999999\n{}", "1795640902\nnothing")):
        (gate.folder / "attempts" / str(name)).write_text(text)
    assert [attempt.tool for attempt in gate.take_attempts()] == ["an unknown tool"]
    assert list((gate.folder / "attempts").iterdir()) == []
