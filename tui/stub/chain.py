"""The embedded service as the one source of a demo."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.sources.answers import Asker
from tui.sources.app_asker import AppAsker
from tui.sources.backend import Backend
from tui.sources.base import Source
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, LoginProvider, Token, fixed_login
from tui.sources.referrals import ReferralClient
from tui.stub.embedded import embedded_stub
from tui.stub.scenarios import find_scenario

if TYPE_CHECKING:
    from tui.domain.ledger import Event
    from tui.domain.reading import PastReadings
    from tui.hooks.installation import Installation
    from tui.stub.sessions import PlayedSessions


class EmbeddedChain:
    """Opens the embedded service once and keeps it, so that a demo's bank survives a fault."""

    def __init__(self, clock: Clock, scenario: str) -> None:
        self._clock = clock
        self._stub = embedded_stub(clock, scenario)
        self._base_url = parse_base_url(self._stub.base_url)
        self._scenario = find_scenario(scenario)
        self._played: PlayedSessions | None = None
        if starts := self._scenario.sessions:
            from tui.stub import sessions

            self._played = sessions.PlayedSessions(self._stub.bank, clock, starts)

    async def open(self) -> Source:
        """Open a source on the embedded service; always viable."""
        given, app = (self._base_url, self._login(), self._clock), self._stub.app
        if self._played is None:
            return Backend(*given, app=app)
        from tui.stub.sessions import PlayedSource

        return PlayedSource(self._played, *given, app)

    @property
    def hooks(self) -> "Callable[[], Installation] | None":
        """What holds the sessions that are played; None where none are."""
        played = self._played
        return None if played is None else lambda: played.hooks

    @property
    def past(self) -> "PastReadings | None":
        """The weeks of readings behind the scenario; None where there are none."""
        if not self._scenario.has_past:
            return None
        from tui.stub.story import story_past

        return story_past(self._scenario, self._clock.now().timestamp())

    @property
    def events(self) -> "Iterable[Event]":
        """What the ledger already has."""
        if not self._scenario.has_past:
            return ()
        from tui.stub.story import story_events

        return story_events(self._clock.now())

    @property
    def asks_early(self) -> bool:
        """Whether a limit that only comes near is asked about: a story runs too fast for that."""
        return not self._scenario.has_past

    async def upgrade(self, _current: str) -> None:
        """Nothing is preferred to it."""

    def referrals(self) -> ReferralClient:
        """Its referral programme."""

        async def open_asker() -> Asker:
            return AppAsker(self._base_url, self._stub.app)

        return ReferralClient(self._base_url, self._login(), self._clock, open_asker)

    def _login(self) -> LoginProvider:
        return fixed_login(Login(Token(self._stub.token), self._stub.account_id, origin="embedded"))
