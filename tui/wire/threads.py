"""What the app-server says about threads (README.md, "Threads and the daemon")."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from tui.domain.sessions import SessionState, SessionUpdate
from tui.errors import BadPayload
from tui.wire.fields import FieldReader, load_object
from tui.wire.jsonrpc import News
from tui.wire.rollout import LONGEST_NAME, is_internal
from tui.wire.windows import LONGEST_ID

THREAD_LIST: Final = "thread/list"
LOADED_LIST: Final = "thread/loaded/list"
THREAD_READ: Final = "thread/read"
QUEUE_ADD: Final = "thread/queue/add"

MOST_THREADS: Final = 100
"""Threads of one list that are asked for and read."""

_STARTED: Final = "thread/started"
_STATUS_CHANGED: Final = "thread/status/changed"
_AWAY: Final = frozenset({"thread/closed", "thread/archived", "thread/deleted"})
_WAITING: Final = frozenset({"waitingOnApproval", "waitingOnUserInput"})
_LONGEST_PATH: Final = 4096


PaysPlan = Callable[[str | None], bool]
"""Whether the ChatGPT plan pays for the requests to a model provider."""


def list_params() -> dict[str, object]:
    """Parameters of `thread/list`: the threads last at work."""
    return {"limit": MOST_THREADS, "sortKey": "updated_at"}


def read_params(thread_id: str) -> dict[str, object]:
    """Parameters of `thread/read`, which subscribes to nothing."""
    return {"threadId": thread_id, "includeTurns": False}


def queue_params(thread_id: str, message: str, message_id: str) -> dict[str, object]:
    """Parameters of `thread/queue/add`; the caller makes the id of the message."""
    text = {"type": "text", "text": message}
    return {"threadId": thread_id, "clientUserMessageId": message_id, "input": [text]}


def decode_news(news: News, seen_at: datetime, order: int, pays_plan: PaysPlan) -> SessionUpdate | None:
    """Read a notification; None for what says nothing about a thread's state."""
    if news.method not in (_STARTED, _STATUS_CHANGED) and news.method not in _AWAY:
        return None
    try:
        params = load_object(news.params, "a notification")
    except BadPayload:
        return None
    reader = FieldReader()
    if news.method == _STARTED:
        return _row(reader, params.get("thread"), seen_at, order, pays_plan)
    thread_id = reader.text(params.get("threadId"), "the thread's id", LONGEST_ID)
    if thread_id is None:
        return None
    if news.method in _AWAY:
        return SessionUpdate(thread_id, seen_at, "daemon", SessionState.GONE, order=order)
    status = reader.mapping(params.get("status"), "the status") or {}
    # A thread that was loaded, and is no longer: the person has left it.
    state = SessionState.GONE if status.get("type") == "notLoaded" else _state(reader, status)
    return None if state is None else SessionUpdate(thread_id, seen_at, "daemon", state, order=order)


def decode_list(body: bytes, seen_at: datetime, order: int, pays_plan: PaysPlan) -> list[SessionUpdate]:
    """Read the result of `thread/list`."""
    reader = FieldReader()
    rows = reader.items(load_object(body, "the list of threads").get("data"), "the list of threads", MOST_THREADS)
    found = [_row(reader, row, seen_at, order, pays_plan) for row in rows or ()]
    return [update for update in found if update is not None]


def decode_loaded(body: bytes) -> list[str]:
    """Read the result of `thread/loaded/list`: thread ids."""
    reader = FieldReader()
    ids = reader.items(load_object(body, "the loaded threads").get("data"), "the loaded threads", MOST_THREADS)
    found = [reader.text(thread_id, "a thread's id", LONGEST_ID) for thread_id in ids or ()]
    return [thread_id for thread_id in found if thread_id is not None]


def decode_thread(body: bytes, seen_at: datetime, order: int, pays_plan: PaysPlan) -> SessionUpdate | None:
    """Read the result of `thread/read`; None where there is no thread in it."""
    return _row(FieldReader(), load_object(body, "the thread").get("thread"), seen_at, order, pays_plan)


def _row(
    reader: FieldReader, value: object, seen_at: datetime, order: int, pays_plan: PaysPlan
) -> SessionUpdate | None:
    row = reader.mapping(value, "a thread") or {}
    thread_id = reader.text(row.get("id"), "a thread's id", LONGEST_ID)
    if thread_id is None:
        return None
    state = _state(reader, reader.mapping(row.get("status"), "the status") or {})
    since = None
    if state is SessionState.STOPPED_BY_ERROR:
        since = reader.moment(row.get("updatedAt"), "the last change of a thread")  # it stopped long ago, perhaps
    provider = reader.text(row.get("modelProvider"), "the model provider", LONGEST_ID)
    internal = is_internal(row.get("source"), row.get("threadSource"), row.get("parentThreadId"))
    return SessionUpdate(
        thread_id=thread_id,
        seen_at=seen_at,
        feed="daemon",
        state=state,
        since=since,
        workspace=reader.text(row.get("cwd"), "the workspace", _LONGEST_PATH),
        model=reader.text(row.get("model"), "the model", LONGEST_ID),
        title=reader.text(row.get("name"), "the title", LONGEST_NAME),
        first_message=reader.text(row.get("preview"), "the first message", LONGEST_NAME),
        rollout_path=reader.text(row.get("path"), "the rollout's path", _LONGEST_PATH),
        uses_plan=None if provider is None else pays_plan(provider),
        order=order,
        internal=internal or row.get("ephemeral") is True,
    )


def _state(reader: FieldReader, status: Mapping[str, object]) -> SessionState | None:
    """None for what is not loaded: the daemon knows nothing of what such a thread does elsewhere."""
    match status.get("type"):
        case "active":
            flags = reader.items(status.get("activeFlags"), "the flags of a thread", 20) or ()
            waits = any(isinstance(flag, str) and flag in _WAITING for flag in flags)
            return SessionState.WAITING_APPROVAL if waits else SessionState.RUNNING
        case "idle":
            return SessionState.IDLE
        case "systemError":
            return SessionState.STOPPED_BY_ERROR
    return None
