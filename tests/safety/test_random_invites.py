"""Random runs of faults, crashes, restarts and two processes at once: e-mails sent ≤ consents, and each is known."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import astuple, replace

from tests.companion.inviting import Crash, ScriptedReferrals
from tests.companion.scripted import READING
from tests.domain.inviting import OFFER
from tests.safety.mortal import MortalDatabase, run_at_random
from tests.support.budget import budget, random_runs
from tests.support.clocks import ManualClock
from tui.companion.inviter import Inviter
from tui.companion.locks import AccountLocks
from tui.companion.records import Records, Tables
from tui.companion.state import State, StateStore
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import InviteProposal, InviteRecord, SendStage, same_address
from tui.domain.ledger import EventKind
from tui.domain.referral import REFERRER, RESET_CREDIT, InviteStatus, OfferAnswer, OfferStatus, Reward
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected, RateLimited, ResetbankError, SourceDown
from tui.store.events import EventLog

FRIENDS = ["ann.private@x.example", "bob.private@x.example", "cid.private@bücher.example"]
FAULTS = ["drop_before", "drop_after", "refuse", "crash_before", "crash_after"]


class Postroom(RuleBasedStateMachine):
    """One account, one service, and processes that come and go, two at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.service = ScriptedReferrals(self.clock)
        self.database = MortalDatabase(None)
        self.keys = 0
        self.expected = 0
        self.consents: Counter[str] = Counter()
        self.processes = [self.start(), self.start()]

    def start(self) -> tuple[StateStore, Inviter]:
        self.database.commits_to_live = None
        store = StateStore(State(snapshot=READING))
        records = Records(store, Tables(self.database, AccountLocks(None)), "one of two")
        return store, Inviter(store, records, self.service, self.clock, new_key=self.new_key)

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def run(self, number: int, work: Any) -> Any:
        try:
            return self.loop.run_until_complete(work)
        except ResetbankError:
            return None
        except Crash:
            self.processes[number] = self.start()
            return None

    def kept(self) -> list[InviteRecord]:
        with self.database.reading() as connection:
            bodies = connection.execute("SELECT body FROM invites").fetchall()
        return [msgspec.json.decode(body, type=InviteRecord) for (body,) in bodies]

    @rule(fault=st.sampled_from(FAULTS))
    def the_next_send_fails(self, fault: str) -> None:
        def crash() -> None:
            raise Crash

        async def crash_after() -> None:
            self.service.meanwhile = None
            raise Crash

        match fault:
            case "refuse":
                self.service.weather.append(InviteRejected("refused (429)"))
            case "crash_before":
                self.service.weather.append(crash)
            case "crash_after":
                self.service.meanwhile = crash_after
            case "drop_before" | "drop_after":
                self.service.weather.append(fault)

    @rule(commits=st.integers(0, 3), after=st.booleans())
    def a_process_is_doomed(self, commits: int, after: bool) -> None:
        self.database.commits_to_live, self.database.dies_after = commits, after

    @rule(list_fails=st.booleans(), complete=st.booleans(), offer=st.integers(0, 3))
    def the_service_falters(self, list_fails: bool, complete: bool, offer: int) -> None:
        self.service.unlisted = SourceDown("500") if list_fails else None
        self.service.complete = complete
        offers: list[OfferAnswer | Exception] = [
            OfferAnswer(OfferStatus.OFFERED, OFFER),
            OfferAnswer(OfferStatus.OFFERED, replace(OFFER, rules=("Changed.",))),
            OfferAnswer(OfferStatus.NOT_OFFERED, OFFER, "ended"),
            RateLimited("429", 60.0),
        ]
        self.service.offered = offers[offer]

    @rule()
    def the_service_recovers(self) -> None:
        self.service.unlisted, self.service.complete, self.service.meanwhile = None, True, None
        self.service.offered = OfferAnswer(OfferStatus.OFFERED, OFFER)
        self.service.weather.clear()

    @rule(minutes=st.sampled_from([0.1, 1, 30, 24 * 60, 48 * 60]))
    def time_passes(self, minutes: float) -> None:
        self.clock.advance(minutes * 60)

    @rule(number=st.integers(0, 1))
    def a_process_starts_again(self, number: int) -> None:
        self.processes[number] = self.start()

    @rule(number=st.integers(0, 1))
    def look(self, number: int) -> None:
        self.run(number, self.processes[number][1].refresh())

    @rule(number=st.integers(0, 1), address=st.sampled_from(FRIENDS))
    def invite(self, number: int, address: str) -> None:
        self.consents[address] += 1
        before = len(self.service.requests)
        proposal = InviteProposal(READING.account, address, OFFER)
        self.run(number, self.processes[number][1].invite(proposal, ConsentKind.LETTER))
        self.expected = len(self.service.requests)
        assert self.expected - before <= 1

    @rule(address=st.sampled_from(FRIENDS))
    def both_invite_at_once(self, address: str) -> None:
        self.consents[address] += 2
        sent = self.service.mails.count(address)

        async def both() -> None:
            proposal = InviteProposal(READING.account, address, OFFER)
            tasks = [process.invite(proposal, ConsentKind.LETTER) for _, process in self.processes]
            for number, end in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
                if isinstance(end, Crash):
                    self.processes[number] = self.start()
                elif isinstance(end, BaseException) and not isinstance(end, ResetbankError):
                    raise end

        self.run(0, both())
        self.expected = len(self.service.requests)
        assert self.service.mails.count(address) - sent <= 1

    @rule(number=st.integers(0, 1), pick=st.integers(0, 5))
    def resend(self, number: int, pick: int) -> None:
        records = [record for record in self.kept() if record.address is not None]
        if records:
            record = records[pick % len(records)]
            assert record.address is not None
            self.consents[record.address] += 1
            before = len(self.service.requests)
            self.run(number, self.processes[number][1].resend(record.key))
            self.expected = len(self.service.requests)
            assert self.expected - before <= 1

    @rule(pick=st.integers(0, 5), state=st.sampled_from(list(InviteStatus)))
    def a_friend_moves(self, pick: int, state: InviteStatus) -> None:
        rows = list(self.service.rows.values())
        if not rows:  # no precondition: who wins a race of two processes differs between runs
            return
        row = rows[pick % len(rows)]
        rewards = (Reward(REFERRER, RESET_CREDIT, 1, f"credit-{row.id}"),) if state is InviteStatus.REWARDED else ()
        self.service.rows[row.id] = replace(row, state=state, word=state.value, rewards=rewards)

    @rule(number=st.integers(0, 1), address=st.sampled_from(FRIENDS))
    def note(self, number: int, address: str) -> None:
        self.run(number, self.processes[number][1].note(address, None))

    @rule(number=st.integers(0, 1), pick=st.integers(0, 5))
    def forget(self, number: int, pick: int) -> None:
        records = self.kept()
        if records:
            self.run(number, self.processes[number][1].forget(records[pick % len(records)].key))

    @invariant()
    def nothing_is_sent_but_on_consent(self) -> None:
        assert len(self.service.requests) == self.expected
        for address, mails in Counter(self.service.mails).items():
            assert mails <= self.consents[address]

    @invariant()
    def every_consent_that_was_sent_on_is_in_the_ledger(self) -> None:
        consented = sum(event.kind is EventKind.INVITE_CONSENTED for event in EventLog(self.database).events())
        assert len(self.service.requests) <= consented

    @invariant()
    def whoever_got_an_e_mail_is_known(self) -> None:
        known = [row for row in self.kept() if row.stage not in (SendStage.REFUSED, SendStage.LOST)]
        for address in set(self.service.mails):
            assert any(same_address(record.address, address) for record in known)

    def teardown(self) -> None:
        """When all is well again, every doubt is settled, and what is known is what the service knows."""
        try:
            self.the_service_recovers()
            self.processes[0] = self.start()
            self.clock.advance(SETTLING.total_seconds())
            self.look(0)
            self.nothing_is_sent_but_on_consent()
            self.whoever_got_an_e_mail_is_known()
            records = self.kept()
            assert not any(record.is_open for record in records)
            assert not any(record.resend and record.resend.is_open for record in records)
            ids = Counter(record.referral_id for record in records if record.referral_id is not None)
            assert ids == Counter(self.service.rows.keys())
            assert self.processes[0][0].state.invites.listed_at is not None
            assert set(self.processes[0][0].state.invites.records) == set(records)
            for event in EventLog(self.database).events():
                assert "private" not in str(astuple(event))
            COUNTS["runs"] += 1
            COUNTS["mails"] += len(self.service.mails)
            COUNTS["consents"] += sum(self.consents.values())
        finally:
            self.database.close()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


COUNTS = {"runs": 0, "mails": 0, "consents": 0}


@random_runs
def test_hundreds_of_random_runs() -> None:
    run_at_random(Postroom, 600)
    print(COUNTS)
    assert COUNTS["runs"] >= budget(600)
    assert 10 * COUNTS["mails"] > COUNTS["runs"], "runs that send nothing would prove nothing"
