"""A resetbank that kills itself, for real, at one boundary of a spend.

Run as `python -m tests.safety.victim POINT BASE_URL CODEX_HOME`. Only the points inside the process are here; what must
happen between the service and the process is arranged with the stub's faults by the test.
"""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

import tui.companion.records  # noqa: F401 - so that its journal can be replaced
from tests.safety.victims import die_at
from tui.assembly import SourceOptions, open_companion
from tui.domain.ledger import Event
from tui.domain.queue import Queued
from tui.domain.spend import Consent, ConsentKind, ConsumeAnswer, ConsumeRequest, Spend, Stage
from tui.errors import ResetbankError
from tui.paths import resetbank_paths
from tui.settings import Settings
from tui.sources.backend import Backend
from tui.store.spends import SpendJournal


class FragileJournal(SpendJournal):
    """The real journal, in a process that may end before or after any of its commits."""

    def begin(self, spend: Spend, holder: str, event: Event, queued: Queued | None = None) -> None:
        die_at("before the journal commit")
        super().begin(spend, holder, event, queued)
        die_at("after the journal commit")

    def advance(self, spend: Spend, events: Iterable[Event] = (), holder: str | None = None) -> None:
        if spend.stage is Stage.CLOSED:
            die_at("before the close")
        super().advance(spend, events, holder)
        die_at(f"after {spend.stage} is written")


class FragileBackend(Backend):
    """The real source, in a process that may end as soon as an answer, or none, has come."""

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        try:
            answer = await super().consume(request)
        except ResetbankError:
            die_at("after the send")
            raise
        die_at("after the answer")
        return answer


async def main(base_url: str, codex_home: str) -> None:
    options = SourceOptions("http", Path(codex_home), base_url)
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="the victim")
    proposal = await companion.spender.propose()
    print("consented", flush=True)
    await companion.spender.spend(proposal, Consent(ConsentKind.CODE, companion.clock.now()))
    print("done", flush=True)
    await companion.aclose()


if __name__ == "__main__":
    # Where the composition root finds the two, so that all the rest is put together as ever.
    setattr(sys.modules["tui.companion.records"], "SpendJournal", FragileJournal)  # noqa: B010
    setattr(sys.modules["tui.sources.backend"], "Backend", FragileBackend)  # noqa: B010
    asyncio.run(main(sys.argv[2], sys.argv[3]))
