"""What an unforeseen crash leaves on the terminal."""

import pytest

from tests.support.clocks import ManualClock
from tests.ui import states
from tests.ui.scene import Scene
from tests.ui.showing import make_app
from tui.ui.app import ResetbankApp


async def test_an_unforeseen_crash_shows_no_local_variable(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    class Crashing(ResetbankApp):
        def action_theme(self) -> None:
            address = "gro.elpmaxe@yrollam"[::-1]
            raise RuntimeError(f"broken at {len(address)} by {address}")

    app = make_app(Scene(states.busy(), clock), clock, kind=Crashing)
    with pytest.raises(RuntimeError, match="broken at 19"):
        async with app.run_test() as pilot:
            await pilot.press("t")
    told = capsys.readouterr().err
    assert "RuntimeError: broken at 19 by m…@example.org" in told
    assert "mallory" not in told
