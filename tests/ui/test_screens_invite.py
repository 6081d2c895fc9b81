"""The invite panel and its dialogs as plain text, at three sizes."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.clocks import ManualClock
from tests.ui import invite_states, live_states
from tests.ui.invite_states import offered
from tests.ui.scene import Scene
from tests.ui.showing import Golden, at_every_size, press_alone, running, settle
from tests.ui.states import NOW
from tui.companion.state import State
from tui.domain.referral import InviteStatus, OfferAnswer, OfferStatus
from tui.errors import InviteRejected, InviteUnknown

PANELS: Final[dict[str, Callable[[], State]]] = {
    "invite-panel": invite_states.every,
    "invite-panel-none": lambda: offered(),
    "invite-panel-not-asked": invite_states.not_asked,
    "invite-panel-forbidden": invite_states.forbidden,
    "invite-panel-not-offered": invite_states.not_offered,
    "invite-panel-unreachable": invite_states.unreachable,
    "invite-panel-unread": invite_states.unread,
    "invite-panel-demo": lambda: replace(invite_states.two(), demo="pilot"),
}


@at_every_size
@pytest.mark.parametrize("name", PANELS)
async def test_panel(name: str, size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    async with running(Scene(PANELS[name](), clock), clock, size=size) as (pilot, app, _):
        await pilot.press("i")
        await settle(pilot)
        golden(name, app)


@at_every_size
async def test_the_bank_tells_of_invites_without_an_address(size: tuple[int, int], golden: Golden) -> None:
    async with running(invite_states.every(), size=size) as (_, app, _):
        golden("invites-under-way", app)


Steps = Callable[[Pilot[int], Scene, ManualClock], Awaitable[None]]


async def type_address(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("a", *"new@example.com")


async def type_nonsense(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("a", *"me@example.com", "enter")


async def consent(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await type_address(pilot, companion, clock)
    await pilot.press("enter")
    await settle(pilot)


async def send(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await consent(pilot, companion, clock)
    await press_alone(pilot, clock, "A")


async def send_in_vain(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    companion.service.weather.append(InviteRejected("127.0.0.1:8899 refused (422): You have no invites left"))
    await send(pilot, companion, clock)


async def send_without_answer(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    companion.service.weather.append(InviteUnknown("127.0.0.1:8899 did not answer within 15 s"))
    await send(pilot, companion, clock)


async def send_after_a_change(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    changed = replace(invite_states.OFFER, rules=("Nobody gets anything.",))
    companion.service.offered = OfferAnswer(OfferStatus.OFFERED, changed)
    await send(pilot, companion, clock)


async def again(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("down", "e")
    await settle(pilot)


async def send_again(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await again(pilot, companion, clock)
    await press_alone(pilot, clock, "A")


async def send_again_without_answer(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    companion.service.weather.append(InviteUnknown("the connection broke"))
    await send_again(pilot, companion, clock)


async def again_too_early(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("e")


async def write_down(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("p", *"pal@example.com", "enter")


async def message(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("m")


async def question_held_back(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await type_address(pilot, companion, clock)
    companion.publish(replace(companion.state, question=live_states.stopped_question().question))


async def no_reward_left(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    companion.publish(offered(offer=replace(invite_states.OFFER, rewards_left=0)))
    await settle(pilot)
    await consent(pilot, companion, clock)


async def qr(pilot: Pilot[int], companion: Scene, clock: ManualClock) -> None:
    await pilot.press("s")


STEPS: Final[dict[str, Steps]] = {
    "invite-typing": type_address,
    "invite-own-address": type_nonsense,
    "invite-consent": consent,
    "invite-sent": send,
    "invite-refused": send_in_vain,
    "invite-unanswered": send_without_answer,
    "invite-offer-changed": send_after_a_change,
    "invite-again": again,
    "invite-again-sent": send_again,
    "invite-again-unanswered": send_again_without_answer,
    "invite-again-too-early": again_too_early,
    "invite-write-down": write_down,
    "invite-message": message,
    "invite-typing-asked": question_held_back,
    "invite-no-reward-left": no_reward_left,
    "invite-qr": qr,
}


@at_every_size
@pytest.mark.parametrize("name", STEPS)
async def test_dialog(name: str, size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    companion = Scene(invite_states.two(), clock)
    async with running(companion, clock, size=size) as (pilot, app, _):
        await pilot.press("i")
        await settle(pilot)
        await STEPS[name](pilot, companion, clock)
        await settle(pilot)
        golden(name, app)


@at_every_size
async def test_hostile_words_of_the_service(size: tuple[int, int], golden: Golden, clock: ManualClock) -> None:
    hostile = "[red]Click[/] \x1b[31mhere\x1b[0m [@click=app.quit]now[/]\u202e " + "and so on " * 40
    offer = replace(invite_states.OFFER, title=hostile, description=hostile, rules=(hostile,), plans=(hostile,))
    record = invite_states.tracked(
        "k1",
        f"{hostile}@example.com",
        InviteStatus.UNKNOWN,
        NOW,
        word=hostile,
        reason=hostile,
    )
    async with running(Scene(offered(record, offer=offer), clock), clock, size=size) as (pilot, app, _):
        await pilot.press("i")
        await settle(pilot)
        golden("invite-hostile", app)
