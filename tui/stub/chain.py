"""The embedded service as the one source of a demo."""

from tui.clock import Clock
from tui.sources.backend import Backend, HttpAsker
from tui.sources.base import Source, SourceStatus
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, LoginProvider, Token, fixed_login
from tui.sources.referrals import ReferralClient
from tui.stub.embedded import embedded_stub


class EmbeddedChain:
    """Opens the embedded service once and keeps it, so that a demo's bank survives a fault."""

    def __init__(self, clock: Clock, scenario: str) -> None:
        self._clock = clock
        self._stub = embedded_stub(clock, scenario)
        self._base_url = parse_base_url(self._stub.base_url)

    async def open(self) -> tuple[Source, tuple[SourceStatus, ...]]:
        """Open a source on the embedded service; always viable."""
        source = Backend(self._base_url, self._login(), self._clock, name="stub", app=self._stub.app)
        return source, (SourceStatus("stub", True, "the embedded service"),)

    async def upgrade(self, _current: str) -> None:
        """Nothing is preferred to it."""

    def referrals(self) -> ReferralClient:
        """Its referral programme."""

        async def open_asker() -> HttpAsker:
            return HttpAsker(self._base_url, self._stub.app)

        return ReferralClient(self._base_url, self._login(), self._clock, open_asker)

    def _login(self) -> LoginProvider:
        return fixed_login(Login(Token(self._stub.token), self._stub.account_id, origin="embedded"))
