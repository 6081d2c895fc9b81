import pytest

from tests.companion.invite_world import OTHER, Inviting
from tests.companion.inviting import LINK
from tests.domain.inviting import FRIEND
from tui.domain.invites import LISTED_FOR, SendStage
from tui.domain.ledger import EventKind
from tui.domain.referral import InviteStatus
from tui.errors import UsageError


async def test_an_invite_made_elsewhere_is_noted_and_forgotten(world: Inviting) -> None:
    note = await world.inviter.note(f" {FRIEND} ", LINK)
    assert (note.stage, note.address, note.shareable_link) == (SendStage.NOTED, FRIEND, LINK)
    assert list(world.book.records) == [note]
    with pytest.raises(UsageError, match="noted already"):
        await world.inviter.note(FRIEND.upper(), None)
    await world.inviter.forget(note.key)
    assert not world.book.records
    assert world.kinds == [EventKind.INVITE_NOTED, EventKind.INVITE_FORGOTTEN]
    assert world.service.requests == []
    with pytest.raises(UsageError, match="not known here any more"):
        await world.inviter.forget(note.key)
    assert len(world.kinds) == 2, "what is gone is not forgotten twice"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://evil.example", "https://a:b@x.example", "x", ""])
async def test_a_link_that_must_not_be_handed_on_is_not_noted(world: Inviting, link: str) -> None:
    with pytest.raises(UsageError, match="no link to hand on"):
        await world.inviter.note(FRIEND, link)
    assert not world.book.records


async def test_a_noted_address_can_be_invited_and_an_invited_one_not_noted(world: Inviting) -> None:
    await world.inviter.note(FRIEND, None)
    assert (await world.invite()).stage is SendStage.SENT
    with pytest.raises(UsageError, match="invited already"):
        await world.inviter.note(FRIEND, None)


async def test_what_the_service_may_have_cannot_be_forgotten(world: Inviting) -> None:
    world.service.weather.append("drop_before")
    open_, sent = await world.invite(OTHER), await world.invite()
    for record in (open_, sent):
        with pytest.raises(UsageError, match="cannot be forgotten here"):
            await world.inviter.forget(record.key)
    assert len(world.book.records) == 2


async def test_a_noted_invite_is_told_by_the_service_later(world: Inviting) -> None:
    note = await world.inviter.note(FRIEND, LINK)
    world.service.add(FRIEND, InviteStatus.JOINED)
    await world.inviter.refresh()
    (row,) = world.book.records
    assert (row.key, row.stage, row.state) == (note.key, SendStage.NOTED, InviteStatus.JOINED)
    assert world.kinds == [EventKind.INVITE_NOTED, EventKind.INVITE_CHANGED]


async def test_a_doubt_that_no_list_will_ever_settle_can_be_forgotten(world: Inviting) -> None:
    world.service.weather.append("drop_before")
    record = await world.invite()
    world.clock.advance(LISTED_FOR.total_seconds() - 1)
    with pytest.raises(UsageError, match="cannot be forgotten here"):
        await world.inviter.forget(record.key)
    world.clock.advance(1)
    await world.inviter.forget(record.key)
    assert not world.book.records
    assert (await world.invite()).stage is SendStage.SENT, "and the address is free again"
