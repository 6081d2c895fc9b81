"""Several accounts on one screen: a row for each, one in sight, and a question is its own account's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support import waiting
from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import make_app, press_alone, settle, until, words
from tui.companion.accounts import Accounts, Member
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.snapshot import Account
from tui.errors import UsageError
from tui.ui.app import ResetbankApp
from tui.ui.screens.consent import ConsentScreen
from tui.ui.view.text import plain
from tui.ui.widgets.lines import Lines


def named(state: State, name: str, account: str) -> State:
    assert state.snapshot is not None
    snapshot = replace(state.snapshot, account=Account(account, "plus", f"{name}@example.com"))
    return replace(state, account_name=name, snapshot=snapshot)


class Several:
    """Real accounts, each a scene of its own."""

    def __init__(self, clock: ManualClock, *shown: State, broken: str = "") -> None:
        self.scenes = {state.account_name: Scene(state, clock) for state in shown}
        self.broken = broken
        members = [self.member(name, scene) for name, scene in self.scenes.items()]
        self.accounts = Accounts(members, clock, every=timedelta(minutes=10), random_share=lambda: 0.5)

    def member(self, name: str, scene: Scene) -> Member:
        def open_one() -> Companion:
            if name == self.broken:
                raise UsageError("its home is gone")
            return scene.companion

        async def look() -> State:
            return scene.state

        return Member(name, open_one, lambda: scene.state, look, lambda: False, lambda _: scene.companion.records)


@asynccontextmanager
async def running(
    clock: ManualClock, several: Several, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp]]:
    """The app with the accounts, none of whose long tasks runs; the others are looked at once."""

    async def connect() -> Companion:
        for scene in several.scenes.values():
            await scene.connected()
        return several.accounts.first()

    app = make_app(None, clock, connect=connect)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        task = asyncio.create_task(several.accounts.run(frozenset()))
        await waiting.until(lambda: all(state.snapshot is not None for state in several.accounts.states))
        await settle(pilot)
        yield pilot, app
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def pair(clock: ManualClock, broken: str = "") -> Several:
    home = named(live_states.stopped_question(), "home", "acc2")
    return Several(clock, named(states.calm(), "work", "acc1"), replace(home, question=None), broken=broken)


def rows(app: ResetbankApp) -> list[str]:
    return [plain((line,)).strip() for line in app.screen.query_one("#accounts", Lines).lines]


async def test_a_row_for_each_and_the_one_in_sight_is_large(clock: ManualClock) -> None:
    several = pair(clock)
    async with running(clock, several) as (pilot, app):
        work, home = rows(app)
        assert work.startswith("▸ work  ✓ ok")
        assert home.startswith("home  ■ reached")
        assert "1 stopped" in home
        assert "work@example.com" in words(app)
        await pilot.press("o")
        await settle(pilot)
        assert rows(app)[1].startswith("▸ home")
        assert "home@example.com" in words(app)
        assert "work@example.com" not in words(app)
        await pilot.press("o")
        await settle(pilot)
        assert "work@example.com" in words(app)
        await pilot.press("p")
        await settle(pilot)
        assert "home@example.com" in words(app)


async def test_sessions_have_their_accounts_name(clock: ManualClock) -> None:
    several = pair(clock)
    async with running(clock, several) as (_, app):
        assert "home: " in words(app)
        assert "stopped at limit" in words(app)


async def test_a_question_brings_its_account_in_sight_and_names_it(clock: ManualClock) -> None:
    several = pair(clock)
    home = several.scenes["home"]
    async with running(clock, several) as (pilot, app):
        several.accounts.open("home")
        home.companion.store.update(question=live_states.question_of(home.state, clock.now()))
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await settle(pilot)
        assert "home · " in words(app)
        letter = app.screen.letter if isinstance(app.screen, ConsentScreen) else ""
        clock.advance(1)
        await press_alone(pilot, clock, letter)
        await settle(pilot)
        assert [spend.account_id for spend in home.spends] == ["acc2"]
        assert several.scenes["work"].spends == []


async def test_a_question_waits_while_another_accounts_dialog_is_open(clock: ManualClock) -> None:
    several = pair(clock)
    home = several.scenes["home"]
    async with running(clock, several) as (pilot, app):
        several.accounts.open("home")
        await pilot.press("l")
        await settle(pilot)
        home.companion.store.update(question=live_states.question_of(home.state, clock.now()))
        await settle(pilot)
        assert not isinstance(app.screen, ConsentScreen)
        assert app._companion is several.scenes["work"].companion
        await pilot.press("escape")
        await settle(pilot)
        app.tick()
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        assert app._companion is home.companion


async def test_an_account_that_cannot_be_opened_is_said_and_the_others_stay(clock: ManualClock) -> None:
    several = pair(clock, broken="home")
    async with running(clock, several) as (pilot, app):
        await pilot.press("o")
        await settle(pilot)
        assert "home: its home is gone" in words(app)
        assert "work@example.com" in words(app)


async def test_of_many_those_around_the_one_in_sight_have_rows(clock: ManualClock) -> None:
    shown = [named(states.calm(), f"n{number}", f"acc{number}") for number in range(50)]
    shown[40] = named(states.at_limit(), "n40", "acc40")
    several = Several(clock, *shown)
    async with running(clock, several, (80, 24)) as (pilot, app):
        assert len(rows(app)) == 3
        assert rows(app)[0].startswith("▸ n0")
        assert rows(app)[-1] == "+48 more: ■ 1 reached, ✓ 47 ok"
        await pilot.press("p")
        await settle(pilot)
        assert rows(app)[1].startswith("▸ n49")


async def test_one_account_has_no_rows_and_says_how_to_have_more(clock: ManualClock) -> None:
    app = make_app(Scene(states.calm(), clock), clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert not app.screen.query("#accounts")
        await pilot.press("o")
        await settle(pilot)
        assert "there is no other account" in words(app)
