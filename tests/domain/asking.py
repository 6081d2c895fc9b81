"""Sessions, readings and answers for the tests of asking: short to write."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START
from tui.domain.advice import Advice, Verdict
from tui.domain.credits import Credit
from tui.domain.forecast import Forecast, Interval
from tui.domain.interruption import Situation
from tui.domain.outlook import Outlook
from tui.domain.sessions import Session, SessionState
from tui.domain.snapshot import Snapshot
from tui.domain.windows import WindowKey

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RUNNING, IDLE, APPROVAL, STOPPED, GONE, HELD = (
    SessionState.RUNNING,
    SessionState.IDLE,
    SessionState.WAITING_APPROVAL,
    SessionState.STOPPED_AT_LIMIT,
    SessionState.GONE,
    SessionState.HELD,
)
FIVE_HOUR_KEY: WindowKey = ("codex", FIVE_HOURS)
WEEK_KEY: WindowKey = ("codex", WEEK)


def thread(number: int) -> str:
    return f"0199a213-81c0-7800-8aa1-{number:012d}"


def session(number: int, state: SessionState, since: datetime = START, seen_at: datetime | None = None) -> Session:
    return Session(
        thread_id=thread(number),
        state=state,
        since=since,
        seen_at=seen_at or since,
        workspace="/w",
        model="gpt-5.5",
    )


def sessions(*several: Session) -> dict[str, Session]:
    return {one.thread_id: one for one in several}


def reading(
    five: float | None = 100.0,
    week: float | None = 43.0,
    *,
    at: datetime = START,
    five_left: timedelta = 3 * HOUR,
    week_left: timedelta = 90 * HOUR,
    allowed: bool | None = None,
    rows: tuple[Credit, ...] | None = (credit("a", 2), credit("b", 20)),
    available: int | None = -1,
) -> Snapshot:
    """A reading whose dates are counted from START, whenever it was taken."""
    both = (window(FIVE_HOURS, five, resets_in=five_left), window(WEEK, week, resets_in=week_left))
    return snapshot(*both, rows=rows, available=available, allowed=allowed, at=at)


def expecting(snapshot: Snapshot, full_at: Mapping[WindowKey, datetime | None]) -> Outlook:
    """When each window is expected to be full; a None among them is not before its reset."""
    at = snapshot.provenance.observed_at.timestamp()
    forecasts = []
    for one in snapshot.windows:
        if one.key not in full_at or one.minutes is None:
            continue
        moment = full_at[one.key]
        middle = None if moment is None else moment.timestamp()
        resets_at = None if one.resets_at is None else one.resets_at.timestamp()
        share = Interval(70, 78.2, 90) if middle is None else Interval(100, 100, 100)
        limit = Interval(None, None, None) if middle is None else Interval(middle - 180, middle, middle + 420)
        forecasts.append(Forecast(at, one.minutes, limit, share, None, resets_at, "rhythm of 5 weeks"))
    return Outlook(at, tuple(forecasts), Advice(at, Verdict.CANNOT_TELL, None, "", ()))


def stopped_situation(**changes: object) -> Situation:
    """One session stopped half a minute ago at a limit that is hit."""
    values: dict[str, object] = {
        "snapshot": reading(allowed=False),
        "sessions": sessions(session(1, STOPPED, START - MINUTE / 2)),
    }
    return Situation(**(values | changes))  # type: ignore[arg-type]


def held_situation(**changes: object) -> Situation:
    """One session is held at a limit that is hit, and another had stopped there."""
    values: dict[str, object] = {
        "snapshot": reading(allowed=False),
        "sessions": sessions(session(1, STOPPED, START - MINUTE / 2), session(2, HELD, START - MINUTE / 3)),
    }
    return Situation(**(values | changes))  # type: ignore[arg-type]


def working_situation(empty_in: timedelta | None = 8 * MINUTE, **changes: object) -> Situation:
    """One session at work, and the five hours expected to be used up."""
    empty_at = None if empty_in is None else START + empty_in
    values: dict[str, object] = {
        "snapshot": reading(93.0),
        "sessions": sessions(session(1, RUNNING, START - 20 * MINUTE)),
    }
    seen = changes.get("snapshot", values["snapshot"])
    if isinstance(seen, Snapshot):
        values["outlook"] = expecting(seen, {FIVE_HOUR_KEY: empty_at})
    return Situation(**(values | changes))  # type: ignore[arg-type]
