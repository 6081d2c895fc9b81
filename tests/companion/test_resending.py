import asyncio
from pathlib import Path

import pytest

from tests.companion.invite_world import (
    Inviting,
    another,
    invited,
)
from tests.companion.inviting import Crash
from tests.domain.inviting import FRIEND
from tui.domain.invite_tracking import SETTLING
from tui.domain.invites import ResendStage
from tui.domain.ledger import EventKind
from tui.errors import (
    InviteRejected,
    SourceDown,
    UsageError,
)


async def test_a_resend_on_one_consent(world: Inviting) -> None:
    record = await invited(world)
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert (again.resend.stage, again.resend.at) == (ResendStage.SENT, world.clock.now())
    assert world.service.mails == [FRIEND, FRIEND]
    assert world.kinds[-2:] == [EventKind.INVITE_CONSENTED, EventKind.INVITE_RESENT]
    with pytest.raises(UsageError, match="cannot be sent again: it is too early"):
        await world.inviter.resend(record.key)
    assert len(world.service.requests) == 2


async def test_a_refused_resend_says_so(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append(InviteRejected("refused (429)"))
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert (again.resend.stage, again.resend.reason) == (ResendStage.REFUSED, "refused (429)")
    assert world.service.mails == [FRIEND]


async def test_a_resend_with_a_lost_answer_is_settled_by_the_new_pause(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append("drop_after")
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert again.resend.stage is ResendStage.SENT
    assert world.service.mails == [FRIEND, FRIEND]
    assert world.kinds[-3:] == [EventKind.INVITE_CONSENTED, EventKind.INVITE_UNKNOWN, EventKind.INVITE_RESENT]


async def test_a_resend_that_did_not_arrive_is_settled_by_the_old_pause(world: Inviting) -> None:
    record = await invited(world)
    world.service.weather.append("drop_before")
    again = await world.inviter.resend(record.key)
    assert again.resend is not None
    assert again.resend.stage is ResendStage.UNKNOWN
    with pytest.raises(UsageError, match="whether the last one went out is not known yet"):
        await world.inviter.resend(record.key)
    world.clock.advance(SETTLING.total_seconds())
    await world.inviter.refresh()
    settled = world.book.records[0].resend
    assert settled is not None
    assert settled.stage is ResendStage.REFUSED
    assert len(world.service.requests) == 2
    assert (await world.inviter.resend(record.key)).resend is not None
    assert world.service.mails == [FRIEND, FRIEND]


async def test_a_process_that_died_over_a_resend_is_never_repeated(world: Inviting, tmp_path: Path) -> None:
    record = await invited(world)
    world.service.weather.append(Crash())
    with pytest.raises(Crash):
        await world.inviter.resend(record.key)
    async with another(world, tmp_path) as heir:
        await heir.inviter.load()
        with pytest.raises(UsageError, match="not known yet"):
            await heir.inviter.resend(record.key)
    assert len(world.service.requests) == 2


async def test_two_processes_resend_once(world: Inviting, tmp_path: Path) -> None:
    record = await invited(world)
    async with another(world, tmp_path) as other:
        both = await asyncio.gather(
            world.inviter.resend(record.key), other.inviter.resend(record.key), return_exceptions=True
        )
    assert sorted(type(one).__name__ for one in both) == ["InviteRecord", "UsageError"]
    assert world.service.mails == [FRIEND, FRIEND]


async def test_only_what_the_service_lists_can_be_sent_again(world: Inviting) -> None:
    note = await world.inviter.note(FRIEND, None)
    for key in (note.key, "no such key"):
        with pytest.raises(UsageError, match="does not list that invite"):
            await world.inviter.resend(key)
    assert world.service.requests == []


async def test_a_resend_right_after_the_start_learns_the_contract_first(world: Inviting, tmp_path: Path) -> None:
    record = await invited(world)
    async with another(world, tmp_path) as heir:
        await heir.inviter.load()
        offers = world.service.offers
        again = await heir.inviter.resend(record.key)
        assert again.resend is not None
        assert again.resend.stage is ResendStage.SENT
        assert world.service.offers > offers
    async with another(world, tmp_path) as late:
        world.service.offered = SourceDown("gone")
        sends = len(world.service.requests)
        with pytest.raises(InviteRejected, match="nothing was sent: gone"):
            await late.inviter.resend(record.key)
        assert len(world.service.requests) == sends
