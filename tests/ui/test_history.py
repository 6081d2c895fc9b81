"""The history in pictures, and what is expected beside the meters, from a fortnight of even mornings."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.conftest import FOLDER
from tests.ui.scene import Scene
from tests.ui.showing import make_app, press_alone, screen_text, settle
from tui.companion.state import State
from tui.domain.advice import Advice, Verdict
from tui.domain.forecast import Forecast, Interval
from tui.domain.foresight import Foresight
from tui.domain.ledger import Event, EventKind
from tui.domain.outlook import Outlook, look_ahead
from tui.domain.pauses import Pause, PauseKind
from tui.domain.pictures import Pictures, ResetMark, draw
from tui.domain.plan import Planned
from tui.domain.reading import Costs, Reading, SessionCost, WindowReading
from tui.domain.snapshot import Account
from tui.domain.spend import Consent, ConsentKind, Outcome, Spend
from tui.domain.windows import Window
from tui.ui.view.history import history_lines
from tui.ui.view.limits import limits_lines
from tui.ui.view.outlook import advice_lines
from tui.ui.view.text import line_width, plain
from tui.ui.view.view_state import ViewState

START = 1772409600.0
HOUR = 3600.0
DAY = 24 * HOUR


def fortnight() -> Foresight:
    """Every day from 9:00 on 20 per cent an hour; it is the last day, 11:00."""
    foresight = Foresight()
    for day in range(15):
        for minute in range(0, 24 * 60, 10):
            at = day * DAY + minute * 60.0
            if at > 14 * DAY + 11 * HOUR:
                return foresight
            used = max(0.0, min(5.0, minute / 60 - 9)) * 20 if minute < 14 * 60 else 0.0
            resets = day * DAY + 14 * HOUR if 9 * 60 <= minute < 14 * 60 else at + 5 * HOUR
            windows = (
                WindowReading(300, float(int(used)), START + resets),
                WindowReading(10080, float(day % 7 * 10 + int(used / 10)), START + (day // 7 + 1) * 7 * DAY),
            )
            foresight.add(Reading(START + at, windows, True, 1))
    return foresight


@pytest.fixture(scope="module")
def foresight() -> Foresight:
    return fortnight()


def seen(foresight: Foresight) -> ViewState:
    last = foresight.record.last
    assert last is not None
    return ViewState(datetime.fromtimestamp(last.at, UTC), UTC, State(outlook=look_ahead(foresight, last.at)))


@pytest.mark.parametrize("width", [40, 78, 118])
def test_the_pictures_fit_and_name_what_they_show(foresight: Foresight, width: int) -> None:
    view = seen(foresight)
    lines = history_lines(view, draw(foresight.record, view.now.timestamp()), (), width)
    assert all(line_width(line) <= width for line in lines)
    text = plain(lines)
    for word in ("5-hour window", "Weekly window", "The last four weeks", "Hours of the week", "Resets", "█", "░", "·"):
        assert word in text


def test_hours_of_work_are_dark_and_others_are_not(foresight: Foresight) -> None:
    pictures = draw(foresight.record, START + 14 * DAY + 11 * HOUR)
    for row in pictures.heat[:6]:
        assert row[10] == pytest.approx(20, abs=3)
        assert row[3] == pytest.approx(0, abs=0.5)
    assert pictures.days[0][1] is None
    assert pictures.days[-2][1] is not None


def line_with(view: ViewState, foresight: Foresight, word: str, *events: Event, spends: tuple[Spend, ...] = ()) -> str:
    lines = history_lines(view, draw(foresight.record, view.now.timestamp()), events, 78, spends)
    return next(line for line in plain(lines).splitlines() if word in line)


def test_spends_and_resets_are_marked_below_the_window_and_explained(foresight: Foresight) -> None:
    view = seen(foresight)
    spend = Event(view.now - timedelta(hours=1), EventKind.SPEND_CLOSED, "acc1", "one reset spent")
    kept = Event(view.now - timedelta(hours=1), EventKind.SPEND_CLOSED, "acc1", "nothing to reset; nothing was spent")
    assert "S" not in line_with(view, foresight, "└", kept)
    axis = line_with(view, foresight, "└", spend)
    assert axis.index("S") == pytest.approx(7 + 70 / 5, abs=1)  # two hours of five are over, the spend after one
    assert axis.endswith("┘")  # the natural reset
    assert "S spend" in line_with(view, foresight, "even pace", spend)
    pictures = draw(foresight.record, view.now.timestamp())
    early = ResetMark(view.now.timestamp() - 1800, 300, False, False)
    lines = history_lines(view, replace(pictures, resets=(early,)), (), 78)
    assert "R reset" in plain(lines)


def test_each_spend_says_what_it_saved(foresight: Foresight) -> None:
    view = seen(foresight)
    at = view.now - timedelta(days=2)
    full = Window("codex", None, 300, 100.0, at + timedelta(hours=3, minutes=12))
    consent = Consent(ConsentKind.LETTER, at)
    spend = Spend("k1", Account("acc1"), "c1", None, consent, (full,), 2, at, outcome=Outcome.RESET)
    event = Event(at, EventKind.SPEND_CLOSED, "acc1", "one reset spent", request_id="k1")
    assert "one reset spent; saved 3 h 12 min of waiting" in line_with(
        view, foresight, "one reset spent", event, spends=(spend,)
    )
    refused = replace(spend, outcome=Outcome.NOTHING_TO_RESET)
    assert "saved" not in line_with(view, foresight, "one reset spent", event, spends=(refused,))


def test_what_was_waited_is_said_and_a_spend_says_how_long_before_it(foresight: Foresight) -> None:
    view = seen(foresight)
    at = view.now - timedelta(days=2)
    full = Window("codex", None, 300, 100.0, at + timedelta(hours=3))
    consent = Consent(ConsentKind.LETTER, at)
    spend = Spend("k1", Account("acc1"), "c1", None, consent, (full,), 2, at, outcome=Outcome.RESET)
    closed = Event(at, EventKind.SPEND_CLOSED, "acc1", "one reset spent", request_id="k1")
    kept = Event(at, EventKind.SPEND_CLOSED, "acc1", "nothing to reset; nothing was spent")
    stop = Pause("t", PauseKind.STOPPED, at - timedelta(minutes=12), at + timedelta(minutes=1))
    held = Pause("u", PauseKind.HELD, view.now - timedelta(hours=5), view.now - timedelta(hours=4))
    old = replace(stop, since=view.now - timedelta(days=40), until=view.now - timedelta(days=39))
    pictures = draw(foresight.record, view.now.timestamp())
    text = plain(history_lines(view, pictures, (closed, kept), 78, (spend,), paused=(old, stop, held)))
    assert "1 h 13 min in all · stopped once · held once" in text
    assert "saved 3 h 00 min of waiting, after 12 min of it" in " ".join(text.split())
    assert "1 spent here" in text
    assert "Waiting" not in plain(history_lines(view, pictures, (closed,), 78, (spend,), paused=(old,)))


def test_a_spend_names_the_weeks_new_date_in_the_readers_zone(foresight: Foresight) -> None:
    view = replace(seen(foresight), zone=timezone(timedelta(hours=9)))
    text = "one reset spent; the week now resets 2026-03-22 20:30 UTC"
    line = line_with(view, foresight, "one reset spent", Event(view.now, EventKind.SPEND_CLOSED, "acc1", text))
    assert "the week now resets Mon 23 Mar 05:30" in line


def test_nothing_known_says_so() -> None:
    empty = draw(Foresight().record, START)
    text = plain(history_lines(seen_nothing(), empty, (), 78))
    assert "No window is known yet." in text
    assert "The last weeks are not known yet" in text
    assert "?" not in text
    assert "1 Jan" not in text


def seen_nothing() -> ViewState:
    return ViewState(states.NOW, states.ZONE, State())


def outlook(state: State, limit: Interval | None, share: Interval | None, verdict: Verdict = Verdict.QUEUE) -> State:
    now = states.NOW.timestamp()
    forecasts = tuple(Forecast(now, minutes, limit, share, 0.7, None, "rhythm of 5 weeks") for minutes in (300, 10080))
    trends = ((300, (5.0, 20.0, 40.0, 80.0, 93.0)), (10080, (10.0, 41.0)))
    advice = Advice(now, verdict, "c1", "Queue one: a hit is near.", ())
    return replace(state, outlook=Outlook(now, forecasts, advice, (), trends))


def said(state: State, width: int = 78) -> str:
    view = ViewState(states.NOW, states.ZONE, state)
    return plain((*limits_lines(view, width), *advice_lines(view, width)))


def test_the_meters_say_when_they_are_full_with_an_interval_and_a_trend() -> None:
    now = states.NOW.timestamp()
    text = said(outlook(states.busy(), Interval(now + 600, now + 900, now + 2400), Interval(90, 100, 100)))
    assert "full ≈" in text
    assert " to " in text
    assert "▁▂▄▇█" in text.replace("▃", "▂")
    assert "Queue one: a hit is near." in text


def test_nothing_is_expected_of_a_window_that_has_begun_anew() -> None:
    now, state = states.NOW.timestamp(), states.busy()
    interval = Interval(now + 600, now + 900, now + 2400)
    known = outlook(state, interval, Interval(90, 100, 100)).outlook
    assert known is not None
    assert state.snapshot is not None
    window = next(window for window in state.snapshot.windows if window.minutes == 300)
    assert window.resets_at is not None
    for moved, expected in ((0.0, True), (300.0, True), (-3 * HOUR, False)):
        begun = Forecast(now, 300, interval, Interval(90, 100, 100), 0.7, None, "rhythm of 5 weeks")
        begun = replace(begun, resets_at=window.resets_at.timestamp() + moved)
        text = said(replace(state, outlook=replace(known, forecasts=(begun,))))
        assert ("full ≈" in text) is expected


def test_a_window_that_is_not_reached_lands_somewhere() -> None:
    text = said(outlook(states.calm(), Interval(None, None, None), Interval(48, 60.4, 71), Verdict.WAIT))
    assert "lands ≈ 60 % (48 to 71)" in text


def test_nothing_is_advised_where_nothing_can_be_said() -> None:
    for verdict in (Verdict.CANNOT_TELL, Verdict.NOTHING_TO_GAIN):
        assert "Advice" not in said(outlook(states.busy(), None, None, verdict))


async def test_the_key_opens_the_history_and_escape_leaves_it(clock: ManualClock, foresight: Foresight) -> None:
    companion = Scene(states.busy(), clock)
    pictures = draw(foresight.record, START + 14 * DAY + 11 * HOUR)

    async def summed_up() -> Pictures:
        return pictures

    companion.companion.__dict__["history"] = SimpleNamespace(pictures=summed_up)
    app = make_app(companion, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h")
        await settle(pilot)
        text = screen_text(app)
        assert "History" in text
        assert "5-hour window" in text
        await press_alone(pilot, clock, "escape")
        await settle(pilot)
        assert "Bank" in screen_text(app)


def whole_page(foresight: Foresight, width: int) -> str:
    """The page with everything that it can show."""
    view = seen(foresight)
    working = live_states.working()
    of = (SessionCost(live_states.API, 3.0, 0.5), SessionCost(live_states.DOCS, 12.0, None))
    costs = Costs(view.now.timestamp(), working.filed_under, of)
    state = replace(view.state, snapshot=working.snapshot, sessions=working.sessions, costs=costs)
    view = replace(view, state=state)
    at = view.now - timedelta(hours=1)
    consent = Consent(ConsentKind.LETTER, at)
    full = Window("codex", None, 300, 100.0, at + timedelta(hours=3))
    spend = Spend("k1", Account("acc1"), "c1", None, consent, (full,), 2, at, outcome=Outcome.RESET)
    shares = {"before": "5 hours 100 %, Week 61 %", "after": "5 hours 0 %, Week 0 %"}
    events = (
        Event(at - timedelta(days=9), EventKind.CREDIT_GRANTED, "acc1", "a reset was granted"),
        Event(at - timedelta(days=6), EventKind.CREDIT_EXPIRED, "acc1", "a reset lapsed"),
        Event(at, EventKind.SPEND_CLOSED, "acc1", "one reset spent", request_id="k1", **shares),
    )
    stop = Pause("t", PauseKind.STOPPED, at - timedelta(minutes=12), at + timedelta(minutes=1))
    early = ResetMark(view.now.timestamp() - 1800, 300, False, False)
    pictures = replace(draw(foresight.record, view.now.timestamp()), resets=(early,))
    return plain(history_lines(view, pictures, events, width, (spend,), (stop,))) + "\n"


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_the_whole_page_reads_without_colour(
    columns: int, foresight: Foresight, request: pytest.FixtureRequest
) -> None:
    path, shown = FOLDER / f"history-{columns}.txt", whole_page(foresight, columns - 4)
    if request.config.getoption("--update-screens", default=False):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")
    assert "…" not in shown
    words = " ".join(shown.split())
    for sign in ("█ used", "· even pace", "░ 8 of 10", "─ median", "S spend", "R reset", "? not read", "denser"):
        assert sign in words


def test_each_reset_has_its_last_sensible_moment_below_what_the_advice_rests_on(foresight: Foresight) -> None:
    view, at = seen(foresight), seen(foresight).now.timestamp()
    assert view.state.outlook is not None
    plan = (
        Planned("c1", at + 2 * HOUR, at, False),
        Planned("c2", at + 3 * DAY, at + 2 * DAY, True),
        Planned("c3", None, None, False),
    )
    outlook = replace(view.state.outlook, plan=plan)
    view = replace(view, state=replace(view.state, outlook=outlook))
    text = plain(history_lines(view, draw(foresight.record, at), (), 100))
    for line in (
        "· days of your use that are known: 14",
        "· reset 1 lapses 13:00; its last sensible moment is now",
        "· reset 2 lapses Thu 19 Mar 11:00; use it by Wed 18 Mar 11:00; it probably lapses unused",
        "· reset 3 never lapses",
    ):
        assert line in text


def test_what_each_session_took_is_listed_the_dearest_first() -> None:
    state = live_states.working()
    assert state.account_key is not None
    of = (SessionCost(live_states.API, 3.0, 0.5), SessionCost(live_states.DOCS, 12.0, None))
    costs = Costs(states.NOW.timestamp(), state.account_key, of)
    view = ViewState(states.NOW, states.ZONE, replace(state, costs=costs))
    text = plain(history_lines(view, draw(Foresight().record, START), (), 78))
    other = ViewState(states.NOW, states.ZONE, replace(state, costs=replace(costs, account="another")))
    assert "what each took" not in plain(history_lines(other, draw(Foresight().record, START), (), 78))
    docs, api = text.index("docs"), text.index("api-server")
    assert docs < api
    assert "12 % of 5 hours\n" in text
    assert "3 % of 5 hours · <1 % of the week" in text
