"""A question in a terminal that has no room for it."""

import pytest

from tests.support.clocks import ManualClock
from tests.ui import live_states
from tests.ui.asked import asked, companion_of
from tests.ui.showing import press_alone, screen_text, settle, words
from tui.ui.screens.consent import GUARD_SECONDS


@pytest.mark.parametrize("size", [(120, 5), (80, 3), (28, 20)])
async def test_where_there_is_no_room_for_the_question_no_key_consents(
    size: tuple[int, int], clock: ManualClock
) -> None:
    companion = companion_of(clock, live_states.several_question())
    async with asked(companion, clock) as (pilot, app, dialog):
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert "make this pane at least 40x12 to answer" in words(app)
        assert "(capital)" not in screen_text(app)
        clock.advance(GUARD_SECONDS)
        for key in (*dialog.letters, "w", "5", "plus", "enter", "space"):
            await press_alone(pilot, clock, key)
        assert companion.spends == []
        assert companion.state.question is not None
        assert app.screen is dialog
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "make this pane" not in words(app)
        clock.advance(GUARD_SECONDS)
        await press_alone(pilot, clock, dialog.letters[0])
        assert len(companion.spends) == 1
