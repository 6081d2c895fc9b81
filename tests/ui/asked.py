"""A question on the screen of a companion over a scripted source."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import drawn, frame, running, top
from tui.companion.state import State
from tui.ui.app import ResetbankApp
from tui.ui.dialogs.question import QuestionDialog
from tui.ui.screens.consent import GUARD_SECONDS, ConsentScreen


def companion_of(clock: ManualClock, state: State | None = None) -> Scene:
    return Scene(state or live_states.stopped_question(), clock, after=states.reset_snapshot())


@asynccontextmanager
async def asked(
    companion: Scene, clock: ManualClock, *letters: str
) -> AsyncIterator[tuple[Pilot[int], ResetbankApp, ConsentScreen]]:
    async with running(companion, clock, letters=drawn(*letters) if letters else None) as (pilot, app, _):
        assert isinstance(top(app), QuestionDialog)
        clock.advance(GUARD_SECONDS)
        yield pilot, app, frame(app)
