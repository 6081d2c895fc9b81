import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sources.test_rollout_history import rollout
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE
from tui.domain.ledger import Event, EventKind
from tui.domain.pauses import Pause, PauseKind
from tui.domain.reading import Reading, WindowReading
from tui.paths import resetbank_paths
from tui.store.database import Database
from tui.store.events import EventLog
from tui.store.pauses import Pauses
from tui.store.readings import Readings

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def reading(at: datetime, used: float, resets_at: datetime, **more: Any) -> str:
    windows = [{"minutes": 300, "used_percent": used, "resets_at": resets_at.isoformat()}]
    line = {
        "type": "reading",
        "at": at.isoformat(),
        "source": "turn",
        "ordinary_usage_allowed": True,
        "windows": windows,
    }
    return json.dumps(line | {"resets": {"available": 1, "credits": None}, "sessions": []} | more)


def ask(at: datetime) -> str:
    return json.dumps({"type": "ask", "at": at.isoformat()})


def climb(minutes: int, step: float = 1.0) -> Iterator[str]:
    yield '{"type":"recording","schema":1,"utc_offset_minutes":0}'
    for minute in range(minutes):
        yield reading(NINE + timedelta(minutes=minute), min(100.0, minute * step), NINE + timedelta(hours=5))


def answers(*lines: str) -> list[dict[str, Any]]:
    done = resetbank("replay", "-", "--json", stdin="\n".join(lines) + "\n")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_question_is_answered_with_forecast_advice_and_an_end() -> None:
    asked = NINE + timedelta(minutes=60, seconds=5)
    out = answers(*climb(61), ask(asked))
    assert [line["type"] for line in out] == ["forecast", "advice", "answered"]
    assert {line["at"] for line in out} == {asked.isoformat()}
    forecast = out[0]
    assert forecast["minutes"] == 300
    assert "average of this window" in forecast["basis"]
    middle = datetime.fromisoformat(forecast["limit_at"]["p50"])
    assert abs(middle - (NINE + timedelta(minutes=100))) < timedelta(minutes=10)
    assert forecast["limit_at"]["p10"] <= forecast["limit_at"]["p50"] <= forecast["limit_at"]["p90"]


def test_answers_come_while_the_input_stays_open() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "replay", "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for minute in (5, 6):
            process.stdin.write("\n".join((*climb(minute), ask(NINE + timedelta(minutes=minute)))) + "\n")
            process.stdin.flush()
            kinds: list[str] = []
            while not kinds or kinds[-1] != "answered":
                kinds.append(json.loads(process.stdout.readline())["type"])
            assert kinds.count("advice") == 1
        process.stdin.close()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_warning_bears_the_time_of_its_reading_and_comes_once_more_at_most_when_the_limit_is_close() -> None:
    lines: list[str] = ['{"type":"recording","schema":1}']
    for day in range(14):  # the same climb every morning: it is known by the second week
        start = NINE + timedelta(days=day)
        for minute in range(0, 90, 2):
            used = min(100.0, minute * 1.25)
            more = {"ordinary_usage_allowed": used < 100}
            lines.append(reading(start + timedelta(minutes=minute), used, start + timedelta(hours=5), **more))
            lines.append(ask(start + timedelta(minutes=minute, seconds=1)))
        lines.append(reading(start + timedelta(hours=6), 0, start + timedelta(hours=11)))
    warnings = [line for line in answers(*lines) if line["type"] == "warning"]
    last = [w for w in warnings if w["at"] >= (NINE + timedelta(days=13)).isoformat()]
    hit = NINE + timedelta(days=13, minutes=80)
    ahead = [hit - datetime.fromisoformat(warning["at"]) for warning in last]
    assert 1 <= len(ahead) <= 2
    assert timedelta(minutes=5) <= ahead[-1] <= ahead[0] <= timedelta(minutes=30)
    assert len(ahead) == 1 or ahead[0] - ahead[1] >= timedelta(minutes=20)


def test_lines_that_make_no_sense_are_left_out_and_said_and_counted() -> None:
    lines = [*climb(10), "{broken", '{"type":"reading","at":"never"}', ask(NINE + timedelta(minutes=10))]
    done = resetbank("replay", "-", "--json", stdin="\n".join(lines))
    assert done.code == 1
    assert done.err.splitlines() == [
        "resetbank: line 12 of standard input is left out: it is not a JSON object",
        "resetbank: line 13 of standard input is left out: its time is missing or makes no sense",
    ]
    assert [json.loads(line)["type"] for line in done.out.splitlines()] == ["forecast", "advice", "answered"]


def test_readings_out_of_order_and_of_nothing_change_nothing() -> None:
    asked = ask(NINE + timedelta(minutes=31))
    plain = answers(*climb(31), asked)
    late = reading(NINE + timedelta(minutes=3), 99, NINE + timedelta(hours=5))
    empty = reading(NINE + timedelta(minutes=30), 0, NINE, windows=[{"minutes": 300, "used_percent": None}])
    assert answers(*climb(31), late, empty, asked) == plain


def test_a_question_before_any_reading_has_an_answer() -> None:
    out = answers(ask(NINE))
    assert [(line["type"], line.get("verdict")) for line in out] == [("advice", "cannot_tell"), ("answered", None)]


def test_files_and_folders_are_played_and_say_what_is_to_be_done(tmp_path: Path) -> None:
    file = tmp_path / "monday.jsonl"
    file.write_text("\n".join(climb(61)))
    for place in (file, tmp_path):
        done = resetbank("replay", str(place))
        assert done.code == 0
        assert "2026-03-02T10:00:00+00:00" in done.out
    assert [json.loads(line)["type"] for line in resetbank("replay", str(file), "--json").out.splitlines()][
        -1
    ] == "answered"


def test_it_goes_at_the_speed_that_is_wished(tmp_path: Path) -> None:
    file = tmp_path / "monday.jsonl"
    file.write_text("\n".join(climb(3)))
    assert resetbank("replay", str(file), "--speed", "100000").code == 0
    for speed in ("0", "-1", "fast"):
        refused = resetbank("replay", str(file), "--speed", speed)
        assert refused.code == 2
        assert "a speed is a number above zero" in refused.err


@pytest.mark.parametrize("content", [None, ""])
def test_what_cannot_be_played_is_a_usage_error(tmp_path: Path, content: str | None) -> None:
    place = tmp_path if content is not None else tmp_path / "nothing.jsonl"
    done = resetbank("replay", str(place))
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_a_persons_own_past_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    for day in range(4):
        rollout(
            tmp_path,
            f"s{day}",
            None,
            count=5,
            at=NINE + timedelta(days=day, milliseconds=125),
            step=timedelta(minutes=40),
        )
    lines = resetbank("replay", str(tmp_path)).out.splitlines()
    assert all("." not in line.partition("  ")[0] for line in lines), "a time is said to the second"
    said = [line.partition("  ")[2] for line in lines]
    assert said.count("the 5-hour limit is reached") == 4
    first = next(line for line in said if "is expected" in line)
    assert first.startswith("the 5-hour limit is expected to be reached at about 2026-03-02T1")
    assert first.endswith(":00+00:00: the average of this window so far")
    assert len(lines) < 40


def test_sessions_that_show_no_limits_are_a_usage_error(tmp_path: Path) -> None:
    rollout(tmp_path, "s0", None, count=0)
    done = resetbank("replay", str(tmp_path))
    assert (done.code, done.out, "shows no limits" in done.err) == (2, "", True)


def test_advice_and_history_come_from_what_was_kept(stub: StubProcess) -> None:
    first = resetbank("advice", "--json", *over_http(stub))
    assert first.code in (0, 12)
    assert first.json["verdict"] in {
        "spend_now",
        "queue",
        "wait",
        "use_before_it_lapses",
        "nothing_to_gain",
        "cannot_tell",
    }
    assert first.json["headline"].endswith(".")
    assert [forecast["minutes"] for forecast in first.json["forecasts"]] == [300, 10080]
    text = resetbank("advice", *over_http(stub)).out.splitlines()
    assert text[0].endswith(".")
    assert all(line.startswith("  ") for line in text[1:])
    history = resetbank("history", "--json").json
    kept, happened = history["readings"], history["events"]
    assert {reading["minutes"] for reading in kept} >= {300, 10080}
    rows = resetbank("history", "--csv").out.splitlines()
    columns = "at,limit_id,minutes,used_percent,resets_at,allowed,available,source"
    assert rows[0] == f"{columns},event,until,thread_id,window,credit_id,text,before,after"
    assert len(rows) == len(kept) + len(happened) + 1
    assert len(resetbank("history").out.splitlines()) == len(kept) + len(happened)
    assert resetbank("history", "--since", "2999-01-01", "--json").json["readings"] == []
    assert resetbank("history", "--since", "soon").code == 2


def test_the_history_shows_what_happened_between_the_readings() -> None:
    at = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
    database = Database(resetbank_paths().database)
    kinds = (EventKind.LIMIT_REACHED, EventKind.PLAN_CHANGED, EventKind.WINDOW_RESET)
    texts = ("the 5-hour limit was reached", "the plan changed", "=cmd()")
    lines = [Event(at, kind, "acc1", text) for kind, text in zip(kinds, texts, strict=True)]
    kept_line = Event(at, EventKind.SPEND_CLOSED, "acc1", "nothing to reset; nothing was spent")
    EventLog(database).record([*lines, kept_line])
    stop = Pause("thread-1", PauseKind.STOPPED, at, at + timedelta(minutes=38), at + timedelta(hours=2))
    held = Pause("thread-2", PauseKind.HELD, at + timedelta(minutes=1))
    Pauses(database).save("acc1", [stop, held])
    Readings(database).save("acc1", "http", Reading(at.timestamp() + 30, (WindowReading(300, 99, None),)))
    database.close()
    events = resetbank("history", "--json").json["events"]
    assert [event["event"] for event in events] == ["limit_reached", "window_reset", "session_stopped", "session_held"]
    assert (events[2]["at"], events[2]["until"]) == ("2026-11-23T14:02:00Z", "2026-11-23T14:40:00Z")
    assert [event["thread_id"] for event in events] == [None, None, "thread-1", "thread-2"]
    assert events[3]["until"] is None
    text = resetbank("history").out.splitlines()
    assert text[0].endswith("* the 5-hour limit was reached")
    assert "a session stood at the limit, until" in text[2]
    assert text[2].endswith("(38 min)  thread-1")
    assert "99 %" in text[3]
    assert text[4].endswith("* a session was held at the limit, its end was not seen  thread-2")
    rows = list(csv.DictReader(resetbank("history", "--csv").out.splitlines()))
    assert [row["event"] or row["used_percent"] for row in rows] == [
        "limit_reached",
        "window_reset",
        "session_stopped",
        "99.0",
        "session_held",
    ]
    assert rows[1]["text"] == "'=cmd()"
    later = resetbank("history", "--since", "2026-11-23T14:30:00+00:00", "--json").json
    assert [event["event"] for event in later["events"]] == ["session_stopped"]
    assert later["readings"] == []


def test_a_history_that_is_empty_says_so() -> None:
    assert "no reading is kept yet" in resetbank("history").out
