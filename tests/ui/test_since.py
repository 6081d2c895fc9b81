"""What happened while nobody looked: told once, in plain words, until it is dismissed; a closed screen is no look."""

from datetime import timedelta

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import running, screen_text, settle, words
from tui.companion.state import State
from tui.domain.ledger import Event, EventKind
from tui.domain.sessions import SessionState
from tui.ui.since import AWAY
from tui.ui.view.since import since_lines, since_text
from tui.ui.view.text import line_width, plain
from tui.ui.view.view_state import ViewState

HOUR = timedelta(hours=1)


def happened(kind: EventKind, text: str, minutes: float, **details: str) -> Event:
    return Event(states.NOW + timedelta(minutes=minutes), kind, "acc1", text, "daemon", **details)


async def happen(pilot: Pilot[int], scene: Scene, *events: Event) -> None:
    scene.tables.events.record(events)
    scene.publish(replace(scene.state, recent=scene.tables.events.events(8)))
    await settle(pilot)


async def test_whoever_comes_back_sees_what_happened_until_it_is_dismissed(clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    async with running(scene, clock, size=(120, 40)) as (pilot, app, _):
        assert "Since you looked" not in screen_text(app)
        await pilot.press("down")
        clock.advance(HOUR.total_seconds())
        await happen(pilot, scene, happened(EventKind.LIMIT_REACHED, "the 5-hour limit was reached", 20))
        await pilot.press("down")
        await settle(pilot)
        assert "14:27 the 5-hour limit was reached" in words(app)
        assert "x Dismiss" in words(app)
        await pilot.press("x")
        await settle(pilot)
        assert "Since you looked" not in screen_text(app)
        clock.advance(1)
        await happen(pilot, scene, happened(EventKind.SPEND_SENT, "request sent", 60.1))
        assert "Since you looked" not in screen_text(app)


async def test_a_new_absence_begins_anew(clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    async with running(scene, clock, size=(120, 40)) as (pilot, app, _):
        await happen(pilot, scene, happened(EventKind.LIMIT_REACHED, "the 5-hour limit was reached", 0.1))
        assert "Since you looked" in screen_text(app)
        clock.advance(60)
        await pilot.press("down")
        clock.advance(AWAY.total_seconds())
        await pilot.press("down")
        await settle(pilot)
        assert "Since you looked" not in screen_text(app)


async def test_a_closed_screen_does_not_look(clock: ManualClock) -> None:
    scene = Scene(states.busy(), clock)
    async with running(scene, clock) as (pilot, _, _):
        await pilot.press("down")
        await settle(pilot)
        seen = scene.tables.remembered.get("looked_at")
    assert seen == states.NOW.isoformat()
    later = Scene(states.busy(), clock)
    later.tables.remembered.set("looked_at", seen)
    later.tables.events.record([happened(EventKind.CREDIT_EXPIRED, "a reset expired unused", 30)])
    clock.advance(HOUR.total_seconds())
    async with running(later, clock, size=(80, 24)) as (_, app, _):
        assert "14:37 one reset lapsed unused" in words(app)


async def test_a_short_screen_and_a_thin_one_tell_the_newest_in_their_line(clock: ManualClock) -> None:
    for size in ((60, 12), (80, 3)):
        scene = Scene(states.busy(), clock)
        async with running(scene, clock, size=size) as (pilot, app, _):
            await happen(pilot, scene, happened(EventKind.CREDIT_GRANTED, "a reset was granted", 1))
            assert "14:08 a reset was granted" in words(app)


def view(state: State, *events: Event) -> ViewState:
    return ViewState(states.NOW + HOUR, states.ZONE, state, matters=events, keys={"ledger": "l"})


def test_the_words_name_the_workspaces() -> None:
    state = live_states.held_three()
    ids = list(state.sessions)
    first = state.sessions[ids[0]]
    hit = Event(first.since, EventKind.LIMIT_REACHED, "acc1", "the 5-hour limit was reached")
    went = [happened(EventKind.RESUMED, f"thread {thread} was told to go on", 3) for thread in ids[:2]]
    queued = happened(EventKind.SPEND_CLOSED, "one reset spent", 2, request_id="k")
    text = plain(since_lines(view(state, hit, queued, *went), 90))
    assert any(name in text for name in ("api-server", "docs", "tools"))
    assert "was reached: " in text
    assert "one reset was spent, as queued" in text
    assert text.splitlines()[0].endswith("went on")
    assert " and " in text.splitlines()[0]


def test_who_is_held_is_not_said_to_have_stopped() -> None:
    state = live_states.held_three()
    first = next(iter(state.sessions.values()))
    hit = Event(first.since, EventKind.LIMIT_REACHED, "acc1", "the 5-hour limit was reached")

    def said(*kinds: SessionState) -> str:
        pairs = zip(state.sessions.values(), kinds, strict=False)
        sessions = [replace(session, since=first.since, state=kind) for session, kind in pairs]
        return since_text(view(replace(state, sessions={one.thread_id: one for one in sessions}), hit))

    assert said(SessionState.HELD).endswith(" held")
    assert said(SessionState.STOPPED_AT_LIMIT).endswith(" stopped")
    assert said(SessionState.HELD, SessionState.STOPPED_AT_LIMIT).endswith(" stopped or held")


def test_every_line_stays_within_and_many_are_counted() -> None:
    many = [happened(EventKind.WINDOW_RESET, "the weekly limit was reset, at its own time", n) for n in range(9)]
    for width in (24, 40, 90):
        lines = since_lines(view(states.busy(), *many), width)
        assert max(map(line_width, lines)) <= width
    assert "and 3 more; l shows all" in plain(lines)
    assert since_text(view(states.busy(), *many)).endswith("(and 8 more since you looked)")
    assert since_text(view(states.busy())) == ""
