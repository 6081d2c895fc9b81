"""The welcome: opens by itself once in the life of a database, when the first reading is there and nothing is asked."""

from typing import TYPE_CHECKING, Final

from tui.concurrency import in_thread
from tui.errors import ResetbankError
from tui.ui.screens.main import MainScreen
from tui.ui.view.compact import is_compact

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.ui.core import CoreApp
    from tui.ui.view.welcome import Found

_NAME: Final = "welcomed"


class Welcome:
    """Knows whether somebody is still to be welcomed."""

    def __init__(self, app: "CoreApp") -> None:
        self._app = app
        self._companion: Companion | None = None
        self._found: Found | None = None

    async def begin(self, companion: "Companion") -> None:
        """Learn whether this database has welcomed already; where none is kept, as in a demo, nobody is welcomed."""
        if companion.records.tables is None or companion.state.demo is not None:
            return
        try:
            if await companion.records.remembered(_NAME) is not None:
                return
        except ResetbankError:
            return  # the screen says why nothing can be read
        self._found = await self._look()
        if self._found.is_real:
            self._companion = companion
            self.follow(companion.state)

    def follow(self, state: "State") -> None:
        """Open the page once there is a reading and nothing else is to be seen to."""
        companion, front = self._companion, self._app.screen_stack[-1:]
        if companion is None or self._found is None or not front or not isinstance(front[0], MainScreen):
            return
        if state.snapshot is None or state.link.source is None or state.question is not None:
            return
        if is_compact(*self._app.size):
            return  # a thin pane beside Codex has no room for a page; a later start may have
        self._companion = None
        self._open(self._found)

        async def remember() -> None:
            await companion.records.remember(_NAME, self._app.view.now.isoformat())

        self._app.do_later(remember, "welcomed")

    async def show(self) -> None:
        """Open the page because somebody wants it."""
        found = self._found or await self._look()
        if isinstance(self._app.screen, MainScreen):
            self._open(found)

    async def _look(self) -> "Found":
        from tui.ui.view.welcome import Found

        return await in_thread(self._app.look_around) if self._app.look_around is not None else Found()

    def _open(self, found: "Found") -> None:
        from tui.ui.screens.welcome import WelcomeScreen

        self._app.push_screen(WelcomeScreen(self._app.view, found))
