"""Since when nobody has looked: a key, the mouse or the focus is a look, and the last one outlives the screen."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.domain.ledger import Event
from tui.errors import ResetbankError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.ui.core import CoreApp

AWAY: Final = timedelta(minutes=5)
"""Nobody looks any more once there was no key, mouse or focus for so long."""

_SAVED_EVERY: Final = timedelta(minutes=1)
_NAME: Final = "looked_at"
_NEWEST: Final = 500
"""So many of the newest lines of the ledger are looked through."""


class Since:
    """Keeps what happened while nobody looked on the screen until it is dismissed, or the next absence begins."""

    def __init__(self, app: "CoreApp", clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._companion: Companion | None = None
        self._mark = self._looked_at = clock.now()
        self._saved_at: datetime | None = None
        self._recent: tuple[Event, ...] = ()

    async def begin(self, companion: "Companion") -> None:
        """Learn when somebody looked last; at the first start ever that is now."""
        try:
            text = await companion.records.remembered(_NAME)
            self._mark = datetime.fromisoformat(text) if text else self._mark
        except (ResetbankError, ValueError):
            pass  # an absence of unknown length: what happens from now on is shown
        self._companion = companion
        self.follow(companion.state)
        self.looked()

    def looked(self) -> None:
        """Somebody is there; whoever comes back sees what happened since."""
        if self._companion is None:
            return
        now = self._clock.now()
        if now - self._looked_at >= AWAY:
            self._mark = self._looked_at
            self._app.do_later(self._load, "since")
        self._looked_at = now
        if self._saved_at is None or now - self._saved_at >= _SAVED_EVERY:
            self._saved_at = now
            self._app.do_later(self.save, "looked")

    def dismiss(self) -> None:
        """Everything that is shown was read."""
        self._mark = self._clock.now()
        self._app.present(replace(self._app.view, matters=()))

    def follow(self, state: "State") -> None:
        """Look through the ledger where it has something new."""
        if self._companion is not None and state.recent != self._recent:
            self._recent = state.recent
            self._app.do_later(self._load, "since")

    async def save(self) -> None:
        """Remember when somebody looked last."""
        if self._companion is not None:
            try:
                await self._companion.records.remember(_NAME, self._looked_at.isoformat())
            except ResetbankError:
                self._saved_at = None  # tried again with the next look

    async def _load(self) -> None:
        from tui.domain.matters import matters

        if self._companion is None:
            return
        try:
            found = matters(await self._companion.records.events(_NEWEST), self._mark)
        except ResetbankError:
            return  # the screen says why nothing can be read
        if found != self._app.view.matters:
            self._app.present(replace(self._app.view, matters=found))
