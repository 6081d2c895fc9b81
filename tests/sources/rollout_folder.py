"""A sessions folder as Codex writes it."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.clocks import START

LIMITS = {"limit_id": "codex", "primary": {"used_percent": 70.0, "window_minutes": 300, "resets_at": 1795472862}}
LIMIT_ERROR = {"message": "You’ve hit your usage limit.", "codex_error_info": "usage_limit_exceeded"}


def line(kind: str, at: datetime = START, **payload: Any) -> bytes:
    body = {"timestamp": at.isoformat(), "type": kind, "payload": payload}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def event(kind: str, at: datetime = START, **payload: Any) -> bytes:
    return line("event_msg", at, type=kind, **payload)


def started(at: datetime = START) -> bytes:
    return event("task_started", at)


def done(at: datetime = START) -> bytes:
    return event("task_complete", at, last_agent_message="done")


def limit_hit(at: datetime = START) -> bytes:
    return event("task_complete", at, last_agent_message=None, error=LIMIT_ERROR)


def metered(at: datetime = START, used: float = 70.0, total: int = 1000) -> bytes:
    limits = LIMITS | {"primary": {"used_percent": used, "window_minutes": 300, "resets_at": 1795472862}}
    usage = {"total_token_usage": {"total_tokens": total}, "last_token_usage": {"total_tokens": total}}
    return event("token_count", at, info=usage, rate_limits=limits)


def talk(size: int = 200) -> bytes:
    return line("response_item", type="message", content=[{"type": "output_text", "text": "x" * size}])


class Rollout:
    """One rollout being written."""

    def __init__(self, home: Path, number: int = 1, day: datetime = START) -> None:
        self.thread = str(UUID(int=number))
        name = f"rollout-{day:%Y-%m-%dT%H-%M-%S}-{self.thread}.jsonl"
        self.path = home / "sessions" / f"{day:%Y/%m/%d}" / name
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.modified_at = day

    def meta(self, at: datetime = START, **more: Any) -> bytes:
        about = {"id": self.thread, "cwd": "/w/api", "originator": "codex_exec", "cli_version": "0.163.0"}
        return line("session_meta", at, **about, base_instructions={"text": "y" * 20_000}, **more)

    def write(self, *lines: bytes) -> "Rollout":
        """Append whole or half lines."""
        with self.path.open("ab") as file:
            file.write(b"".join(lines))
        self.date(self.modified_at)
        return self

    def date(self, at: datetime) -> "Rollout":
        self.modified_at = at
        os.utime(self.path, (at.timestamp(), at.timestamp()))
        return self


def old_rollouts(home: Path, count: int, size: int = 512 << 10) -> None:
    """Sparse files of so many bytes each, 25 a day, the youngest ten days old."""
    for number in range(count):
        day = START - timedelta(days=10 + number // 25)
        rollout = Rollout(home, 1_000_000 + number, day).write(b"{}\n")
        os.truncate(rollout.path, size)
        rollout.date(day)
