"""A rollout's bytes, in pieces of any size, to sightings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypedDict

from msgspec.structs import replace

from tui.domain.sessions import SessionState, SessionUpdate
from tui.domain.windows import MAIN_LIMIT, Limit
from tui.wire.rollout import (
    LONGEST_LINE,
    Fact,
    LimitTold,
    Line,
    Metered,
    Opened,
    TurnBegan,
    TurnEnd,
    TurnEnded,
    TurnSet,
    decode_line,
    relevant_lines,
)

_FULL: Final = 99.0
"""At a limit, 99 has been seen in the place of 100 (wire.md 7)."""


class RolloutReader:
    """Follows one rollout, wherever its bytes are cut.

    Args:
        thread_id: Whose rollout it is; the file's name tells, since a fork repeats its parent's first line.
        path: The file, for the sightings.
        first_order: The order of its first byte; higher than any that an earlier reader of the same path gave.
    """

    def __init__(self, thread_id: str, path: str, first_order: int = 0) -> None:
        self._thread_id = thread_id
        self._path = path
        self._order = first_order
        self._unfinished = bytearray()
        self._skipping = False
        self._subagent: bool | None = None
        self._state: SessionState | None = None
        self._in_turn_limit = False
        self._in_turn_full = False
        self._total: int | None = 0
        self._total_before_turn: int | None = 0

    @property
    def order(self) -> int:
        """The order of the next byte."""
        return self._order + len(self._unfinished)

    @property
    def state(self) -> SessionState | None:
        """The state by the last turn that was seen; None before any."""
        return self._state

    def feed(self, data: bytes, now: datetime) -> list[SessionUpdate]:
        """Read on.

        Args:
            data: The bytes that follow those of the call before.
            now: Stands in for the moment of a line that has none.

        Returns:
            One sighting for each line that told something; a half-written last line waits for its rest.
        """
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            return []
        found: list[SessionUpdate] = []
        start = 0
        if self._skipping or self._unfinished:
            start = data.find(b"\n") + 1
            if self._skipping:
                self._order += start
            else:
                line = bytes(self._unfinished) + data[:start]
                self._read(line, 0, len(line), now, found)
        self._skipping = False
        self._unfinished.clear()
        self._read(data, start, end, now, found)
        self._keep(data[end:])
        return found

    def _read(self, data: bytes, start: int, end: int, now: datetime, found: list[SessionUpdate]) -> None:
        """Read whole lines; in place, since copying would cost as much as finding what matters."""
        before = self._order - start
        for place, raw in relevant_lines(data, start, end):
            line = decode_line(raw)
            if line is not None and (update := self._see(line, before + place, now)) is not None:
                found.append(update)
        self._order = before + end

    def skip(self, size: int) -> None:
        """Leave out so many bytes, and the rest of the line that they end in; what they told stays unknown."""
        self._order += len(self._unfinished) + size
        self._unfinished.clear()
        self._skipping = True
        self._state = self._total = self._total_before_turn = None

    def _keep(self, rest: bytes) -> None:
        if not self._skipping and len(self._unfinished) + len(rest) <= LONGEST_LINE:
            self._unfinished += rest
            return
        # A line without end: none that matters is so long.
        self._order += len(self._unfinished) + len(rest)
        self._unfinished.clear()
        self._skipping = True

    def _see(self, line: Line, order: int, now: datetime) -> SessionUpdate | None:
        told = self._tell(line.fact)
        if told is None:
            return None
        at, path, subagent = line.at or now, self._path, bool(self._subagent)
        return SessionUpdate(self._thread_id, at, "rollout", rollout_path=path, order=order, subagent=subagent, **told)

    def _tell(self, fact: Fact) -> "_Told | None":
        match fact:
            case Metered():
                return self._meter(fact)
            case TurnBegan():
                self._in_turn_limit = self._in_turn_full = False
                self._total_before_turn = self._total
                return {"state": self._become(SessionState.RUNNING)}
            case TurnEnded():
                return {"state": self._become(self._ending(fact.how))}
            case TurnSet():
                return {"workspace": fact.workspace, "model": fact.model}
            case LimitTold():
                self._in_turn_limit = True
                return {"state": self._become(SessionState.STOPPED_AT_LIMIT)}
            case Opened():
                return self._open(fact)

    def _become(self, state: SessionState) -> SessionState:
        self._state = state
        return state

    def _open(self, fact: Opened) -> "_Told | None":
        if self._subagent is not None or (fact.thread_id or self._thread_id) != self._thread_id:
            return None  # a parent's first line, repeated in a fork
        self._subagent = fact.subagent
        return {
            "state": SessionState.IDLE if self._state is None else None,
            "workspace": fact.workspace,
            "originator": fact.originator,
            "cli_version": fact.cli_version,
        }

    def _ending(self, how: TurnEnd) -> SessionState:
        told_before = self._in_turn_limit and how in (TurnEnd.SILENT, TurnEnd.ERROR)
        told_by_meter = self._in_turn_full and how is TurnEnd.SILENT
        if how is TurnEnd.LIMIT or told_before or told_by_meter:
            return SessionState.STOPPED_AT_LIMIT
        return SessionState.STOPPED_BY_ERROR if how is TurnEnd.ERROR else SessionState.IDLE

    def _meter(self, fact: Metered) -> "_Told":
        if fact.limit is not None and fact.limit.limit_id == MAIN_LIMIT:
            self._in_turn_full = _is_full(fact.limit)
        tokens = None
        if fact.total_tokens is not None:
            if self._total_before_turn is None and fact.request_tokens is not None:
                self._total_before_turn = fact.total_tokens - fact.request_tokens
            self._total = fact.total_tokens
            if self._total_before_turn is not None and self._total_before_turn <= fact.total_tokens:
                tokens = fact.total_tokens - self._total_before_turn
        return {"last_turn_tokens": tokens, "limits": () if fact.limit is None else (fact.limit,), "plan": fact.plan}


class _Told(TypedDict, total=False):
    """The fields of a sighting that a line tells."""

    state: SessionState | None
    workspace: str | None
    model: str | None
    originator: str | None
    cli_version: str | None
    last_turn_tokens: int | None
    limits: tuple[Limit, ...]
    plan: str | None


def _is_full(limit: Limit) -> bool:
    return limit.reached_type is not None or any((window.used_percent or 0) >= _FULL for window in limit.windows)


def condense(updates: Sequence[SessionUpdate]) -> list[SessionUpdate]:
    """What a stretch of one rollout tells in the end: one sighting of the thread, and the last one of each limit."""
    if not updates:
        return []
    end = updates[-1]
    limits: dict[str, SessionUpdate] = {}
    for told in updates:
        if told.state is not None:
            end = replace(end, state=told.state, since=told.since or told.seen_at)
        for limit in told.limits:
            limits[limit.limit_id] = SessionUpdate(
                told.thread_id, told.seen_at, "rollout", limits=(limit,), plan=told.plan, subagent=told.subagent
            )
        end = replace(
            end,
            workspace=told.workspace or end.workspace,
            model=told.model or end.model,
            cli_version=told.cli_version or end.cli_version,
            originator=told.originator or end.originator,
            last_turn_tokens=end.last_turn_tokens if told.last_turn_tokens is None else told.last_turn_tokens,
        )
    return [replace(end, limits=(), plan=None), *limits.values()]
