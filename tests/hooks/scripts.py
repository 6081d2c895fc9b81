"""The hold script at work: started as Codex starts it, with the transcript and the gate that a test wants."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.waiting import DEADLINE, wait_until
from tui.clock import SystemClock
from tui.domain.hooks import GateMode, GateState
from tui.hooks.gate import Gate
from tui.hooks.scripts import packaged_script

NOW = SystemClock().now()
"""The hook reads the machine's own clock."""
SOON = NOW + timedelta(hours=3)


def quick_script(*changes: tuple[str, str]) -> str:
    """The script with a fortieth of its pause between two polls; each further change must fit."""
    text = packaged_script("hold").decode()
    for old, new in (("sleep 0.25 2>", "sleep 0.005 2>"), *changes):
        assert old in text, old
        text = text.replace(old, new)
    return text


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def meter_line(
    primary: float | None = 100.0,
    secondary: float | None = 43.0,
    *,
    at: datetime = NOW,
    resets: datetime = SOON,
    **limits: object,
) -> str:
    """One `token_count`, as Codex 0.169 writes it."""

    def window(used: float | None, minutes: int) -> object:
        if used is None:
            return None
        return {"used_percent": used, "window_minutes": minutes, "resets_at": int(resets.timestamp())}

    rate_limits = {
        "limit_id": "codex",
        "limit_name": None,
        "primary": window(primary, 300),
        "secondary": window(secondary, 10080),
        "credits": {"has_credits": False, "unlimited": False, "balance": None},
        "individual_limit": None,
        "spend_control_reached": None,
        "plan_type": None,
        "rate_limit_reached_type": None,
    }
    info = {"total_token_usage": {"input_tokens": 4800, "total_tokens": 4880}, "model_context_window": 258400}
    payload = {"type": "token_count", "info": info, "rate_limits": rate_limits | limits}
    return compact({"timestamp": stamp(at), "ordinal": 27, "type": "event_msg", "payload": payload})


def talk(size: int, text: str = "x") -> str:
    """A line of conversation of so many bytes, with words in it that look like a meter."""
    payload = {"type": "message", "content": text * size, "quoted": meter_line()}
    return compact({"timestamp": stamp(NOW), "ordinal": 3, "type": "response_item", "payload": payload})


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class FileClock:
    """The hook's clock: a file in place of `date`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.say(int(NOW.timestamp()))

    @property
    def change(self) -> tuple[str, str]:
        return "$(date +%s)", f'$(cat "{self._path}")'

    def say(self, what: object) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(f"{what}\n")
        new.replace(self._path)


@dataclass
class HeldHook:
    process: subprocess.Popen[str]

    def result(self) -> tuple[int, str, str]:
        """Its code, its output without the blank lines by which it feels whether anybody listens, and its word."""
        output, word = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, output.strip(), word.strip()

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=DEADLINE)


@dataclass
class Workbench:
    folder: Path
    gate: Gate
    shell: list[str] = field(default_factory=lambda: ["dash"])
    started: list[HeldHook] = field(default_factory=list)
    changes: tuple[tuple[str, str], ...] = ()
    beats: int = 0

    def say(self, mode: GateMode = GateMode.CLOSED, *, alive: bool = True, **fields: object) -> None:
        """Let the keeper speak, and live."""
        known: dict[str, object] = {"account": "acc1", "providers": ("openai", "sandbox"), "default_provider": True}
        self.gate.write(GateState(mode, **(known | fields)))  # type: ignore[arg-type]
        if alive:
            self.beat()

    def beat(self) -> None:
        self.beats += 1
        self.gate.beat(self.beats)

    def transcript(
        self, *lines: str, account: str | None = "acc1", provider: str | None = "sandbox", name: str = "rollout.jsonl"
    ) -> Path:
        meta = {
            "creator_user_id": "user-1",
            "creator_account_id": account,
            "session_id": "thread-1",
            "model_provider": provider,
            "base_instructions": {"text": "You are Codex. " * 1500},
        }
        first = {"timestamp": stamp(NOW), "ordinal": 0, "type": "session_meta", "payload": meta}
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in (compact(first), *lines)))
        return path

    def start(self, transcript: Path | str | None = None, stdin: str | None = None, **fields: str | None) -> HeldHook:
        script = self.folder / "hold.sh"
        text = quick_script(*self.changes)
        if not script.exists() or script.read_text() != text:  # a shell reads on in the file that it runs
            script.write_text(text)
        request = {
            "session_id": "thread-1",
            "turn_id": "turn-1",
            "cwd": "/work/api",
            "transcript_path": None if transcript is None else str(transcript),
            "model": "gpt-5.5",
            "hook_event_name": "PreModelRequest",
        }
        process = subprocess.Popen(
            [*self.shell, str(script), str(self.gate.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdin
        with process.stdin:
            process.stdin.write(compact(request | fields) if stdin is None else stdin)
        process.stdin = None
        hook = HeldHook(process)
        self.started.append(hook)
        return hook

    def hold(self, transcript: Path | str | None = None, **fields: str | None) -> HeldHook:
        """Start one that is held; the keeper beats until it is seen."""
        hook = self.start(transcript, None, **fields)

        def held() -> bool:
            self.beat()
            assert hook.process.poll() is None, hook.result()
            return any(waiter.pid == hook.process.pid for waiter in self.gate.waiters())

        wait_until(held)
        return hook

    def outlive(self, hook: HeldHook) -> None:
        """Live on until it is let go."""

        def gone() -> bool:
            self.beat()
            return hook.process.poll() is not None

        wait_until(gone)

    def keep(self, hook: HeldHook, polls: int = 30) -> None:
        """Live on for a while, and see that the request is held all along."""
        for _ in range(polls):
            self.beat()
            assert hook.process.poll() is None, hook.result()
            subprocess.run(["sleep", "0.005"], check=True)  # the hook's own pause; nothing is measured by it
