"""A rollout's bytes, in pieces of any size, to what they say of its thread."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypedDict

from msgspec.structs import replace

from tui.domain.sessions import SessionState, SessionUpdate
from tui.domain.windows import MAIN_LIMIT, Limit
from tui.wire import rollout

_FULL: Final = 99.0
"""At a limit, 99 has been seen in the place of 100 (README.md, "Rollouts")."""

_COPYING: Final = timedelta(seconds=1)
"""How long Codex takes at most to copy the parent's lines into a fork."""


class RolloutReader:
    """Follows one rollout, wherever its bytes are cut.

    The file's name says whose it is, since a fork repeats its parent's first line. `first_order`, the order of its
    first byte, is higher than any that an earlier reader of the same path gave; `pays_plan` says whether the ChatGPT
    plan pays for the requests to a model provider.
    """

    def __init__(
        self, thread_id: str, path: str, first_order: int = 0, pays_plan: Callable[[str | None], bool] = lambda _: True
    ) -> None:
        self._thread_id = thread_id
        self._path = path
        self._order = first_order
        self._pays_plan = pays_plan
        self._unfinished = bytearray()
        self._skipping = self._skipped = False
        self._opened: rollout.Opened | None = None
        self._uses_plan = True
        self._copied_until: datetime | None = None
        self._has_message = False
        self.state: SessionState | None = None
        """The state by the last turn that was seen; None before any."""
        self._in_turn_limit = False
        self._in_turn_full = False

    @property
    def order(self) -> int:
        """The order of the next byte."""
        return self._order + len(self._unfinished)

    @property
    def is_copy(self) -> bool:
        """Whether all that was read is its parent's, copied into a fork that has begun no turn of its own."""
        return self._copied_until is not None

    def feed(self, data: bytes, now: datetime) -> list[SessionUpdate]:
        """Read on; a line without a time is of `now`.

        Returns:
            One update for each line that said something; a half-written last line waits for its rest.
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
        for place, raw in rollout.relevant_lines(data, start, end):
            line = rollout.decode_line(raw)
            if line is not None and (update := self._see(line, before + place, now)) is not None:
                found.append(update)
        self._order = before + end

    def skip(self, size: int) -> None:
        """Leave out so many bytes, and the rest of the line that they end in; what they said stays unknown."""
        self._order += len(self._unfinished) + size
        self._unfinished.clear()
        self._skipping = True
        self.state = None
        self._skipped = True

    def _keep(self, rest: bytes) -> None:
        if not self._skipping and len(self._unfinished) + len(rest) <= rollout.LONGEST_LINE:
            self._unfinished += rest
            return
        # A line without end: none that matters is so long.
        self._order += len(self._unfinished) + len(rest)
        self._unfinished.clear()
        self._skipping = True

    def _see(self, line: rollout.Line, order: int, now: datetime) -> SessionUpdate | None:
        if self._is_copy(line):
            return None
        fields = self._fields(line.fact)
        if fields is None:
            return None
        return SessionUpdate(
            self._thread_id,
            line.at or now,
            "rollout",
            rollout_path=self._path,
            order=order,
            account_id=self._opened.account_id if self._opened else None,
            internal=self._opened is not None and self._opened.internal,
            **fields,
        )

    def _is_copy(self, line: rollout.Line) -> bool:
        """Whether a line is its parent's, copied into a fork; its own begin with the first turn after the fork."""
        begin = self._copied_until
        if begin is None or isinstance(line.fact, rollout.Opened | rollout.Named | rollout.TurnSet):
            return False
        turn_at = line.fact.began_at if isinstance(line.fact, rollout.TurnBegan | rollout.TurnEnded) else None
        if turn_at is not None:
            copied = turn_at < begin.replace(microsecond=0)  # given in whole seconds
        else:
            copied = line.at is not None and line.at <= begin + _COPYING
            # Without the begin of its turn a line is judged by the clock, which is all that a skipped stretch leaves.
            if not copied and not isinstance(line.fact, rollout.TurnBegan) and not self._skipped:
                copied = True
        if not copied:
            self._copied_until = None
        return copied

    def _fields(self, fact: rollout.Fact) -> "_Fields | None":
        match fact:
            case rollout.Metered():
                return self._meter(fact)
            case rollout.TurnBegan():
                self._in_turn_limit = self._in_turn_full = False
                return {"state": self._become(SessionState.RUNNING)}
            case rollout.TurnEnded():
                return {"state": self._become(self._ending(fact.how))}
            case rollout.TurnSet():
                return {"workspace": fact.workspace, "model": fact.model}
            case rollout.LimitHit():
                self._in_turn_limit = self._uses_plan
                return {"state": self._become(SessionState.STOPPED_AT_LIMIT)} if self._uses_plan else None
            case rollout.Named():
                return self._name(fact)
            case rollout.Opened():
                return self._open(fact)

    def _become(self, state: SessionState) -> SessionState:
        self.state = state
        return state

    def _open(self, fact: rollout.Opened) -> "_Fields | None":
        if self._opened is not None or (fact.thread_id or self._thread_id) != self._thread_id:
            return None  # a parent's first line, repeated in a fork
        self._opened, self._copied_until = fact, fact.forked_at
        self._uses_plan = self._pays_plan(fact.provider)
        return {
            "state": SessionState.IDLE if self.state is None else None,
            "workspace": fact.workspace,
            "uses_plan": self._uses_plan,
        }

    def _name(self, fact: rollout.Named) -> "_Fields | None":
        if fact.message is None:
            return {"title": fact.title} if fact.title else None
        if self._has_message or self._skipped:
            return None
        self._has_message = True
        return {"first_message": fact.message}

    def _ending(self, how: rollout.TurnEnd) -> SessionState:
        said_before = self._in_turn_limit and how in (rollout.TurnEnd.SILENT, rollout.TurnEnd.ERROR)
        said_by_meter = self._in_turn_full and how is rollout.TurnEnd.SILENT
        if how is rollout.TurnEnd.LIMIT or said_before or said_by_meter:
            return SessionState.STOPPED_AT_LIMIT if self._uses_plan else SessionState.STOPPED_BY_ERROR
        return SessionState.STOPPED_BY_ERROR if how is rollout.TurnEnd.ERROR else SessionState.IDLE

    def _meter(self, fact: rollout.Metered) -> "_Fields":
        if fact.limit is None or not self._uses_plan:
            return {}  # a sign of life all the same
        if fact.limit.limit_id == MAIN_LIMIT:
            self._in_turn_full = _is_full(fact.limit)
        return {"limits": (fact.limit,), "plan": fact.plan}


class _Fields(TypedDict, total=False):
    """The fields of an update that a line fills."""

    state: SessionState | None
    workspace: str | None
    model: str | None
    title: str | None
    first_message: str | None
    uses_plan: bool
    limits: tuple[Limit, ...]
    plan: str | None


def _is_full(limit: Limit) -> bool:
    return limit.reached_type is not None or any((window.used_percent or 0) >= _FULL for window in limit.windows)


def condense(updates: Sequence[SessionUpdate]) -> list[SessionUpdate]:
    """What a stretch of one rollout says in the end: one update of the thread, and the last one of each limit."""
    if not updates:
        return []
    end = updates[-1]
    limits: dict[str, SessionUpdate] = {}
    for update in updates:
        if update.state is not None:
            end = replace(end, state=update.state, since=update.since or update.seen_at)
        for limit in update.limits:
            limits[limit.limit_id] = SessionUpdate(
                update.thread_id,
                update.seen_at,
                "rollout",
                account_id=update.account_id,
                limits=(limit,),
                plan=update.plan,
                internal=update.internal,
            )
        end = replace(
            end,
            workspace=update.workspace or end.workspace,
            model=update.model or end.model,
            title=update.title or end.title,
            first_message=end.first_message or update.first_message,
            uses_plan=end.uses_plan if update.uses_plan is None else update.uses_plan,
            account_id=update.account_id or end.account_id,
        )
    return [replace(end, limits=(), plan=None), *limits.values()]
