"""Rollouts of every shape, cut anywhere, to sightings."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clocks import START
from tui.domain.sessions import SessionState, SessionUpdate
from tui.wire.rollout import LONGEST_LINE, decode_line, relevant_lines
from tui.wire.rollout_reader import RolloutReader, condense

THREAD = "01a209d5-78f5-79d2-85f6-42b6a69e0c7d"
RUNNING, IDLE, LIMIT = SessionState.RUNNING, SessionState.IDLE, SessionState.STOPPED_AT_LIMIT
ERROR = SessionState.STOPPED_BY_ERROR


def line(seconds: float, kind: str, **payload: Any) -> bytes:
    at = (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"timestamp": at, "ordinal": int(seconds), "type": kind, "payload": payload}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def event(seconds: float, kind: str, **payload: Any) -> bytes:
    return line(seconds, "event_msg", **({"type": kind} | payload))


META = line(
    0,
    "session_meta",
    id=THREAD,
    session_id=THREAD,
    cwd="/w/api’s",
    originator="codex_exec",
    cli_version="0.163.0",
    source="exec",
    base_instructions={"text": 'says "task_complete" and "event_msg" \n' * 50},
)
CONTEXT = line(1, "turn_context", turn_id="t", cwd="/w/api’s", model="gpt-5.5")
TALK = line(
    2, "response_item", type="message", content=[{"text": '{"type":"event_msg","payload":{"type":"task_complete"}}'}]
)
LIMITS = {
    "limit_id": "codex",
    "limit_name": None,
    "primary": {"used_percent": 70.0, "window_minutes": 300, "resets_at": 1795472862},
    "secondary": {"used_percent": 9.0, "window_minutes": 10080, "resets_at": 1795784862},
    "credits": {"has_credits": False, "unlimited": False, "balance": "0"},
    "individual_limit": None,
    "plan_type": "plus",
    "rate_limit_reached_type": None,
}


def tokens(seconds: float, total: int | None, last: int = 0, **limits: Any) -> bytes:
    usage = {"total_token_usage": {"total_tokens": total}, "last_token_usage": {"total_tokens": last}}
    info = None if total is None else usage
    return event(seconds, "token_count", info=info, rate_limits=LIMITS | limits if limits != {"none": 1} else None)


def end(seconds: float, **payload: Any) -> bytes:
    return event(seconds, "task_complete", **({"turn_id": "t", "last_agent_message": None} | payload))


def limit_error(message: str = "You’ve hit your usage limit.", code: Any = "usage_limit_exceeded") -> dict[str, Any]:
    return {"message": message, "codex_error_info": code}


START_TURN = event(1, "task_started", turn_id="t")
TURN = META + START_TURN + CONTEXT + TALK + tokens(3, 1220, 1220) + end(4, last_agent_message="done")
STOP = event(10, "task_started") + tokens(11, None, primary=None) + end(12, error=limit_error())


def read(*pieces: bytes) -> list[SessionUpdate]:
    reader = RolloutReader(THREAD, "/r")
    return [update for piece in pieces for update in reader.feed(piece, START)]


def last_state(*pieces: bytes) -> SessionState | None:
    return condense(read(*pieces))[0].state


def test_a_turn() -> None:
    opened, started, context, metered, ended = read(TURN)
    assert (opened.state, opened.workspace, opened.thread_id, opened.rollout_path) == (IDLE, "/w/api’s", THREAD, "/r")
    assert (started.state, started.seen_at) == (RUNNING, START + timedelta(seconds=1))
    assert (context.model, context.workspace, context.state) == ("gpt-5.5", "/w/api’s", None)
    assert metered.plan == "plus"
    assert [(w.minutes, w.used_percent) for w in metered.limits[0].windows] == [(300, 70.0), (10080, 9.0)]
    assert ended.state is IDLE
    assert [update.order for update in (opened, ended)] == [0, TURN.index(end(4, last_agent_message="done"))]


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        (end(4, error=limit_error()), LIMIT),
        (end(4, error=limit_error("Error running remote compact task: You've hit your usage limit.")), LIMIT),
        (end(4, error=limit_error(code={"usage_limit_exceeded": {}})), LIMIT),
        (end(4, error=limit_error(code="usageLimitExceeded")), LIMIT),
        (end(4, error=limit_error("You've hit your usage limit.", "server_overloaded")), ERROR),
        (end(4, error=limit_error("You've hit your usage limit.", None)), ERROR),
        (end(4, error=limit_error("Quota exceeded. Check your plan and billing details.")), ERROR),
        (end(4, error=limit_error("You've hit your usage limit for GPT-5.3-Codex-Spark. Switch now.")), ERROR),
        (end(4, error=limit_error("To use Codex with your ChatGPT plan, upgrade to Plus")), ERROR),
        (end(4, error="odd"), ERROR),
        (end(4, error=None, last_agent_message="done"), IDLE),
        (end(4), IDLE),
        (event(4, "turn_complete", error=limit_error()), LIMIT),
        (event(4, "turn_aborted", reason="interrupted"), IDLE),
        (event(3, "error", codex_error_info="usage_limit_exceeded"), LIMIT),
        (event(3, "error", codex_error_info="usage_limit_exceeded") + end(4), LIMIT),
        (event(3, "error", codex_error_info="other"), RUNNING),
        (tokens(3, None, primary={"used_percent": 100, "window_minutes": 300}) + end(4), LIMIT),
        (tokens(3, None, primary={"used_percent": 99.4, "window_minutes": 300}) + end(4), LIMIT),
        (tokens(3, None, rate_limit_reached_type="primary") + end(4), LIMIT),
        (tokens(3, 5, primary={"used_percent": 100, "window_minutes": 300}) + end(4, last_agent_message="x"), IDLE),
        (tokens(3, None, limit_id="codex_x", primary={"used_percent": 100, "window_minutes": 300}) + end(4), IDLE),
        (tokens(3, None, primary={"used_percent": 100, "window_minutes": 300}) + event(4, "turn_aborted"), IDLE),
    ],
)
def test_how_a_turn_ends(stop: bytes, state: SessionState) -> None:
    assert last_state(META, START_TURN, stop) is state


def test_the_alias_of_a_turn_s_begin() -> None:
    assert last_state(META, event(1, "turn_started")) is RUNNING


def test_it_runs_again_after_a_limit() -> None:
    assert last_state(TURN, STOP) is LIMIT
    assert last_state(TURN, STOP, event(20, "task_started")) is RUNNING
    assert last_state(TURN, STOP, event(20, "task_started"), end(21)) is IDLE


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"none": 1}, []),
        ({"limit_id": None}, [("codex", 70.0), ("codex", 9.0)]),
        ({"secondary": None, "primary": {"used_percent": 9.0, "window_minutes": 10080}}, [("codex", 9.0)]),
        ({"limit_id": "codex_bengalfox"}, [("codex_bengalfox", 70.0), ("codex_bengalfox", 9.0)]),
        ({"primary": "odd", "secondary": {"used_percent": "odd", "window_minutes": 300}}, [("codex", None)]),
        ({"primary": None, "secondary": None}, []),
    ],
)
def test_rate_limits_of_all_shapes(limits: dict[str, Any], found: list[tuple[str, float | None]]) -> None:
    (update,) = read(tokens(1, 5, **limits))
    windows = [window for limit in update.limits for window in limit.windows]
    assert [(window.limit_id, window.used_percent) for window in windows] == found


def test_an_old_reset_time_counts_from_its_line() -> None:
    (update,) = read(tokens(60, 5, primary={"used_percent": 1, "window_minutes": 300, "resets_in_seconds": 40}))
    assert update.limits[0].windows[0].resets_at == START + timedelta(seconds=100)


def test_old_metadata_is_nested() -> None:
    meta = {"id": THREAD, "cwd": "/w", "originator": "codex_cli_rs", "cli_version": "0.40.0"}
    assert read(line(0, "session_meta", meta=meta, git=None))[0].workspace == "/w"


def test_a_fork_repeats_its_parent_s_first_line() -> None:
    parent = META.replace(THREAD.encode(), b"01a209d5-0000-79d2-85f6-42b6a69e0c7d").replace(b"/w/", b"/parent/")
    assert [update.workspace for update in read(META, parent)] == ["/w/api’s"]


def test_a_fork_does_not_have_its_parent_s_stop() -> None:
    """In the legacy history mode Codex copies the parent's lines, with the moment of copying, into the fork."""
    begun = int((START + timedelta(seconds=100)).timestamp())
    fork = line(100, "session_meta", id=THREAD, forked_from_id="p", timestamp=begun + 0.3, cwd="/fork")
    old = {"started_at": begun - 90}
    copy = event(100.4, "task_started", **old) + tokens(100.4, 5, primary={"used_percent": 100, "window_minutes": 300})
    copy += end(100.4, error=limit_error(), **old)
    told = read(fork + copy)
    assert [(update.state, update.limits) for update in told] == [(IDLE, ())]
    assert last_state(fork, copy, event(101, "task_started", started_at=begun + 1)) is RUNNING
    stop = tokens(103, 9, primary={"used_percent": 100, "window_minutes": 300}) + end(104, error=limit_error())
    own = read(fork, copy, event(102, "task_started"), stop)
    assert [update.state for update in own] == [IDLE, RUNNING, None, LIMIT]
    assert own[2].limits[0].windows[0].used_percent == 100
    paginated = fork.replace(b'"cwd"', b'"history_mode":"paginated","cwd"')
    assert last_state(paginated, event(100.4, "task_started")) is RUNNING


def test_names() -> None:
    item = {"type": "UserMessage", "content": [{"type": "text", "text": "fix  the\nlogin " + "x" * 90}]}
    said = event(3, "item_completed", item=item) + event(4, "user_message", message="and more")
    other = event(3, "item_completed", item={"type": "AgentMessage", "content": [{"text": "hello"}]})
    (named,) = [update for update in read(META, START_TURN, other, said) if update.first_message]
    assert named.first_message is not None
    assert named.first_message.startswith("fix the login xxx")
    assert len(named.first_message) <= 80
    assert read(event(3, "user_message", message="hello"))[0].first_message == "hello"
    assert read(event(3, "thread_name_updated", thread_name="The login"))[0].title == "The login"


@pytest.mark.parametrize("provider", ["openai", "ollama", None])
def test_whether_the_plan_pays(provider: str | None) -> None:
    meta = line(0, "session_meta", id=THREAD, cwd="/w", model_provider=provider)
    full = tokens(3, 1, primary={"used_percent": 100, "window_minutes": 300})
    reader = RolloutReader(THREAD, "/r", 0, lambda name: name in (None, "openai"))
    told = reader.feed(meta + START_TURN + full + end(4, error=limit_error()), START)
    pays = provider != "ollama"
    assert (told[0].uses_plan, told[-1].state) == (pays, LIMIT if pays else ERROR)
    assert bool([update for update in told if update.limits]) is pays


@pytest.mark.parametrize(
    "mark",
    [
        {"source": {"subagent": "review"}},
        {"source": {"internal": "x"}},
        {"thread_source": "subagent"},
        {"thread_source": "thread_title"},
        {"parent_thread_id": "x"},
        {"ephemeral": True},
    ],
)
def test_what_a_thread_says_that_nobody_started_is_marked(mark: dict[str, Any]) -> None:
    meta = line(0, "session_meta", id=THREAD, cwd="/w", **mark)
    assert all(update.internal for update in read(meta, START_TURN, tokens(3, 1)))
    assert not any(update.internal for update in read(TURN))


def test_a_half_written_line_waits_for_its_rest() -> None:
    reader = RolloutReader(THREAD, "/r")
    assert reader.feed(TURN[:-30], START)[-1].state is None
    assert [update.state for update in reader.feed(TURN[-30:], START)] == [IDLE]


def test_words_in_a_conversation_change_nothing() -> None:
    quoted = line(5, "response_item", type="message", text=STOP.decode())
    nested = line(6, "response_item", type="event_msg", payload={"type": "task_complete", "error": limit_error()})
    deep = event(7, "item_completed", item={"type": "task_complete", "error": limit_error()})
    assert [s.state for s in read(quoted, nested, deep)] == []


def test_spaces_between_the_tokens_of_json() -> None:
    spaced = b"".join(json.dumps(json.loads(raw)).encode() + b"\n" for raw in TURN.splitlines())
    assert [s.state for s in read(spaced)] == [s.state for s in read(TURN)]


def test_another_order_of_the_keys() -> None:
    turned = b"".join(
        json.dumps(dict(reversed(list(json.loads(raw).items())))).encode() + b"\n" for raw in TURN.splitlines()
    )
    assert [s.state for s in read(turned)] == [s.state for s in read(TURN)]


def test_bytes_that_are_no_utf_8_spoil_only_themselves() -> None:
    broken = end(4, error=limit_error("hit \u2022 it")).replace("\u2022".encode(), b"\xe2\x28\xff")
    assert last_state(META, START_TURN, broken) is LIMIT


def test_a_gigantic_line_is_left_out_and_not_kept() -> None:
    giant = event(5, "task_complete", last_agent_message="x" * (LONGEST_LINE + 1))
    reader = RolloutReader(THREAD, "/r")
    for start in range(0, len(giant) - 1, 100_000):
        assert reader.feed(giant[start : min(start + 100_000, len(giant) - 1)], START) == []
        assert len(reader._unfinished) <= LONGEST_LINE
    (update,) = reader.feed(b"\n" + START_TURN, START)
    assert (update.state, update.order) == (RUNNING, len(giant))
    assert [s.state for s in read(giant + START_TURN)] == [RUNNING]


def test_a_line_without_a_moment_happened_now() -> None:
    assert read(b'{"type":"event_msg","payload":{"type":"task_started"}}\n')[0].seen_at == START


def test_what_was_skipped_stays_unknown() -> None:
    reader = RolloutReader(THREAD, "/r")
    reader.feed(META, START)
    reader.skip(1000)
    told = reader.feed(b'rest of a line"task_started"\n' + tokens(5, 900, 100) + end(6), START)
    assert [s.state for s in told] == [None, IDLE]
    assert told[-1].order == len(META) + 1000 + 29 + len(tokens(5, 900, 100))


def test_a_stretch_in_short() -> None:
    thread, main, other = condense(read(TURN, tokens(8, 1300, 80, limit_id="other"), tokens(9, 1300, 80)))
    assert (thread.state, thread.since, thread.seen_at) == (
        IDLE,
        START + timedelta(seconds=4),
        START + timedelta(seconds=9),
    )
    assert (thread.model, thread.workspace) == ("gpt-5.5", "/w/api’s")
    assert {limit.limit_id: s.seen_at for s in (main, other) for limit in s.limits} == {
        "codex": START + timedelta(seconds=9),
        "other": START + timedelta(seconds=8),
    }
    assert condense([]) == []


WHOLE = TURN + b"\n" + TALK + STOP + b"garbage\n\xff\xfe\n" + event(20, "turn_started") + tokens(21, 2000, 780)


@given(st.lists(st.integers(0, len(WHOLE)), max_size=40))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    edges = sorted({0, len(WHOLE), *cuts})
    assert read(*(WHOLE[start:stop] for start, stop in pairwise(edges))) == read(WHOLE)


PARTS = st.sampled_from([*TURN.splitlines(True), *STOP.splitlines(True), b"\n", b'"event_msg"', b'"token_count"', b"{"])


@given(st.lists(PARTS | st.binary(max_size=40), max_size=20), st.data())
def test_garbage_never_crashes(parts: list[bytes], data: st.DataObject) -> None:
    mixed = bytearray(b"".join(parts))
    for _ in range(data.draw(st.integers(0, 5)) if mixed else 0):
        mixed[data.draw(st.integers(0, len(mixed) - 1))] = data.draw(st.integers(0, 255))
    for update in read(bytes(mixed)):
        assert update.thread_id == THREAD
        assert update.state is None or update.state in SessionState


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.just("usage_limit_exceeded"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "error", "codex_error_info", "rate_limits", "primary", "info", "id", "meta", "source"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["event_msg", "session_meta", "turn_context"]),
    st.sampled_from(["task_started", "task_complete", "token_count", "error", None]),
    st.dictionaries(
        st.sampled_from(["error", "info", "rate_limits", "last_agent_message", "meta", "source", "cwd", "id", "model"]),
        JSON,
    ),
)
def test_odd_payloads_never_crash(kind: str, subtype: str | None, payload: dict[str, Any]) -> None:
    raw = json.dumps({"timestamp": 7, "type": kind, "payload": {"type": subtype} | payload}).encode()
    decode_line(raw)
    assert len(list(relevant_lines(raw))) <= 1
