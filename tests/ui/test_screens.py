"""The screens as plain text, at three sizes; `pytest tests/ui --update-screens` accepts a change."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import Golden, at_every_size, make_app, press_alone, running, screen_text, settle
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.errors import NotViable, OutcomeUnknown, SourceDown

MAIN: Final[dict[str, Callable[[], State]]] = {
    "calm": states.calm,
    "busy": states.busy,
    "at-limit": states.at_limit,
    "weekly-wall": states.weekly_wall,
    "weekly-only": states.weekly_only,
    "monthly": states.monthly,
    "many": states.many,
    "empty-bank": states.empty_bank,
    "unknown": states.unknown,
    "failing": states.failing,
    "open-spend": states.open_spend,
    "demo": states.demo,
    "before-first-reading": State,
}


@at_every_size
@pytest.mark.parametrize("name", MAIN)
async def test_main_screen(name: str, size: tuple[int, int], golden: Golden) -> None:
    async with running(MAIN[name](), size=size) as (_, app, _):
        golden(name, app)


@at_every_size
async def test_connecting(size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    async def never() -> Companion:
        await clock.sleep(1)
        raise AssertionError

    app = make_app(None, clock, connect=never)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        golden("connecting", app)


@at_every_size
async def test_not_connected(size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    async def refused() -> Companion:
        raise NotViable("no source can be used here", "run `codex login` first")

    app = make_app(None, clock, connect=refused)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        golden("not-connected", app)


BEGIN: Final = states.at(23, 12, 20)

Steps = Callable[[Pilot[int], ManualClock], Awaitable[None]]


async def ask(pilot: Pilot[int], clock: ManualClock) -> None:
    await pilot.press("r")
    await settle(pilot)


async def spend(pilot: Pilot[int], clock: ManualClock) -> None:
    await ask(pilot, clock)
    await press_alone(pilot, clock, "A")


async def ledger(pilot: Pilot[int], clock: ManualClock) -> None:
    await pilot.press("l")
    await settle(pilot)


async def show_help(pilot: Pilot[int], clock: ManualClock) -> None:
    await pilot.press("question_mark")
    await settle(pilot)


def companion(clock: ManualClock, name: str) -> Scene:
    reset = states.reset_snapshot(five=3)
    scripts = {
        "spend-question": Scene(states.at_limit(), clock),
        "spend-question-little-used": Scene(states.calm(), clock),
        "spend-refused": Scene(states.empty_bank(), clock),
        "spend-result": Scene(states.at_limit(), clock, after=reset),
        "spend-mismatch": Scene(
            states.at_limit(), clock, after=states.reset_snapshot(five=100, weekly=0, moved=False, left=3)
        ),
        "spend-unknown": Scene(states.at_limit(), clock, after=SourceDown("the service does not answer")),
    }
    if name == "spend-unknown":
        scripts[name].source.answers.append(OutcomeUnknown("the connection broke before the answer came"))
    return scripts.get(name) or Scene(states.busy(), clock)


DIALOGS: Final[dict[str, Steps]] = {
    "spend-question": ask,
    "spend-question-little-used": ask,
    "spend-refused": ask,
    "spend-result": spend,
    "spend-mismatch": spend,
    "spend-unknown": spend,
    "ledger": ledger,
    "help": show_help,
}


@at_every_size
@pytest.mark.parametrize("name", DIALOGS)
async def test_other_screen(name: str, size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    async with running(companion(clock, name), clock, size=size) as (pilot, app, _):
        await DIALOGS[name](pilot, clock)
        golden(name, app)


@at_every_size
async def test_finishing_an_old_spend(size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    clock.set_wall(states.NOW + timedelta(hours=2))
    async with running(Scene(states.open_spend(), clock), clock, size=size) as (pilot, app, _):
        await pilot.press("f")
        await settle(pilot)
        golden("finish-question", app)


@pytest.mark.parametrize(
    "size", [(200, 50), (100, 30), (60, 20), (120, 5), (80, 3)], ids=lambda size: f"{size[0]}x{size[1]}"
)
@pytest.mark.parametrize("name", ["busy", "day", "many-sessions"])
async def test_every_size(name: str, size: tuple[int, int], golden: Golden) -> None:
    shown = {"busy": states.busy, "day": live_states.working, "many-sessions": live_states.held_three}[name]()
    async with running(shown, size=size) as (_, app, _):
        app.present(replace(app.view, pictures=live_states.PICTURES if name == "day" else None))
        golden(name, app)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_day_at_the_usual_sizes(size: tuple[int, int], golden: Golden) -> None:
    await test_every_size("day", size, golden)


async def test_where_there_is_one_line_it_has_meter_and_bank() -> None:
    async with running(states.busy(), size=(40, 1)) as (_, app, _):
        assert screen_text(app) == "5h 93 % ! 17:20 │ wk 41 % │ 3 resets\n"
    async with running(states.demo(), size=(26, 2)) as (_, app, _):
        assert screen_text(app).splitlines() == ["DEMO · 5 hours 93 % used…", "DEMO 5h 93 % ! │ wk 41 %…"]
