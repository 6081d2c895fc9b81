"""What an unforeseen crash leaves on the terminal."""

import pytest

from tests.support.clocks import ManualClock
from tests.ui import states
from tests.ui.scene import Scene
from tests.ui.showing import drawn
from tui.companion.companion import Companion
from tui.settings import Settings
from tui.ui.app import ResetbankApp


async def test_an_unforeseen_crash_shows_no_local_variable(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    class Crashing(ResetbankApp):
        def action_theme(self) -> None:
            address = "gro.elpmaxe@yrollam"[::-1]
            raise RuntimeError(f"broken at {len(address)} by {address}")

    async def connected() -> Companion:
        return Scene(states.busy(), clock).companion

    app = Crashing(
        connect=connected,
        settings=Settings(),
        clock=clock,
        zone=states.ZONE,
        letters=drawn("ABC"),
        drive=False,
    )
    with pytest.raises(RuntimeError, match="broken at 19"):
        async with app.run_test() as pilot:
            await pilot.press("t")
    told = capsys.readouterr().err
    assert "RuntimeError: broken at 19 by m…@example.org" in told
    assert "mallory" not in told
