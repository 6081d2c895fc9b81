"""Spending what is queued once the limit is really reached."""

from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.spender import Spender
from tui.companion.state import State, StateStore
from tui.domain.account_state import AccountState
from tui.domain.ledger import Event, EventKind
from tui.domain.question import AskRules
from tui.domain.queue import Queued, fire, should_fire
from tui.errors import NoCredit, ResetbankError

RETRY_SECONDS: Final = 15.0
"""Between two tries where the first could not begin: the reset stays queued."""


class QueueWatch(Follower):
    """Spends what this process queued, one at a time; where nothing could be journaled, it stays queued."""

    def __init__(self, store: StateStore, records: Records, spender: Spender, clock: Clock, rules: AskRules) -> None:
        super().__init__(store, records, clock)
        self._spender = spender
        self._rules = rules
        self._spending_at = clock.now()
        """Until when a spend was seen under way: only a reading after it says whether the limit stands again."""

    def _is_news(self, before: State, state: State) -> bool:
        if state.spending or state.open_spend is not None:
            self._spending_at = self._clock.now()
        return state.queued is not None

    async def _look(self) -> None:
        """Spend what is queued when the limit is reached."""
        while (queued := self._due()) is not None and not await self._spend(queued):
            await self._clock.sleep(RETRY_SECONDS)

    def _due(self) -> Queued | None:
        state, now = self._store.state, self._clock.now()
        queued, snapshot = state.queued, state.snapshot
        if queued is None or snapshot is None or state.spending or state.open_spend is not None or state.is_stale(now):
            return None
        if queued.until is not None and snapshot.provenance.observed_at < self._spending_at:
            return None
        is_hit = should_fire(queued, snapshot, state.sessions, now, self._rules.least_waiting)
        return queued if is_hit else None

    async def _spend(self, queued: Queued) -> bool:
        """Spend it from a fresh reading; whether that is over, one way or the other."""
        try:
            proposal = await self._spender.propose(queued.credit_id)
            still = self._due()
            if still is None or still.armed_at != queued.armed_at:
                return True  # the fresh reading says otherwise
            await self._spender.spend(proposal, fire(queued, self._clock.now()), queued.whom, queued)
        except NoCredit as error:
            bank = self._store.state.snapshot.bank if self._store.state.snapshot else None
            if bank is None or (bank.available is None and bank.credits is None):
                return False  # nobody said that there is none
            await self._take_out(queued, error)
        except ResetbankError:
            return False  # nothing was journaled: said by the State, and tried again
        return True

    async def _take_out(self, queued: Queued, why: ResetbankError) -> None:
        def step(state: AccountState) -> AccountState:
            is_this = state.queued is not None and state.queued.armed_at == queued.armed_at
            return replace(state, queued=None, queue_owner=None) if is_this else state

        text = f"the queued reset was not spent: {why}"
        account = queued.account.key
        event = Event(self._clock.now(), EventKind.UNQUEUED, account, text, credit_id=queued.credit_id)
        await self._records.change(step, lambda: [event])
        await self._records.show()
