"""A thousand random runs of faults, crashes, restarts and repeated requests: resets gone = consents that were spent."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.safety.headless import HastyClock
from tests.safety.mortal import ManyLives, run_at_random
from tests.support.budget import budget, random_runs
from tui.domain.spend import Consent, ConsentKind, Outcome, Spend
from tui.domain.windows import WindowKind
from tui.sources.backend import Backend
from tui.sources.base import Source
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token, fixed_login
from tui.stub.embedded import embedded_stub

PATHS = ["/consume", "/usage", "/rate-limit-reset-credits"]
FAULTS = ["drop_before", "drop_after", "status:500", "status:503", "status:429", "status:401", "garbage"]


class Bankrun(ManyLives):
    """One account, one service, and companions that come and go."""

    def __init__(self) -> None:
        self.stub = embedded_stub(clock := HastyClock(), "many")
        super().__init__(clock)

    async def open(self) -> Source:
        login = fixed_login(Login(Token(self.stub.token), self.stub.account_id))
        return Backend(parse_base_url(self.stub.base_url), login, self.clock, app=self.stub.app)

    @initialize()
    def use_something(self) -> None:
        self.stub.bank.set_usage(self.stub.account_id, WindowKind.FIVE_HOUR, 100.0)

    @rule(used=st.sampled_from([0.0, 50.0, 100.0]))
    def work_goes_on(self, used: float) -> None:
        self.stub.bank.set_usage(self.stub.account_id, WindowKind.FIVE_HOUR, used)

    @rule(path=st.sampled_from(PATHS), kind=st.sampled_from(FAULTS), count=st.integers(1, 6))
    def the_service_fails(self, path: str, kind: str, count: int) -> None:
        self.stub.faults.arm(path, kind, count)

    @rule()
    def the_service_recovers(self) -> None:
        self.stub.faults.disarm("")

    @rule(commits=st.integers(0, 9), after=st.booleans())
    def the_process_is_doomed(self, commits: int, after: bool) -> None:
        self.database.commits_to_live, self.database.dies_after = commits, after

    @rule()
    def the_process_starts_again(self) -> None:
        self.companion, self.proposal = self.start(), None

    @rule()
    def poll(self) -> None:
        self.run(self.companion.poller.poll())

    @rule()
    def ask(self) -> None:
        super().ask()

    @precondition(lambda self: self.proposal is not None)
    @rule()
    def consent(self) -> None:
        assert self.proposal is not None
        # The same question may be answered twice, as by an impatient hand: the second yes must find it gone.
        self.run(self.companion.spender.spend(self.proposal, Consent(ConsentKind.LETTER, self.clock.now())))

    @rule(kind=st.none() | st.sampled_from(FAULTS), count=st.integers(1, 4), doom=st.none() | st.integers(0, 5))
    def ask_and_consent_in_bad_weather(self, kind: str | None, count: int, doom: int | None) -> None:
        self.work_goes_on(100.0)
        self.ask()
        if kind is not None:
            self.the_service_fails("/consume", kind, count)
        if doom is not None:
            self.the_process_is_doomed(doom, after=bool(count % 2))
        if self.proposal is not None:
            self.consent()

    @rule()
    def finish(self) -> None:
        self.run(self.companion.spender.finish())

    @precondition(lambda self: bool(self.keys))
    @rule()
    def somebody_repeats_a_request(self) -> None:
        spend = self.tables.spends.open_spend() or self.tables.spends.last_closed(self.stub.account_id)
        if spend is not None and spend.sends:

            async def repeat() -> None:
                source = await self.open()
                await source.consume(spend.request)

            if spend.outcome in (None, Outcome.RESET):
                self.run(repeat())

    @invariant()
    def never_more_gone_than_consented(self) -> None:
        assert self.gone() <= len(self.keys)

    @invariant()
    def one_open_spend_at_most(self) -> None:
        with self.database.reading() as connection:
            (count,) = connection.execute("SELECT count(*) FROM spends WHERE closed_at IS NULL").fetchone()
        assert count <= 1

    def gone(self) -> int:
        readings, _ = self.stub.bank.everything()
        rows = next(reading.credits for reading in readings if reading.account == self.stub.account_id)
        return sum(row.status == "redeemed" for row in rows)

    def teardown(self) -> None:
        """When all is well again, the ledger and the bank agree to the last reset."""
        self.stub.faults.disarm("")
        self.companion = self.start()
        self.run(self.companion.spender.finish())
        try:
            assert self.tables.spends.open_spend() is None
            with self.database.reading() as connection:
                bodies = connection.execute("SELECT body FROM spends").fetchall()
            import msgspec

            spends = [msgspec.json.decode(body, type=Spend) for (body,) in bodies]
            assert {spend.outcome for spend in spends} <= set(Outcome) - {Outcome.UNKNOWN}
            assert sum(spend.outcome is Outcome.RESET for spend in spends) == self.gone()
            _, records = self.stub.bank.everything()
            redeemed = [record.redeem_request_id for record in records if record.redeemed_at is not None]
            assert sorted(redeemed) == sorted({spend.key for spend in spends if spend.outcome is Outcome.RESET})
            COUNTS["runs"] += 1
            COUNTS["consents"] += len(self.keys)
            COUNTS["gone"] += self.gone()
            COUNTS["repeats"] += sum(max(0, spend.sends - 1) for spend in spends)
        finally:
            self.loop.run_until_complete(self.companion.aclose())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.stub.close()


COUNTS = {"runs": 0, "consents": 0, "gone": 0, "repeats": 0}


@random_runs
def test_a_thousand_random_runs() -> None:
    run_at_random(Bankrun, 1000)
    print(COUNTS)
    assert COUNTS["runs"] >= budget(1000)
    assert 30 * COUNTS["gone"] > COUNTS["runs"], "runs that spend nothing would prove nothing"
