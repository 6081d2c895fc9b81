"""The invite panel on a scripted companion."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui.scene import Scene
from tests.ui.showing import frame, running, settle
from tui.companion.state import State
from tui.settings import Settings
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.inviting import SendDialog
from tui.ui.screens.consent import ConsentScreen
from tui.ui.screens.invite import InviteScreen


@asynccontextmanager
async def panel(
    state: State, clock: ManualClock, settings: Settings | None = None
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp, Scene]]:
    companion = Scene(state, clock)
    async with running(companion, clock, settings=settings) as (pilot, app, _):
        await pilot.press("i")
        await settle(pilot)
        assert isinstance(app.screen, InviteScreen)
        yield pilot, app, companion


async def type_and_show(pilot: Pilot[int], address: str) -> ConsentScreen:
    await pilot.press("a", *address, "enter")
    await settle(pilot)
    dialog = frame(pilot.app)
    assert isinstance(dialog.dialog, SendDialog)
    return dialog
