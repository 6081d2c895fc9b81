"""Random runs against services that ignore keys and lie, with failing disks, locks, crashes, late letters, others."""

import asyncio
from collections import Counter, deque
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT
from tests.domain.worlds import credit
from tests.safety.mortal import ManyLives, run_at_random
from tests.support.budget import budget, random_runs
from tests.support.clocks import ManualClock
from tui.domain.findings import mismatches
from tui.domain.snapshot import Snapshot
from tui.domain.spend import (
    Consent,
    ConsentKind,
    ConsumeAnswer,
    ConsumeCode,
    ConsumeRequest,
    Outcome,
    Spend,
    Stage,
)
from tui.errors import ConsumeRejected, OutcomeUnknown, SourceDown
from tui.sources.base import Source, SourceName
from tui.store.spends import all_spends

EFFECTS = ["asked", "another", "none", "late"]
ANSWERS = ["truth", "lost", "refused", "nothing", "no credit", "nonsense"]
READINGS = ["whole", "count only", "capped", "silent", "down"]
COUNTS: Counter[str] = Counter()


class HastyClock(ManualClock):
    """Nobody waits: a pause is over at once."""

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.advance(seconds)
        await super().sleep(0)


class HostileService:
    """Implements `tui.sources.base.Source`; honours neither key nor credit id where a test says so."""

    name: SourceName = "http"

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.bank = [credit(f"c{number}", 2 + number) for number in range(8)]
        self.script: deque[tuple[str, str]] = deque()
        self.reading = "whole"
        self.late: list[str] = []
        """Keys whose effect is still to come."""
        self.taken: dict[str, list[str]] = {}
        self.requests: Counter[str] = Counter()
        self.was_late: set[str] = set()
        self.shown: Counter[str] = Counter()
        """How many each key had taken when the bank was last shown in a way that tells."""

    async def read(self, *, with_credits: bool) -> Snapshot:
        if self.reading == "down":
            raise SourceDown("503")
        now, rows = self.clock.now(), tuple(self.bank)
        if self.reading != "silent":
            self.shown = Counter({key: len(taken) for key, taken in self.taken.items()})
        bank = replace(AT_LIMIT.bank, available=len(rows), credits=rows, credits_observed_at=now)
        if self.reading == "capped":
            bank = replace(bank, credits=rows[:2])
        elif self.reading != "whole" or not with_credits:
            bank = replace(bank, credits=None, credits_observed_at=None)
        if self.reading == "silent":
            bank = replace(bank, available=None)
        return replace(AT_LIMIT, provenance=replace(AT_LIMIT.provenance, observed_at=now), bank=bank)

    def take(self, key: str, wanted: str | None, effect: str) -> None:
        rows = [row for row in self.bank if (row.id == wanted) is (effect == "asked")]
        if rows:
            self.bank.remove(rows[-1])
            self.taken.setdefault(key, []).append(rows[-1].id)

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        self.requests[request.key] += 1
        effect, answer = self.script.popleft() if self.script else ("asked", "truth")
        if effect == "late":
            self.late.append(request.key)
            self.was_late.add(request.key)
        elif effect != "none":
            self.take(request.key, request.credit_id, effect)
        match answer:
            case "truth" if effect in ("asked", "another"):
                return ConsumeAnswer(ConsumeCode.RESET)
            case "truth" | "nothing":
                return ConsumeAnswer(ConsumeCode.NOTHING_TO_RESET)
            case "refused":
                raise ConsumeRejected("403")
            case "no credit":
                return ConsumeAnswer(ConsumeCode.NO_CREDIT)
            case "nonsense":
                return ConsumeAnswer(ConsumeCode.UNRECOGNISED, raw_code="perhaps")
        raise OutcomeUnknown("the answer never came")

    async def changed(self) -> None:
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        return None


class Ordeal(ManyLives):
    """One account, one hostile service, and processes that come and go on one database."""

    clock: HastyClock

    def __init__(self) -> None:
        self.service = HostileService(clock := HastyClock())
        super().__init__(clock)
        self.asked_again: Counter[str] = Counter()
        self.told_unsent: set[str] = set()
        self.judged: set[str] = set()
        self.beside = self.start()

    async def open(self) -> Source:
        return self.service

    def disk(self, fails: bool) -> None:
        with self.database.reading() as connection:
            connection.execute(f"PRAGMA query_only = {int(fails)}")

    @rule(script=st.lists(st.tuples(st.sampled_from(EFFECTS), st.sampled_from(ANSWERS)), max_size=3))
    def the_service_means_to(self, script: list[tuple[str, str]]) -> None:
        self.service.script = deque(script)

    @rule(reading=st.sampled_from(READINGS))
    def it_shows_its_bank(self, reading: str) -> None:
        self.service.reading = reading

    @rule()
    def what_was_late_lands(self) -> None:
        for key in self.service.late:
            self.service.take(key, None, "another")
        self.service.late.clear()

    @rule(commits=st.integers(0, 7), after=st.booleans())
    def the_process_is_doomed(self, commits: int, after: bool) -> None:
        self.database.commits_to_live, self.database.dies_after = commits, after

    @rule(after=st.integers(0, 5), commits=st.integers(1, 4))
    def another_program_holds_the_database(self, after: int, commits: int) -> None:
        self.database.lock(after, commits)

    @rule(minutes=st.sampled_from([0, 1, 4, 6]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(60 * minutes + 1)

    @rule()
    def the_clock_is_set_back(self) -> None:
        self.clock.set_wall(self.clock.now() - timedelta(hours=1))

    @rule()
    def ask(self) -> None:
        super().ask()

    @precondition(lambda self: self.proposal is not None)
    @rule(disk_fails=st.sampled_from([False, False, True]))
    def a_letter_comes(self, disk_fails: bool) -> None:
        assert self.proposal is not None
        known = len(self.keys)
        self.disk(disk_fails)
        consent = Consent(ConsentKind.LETTER, self.clock.now())
        result = self.run(self.companion.spender.spend(self.proposal, consent))
        self.disk(False)
        COUNTS["consents"] += 1
        if isinstance(result, ConsumeRejected) and len(self.keys) > known:
            self.told_unsent.add(self.keys[-1])

    @rule(
        script=st.lists(st.tuples(st.sampled_from(EFFECTS), st.sampled_from(ANSWERS)), min_size=1, max_size=3),
        reading=st.sampled_from(["whole", "whole", "capped", "count only"]),
        doom=st.none() | st.integers(0, 5),
        locked=st.none() | st.tuples(st.integers(0, 5), st.integers(1, 4)),
    )
    def ask_and_consent(
        self, script: list[tuple[str, str]], reading: str, doom: int | None, locked: tuple[int, int] | None
    ) -> None:
        self.service.reading = reading
        self.ask()
        self.service.script = deque(script)
        self.database.commits_to_live = doom
        if locked is not None:
            self.database.lock(*locked)
        if self.proposal is not None:
            self.a_letter_comes(False)

    @rule()
    def a_command_reads_beside_it(self) -> None:
        before = self.open_spend()
        self.run(self.beside.poller.poll())
        assert self.open_spend() == before

    @rule(unasked=st.booleans())
    def it_is_finished(self, unasked: bool) -> None:
        before = self.open_spend()
        sent = self.service.requests[before.key] if before else 0
        self.run(self.companion.spender.finish(unasked=unasked))
        if before is not None and not unasked:
            self.asked_again[before.key] += self.service.requests[before.key] - sent

    def open_spend(self) -> Spend | None:
        return self.tables.spends.open_spend()

    @invariant()
    def without_a_person_at_most_two_requests_go_out(self) -> None:
        for key, count in self.service.requests.items():
            assert count - self.asked_again[key] <= 2, key

    @invariant()
    def what_was_called_unsent_is_never_sent(self) -> None:
        assert not self.told_unsent & self.service.requests.keys()

    @invariant()
    def no_resending_loses_a_reset(self) -> None:
        """One consent takes one, and a second only by an effect that came late or by a person who sent it again."""
        for key, taken in self.service.taken.items():
            if not self.asked_again[key]:
                assert len(taken) <= (2 if key in self.service.was_late else 1), key

    @invariant()
    def nothing_says_unspent_what_was_seen_to_be_spent(self) -> None:
        with self.database.reading() as connection:
            spends = all_spends(connection, AT_LIMIT.account.key)
        for spend in spends:
            says_unspent = spend.stage is Stage.CLOSED and spend.outcome in (
                Outcome.REFUSED,
                Outcome.NOTHING_TO_RESET,
                Outcome.NO_CREDIT,
            )
            if spend.stage is Stage.CLOSED and spend.key not in self.judged:
                self.judged.add(spend.key)  # what lands later was not to be seen
                if says_unspent and not mismatches(spend):
                    assert self.service.shown[spend.key] == 0, spend
                    COUNTS["unspent"] += 1

    def teardown(self) -> None:
        COUNTS["runs"] += 1
        COUNTS["gone"] += sum(map(len, self.service.taken.values()))
        COUNTS["resent"] += sum(count > 1 for count in self.service.requests.values())
        self.loop.run_until_complete(self.companion.aclose())
        self.loop.close()


def test_what_lands_between_the_look_and_the_close_of_the_next_process_is_not_called_unspent() -> None:
    ordeal = Ordeal()
    ordeal.ask_and_consent(script=[("late", "truth")], reading="whole", doom=5, locked=(5, 1))
    ordeal.what_was_late_lands()
    ordeal.ask()
    ordeal.it_is_finished(unasked=False)
    with ordeal.database.reading() as connection:
        (spend,) = all_spends(connection, AT_LIMIT.account.key)
    assert spend.stage is Stage.CLOSED
    assert mismatches(spend)
    ordeal.nothing_says_unspent_what_was_seen_to_be_spent()
    ordeal.teardown()


@random_runs
def test_random_runs_against_hostile_services() -> None:
    run_at_random(Ordeal, 1000)
    print(dict(COUNTS))
    assert COUNTS["runs"] >= budget(1000)
    assert 30 * COUNTS["gone"] > COUNTS["runs"], "runs that spend nothing would prove nothing"
