import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui.domain.snapshot import Account
from tui.sources.rollout_history import all_readings, file_readings, past_rollouts

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACCOUNT = Account("acc1", "plus")


def rollout(
    folder: Path,
    name: str,
    account: str | None,
    plan: str | None = "plus",
    count: int = 5,
    at: datetime = NINE,
    step: timedelta = timedelta(minutes=1),
) -> Path:
    """A session's file that shows 25 points more with each step."""
    meta = {"id": name, "cwd": "/w"} | ({"creator_account_id": account} if account else {})
    lines = [{"timestamp": at.isoformat(), "type": "session_meta", "payload": meta}]
    for place in range(count):
        limits = {
            "primary": {"used_percent": place * 25.0, "window_minutes": 300, "resets_at": at.timestamp() + 18000},
            "secondary": {"used_percent": 3.0, "window_minutes": 10080, "resets_at": NINE.timestamp() + 600000},
            "plan_type": plan,
        }
        seen = (at + place * step).isoformat()
        lines.append(
            {"timestamp": seen, "type": "event_msg", "payload": {"type": "token_count", "rate_limits": limits}}
        )
    path = folder / "2026" / "03" / f"rollout-2026-03-02T09-00-00-{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return path


def test_every_request_is_a_reading_and_a_full_window_a_stop(tmp_path: Path) -> None:
    found = list(file_readings(rollout(tmp_path, "a", "acc1")))
    assert [reading.windows[0].used_percent for reading in found] == [0, 25, 50, 75, 100]
    assert [reading.at - NINE.timestamp() for reading in found] == [0, 60, 120, 180, 240]
    assert [(reading.allowed, reading.running) for reading in found[-2:]] == [(None, 1), (False, 0)]
    assert [window.minutes for window in found[0].windows] == [300, 10080]


@pytest.mark.parametrize(
    ("creator", "plan", "belongs"),
    [
        pytest.param("acc1", "pro", True, id="its own"),
        pytest.param("acc2", "plus", False, id="another account's"),
        pytest.param(None, "plus", True, id="nameless, of its plan"),
        pytest.param(None, "pro", False, id="nameless, of another plan"),
        pytest.param(None, None, False, id="nameless, without a plan"),
    ],
)
def test_rollouts_of_other_accounts_are_left_out(
    tmp_path: Path, creator: str | None, plan: str | None, belongs: bool
) -> None:
    rollout(tmp_path, "a", creator, plan)
    (file,) = past_rollouts(tmp_path, ACCOUNT, lambda *_: False)
    assert bool(file.readings) is belongs


def test_known_files_are_passed_over_and_changed_ones_read_again(tmp_path: Path) -> None:
    path = rollout(tmp_path, "a", "acc1")
    (file,) = past_rollouts(tmp_path, ACCOUNT, lambda *_: False)
    known = {(file.path, file.size, file.modified)}
    assert list(past_rollouts(tmp_path, ACCOUNT, lambda *key: key in known)) == []
    with path.open("a") as more:
        more.write("{}\n")
    assert len(list(past_rollouts(tmp_path, ACCOUNT, lambda *key: key in known))) == 1


def test_broken_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = rollout(tmp_path, "a", "acc1", count=2)
    path.write_bytes(
        b"\xff{broken\n" + path.read_bytes() + b'{"type":"event_msg","payload":{"type":"token_count"}}\n{"timest'
    )
    other = rollout(tmp_path, "b", "acc1", count=3)
    assert len(all_readings([path, other])) == 5
    assert [r.at for r in all_readings([other, path])] == sorted(r.at for r in all_readings([path, other]))
