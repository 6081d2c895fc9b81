import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tui.domain.referral import InviteStatus
from tui.stub.database import invites
from tui.stub.database.accounts import find_account
from tui.stub.database.bank import Bank
from tui.stub.database.start import begin
from tui.stub.database.transactions import StubDatabase
from tui.stub.rules.invites import NotOffered
from tui.stub.scenarios import SCENARIOS, find_scenario

Opener = Callable[..., Bank]
DAY = 86_400


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.plan in ("plus", "pro")])
def test_the_pilot_runs_in_every_demo(open_bank: Opener, name: str) -> None:
    offer = open_bank(name).referrals.offer("acc1")
    if name == "pilot-ended":
        assert offer.refused is NotOffered.ENDED
    else:
        assert (offer.refused, bool(offer.sends_left), offer.rewards_left > 0) == (None, True, True)


def test_the_pilot_has_an_invite_in_every_state(open_bank: Opener) -> None:
    bank = open_bank("pilot")
    told = bank.referrals.everything()
    assert {tracked.state for tracked in told} == set(InviteStatus) - {InviteStatus.FIRST_MESSAGE, InviteStatus.UNKNOWN}
    assert {tracked.invite.email.rpartition("@")[2] for tracked in told} == {"example.com", "example.org"}
    assert [tracked.invite.sent_at for tracked in told] == sorted(tracked.invite.sent_at for tracked in told)
    assert "@ada" in [credit.granted_by for credit in bank.read("acc1").credits]


@contextmanager
def a_database(clock: ManualClock, scenario: str) -> Iterator[StubDatabase]:
    database = StubDatabase(None, clock)
    with database.entering(find_scenario(scenario)) as (transaction, _):
        begin(database, transaction, find_scenario(scenario))
    yield database
    database.close()


def test_hundreds_of_invites_page_completely_and_stably(clock: ManualClock) -> None:
    with a_database(clock, "pilot-start") as database:
        bank = Bank(database)
        addresses = [f"friend{number}@example.com" for number in range(347)]

        def send(emails: list[str]) -> None:
            with database.writing() as transaction:
                campaign = transaction.scenario.campaign
                assert campaign is not None
                for email in emails:
                    referrer = find_account(transaction, "acc1")
                    invites.send(transaction, replace(campaign, send_capacity=None), referrer, email)

        send(addresses)
        seen: list[str] = []
        before: int | None = None
        while True:
            page, before = bank.referrals.tracking("acc1", past_seconds=DAY, before=before, limit=25)
            seen += [tracked.invite.email for tracked in page]
            if before is None:
                break
            # New ones come before the first page: they move nothing.
            send([f"later{len(seen)}@example.com"])
        assert seen == addresses[::-1]


def test_the_period_bounds_the_list(open_bank: Opener) -> None:
    bank = open_bank("pilot")
    for days, count in ((90, 7), (5.5, 3), (1, 0)):
        page, _ = bank.referrals.tracking("acc1", past_seconds=days * DAY, before=None, limit=100)
        assert len(page) == count


def test_the_database_keeps_the_bounds_by_itself(clock: ManualClock) -> None:
    with a_database(clock, "pilot") as database, database.writing() as transaction:
        tell = transaction.connection.execute
        for wrong in (
            "UPDATE invite SET joined_at = 1, friend = 'ada' WHERE email = 'dennis@example.org'",
            "UPDATE invite SET first_message_at = 1, reward_slot = 1 WHERE email = 'grace@example.com'",
            "UPDATE invite SET reward_slot = 3 WHERE email = 'grace@example.com'",
            "UPDATE invite SET address = 'ada@example.com' WHERE email = 'grace@example.com'",
            "UPDATE invite SET token = (SELECT token FROM invite WHERE friend = 'ada') WHERE friend = 'grace'",
            "UPDATE grant SET key = 'complimentary:acc1' WHERE account = 'ada'",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                tell(wrong)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_adds_up(open_bank: Opener, clock: ManualClock, name: str) -> None:
    bank = open_bank(name)
    for days in (0, 3, 40):
        clock.advance(days * DAY)
        readings, _ = bank.everything()
        for reading in readings:
            assert reading.granted == len(reading.credits)
        granted = sum(grant.amount for grant in bank.grants() if grant.kind == "rate_limit_reset_credit")
        assert granted == sum(len(reading.credits) for reading in readings)
        offer, told = bank.referrals.offer("acc1"), bank.referrals.everything()
        assert (offer.sent, offer.rewarded) == (
            len(told),
            sum(tracked.invite.reward_slot is not None for tracked in told),
        )


def test_credits_never_come_without_a_grant(clock: ManualClock) -> None:
    for name in SCENARIOS:
        with a_database(clock, name) as database, database.reading() as transaction:
            query = "SELECT count(*) FROM credit LEFT JOIN grant ON grant.id = grant_id WHERE grant.id IS NULL"
            assert transaction.connection.execute(query).fetchone() == (0,)
