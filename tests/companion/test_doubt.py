"""Where a spend's outcome is in doubt: databases that fail, services that lie, and no reset too many."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.companion.scripted import AT_LIMIT, CLEARED, READING, World
from tests.companion.test_spending import LOST, RESET, cleared, consent, driven, kinds, spend
from tests.domain.worlds import credit
from tests.support.clocks import ManualClock
from tui.domain.credits import Credit
from tui.domain.findings import findings, mismatches
from tui.domain.ledger import EventKind
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeCode, Outcome, Spend, Stage
from tui.errors import ConsumeRejected, OutcomeUnknown, SourceDown

THREE = (credit("c1", 2), credit("c2", 20), credit("c3", 30))
AT_LIMIT_WITH_THREE = replace(AT_LIMIT, bank=replace(AT_LIMIT.bank, available=3, credits=THREE))


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = World(clock, tmp_path)
    world.source.reading = AT_LIMIT_WITH_THREE
    yield world
    await world.companion.aclose()


def left(*rows: Credit, base: Snapshot = CLEARED) -> Snapshot:
    return replace(base, bank=replace(base.bank, available=len(rows), credits=rows))


def spoil(world: World, statement: str) -> Callable[[], ConsumeAnswer]:
    """The service resets, and the database fails before that can be written down."""

    def answer() -> ConsumeAnswer:
        with world.tables.database.reading() as connection:
            connection.execute(statement)
        world.source.reading = left(*THREE[1:])
        return RESET

    return answer


async def test_a_journal_that_cannot_be_written_sends_nothing_and_leaves_nothing(world: World) -> None:
    proposal = await world.companion.spender.propose()
    with world.tables.database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("PRAGMA query_only = 1")
    with pytest.raises(ConsumeRejected, match="nothing was sent") as refused:
        await world.companion.spender.spend(proposal, consent(world))
    assert refused.value.exit_code == 23
    with world.tables.database.reading() as connection:
        connection.execute("PRAGMA query_only = 0")
    assert world.source.requests == []
    assert world.spends.open_spend() is None


async def test_a_commit_of_unclear_fate_names_its_key_and_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = await world.companion.spender.propose()
    world.tables.database._connection = _FailingCommits(world.tables.database._connection)  # type: ignore[assignment]
    with pytest.raises(OutcomeUnknown, match="key-1 may be written down") as unknown:
        await world.companion.spender.spend(proposal, consent(world))
    assert unknown.value.exit_code == 22
    assert world.source.requests == []


class _FailingCommits:
    """A connection whose commits reach the disk and are called failed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def commit(self) -> None:
        self._connection.commit()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


@pytest.mark.parametrize("failure", ["PRAGMA query_only = 1", "DROP TABLE events"])
async def test_an_outcome_that_cannot_be_written_is_unknown_and_the_next_start_learns_it(
    world: World, tmp_path: Path, failure: str
) -> None:
    world.source.answers.append(spoil(world, failure))
    found = await spend(world)
    assert (found.stage, found.is_open, found.key) == (Stage.UNKNOWN, True, "key-1")
    assert "could not be written down" in (found.reason or "")
    assert world.companion.state.open_spend is not None
    if failure.startswith("DROP"):
        return  # that database is lost
    again = World(world.clock, tmp_path, process="the next start")
    again.source.reading = world.source.reading
    done = await driven(again, again.companion.spender.finish())
    assert (done.outcome, done.resets_left) == (Outcome.RESET, 2)
    assert again.source.requests == []  # it is gone from the bank: nothing is sent again
    await again.companion.aclose()


async def test_a_database_that_is_locked_for_a_moment_is_waited_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "resetbank.db", isolation_level=None, check_same_thread=False)
    with world.tables.database.reading() as connection:
        connection.execute("PRAGMA busy_timeout = 1")

    def lock() -> ConsumeAnswer:
        other.execute("BEGIN IMMEDIATE")
        return cleared(world)

    world.source.answers.append(lock)
    sleep = world.clock.sleep

    async def free(seconds: float) -> None:
        if other.in_transaction:
            other.rollback()
        await sleep(seconds)

    monkeypatch.setattr(world.clock, "sleep", free)
    done = await spend(world)
    assert (done.is_open, done.outcome) == (False, Outcome.RESET)
    other.close()


async def test_without_a_person_at_most_two_requests_go_out_and_only_while_the_bank_shows_the_reset(
    world: World,
) -> None:
    world.source.answers.extend([LOST] * 9)
    assert (await spend(world)).is_open
    assert len(world.source.requests) == 2
    for _ in range(3):
        await driven(world, world.companion.spender.finish(unasked=True))
    assert len(world.source.requests) == 2
    await driven(world, world.companion.spender.finish())
    assert len(world.source.requests) == 3
    assert len(set(world.source.requests)) == 1


async def test_nothing_is_sent_again_while_the_bank_cannot_be_read(world: World) -> None:
    def go_dark() -> ConsumeAnswer:
        world.source.reading = SourceDown("503")
        raise LOST

    world.source.answers.append(go_dark)
    assert (await spend(world)).is_open
    assert len(world.source.requests) == 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_service_that_honours_neither_key_nor_credit_loses_no_reset_by_resending(
    world: World, late: bool
) -> None:
    bank = list(THREE)
    effects = 0

    def take() -> ConsumeAnswer:
        nonlocal effects
        if late:
            effects += 1  # it happens when the answer to the second is lost, too
        else:
            bank.pop()
        if len(world.source.requests) == 2:
            del bank[len(bank) - effects :]
        world.source.reading = left(*bank, base=AT_LIMIT)
        raise LOST

    world.source.answers.extend([take] * 9)
    found = await spend(world)
    lost = 3 - len(bank)
    assert lost == (2 if late else 1)
    assert len(world.source.requests) == (2 if late else 1)
    assert found.outcome is Outcome.RESET
    assert mismatches(found)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ConsumeRejected("403"), "the service refused, but the reset is gone from the bank"),
        (ConsumeAnswer(ConsumeCode.NOTHING_TO_RESET), "said that nothing was to be reset, but the reset is gone"),
    ],
)
async def test_a_refusal_whose_reset_is_gone_is_a_spend(world: World, answer: object, words: str) -> None:
    def lie() -> ConsumeAnswer:
        world.source.reading = left(*THREE[1:])
        if isinstance(answer, ConsumeAnswer):
            return answer
        assert isinstance(answer, Exception)
        raise answer

    world.source.answers.append(lie)
    done = await spend(world)
    assert (done.is_open, done.outcome) == (False, Outcome.RESET)
    assert words in "; ".join(findings(done))
    assert "nothing was spent" not in world.ledger.events()[-1].text


async def test_no_such_reset_is_not_called_nothing_spent_where_it_is_gone(world: World) -> None:
    def lie() -> ConsumeAnswer:
        world.source.reading = left(*THREE[1:])
        return ConsumeAnswer(ConsumeCode.NO_CREDIT)

    world.source.answers.append(lie)
    done = await spend(world)
    assert done.outcome is Outcome.NO_CREDIT
    assert "spent by this request, or elsewhere" in world.ledger.events()[-1].text
    assert "nothing was spent" not in world.ledger.events()[-1].text


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        ((THREE[0], THREE[2]), "another reset is gone instead of the one that was consented to"),
        ((THREE[2],), "1 more reset is gone: c2"),
        ((), "2 more resets are gone: c2, c3"),
    ],
)
async def test_another_reset_or_one_too_many_is_said(world: World, bank: tuple[Credit, ...], words: str) -> None:
    def take() -> ConsumeAnswer:
        world.source.reading = left(*bank)
        return RESET

    world.source.answers.append(take)
    done = await spend(world)
    assert words in mismatches(done)
    assert words in world.ledger.events()[-1].text


async def test_a_refusal_is_not_said_before_the_bank_was_looked_at(world: World) -> None:
    def refuse() -> ConsumeAnswer:
        world.source.reading = SourceDown("503")
        raise ConsumeRejected("403")

    world.source.answers.append(refuse)
    found: Spend = await spend(world)
    assert (found.is_open, found.stage) == (True, Stage.ANSWERED)
    assert not any("nothing was spent" in event.text for event in world.ledger.events())
    world.source.reading = AT_LIMIT_WITH_THREE
    done = await driven(world, world.companion.spender.finish(unasked=True))
    assert (done.is_open, done.outcome) == (False, Outcome.REFUSED)
    assert world.ledger.events()[-1].text == "refused; nothing was spent; 403"
    assert len(world.source.requests) == 1


async def test_a_spend_whose_reset_left_before_it_was_sent_is_never_sent(world: World, tmp_path: Path) -> None:
    proposal = await world.companion.spender.propose()
    world.tables.database._connection = _FailingCommits(world.tables.database._connection)  # type: ignore[assignment]
    with pytest.raises(OutcomeUnknown):
        await world.companion.spender.spend(proposal, consent(world))
    again = World(world.clock, tmp_path, process="the next start")
    again.source.reading = left(*THREE[1:], base=AT_LIMIT)
    done = await driven(again, again.companion.spender.finish(unasked=True))
    assert (done.is_open, done.outcome, again.source.requests) == (False, Outcome.REFUSED, [])
    await again.companion.aclose()


async def test_an_own_spend_is_no_event_however_late_the_single_credits_are_read(world: World) -> None:
    await world.companion.poller.poll()
    world.source.answers.append(lambda: cleared(world))
    world.clock.advance(1)
    world.source.reading = replace(READING, bank=AT_LIMIT_WITH_THREE.bank)
    proposal = await world.companion.spender.propose()

    def take() -> ConsumeAnswer:
        world.source.reading = SourceDown("503")  # it cannot be verified: no reading with details
        return RESET

    world.source.answers.clear()
    world.source.answers.append(take)
    await driven(world, world.companion.spender.spend(proposal, consent(world)))
    world.source.reading = replace(left(*THREE[1:]), bank=replace(CLEARED.bank, available=2, credits=None))
    for _ in range(3):
        world.clock.advance(60)
        await world.companion.poller.poll()
    world.source.reading = left(*THREE[1:])
    world.clock.advance(600)
    await world.companion.poller.poll()
    assert set(kinds(world)) <= {
        EventKind.LIMIT_REACHED,
        EventKind.SPEND_CONSENTED,
        EventKind.SPEND_SENT,
        EventKind.SPEND_ANSWERED,
        EventKind.SPEND_CLOSED,
        EventKind.RESET_MOVED,
    }
