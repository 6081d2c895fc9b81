from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, WEEK, snapshot, window
from tests.support.clocks import START
from tui.domain.advice import Took
from tui.domain.held_sessions import HeldThread, with_held
from tui.domain.reading import Costs, Reading, SessionCost, WindowReading
from tui.domain.sessions import Session, SessionState, SessionUpdate, merge_update
from tui.domain.took import COSTS_LAST, MOST_NAMED, Turn, short_name, took, turns
from tui.domain.use import UseRecord

NOW = START.timestamp()
API = Turn("t1", "api-server", NOW - 3600)
DOCS = Turn("t2", "docs", NOW - 1800)


def an_hour(*, blocked: bool = False, gap: bool = False, since: float = 2.0) -> UseRecord:
    """Readings each minute of the last hours, 12 points an hour, in a window that began three hours ago."""
    record = UseRecord()
    for minute in range(int(since * 60) + 1):
        if gap and 20 < minute < since * 60 - 5:
            continue
        at = NOW - since * 3600 + minute * 60
        used = 100.0 if blocked and minute > since * 60 - 30 else 20.0 + minute / 5
        windows = (WindowReading(300, used, NOW + 7200), WindowReading(10080, 40.0, NOW + 86400))
        record.add(Reading(at, windows, allowed=used < 100, running=1))
    return record


def said(*costs: SessionCost, ago: float = 60.0) -> Costs:
    return Costs(NOW - ago, "acc1", costs)


COST = SessionCost("t1", 12.0, 3.0)

OWN = (Took("api-server", ((300, 12.0),), NOW, NOW - 3600),)
HALF_AN_HOUR = (Took("api-server", ((300, 6.0),), NOW - 1800, NOW - 3600),)

TABLE: list[tuple[str, tuple[Turn, ...], Costs | None, tuple[Took, ...]]] = [
    ("nobody works", (), said(COST), ()),
    ("both windows", (API,), said(COST), (Took("api-server", ((300, 12.0), (10080, 3.0)), NOW - 60),)),
    ("one window", (API,), said(SessionCost("t1", None, 0.5)), (Took("api-server", ((10080, 0.5),), NOW - 60),)),
    (
        "the dearest first",
        (API, DOCS),
        said(SessionCost("t1", 3.0, None), SessionCost("t2", 9.0, None)),
        (Took("docs", ((300, 9.0),), NOW - 60), Took("api-server", ((300, 3.0),), NOW - 60)),
    ),
    (
        "one of two is known to the service",
        (API, DOCS),
        said(COST),
        (Took("api-server", ((300, 12.0), (10080, 3.0)), NOW - 60),),
    ),
    ("another thread: the own readings", (API,), said(SessionCost("t9", 50.0, 50.0)), OWN),
    ("the service's word is old", (API,), said(COST, ago=COSTS_LAST + 1), OWN),
    ("the service does not tell", (API,), None, OWN),
    ("of several since the first began", (DOCS, API), None, (Took("2 sessions", ((300, 12.0),), NOW, NOW - 3600),)),
    ("until the limit stopped it", (replace(API, until=NOW - 1800),), None, HALF_AN_HOUR),
    ("when it began was not seen", (replace(API, since=None),), None, ()),
    ("it has just begun", (replace(API, since=NOW - 300),), None, ()),
    ("it began before anything was read", (replace(API, since=NOW - 9000),), None, ()),
]  # fmt: skip


@pytest.mark.parametrize(("under_way", "costs", "expected"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
def test_the_table(under_way: tuple[Turn, ...], costs: Costs | None, expected: tuple[Took, ...]) -> None:
    found = took(an_hour(), under_way, costs, NOW)
    assert [(one.who, one.until, one.since) for one in found] == [(one.who, one.until, one.since) for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert [minutes for minutes, _ in one.shares] == [minutes for minutes, _ in other.shares]
        assert [share for _, share in one.shares] == pytest.approx([share for _, share in other.shares], abs=0.3)


def test_a_turn_from_the_window_before_is_counted_from_when_this_window_began() -> None:
    (found,) = took(an_hour(since=4.0), (replace(API, since=NOW - 3.8 * 3600),), None, NOW)
    assert (found.since, found.until) == (NOW - 3 * 3600, NOW)


@pytest.mark.parametrize("record", [an_hour(blocked=True), an_hour(gap=True), UseRecord()])
def test_what_was_filled_in_or_not_watched_is_not_told(record: UseRecord) -> None:
    assert took(record, (API,), None, NOW) == ()


def test_a_window_that_is_not_there_and_sessions_beyond_three_are_not_named() -> None:
    record = UseRecord()
    record.add(Reading(NOW, (WindowReading(10080, 40.0, NOW + 86400),)))
    costs = said(*(SessionCost(f"t{n}", 50.0, float(n)) for n in range(9)))
    found = took(record, tuple(Turn(f"t{n}", f"s{n}", None) for n in range(9)), costs, NOW)
    assert [one.shares for one in found] == [((10080, 8.0),), ((10080, 7.0),), ((10080, 6.0),)]
    assert len(found) == MOST_NAMED


def told(thread: str, state: SessionState, ago: float, **values: object) -> SessionUpdate:
    at = START - timedelta(seconds=ago)
    return SessionUpdate(thread, at, "rollout", state, workspace="/w/api-server", **values)  # type: ignore[arg-type]


def test_a_turn_lasts_from_its_start_to_the_limit_and_other_accounts_have_none() -> None:
    sessions = merge_update({}, told("t1", SessionState.RUNNING, 900))
    sessions = merge_update(sessions, told("t1", SessionState.STOPPED_AT_LIMIT, 60))
    sessions = merge_update(sessions, told("t2", SessionState.RUNNING, 600))
    sessions = merge_update(sessions, told("t3", SessionState.RUNNING, 600, account_id="another"))
    sessions = merge_update(sessions, told("t4", SessionState.IDLE, 600))
    sessions = with_held(sessions, {"t5": HeldThread(START, "/w/docs")}, START)
    full = snapshot(window(FIVE_HOURS, 100.0), window(WEEK, 40.0), allowed=False)
    assert turns(sessions, full, START) == (
        Turn("t5", "docs", None, NOW),
        Turn("t1", "api-server", NOW - 900, NOW - 60),
        Turn("t2", "api-server", NOW - 600),
    )


@pytest.mark.parametrize(
    ("workspace", "title", "name"),
    [
        ("/home/me/api-server", None, "api-server"),
        ("/home/me/api-server/", "Fix the login", 'api-server "Fix the login"'),
        (None, "x" * 500, f'"{"x" * 23}…"'),
        ("/" + "[red]" * 90, None, "[red][red][red][red][re…"),
        (None, None, "a session"),
        ("/", None, "a session"),
    ],
)
def test_a_short_name_is_cut_and_never_empty(workspace: str | None, title: str | None, name: str) -> None:
    session = Session("t1", SessionState.RUNNING, START, START, workspace=workspace, title=title)
    assert short_name(session) == name
